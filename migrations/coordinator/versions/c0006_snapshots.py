"""Snapshots that are dropped, tagged, queried again; parts that merge others; czars' leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "c0006"
down_revision = "c0005"

_SCHEMA = "skyshard"
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what snapshots and parts need, and `lease`; the snapshots there are were ingests'."""
    for table, column in (
        ("catalog", sa.Column("keep_snapshots", sa.Integer(), comment="NULL: all")),
        (
            "ingest",
            sa.Column("kind", sa.Text(), server_default="ingest", nullable=False),
        ),
        (
            "snapshot",
            sa.Column("kind", sa.Text(), server_default="ingest", nullable=False),
        ),
        (
            "snapshot",
            sa.Column(
                "version",
                sa.Integer(),
                server_default="1",
                nullable=False,
                comment="of the catalog's model",
            ),
        ),
        ("snapshot", sa.Column("dropped_at", _INSTANT, comment="NULL: it may be queried")),
        (
            "part",
            sa.Column(
                "merged",
                ARRAY(sa.BigInteger()),
                comment="the ingests whose rows it holds; NULL: its own's alone",
            ),
        ),
        ("part", sa.Column("dropped_at", _INSTANT, comment="when its tables began to be dropped")),
    ):
        op.add_column(table, column, schema=_SCHEMA)
    op.execute(
        f"UPDATE {_SCHEMA}.snapshot SET version = catalog.version FROM {_SCHEMA}.catalog"
        " WHERE catalog.catalog_id = snapshot.catalog_id"
    )
    op.create_index(
        "snapshot_tag_ix",
        "snapshot",
        ["catalog_id", sa.text("lower(tag)")],
        unique=True,
        schema=_SCHEMA,
    )
    op.create_table(
        "lease",
        sa.Column("czar_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_until", _INSTANT, nullable=False),
        sa.Column(
            "pins",
            JSONB(),
            server_default="{}",
            nullable=False,
            comment="catalog id: the oldest snapshot that a query of the czar reads",
        ),
        sa.PrimaryKeyConstraint("czar_id", name="lease_pk"),
        schema=_SCHEMA,
        comment="Czars and the snapshots that their queries read.",
    )
