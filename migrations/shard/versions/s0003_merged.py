"""Parts that merge others know whose rows they hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "s0003"
down_revision = "s0002"


def upgrade() -> None:
    """Add `part.merged`; the parts there are hold the rows of one ingest, or are not known to."""
    op.add_column(
        "part",
        sa.Column(
            "merged",
            ARRAY(sa.BigInteger()),
            comment="the ingests whose rows it holds; NULL: its own's alone",
        ),
        schema="skyshard",
    )
