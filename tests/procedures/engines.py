"""Both engines with the functions in them, asked for one function over columns of arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import psycopg2

from procedures.functions import FUNCTIONS
from procedures.install import install, install_macros
from schema.types import SPELLINGS


@dataclass(frozen=True)
class Engine:
    """One engine: its name and how it runs a statement."""

    name: str
    run: Callable[[str], list[tuple[Any, ...]]]

    def call(self, name: str, rows: Sequence[Sequence[object]]) -> list[Any]:
        """The function's result for each row of arguments, as columns of a table."""
        spellings = [getattr(SPELLINGS[kind], self.name) for kind in FUNCTIONS[name].parameters]
        arrays = FUNCTIONS[name].arrays
        tuples = ", ".join(
            "({}, {})".format(
                number,
                ", ".join(
                    f"CAST({_literal(value)} AS {spelling}{'[]' if place in arrays else ''})"
                    for place, (value, spelling) in enumerate(zip(row, spellings, strict=True))
                ),
            )
            for number, row in enumerate(rows)
        )
        names = ", ".join(f"a{i}" for i in range(len(spellings)))
        return [
            row[0]
            for row in self.run(
                f"SELECT {FUNCTIONS[name].sql_name}({names})"
                f" FROM (VALUES {tuples}) AS t(n, {names}) ORDER BY n"
            )
        ]


def _literal(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case str() | float() | datetime():
            return f"'{value}'"
        case list():
            return f"ARRAY[{', '.join(f'{number!r}e0' for number in value)}]"
        case _:
            return str(value)


def postgres(dsn: str) -> Engine:
    """A PostgreSQL database with the functions."""
    connection = psycopg2.connect(dsn)
    install(connection)
    connection.commit()
    connection.autocommit = True

    def run(statement: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    return Engine("postgres", run)


def in_memory_duckdb() -> Engine:
    """A DuckDB with the functions."""
    connection = duckdb.connect()
    install_macros(connection)
    return Engine("duckdb", lambda statement: connection.execute(statement).fetchall())
