"""Long lists of constants as one array: of whole numbers it is one literal, which takes no time to read.

Both engines look values up in the rows of a sub-query. DuckDB tries the items of an IN list one by one
in an expression and plans thousands of typed ones for seconds; PostgreSQL estimates how many rows equal
each, for every part.
"""

from __future__ import annotations

from collections.abc import Iterable

from qserv.render.dialect import Dialect
from schema.types import SPELLINGS, Type

LONG_LIST = 64
"""Shorter lists are written item by item."""


def array_of_numbers(numbers: Iterable[int], kind: Type, dialect: Dialect) -> str:
    """An array of an integer type."""
    text = ",".join(map(str, numbers))
    if dialect is Dialect.POSTGRES:
        return f"'{{{text}}}'::{SPELLINGS[kind].postgres}[]"
    return f"CAST('[{text}]' AS {SPELLINGS[kind].duckdb}[])"


def array_of(items: Iterable[str], kind: Type, dialect: Dialect) -> str:
    """An array of constants of any type, as the dialect writes each."""
    text = ", ".join(items)
    if dialect is Dialect.POSTGRES:
        return f"ARRAY[{text}]::{SPELLINGS[kind].postgres}[]"
    return f"CAST([{text}] AS {SPELLINGS[kind].duckdb}[])"
