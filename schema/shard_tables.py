"""A shard's own bookkeeping (PostgreSQL schema `skyshard`); the part tables lie in schema `parts`.

These rows suffice to rebuild the coordinator's manifest.
"""

from __future__ import annotations

import sqlalchemy as sa

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
    comment="Written in the transaction that fills the part's tables.",
)
