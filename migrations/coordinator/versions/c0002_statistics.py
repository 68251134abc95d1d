"""The bounds of a part's columns: what prunes chunks by time or magnitude."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON

revision = "c0002"
down_revision = "c0001"


def upgrade() -> None:
    """Add `part.statistics`; nothing is known of the parts there are, which is sound."""
    op.add_column(
        "part",
        sa.Column("statistics", JSON(), comment="schema.statistics; NULL: nothing is known"),
        schema="skyshard",
    )
