"""The coordinator's migrations; Alembic finds them by their folder."""
