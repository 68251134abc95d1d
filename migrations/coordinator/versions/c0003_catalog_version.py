"""A catalog's version in a column: every query reads it, and the model is long."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c0003"
down_revision = "c0002"


def upgrade() -> None:
    """Add `catalog.version`, which the server takes from the model."""
    version = sa.Computed("coalesce((model ->> 'version')::integer, 1)", persisted=True)
    op.add_column("catalog", sa.Column("version", sa.Integer(), version), schema="skyshard")
