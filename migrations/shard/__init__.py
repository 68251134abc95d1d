"""The shard's migrations; Alembic finds them by their folder."""
