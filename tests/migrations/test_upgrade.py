"""The coordinator's and the shards' schemas, upgraded in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from migrations.environment import OPTIONS, is_ours
from migrations.upgrade import (
    Kind,
    SchemaTooNew,
    check_version,
    current,
    head,
    is_current,
    transaction,
    upgrade,
)
from schema import coordinator, shard_tables
from schema.errors import Unavailable

pytestmark = pytest.mark.postgres
BOTH = pytest.mark.parametrize("kind", ["coordinator", "shard"])
MODELS = {"coordinator": coordinator.metadata, "shard": shard_tables.metadata}


def differences(dsn: str, kind: Kind) -> list[Any]:
    """What alembic finds different between a database and the model."""
    with transaction(dsn) as connection:
        context = MigrationContext.configure(
            connection, opts={**OPTIONS, "include_name": is_ours, "compare_type": True}
        )
        return list(compare_metadata(context, MODELS[kind]))


def run(dsn: str, statement: str) -> list[Any]:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@BOTH
def test_an_upgraded_database_equals_the_model(kind: Kind, database: str) -> None:
    upgrade(database, kind)
    assert differences(database, kind) == []


@BOTH
def test_a_missing_column_would_be_found(kind: Kind, database: str) -> None:
    upgrade(database, kind)
    run(database, "ALTER TABLE skyshard.part DROP COLUMN low_29")
    assert differences(database, kind) != []


@BOTH
def test_upgrading_twice_is_upgrading_once(kind: Kind, database: str) -> None:
    upgrade(database, kind)
    upgrade(database, kind)
    assert current(database) == head(kind)


@BOTH
def test_an_empty_database_has_no_revision(kind: Kind, database: str) -> None:
    check_version(database, kind)
    assert current(database) is None
    assert not is_current(database, kind)


@BOTH
def test_a_newer_database_is_refused(kind: Kind, database: str) -> None:
    upgrade(database, kind)
    run(database, "UPDATE skyshard.alembic_version SET version_num = 'z9999'")
    with pytest.raises(SchemaTooNew, match="z9999"):
        check_version(database, kind)
    with pytest.raises(SchemaTooNew):
        upgrade(database, kind)


def test_a_shard_has_the_schema_of_the_parts(database: str) -> None:
    upgrade(database, "shard")
    found = run(database, "SELECT nspname FROM pg_namespace WHERE nspname IN ('parts', 'sky')")
    assert {name for (name,) in found} == {"parts", "sky"}


def test_a_failed_upgrade_leaves_nothing(database: str) -> None:
    run(database, "CREATE SCHEMA parts")
    with pytest.raises(sa.exc.ProgrammingError):
        upgrade(database, "shard")
    assert current(database) is None


def test_upgrades_at_once_wait_for_one_another(new_database: Callable[..., str]) -> None:
    one, other = new_database(), new_database()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda dsn: upgrade(dsn, "shard"), [one, other, one, other]))
    assert is_current(one, "shard")
    assert is_current(other, "shard")


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        upgrade("host=127.0.0.1 port=1 dbname=x user=x", "coordinator")
