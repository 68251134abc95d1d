"""A shard's own bookkeeping (PostgreSQL schema `skyshard`); the part tables lie in schema `parts`.

These rows suffice to rebuild the coordinator's manifest.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from schema.coordinator import SCHEMA

metadata = sa.MetaData(schema=SCHEMA, naming_convention={"pk": "%(table_name)s_pk"})

part = sa.Table(
    "part",
    metadata,
    sa.Column("part_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("catalog", sa.Text, nullable=False),
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("pixel_order", sa.SmallInteger),
    sa.Column("pixel", sa.BigInteger),
    sa.Column("bucket", sa.SmallInteger),
    sa.Column("ingest_id", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("overlap_rows", sa.BigInteger, nullable=False),
    sa.Column("checksum", sa.Numeric(20), nullable=False),
    sa.Column("separation_arcsec", sa.Double, nullable=False, server_default="0"),
    sa.Column("low_29", sa.BigInteger),
    sa.Column("high_29", sa.BigInteger),
    sa.Column(
        "created_at",
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.text("clock_timestamp()"),
    ),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("statistics", JSON),
    sa.Column("schema_version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("from_snapshot", sa.Integer, comment="NULL: not known to be published"),
    sa.Column("to_snapshot", sa.Integer),
    sa.Column(
        "merged",
        ARRAY(sa.BigInteger),
        comment="the ingests whose rows it holds; NULL: its own's alone",
    ),
    comment="Written in the transaction that fills the part's tables.",
)

cluster = sa.Table(
    "cluster",
    metadata,
    sa.Column("cluster_id", sa.Uuid, primary_key=True),
    sa.Column("shard_id", sa.Integer, nullable=False),
    sa.Column("part_high", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("ingest_high", sa.BigInteger, nullable=False, server_default="0"),
    comment="One row, once a coordinator took the shard: whose it is, and the largest ids given.",
)

catalog = sa.Table(
    "catalog",
    metadata,
    sa.Column("catalog_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("snapshot", sa.Integer, nullable=False),
    sa.Column("told", sa.Text, nullable=False, comment="digest of what was told last"),
    sa.Column("fields", JSONB, nullable=False, comment="the coordinator's row"),
    sa.Column("chunks", JSONB, nullable=False, comment="the tiling: [[order, pixel], ...]"),
    comment="The coordinator's catalogs, as they were told last.",
)

snapshot = sa.Table(
    "snapshot",
    metadata,
    sa.Column("catalog_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("snapshot", sa.Integer, primary_key=True),
    sa.Column("fields", JSONB, nullable=False, comment="the coordinator's row"),
    comment="The snapshots of the catalogs.",
)

ingest = sa.Table(
    "ingest",
    metadata,
    sa.Column("ingest_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("catalog_id", sa.Integer, nullable=False),
    sa.Column("fields", JSONB, nullable=False, comment="the coordinator's row"),
    sa.Column("contributions", JSONB, nullable=False, comment="the coordinator's rows"),
    comment="Published ingests and what they were made of.",
)

live_part = sa.Table(
    "live_part",
    metadata,
    sa.Column("part_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("catalog", sa.Text, nullable=False),
    sa.Column("table_name", sa.Text, nullable=False),
    comment="The tables of live catalogs that the shard has.",
)

ended_unit = sa.Table(
    "ended_unit",
    metadata,
    sa.Column("unit_id", sa.BigInteger, primary_key=True, autoincrement=False),
    comment="Units that were undone here: nothing more is written in their name.",
)
