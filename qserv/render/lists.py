"""Long lists of constants: as one literal where they are whole numbers, which takes no time to read.

DuckDB looks values up in a sub-query's rows, but tries the items of an IN list one by one in an
expression, and plans thousands of typed ones for seconds.
"""

from __future__ import annotations

from collections.abc import Iterable

from qserv.render.dialect import Dialect
from schema.types import SPELLINGS, Type

LONG_LIST = 64
"""Shorter lists are written item by item."""


def among_numbers(
    term: str, numbers: Iterable[int], kind: Type, dialect: Dialect, *, negated: bool = False
) -> str:
    """`term [NOT] IN (numbers)`, of an integer type."""
    text, spelling = ",".join(map(str, numbers)), SPELLINGS[kind]
    if dialect is Dialect.POSTGRES:
        array = f"'{{{text}}}'::{spelling.postgres}[]"
        return f"{term} <> ALL({array})" if negated else f"{term} = ANY({array})"
    array = f"CAST('[{text}]' AS {spelling.duckdb}[])"
    return f"{term} {'NOT ' if negated else ''}IN (SELECT unnest({array}))"


def among_items(
    term: str, items: Iterable[str], kind: Type, dialect: Dialect, *, negated: bool = False
) -> str:
    """`term [NOT] IN (items)`, constants of any type as the dialect writes them."""
    spelling, text = SPELLINGS[kind], ", ".join(items)
    if dialect is Dialect.POSTGRES:
        array = f"ARRAY[{text}]::{spelling.postgres}[]"
        return f"{term} <> ALL({array})" if negated else f"{term} = ANY({array})"
    array = f"CAST([{text}] AS {spelling.duckdb}[])"
    return f"{term} {'NOT ' if negated else ''}IN (SELECT unnest({array}))"
