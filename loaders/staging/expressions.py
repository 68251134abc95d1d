"""Expressions over a file's columns, evaluated by DuckDB on Arrow batches, in a connection that can no more.

An expression is of DuckDB's SQL: columns, literals, operators, CASE, CAST, and scalar functions that give
the same for the same row, so that a restart makes the same rows. It reads no table, file or setting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from schema.catalog import Table
from schema.errors import InputError
from schema.names import hint

MAX_EXPRESSION = 4_000
"""Characters of an expression."""
_MAX_DEPTH = 64
_PREFIX = "SELECT "
_CLASSES = frozenset(
    {
        *("COLUMN_REF", "CONSTANT", "FUNCTION", "OPERATOR", "COMPARISON", "CONJUNCTION", "CASE"),
        *("CAST", "BETWEEN", "COLLATE", "TYPE"),
    }
)
_REFUSED = frozenset({"getvariable", "getenv", "error", "current_setting"})
_SHOWN = 120
_ROW_FAULTS = (
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.InvalidInputException,
    duckdb.DataError,
)


class ExpressionInvalid(InputError):
    """An expression cannot be read, or uses more than it may; `position` in characters from 0."""

    code = "EXPRESSION_INVALID"

    def __init__(self, text: str, reason: str, *, position: int | None = None) -> None:
        place = "" if position is None else f" at character {position + 1}"
        super().__init__(f"expression {text[:_SHOWN]!r}{place}: {reason}")
        self.reason, self.position = reason, position


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read; `columns` are those that it names, as it writes them."""

    text: str
    columns: tuple[str, ...]


def read_expression(text: str) -> Expression:
    """Read an expression, by DuckDB's own parser. Raises ExpressionInvalid."""
    if len(text) > MAX_EXPRESSION:
        raise ExpressionInvalid(text, f"it is longer than {MAX_EXPRESSION} characters")
    with _connection() as connection:
        try:
            found = connection.execute("SELECT json_serialize_sql(?)", [_PREFIX + text]).fetchone()
        except duckdb.Error as error:
            raise ExpressionInvalid(text, str(error)) from error
    assert found is not None
    tree = json.loads(found[0])
    if tree["error"]:
        position = tree.get("position")
        at = None if position is None else max(0, int(position) - len(_PREFIX))
        raise ExpressionInvalid(text, str(tree["error_message"]), position=at)
    names: list[str] = []
    for node in _walk(_only_expression(text, tree), 0, text):
        _check(text, node, names)
    return Expression(text, tuple(dict.fromkeys(names)))


def _only_expression(text: str, tree: Mapping[str, Any]) -> Any:
    """The one value of a SELECT that has nothing else."""
    (statement, *others) = tree["statements"]
    node = statement["node"]
    empty = ("modifiers", "where_clause", "having", "sample", "qualify", "group_expressions")
    is_bare = (
        not others
        and node["type"] == "SELECT_NODE"
        and node["from_table"]["type"] == "EMPTY"
        and not any(node[name] for name in empty)
        and not node["cte_map"]["map"]
        and len(node["select_list"]) == 1
        and not node["select_list"][0]["alias"]
    )
    if not is_bare:
        raise ExpressionInvalid(text, "it is one value, nothing else")
    return node["select_list"][0]


def _walk(node: Any, depth: int, text: str) -> Iterator[Mapping[str, Any]]:
    """Every part of a tree that has a class."""
    if depth > 4 * _MAX_DEPTH:
        raise ExpressionInvalid(text, "it is nested too deeply")
    if isinstance(node, dict):
        if "class" in node:
            yield node
        for value in node.values():
            yield from _walk(value, depth + 1, text)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value, depth + 1, text)


def _check(text: str, node: Mapping[str, Any], names: list[str]) -> None:
    """See that a part is one of those that may be, and gather the columns."""
    kind, place = node["class"], node.get("query_location", 0)
    position = place - len(_PREFIX) if len(_PREFIX) <= place < 2**31 else None
    if kind not in _CLASSES:
        raise ExpressionInvalid(text, f"{kind.lower()} may not be used", position=position)
    if kind == "COLUMN_REF":
        if len(node["column_names"]) != 1:
            raise ExpressionInvalid(text, "columns have no table's name here", position=position)
        names.append(node["column_names"][0])
    if kind == "FUNCTION":
        name = node["function_name"]
        if name.lower() not in _functions():
            raise ExpressionInvalid(
                text,
                f"{name} is no function of one row, or not the same each time",
                position=position,
            )


