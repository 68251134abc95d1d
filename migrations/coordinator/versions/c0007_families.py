"""Families: the order at which each one's chunks are placed is a fact of the store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c0007"
down_revision = "c0006"


def upgrade() -> None:
    """Create `family`; those that there are were placed at order 2."""
    op.create_table(
        "family",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("placement_order", sa.SmallInteger, nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
        ),
        sa.PrimaryKeyConstraint("name", name="family_pk"),
        schema="skyshard",
        comment="Families whose placement is settled: they have rows, or a catalog names the order.",
    )
    op.execute(
        "INSERT INTO skyshard.family (name, placement_order)"
        " SELECT DISTINCT family, 2 FROM skyshard.catalog"
    )
