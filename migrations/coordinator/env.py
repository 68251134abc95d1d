"""Alembic's environment of the coordinator."""

from migrations.environment import run
from schema.coordinator import metadata

run(metadata)
