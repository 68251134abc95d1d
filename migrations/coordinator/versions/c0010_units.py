"""Live catalogs: units of work, and the parts that they change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

revision = "c0010"
down_revision = "c0009"

_NOW = sa.text("clock_timestamp()")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables; there is no live catalog with rows yet."""
    _create_units()
    _create_parts()
    op.create_table(
        "unit_part",
        sa.Column("unit_id", sa.BigInteger, nullable=False),
        sa.Column("part_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "part_id", name="unit_part_pk"),
        _belongs("unit_part", "unit_id", "unit.unit_id"),
        _belongs("unit_part", "part_id", "live_part.part_id"),
        schema="skyshard",
        comment="Where a unit may have written, written down before it does.",
    )
    op.create_index("unit_part_part_id_ix", "unit_part", ["part_id"], schema="skyshard")


def _create_units() -> None:
    op.create_table(
        "unit",
        sa.Column("unit_id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("catalog_id", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False, comment="schema.units.UnitState"),
        sa.Column("label", sa.Text, nullable=False, server_default=""),
        sa.Column("snapshot", sa.Integer, comment="that it made; NULL: not committed"),
        sa.Column("started_at", _INSTANT, nullable=False, server_default=_NOW),
        sa.Column("finished_at", _INSTANT),
        sa.Column("lease_owner", sa.Text, comment="the writer"),
        sa.Column("lease_until", _INSTANT),
        sa.Column("facts", JSONB, nullable=False, server_default="{}", comment="rows by table"),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("unit_id", name="unit_pk"),
        _belongs("unit", "catalog_id", "catalog.catalog_id"),
        schema="skyshard",
        comment="Units of work on live catalogs; those long committed are forgotten.",
    )
    op.create_index(
        "unit_catalog_id_snapshot_ix", "unit", ["catalog_id", "snapshot"], schema="skyshard"
    )


def _create_parts() -> None:
    op.create_table(
        "live_part",
        sa.Column("part_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("catalog_id", sa.Integer, nullable=False),
        sa.Column("table_name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, comment="schema.manifest.PartKind"),
        sa.Column("pixel_order", sa.SmallInteger),
        sa.Column("pixel", sa.BigInteger),
        sa.Column("bucket", sa.SmallInteger),
        sa.Column("slice", sa.Integer, comment="of time; NULL: of no time"),
        sa.Column(
            "shards", ARRAY(sa.Integer), nullable=False, comment="with a copy that is written"
        ),
        sa.Column("rows", sa.BigInteger, nullable=False, server_default="0", comment="an estimate"),
        sa.Column("separation_arcsec", sa.Double, nullable=False, server_default="0"),
        sa.Column("statistics", JSON),
        sa.Column("from_snapshot", sa.Integer, comment="NULL: no unit that wrote it is committed"),
        sa.Column("to_snapshot", sa.Integer, comment="first snapshot without it"),
        sa.PrimaryKeyConstraint("part_id", name="live_part_pk"),
        _belongs("live_part", "catalog_id", "catalog.catalog_id"),
        schema="skyshard",
        comment="The tables of live catalogs; their ids are those of parts.",
    )
    op.create_index(
        "live_part_catalog_id_ix", "live_part", ["catalog_id", "table_name"], schema="skyshard"
    )
    op.create_index(
        "live_part_place_ix",
        "live_part",
        [
            "catalog_id",
            "table_name",
            "kind",
            sa.text("coalesce(pixel, '-1'::bigint)"),
            sa.text("coalesce(bucket, '-1'::smallint)"),
            sa.text("coalesce(slice, '-2147483648'::integer)"),
        ],
        unique=True,
        postgresql_where=sa.text("to_snapshot IS NULL"),
        schema="skyshard",
    )


def _belongs(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"skyshard.{target}"],
        name=f"{table}_{column}_fk",
        ondelete="CASCADE",
    )
