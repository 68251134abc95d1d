"""Installs the functions into PostgreSQL and DuckDB; the only reader of the SQL files."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from procedures.function import SCHEMA

if TYPE_CHECKING:
    import duckdb
    from psycopg2.extensions import connection as Connection  # noqa: N812

FILES = (
    "arithmetic",
    "floats",
    "trigonometry",
    "rounding",
    "text",
    "photometry",
    "geometry",
    "half_space",
    "polygon",
    "healpix",
    "cells",
    "healpix_center",
    "frames",
    "motion",
    "areas",
    "words",
    "intervals",
    "q3c",
    "scisql",
    "strings",
    "times",
    "casts",
    "regions",
)
"""Both folders' files, in the order in which they build on each other."""
_LOCK = 0x736B79
"""The advisory lock under which one database's functions are replaced."""


def install(connection: Connection) -> None:
    """Create or replace all functions in a PostgreSQL database, in the caller's transaction.

    Takes an advisory lock until the transaction ends, so that two installers do not collide. Nobody
    but the owner may create anything in the schema `public` afterwards.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        cursor.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        for name in FILES:
            cursor.execute(_text("postgres", name))
        cursor.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO PUBLIC")


def install_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Create or replace all functions as macros of a DuckDB database."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    for name in FILES:
        connection.execute(_text("duckdb", name))


def install_called(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Create or replace the macros that a statement calls, and those that they call.

    All of them take 160 ms; a merge calls two or three.
    """
    called = macros_called(sql)
    if called:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    for name in called:
        connection.execute(_macros()[name])


def macros_called(sql: str) -> tuple[str, ...]:
    """The names of the macros that a statement needs, each after those that it calls itself."""
    known = _macros()
    found: set[str] = set()
    waiting = _CALLED.findall(sql)
    while waiting:
        name = waiting.pop()
        if name in known and name not in found:
            found.add(name)
            waiting += _CALLED.findall(known[name])
    return tuple(name for name in known if name in found)


@cache
def _macros() -> dict[str, str]:
    """Each macro of DuckDB as its statement, in the order in which they build on each other."""
    statements = [
        _CREATE + rest for name in FILES for rest in _text("duckdb", name).split(_CREATE)[1:]
    ]
    return {_CALLED.findall(statement)[0]: statement for statement in statements}


_CREATE = "CREATE OR REPLACE MACRO "
_CALLED = re.compile(rf"\b{SCHEMA}\.(\w+)")


@cache
def _text(engine: str, name: str) -> str:
    return files("procedures").joinpath(engine, f"{name}.sql").read_text(encoding="utf-8")
