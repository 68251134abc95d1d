"""What both Alembic environments share: how migrations run on the connection they are given."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context

from schema.coordinator import SCHEMA

VERSION_TABLE = "alembic_version"
"""Lies in schema `skyshard` of each database."""
OPTIONS: dict[str, Any] = {
    "version_table": VERSION_TABLE,
    "version_table_schema": SCHEMA,
    "include_schemas": True,
    "compare_server_default": True,
}


def run(metadata: sa.MetaData) -> None:
    """Run the migrations that `migrations.upgrade` asks for, in its transaction."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection, target_metadata=metadata, include_name=is_ours, **OPTIONS
    )
    context.run_migrations()


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """Whether autogeneration compares what it has found: schema `skyshard` only."""
    return kind != "schema" or name == SCHEMA
