"""Alembic's environment of a shard."""

from migrations.environment import run
from schema.shard_tables import metadata

run(metadata)