@cache
def _functions() -> frozenset[str]:
    """The scalar functions that always give the same for the same arguments."""
    with _connection() as connection:
        found = connection.execute(
            "SELECT lower(function_name) FROM duckdb_functions()"
            " GROUP BY ALL HAVING bool_and(function_type = 'scalar' AND stability = 'CONSISTENT'"
            " OR function_type = 'macro' AND schema_name IN ('main', 'pg_catalog')"
            " AND function_name IN ('nullif', 'ifnull', 'fmod', 'fdiv', 'if'))"
        ).fetchall()
    return frozenset(name for (name,) in found) - _REFUSED


def _connection() -> duckdb.DuckDBPyConnection:
    """A connection of its own, without files, network, extensions or settings."""
    return duckdb.connect(
        ":memory:",
        config={
            "threads": 1,
            "memory_limit": "512MB",
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "temp_directory": "",
            "lock_configuration": "true",
        },
    )


class Evaluator:
    """Evaluates some expressions, by name, on one batch after another."""

    def __init__(self, expressions: Mapping[str, str]) -> None:
        """Texts of DuckDB's SQL, which somebody has read (`read_expression`) or written himself."""
        self._names = tuple(expressions)
        self._opened: duckdb.DuckDBPyConnection | None = None
        # A new line ends a comment that an expression may end with.
        values = ", ".join(f"({text}\n) AS v{n}" for n, text in enumerate(expressions.values()))
        self._statement = f"SELECT {values} FROM batch"

    def evaluate(self, rows: pa.RecordBatch) -> tuple[dict[str, pa.Array], dict[int, str]]:
        """The values by name, and the rows for which there are none, with the reason.

        Raises ExpressionInvalid where the columns are not of types that fit.
        """
        if not self._names or rows.num_rows == 0:
            return {name: pa.nulls(rows.num_rows) for name in self._names}, {}
        found, faults = self._halving(rows, 0)
        whole = found.combine_chunks()
        columns = (whole.column(n).combine_chunks() for n in range(len(self._names)))
        return dict(zip(self._names, columns, strict=True)), faults

    def _halving(self, rows: pa.RecordBatch, first: int) -> tuple[pa.Table, dict[int, str]]:
        try:
            return self._ask(rows), {}
        except _ROW_FAULTS as error:
            if rows.num_rows == 1:
                return self._nulls(), {first: _said(error)}
        except duckdb.Error as error:
            raise ExpressionInvalid(" ".join(self._names), str(error).split("\n")[0]) from error
        half = rows.num_rows // 2
        left, bad = self._halving(rows.slice(0, half), first)
        right, worse = self._halving(rows.slice(half), first + half)
        return pa.concat_tables([left, right], promote_options="default"), bad | worse

    def _ask(self, rows: pa.RecordBatch) -> pa.Table:
        connection = self._opened = self._opened or _connection()
        connection.register("batch", pa.Table.from_batches([rows]))
        try:
            found = connection.sql(self._statement).to_arrow_table()
        finally:
            connection.unregister("batch")
        assert found.num_rows == rows.num_rows, "an expression gave another number of rows"
        return found

    def _nulls(self) -> pa.Table:
        names = [f"v{n}" for n in range(len(self._names))]
        return pa.table({name: pa.nulls(1) for name in names})

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()


def _said(error: duckdb.Error) -> str:
    return str(error).split("\n")[0].partition(": ")[2] or str(error)


def known_columns(expression: Expression, names: Sequence[str]) -> dict[str, str]:
    """The file's spelling of each column that an expression names. Raises ExpressionInvalid."""
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(name.casefold(), name)
    found = {}
    for column in expression.columns:
        spelled = column if column in names else folded.get(column.casefold())
        if spelled is None:
            raise ExpressionInvalid(
                expression.text, f"the file has no column {column!r}{hint(column, names)}"
            )
        found[column] = spelled
    return found


def check_texts(table: Table) -> dict[str, str]:
    """The conditions of a table's schema as DuckDB writes them, by name.

    Those that divide are left to PostgreSQL, whose integers divide otherwise.
    """
    found = {}
    for check in table.checks:
        tree = sqlglot.parse_one(check.expression, dialect="postgres")
        if not any(tree.find_all(exp.Div, exp.Mod)):
            found[check.name] = tree.sql(dialect="duckdb", identify=True)
    return found
