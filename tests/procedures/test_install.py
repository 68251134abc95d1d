"""What is installed is what the manifest says, twice over too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest

import procedures
from procedures.function import Function
from procedures.functions import FUNCTIONS, HELPERS, SCHEMA
from procedures.install import FILES, install, install_called, install_macros, macros_called

FOLDER = Path(procedures.__file__).parent


@pytest.fixture
def cursor(database: str) -> Iterator[Any]:
    """A cursor of a database where the functions were installed twice."""
    with closing(psycopg2.connect(database)) as connection:
        install(connection)
        connection.commit()
        install(connection)
        connection.commit()
        yield connection.cursor()


@pytest.mark.postgres
def test_postgresql_has_the_functions_of_the_manifest_and_no_others(cursor: Any) -> None:
    cursor.execute(
        "SELECT proname, replace(oidvectortypes(proargtypes), ' without time zone', '') FROM pg_proc"
        " WHERE pronamespace = %s::regnamespace",
        (SCHEMA,),
    )
    found = {row for row in cursor.fetchall() if row[0] not in HELPERS["postgres"]}
    assert found == {
        (function.sql_name.removeprefix(f"{SCHEMA}."), signature)
        for function in FUNCTIONS.values()
        for signature in function.signatures()
    }


@pytest.mark.postgres
def test_postgresql_has_the_helpers_of_the_manifest(cursor: Any) -> None:
    cursor.execute("SELECT proname FROM pg_proc WHERE pronamespace = %s::regnamespace", (SCHEMA,))
    public = {function.sql_name.removeprefix(f"{SCHEMA}.") for function in FUNCTIONS.values()}
    assert {name for (name,) in cursor.fetchall()} - public == HELPERS["postgres"]


@pytest.mark.postgres
def test_functions_may_be_inlined_and_run_in_parallel(cursor: Any) -> None:
    cursor.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = %s::regnamespace"
        " AND (proisstrict OR provolatile <> 'i' OR proparallel <> 's' OR prosecdef)",
        (SCHEMA,),
    )
    assert cursor.fetchall() == []


@pytest.mark.postgres
def test_a_cone_is_inlined_into_its_statement(cursor: Any) -> None:
    cursor.execute("CREATE TEMP TABLE t (ra float8, dec float8)")
    cursor.execute(
        f"EXPLAIN VERBOSE SELECT FROM t WHERE {FUNCTIONS['in_circle'].sql_name}"
        "(ra, dec, 10e0::float8, 20e0::float8, 0.1e0::float8)"
    )
    assert "in_circle" not in " ".join(row[0] for row in cursor.fetchall())


@pytest.mark.postgres
def test_nobody_may_create_in_public(cursor: Any) -> None:
    cursor.execute("SELECT has_schema_privilege('pg_monitor', 'public', 'CREATE')")
    assert cursor.fetchone() == (False,)


@pytest.mark.postgres
def test_any_role_may_call_the_functions(cursor: Any) -> None:
    cursor.execute("SELECT has_schema_privilege('pg_monitor', %s, 'USAGE')", (SCHEMA,))
    assert cursor.fetchone() == (True,)


@pytest.mark.postgres
def test_a_failed_transaction_leaves_no_function(new_database: Callable[..., str]) -> None:
    with closing(psycopg2.connect(new_database())) as connection:
        install(connection)
        connection.rollback()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname = %s", (SCHEMA,))
            assert cursor.fetchone() == (0,)


def test_duckdb_has_the_functions_and_helpers_of_the_manifest() -> None:
    connection = duckdb.connect()
    install_macros(connection)
    install_macros(connection)
    rows = connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE schema_name = ?", [SCHEMA]
    ).fetchall()
    public = {function.sql_name.removeprefix(f"{SCHEMA}.") for function in FUNCTIONS.values()}
    assert {name for (name,) in rows} == public | HELPERS["duckdb"]


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_statement_gets_the_macros_that_it_calls(function: Function) -> None:
    found = macros_called(f"SELECT {function.sql_name}(x) FROM t")
    assert found[-1] == function.sql_name.removeprefix(f"{SCHEMA}.")
    for k, name in enumerate(found):
        assert set(macros_called(f"{SCHEMA}.{name}()")) <= set(found[: k + 1])


def test_only_what_a_statement_calls_is_installed() -> None:
    connection = duckdb.connect()
    install_called(connection, "SELECT sky.in_circle_v1(1e0, 2e0, 1e0, 2e0, 1e0)")
    assert connection.execute("SELECT sky.in_circle_v1(1e0, 2e0, 1e0, 2e0, 1e0)").fetchall() == [
        (True,)
    ]
    with pytest.raises(duckdb.CatalogException):
        connection.execute("SELECT sky.ln_v1(1e0)")
    install_called(connection, "SELECT 1 AS one")


def test_a_locked_down_duckdb_takes_them_too() -> None:
    connection = duckdb.connect(config={"enable_external_access": "false"})
    install_macros(connection)
    assert connection.execute("SELECT sky.ln_v1(1e0)").fetchall() == [(0.0,)]


@pytest.mark.parametrize("engine", ["postgres", "duckdb"])
def test_every_file_is_installed(engine: str) -> None:
    assert sorted(path.stem for path in (FOLDER / engine).glob("*.sql")) == sorted(FILES)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/*.sql")), ids=lambda path: path.parent.name)
def test_every_file_says_what_it_is_takes_raises_and_locks(path: Path) -> None:
    comment = path.read_text(encoding="utf-8").split("\n\n", 1)[0]
    assert all(line.startswith("--") for line in comment.splitlines())
    assert re.search(r"-- Arguments: .*-- Errors raised: .*-- Locks taken: ", comment, re.DOTALL)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/*.sql")), ids=lambda path: path.parent.name)
def test_every_function_has_a_version(path: Path) -> None:
    created = re.findall(r"CREATE OR REPLACE (?:FUNCTION|MACRO) (\S+?)\(", path.read_text("utf-8"))
    assert created
    assert all(re.fullmatch(rf"{SCHEMA}\.[a-z0-9_]+_v[1-9]", name) for name in created)
