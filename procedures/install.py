"""Installs the functions into PostgreSQL and DuckDB; the only reader of the SQL files."""

from __future__ import annotations

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


@cache
def _text(engine: str, name: str) -> str:
    return files("procedures").joinpath(engine, f"{name}.sql").read_text(encoding="utf-8")
