"""Ingests that can be restarted: leases, plans, contributions' states, events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "c0005"
down_revision = "c0004"

_SCHEMA = "skyshard"
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the journal; ingests of before that did not end cannot go on, and are closed as failed."""
    for column in (
        sa.Column("label", sa.Text(), comment="what its owner calls it"),
        sa.Column("options", JSONB(), server_default="{}", nullable=False),
        sa.Column(
            "snapshot", sa.Integer(), comment="that it was planned against; NULL: not planned"
        ),
        sa.Column("plan", JSONB(), comment="what publishing needs beside the parts"),
        sa.Column("lease_owner", sa.Text(), comment="the loader that works on it"),
        sa.Column("lease_until", _INSTANT),
    ):
        op.add_column("ingest", column, schema=_SCHEMA)
    op.execute(
        f"UPDATE {_SCHEMA}.ingest SET state = 'failed', finished_at = clock_timestamp(),"
        " error = 'it was cut off before this version, and cannot go on'"
        " WHERE state IN ('staging', 'loading', 'publishing')"
    )
    _extend_contributions()
    _create_events()
    _create_plans()


def _extend_contributions() -> None:
    for column in (
        sa.Column(
            "state",
            sa.Text(),
            server_default="waiting",
            nullable=False,
            comment="loaders.state.ContributionState",
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), comment="why the last attempt failed"),
        sa.Column("piece", sa.Text(), comment="which part of the file; NULL: all of it"),
        sa.Column(
            "options", JSONB(), server_default="{}", nullable=False, comment="how it is read"
        ),
        sa.Column("bytes", sa.BigInteger()),
        sa.Column("warnings", JSONB(), server_default="[]", nullable=False),
        sa.Column("seconds", sa.Double(), comment="of the last attempt"),
    ):
        op.add_column("contribution", column, schema=_SCHEMA)
    op.execute(
        f"UPDATE {_SCHEMA}.contribution SET state = 'staged', attempts = 1 WHERE rows IS NOT NULL"
    )


def _create_events() -> None:
    op.create_table(
        "ingest_event",
        sa.Column("event_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("ingest_id", sa.BigInteger(), nullable=False),
        sa.Column("at", _INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", JSONB(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="ingest_event_pk"),
        sa.ForeignKeyConstraint(
            ["ingest_id"],
            [f"{_SCHEMA}.ingest.ingest_id"],
            name="ingest_event_ingest_id_fk",
            ondelete="CASCADE",
        ),
        schema=_SCHEMA,
        comment="What happened to ingests, in order.",
    )
    op.create_index("ingest_event_ingest_id_ix", "ingest_event", ["ingest_id"], schema=_SCHEMA)


def _create_plans() -> None:
    op.create_table(
        "planned_part",
        sa.Column("part_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ingest_id", sa.BigInteger(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="schema.manifest.PartKind"),
        sa.Column("pixel_order", sa.SmallInteger()),
        sa.Column("pixel", sa.BigInteger()),
        sa.Column("bucket", sa.SmallInteger()),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("overlap_rows", sa.BigInteger(), nullable=False),
        sa.Column("shards", ARRAY(sa.Integer()), nullable=False),
        sa.Column("state", sa.Text(), server_default="planned", nullable=False),
        sa.Column("loaded_at", _INSTANT),
        sa.PrimaryKeyConstraint("part_id", name="planned_part_pk"),
        sa.ForeignKeyConstraint(
            ["ingest_id"],
            [f"{_SCHEMA}.ingest.ingest_id"],
            name="planned_part_ingest_id_fk",
            ondelete="CASCADE",
        ),
        schema=_SCHEMA,
        comment="The parts that an ingest is to load; gone when it is published or cleaned up.",
    )
    op.create_index("planned_part_ingest_id_ix", "planned_part", ["ingest_id"], schema=_SCHEMA)
