"""Replication: whose databases these are, the copies to be mended, and when copies moved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c0004"
down_revision = "c0003"

_SCHEMA = "skyshard"


def upgrade() -> None:
    """Add `cluster` with a new id, the queue `repair`, and `catalog.placement`."""
    op.create_table(
        "cluster",
        sa.Column(
            "cluster_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("cluster_id", name="cluster_pk"),
        schema=_SCHEMA,
        comment="One row: the cluster that this coordinator and its shards are.",
    )
    op.execute(f"INSERT INTO {_SCHEMA}.cluster DEFAULT VALUES")
    op.add_column(
        "catalog",
        sa.Column(
            "placement",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="grows whenever published copies are added or removed",
        ),
        schema=_SCHEMA,
    )
    _create_repair()


def _create_repair() -> None:
    op.create_table(
        "repair",
        sa.Column("part_id", sa.BigInteger(), nullable=False),
        sa.Column("shard_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "queued_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text(), comment="why the last attempt failed"),
        sa.PrimaryKeyConstraint("part_id", "shard_id", name="repair_pk"),
        sa.ForeignKeyConstraint(
            ["part_id"],
            [f"{_SCHEMA}.part.part_id"],
            name="repair_part_id_fk",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shard_id"], [f"{_SCHEMA}.shard.shard_id"], name="repair_shard_id_fk"
        ),
        schema=_SCHEMA,
        comment="Copies of parts that a shard should hold and does not, or holds damaged.",
    )
