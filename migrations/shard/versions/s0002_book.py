"""What a manifest is rebuilt from: catalogs, snapshots, ingests, and the rest of each part."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON, JSONB

revision = "s0002"
down_revision = "s0001"

_SCHEMA = "skyshard"


def upgrade() -> None:
    """Add what the coordinator knows beside it; parts that are there learn it when it is told next."""
    for column in (
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("statistics", JSON()),
        sa.Column("schema_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("from_snapshot", sa.Integer(), comment="NULL: not known to be published"),
        sa.Column("to_snapshot", sa.Integer()),
    ):
        op.add_column("part", column, schema=_SCHEMA)
    op.create_table(
        "cluster",
        sa.Column("cluster_id", sa.Uuid(), nullable=False),
        sa.Column("shard_id", sa.Integer(), nullable=False),
        sa.Column("part_high", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ingest_high", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("cluster_id", name="cluster_pk"),
        schema=_SCHEMA,
        comment="One row, once a coordinator took the shard: whose it is, and the largest ids given.",
    )
    op.create_table(
        "catalog",
        sa.Column("catalog_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False, comment="digest of what was told last"),
        sa.Column("fields", JSONB(), nullable=False, comment="the coordinator's row"),
        sa.Column("chunks", JSONB(), nullable=False, comment="the tiling: [[order, pixel], ...]"),
        sa.PrimaryKeyConstraint("catalog_id", name="catalog_pk"),
        schema=_SCHEMA,
        comment="The coordinator's catalogs, as they were told last.",
    )
    _create_history()


def _create_history() -> None:
    op.create_table(
        "snapshot",
        sa.Column("catalog_id", sa.Integer(), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("fields", JSONB(), nullable=False, comment="the coordinator's row"),
        sa.PrimaryKeyConstraint("catalog_id", "snapshot", name="snapshot_pk"),
        schema=_SCHEMA,
        comment="The snapshots of the catalogs.",
    )
    op.create_table(
        "ingest",
        sa.Column("ingest_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("catalog_id", sa.Integer(), nullable=False),
        sa.Column("fields", JSONB(), nullable=False, comment="the coordinator's row"),
        sa.Column("contributions", JSONB(), nullable=False, comment="the coordinator's rows"),
        sa.PrimaryKeyConstraint("ingest_id", name="ingest_pk"),
        schema=_SCHEMA,
        comment="Published ingests and what they were made of.",
    )
