"""The schema of the part tables and the parts' bookkeeping."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "s0001"
down_revision = None


def upgrade() -> None:
    """Create schema `parts` and table `part`."""
    op.execute("CREATE SCHEMA parts")
    op.create_table(
        "part",
        sa.Column("part_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("catalog", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pixel_order", sa.SmallInteger()),
        sa.Column("pixel", sa.BigInteger()),
        sa.Column("bucket", sa.SmallInteger()),
        sa.Column("ingest_id", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("overlap_rows", sa.BigInteger(), nullable=False),
        sa.Column("checksum", sa.Numeric(20), nullable=False),
        sa.Column("separation_arcsec", sa.Double(), server_default="0", nullable=False),
        sa.Column("low_29", sa.BigInteger()),
        sa.Column("high_29", sa.BigInteger()),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("part_id", name="part_pk"),
        schema="skyshard",
        comment="Written in the transaction that fills the part's tables.",
    )
