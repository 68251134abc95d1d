"""Tables of live catalogs, and the units that were undone here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "s0004"
down_revision = "s0003"


def upgrade() -> None:
    """Create the schema of live tables and the shard's books of them."""
    op.execute("CREATE SCHEMA IF NOT EXISTS live")
    op.create_table(
        "live_part",
        sa.Column("part_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("catalog", sa.Text, nullable=False),
        sa.Column("table_name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("part_id", name="live_part_pk"),
        schema="skyshard",
        comment="The tables of live catalogs that the shard has.",
    )
    op.create_table(
        "ended_unit",
        sa.Column("unit_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("unit_id", name="ended_unit_pk"),
        schema="skyshard",
        comment="Units that were undone here: nothing more is written in their name.",
    )
