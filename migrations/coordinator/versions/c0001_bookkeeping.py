"""Catalogs, their chunks and snapshots, ingests, parts and replicas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "c0001"
down_revision = None

_SCHEMA = "skyshard"
_NOW = sa.text("clock_timestamp()")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the coordinator's bookkeeping, referred-to tables first."""
    _create_shard()
    _create_catalog()
    _create_chunk()
    _create_ingest()
    _create_contribution()
    _create_snapshot()
    _create_part()
    _create_replica()


def _create_shard() -> None:
    op.create_table(
        "shard",
        sa.Column("shard_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("weight", sa.Double(), server_default="1", nullable=False),
        sa.Column("registered_at", _INSTANT, server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("shard_id", name="shard_pk"),
        schema=_SCHEMA,
        comment="The shards that this cluster has; their DSNs stay in configuration.",
    )


def _create_catalog() -> None:
    op.create_table(
        "catalog",
        sa.Column("catalog_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("model", JSONB(), nullable=False, comment="schema.catalog.Catalog as JSON"),
        sa.Column("snapshot", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", _INSTANT, server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("catalog_id", name="catalog_pk"),
        schema=_SCHEMA,
        comment="Catalogs; `snapshot` is the newest published one (0: empty).",
    )
    op.create_index(
        "catalog_name_ix", "catalog", [sa.text("lower(name)")], unique=True, schema=_SCHEMA
    )


def _create_chunk() -> None:
    op.create_table(
        "chunk",
        sa.Column("catalog_id", sa.Integer(), nullable=False),
        sa.Column("pixel_order", sa.SmallInteger(), nullable=False),
        sa.Column("pixel", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("catalog_id", "pixel_order", "pixel", name="chunk_pk"),
        _belongs("chunk", "catalog", ondelete="CASCADE"),
        schema=_SCHEMA,
        comment="A catalog's tiling of the sky, written by its first ingest.",
    )


def _create_ingest() -> None:
    op.create_table(
        "ingest",
        sa.Column("ingest_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("catalog_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="loaders.state.IngestState"),
        sa.Column("rows", sa.BigInteger()),
        sa.Column("rejects", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.Column("started_at", _INSTANT, server_default=_NOW, nullable=False),
        sa.Column("finished_at", _INSTANT),
        sa.PrimaryKeyConstraint("ingest_id", name="ingest_pk"),
        _belongs("ingest", "catalog", ondelete="CASCADE"),
        schema=_SCHEMA,
        comment="Units of publication.",
    )


def _create_contribution() -> None:
    op.create_table(
        "contribution",
        sa.Column("ingest_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text()),
        sa.Column("rows", sa.BigInteger()),
        sa.Column("rejects", sa.BigInteger()),
        sa.PrimaryKeyConstraint("ingest_id", "number", name="contribution_pk"),
        _belongs("contribution", "ingest", ondelete="CASCADE"),
        schema=_SCHEMA,
        comment="The input files of an ingest.",
    )


def _create_snapshot() -> None:
    op.create_table(
        "snapshot",
        sa.Column("catalog_id", sa.Integer(), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("ingest_id", sa.BigInteger()),
        sa.Column("published_at", _INSTANT, server_default=_NOW, nullable=False),
        sa.Column("tag", sa.Text()),
        sa.PrimaryKeyConstraint("catalog_id", "snapshot", name="snapshot_pk"),
        _belongs("snapshot", "catalog", ondelete="CASCADE"),
        _belongs("snapshot", "ingest", ondelete="SET NULL"),
        schema=_SCHEMA,
        comment="Published versions of a catalog.",
    )


def _create_part() -> None:
    op.create_table(
        "part",
        sa.Column("part_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("catalog_id", sa.Integer(), nullable=False),
        sa.Column("ingest_id", sa.BigInteger(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="schema.manifest.PartKind"),
        sa.Column("pixel_order", sa.SmallInteger()),
        sa.Column("pixel", sa.BigInteger()),
        sa.Column("bucket", sa.SmallInteger()),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("overlap_rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("checksum", sa.Numeric(20), nullable=False, comment="unsigned 64 bits"),
        sa.Column("separation_arcsec", sa.Double(), server_default="0", nullable=False),
        sa.Column("low_29", sa.BigInteger()),
        sa.Column("high_29", sa.BigInteger()),
        sa.Column("schema_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("from_snapshot", sa.Integer(), comment="NULL until published"),
        sa.Column(
            "to_snapshot",
            sa.Integer(),
            comment="first snapshot without it; NULL: still there",
        ),
        sa.PrimaryKeyConstraint("part_id", name="part_pk"),
        _belongs("part", "catalog", ondelete="CASCADE"),
        _belongs("part", "ingest"),
        schema=_SCHEMA,
        comment="The manifest: immutable parts and the snapshots that hold them.",
    )
    op.create_index(
        "part_catalog_id_from_snapshot_ix",
        "part",
        ["catalog_id", "from_snapshot"],
        schema=_SCHEMA,
    )
    op.create_index("part_ingest_id_ix", "part", ["ingest_id"], schema=_SCHEMA)


def _create_replica() -> None:
    op.create_table(
        "replica",
        sa.Column("part_id", sa.BigInteger(), nullable=False),
        sa.Column("shard_id", sa.Integer(), nullable=False),
        sa.Column("has_twin", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("part_id", "shard_id", name="replica_pk"),
        _belongs("replica", "part", ondelete="CASCADE"),
        _belongs("replica", "shard"),
        schema=_SCHEMA,
        comment="Complete, verified copies of parts.",
    )


def _belongs(table: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    """A foreign key to the bookkeeping table `target`."""
    return sa.ForeignKeyConstraint(
        [f"{target}_id"],
        [f"{_SCHEMA}.{target}.{target}_id"],
        name=f"{table}_{target}_id_fk",
        ondelete=ondelete,
    )
