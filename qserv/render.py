"""The bound tree as SQL text, for PostgreSQL and for DuckDB.

Every relation is named by its id and every output column c0, c1... (DuckDB folds the case of quoted
names, PostgreSQL cuts them at 63 bytes). NULL order, literal types and the escape of LIKE are
explicit, so both engines read the same meaning. Users' text never gets here but as literal values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from procedures.functions import FUNCTIONS
from qserv.bound import (
    Aggregate,
    BaseTable,
    Call,
    Case,
    Cast,
    Column,
    Derived,
    Exists,
    Expression,
    Fetched,
    InList,
    InQuery,
    InShape,
    Join,
    JoinKind,
    Literal,
    Query,
    RelationId,
    Scalar,
    Select,
    SetOperation,
    SortKey,
    Source,
    Within,
)
from schema.ddl import quote
from schema.region import ShapeKind, half_spaces
from schema.types import SPELLINGS, Type


class Dialect(StrEnum):
    """Whose SQL to write."""

    POSTGRES = "postgres"
    DUCKDB = "duckdb"


def render(query: Query, dialect: Dialect, sources: Mapping[RelationId, str]) -> str:
    """The query as SQL.

    Parameters
    ----------
    sources
        For each BaseTable and Fetched of the query, a table name or a parenthesised sub-select
        whose columns have the names that the query uses.
    """
    return _Renderer(dialect, sources).query(query)


_INFIX = {"=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "||", "and", "or", "&", "|"}
_BITS = {Type.SHORT: 16, Type.INT: 32, Type.LONG: 64}
_PLAIN = {"coalesce", "nullif"}
_POSTFIX = {"is null", "is not null"}
_POOLED_SQUARES = (
    "list_reduce(list({{'n': CAST({0} AS DOUBLE), 'm': {1}, 's': {2}}}) FILTER (WHERE {0} > 0), "
    "lambda a, b: {{'n': a.n + b.n, 'm': a.m + (b.m - a.m) * b.n / (a.n + b.n), "
    "'s': a.s + b.s + (b.m - a.m) * (b.m - a.m) * a.n * b.n / (a.n + b.n)}}).s"
)
"""The sum of squared deviations of several samples (n, mean, squares), pairwise: Chan, Golub &
LeVeque 1983, formula 2.1. It does not cancel where the mean is far larger than the deviation."""
_BY_PROCEDURE = {"/": ("idiv", "div"), "%": ("imod", "mod")}


class _Renderer:
    """One rendering: the dialect and what stands for each relation."""

    def __init__(self, dialect: Dialect, sources: Mapping[RelationId, str]) -> None:
        self.dialect = dialect
        self.sources = sources

    # -------------------------------------------------------------- queries

    def query(self, query: Query) -> str:
        """A whole query, not parenthesised."""
        return self.select(query) if isinstance(query, Select) else self.set_operation(query)

    def select(self, block: Select) -> str:
        """One SELECT block."""
        clauses = ["SELECT DISTINCT" if block.distinct else "SELECT"]
        clauses.append(
            ", ".join(
                f"{self.expression(output.expression)} AS c{i}"
                for i, output in enumerate(block.outputs)
            )
        )
        if block.source is not None:
            clauses.append(f"FROM {self.source(block.source)}")
        if block.where is not None:
            clauses.append(f"WHERE {self.expression(block.where)}")
        if block.group:
            clauses.append(f"GROUP BY {', '.join(self.key(key) for key in block.group)}")
        if block.having is not None:
            clauses.append(f"HAVING {self.expression(block.having)}")
        by_output = {o.expression: f"c{i}" for i, o in enumerate(block.outputs)}
        clauses += self.tail(block, by_output if block.distinct else {})
        return " ".join(clauses)

    def set_operation(self, query: SetOperation) -> str:
        """UNION, EXCEPT or INTERSECT, with what is asked of the combined rows around it."""
        word = f"{query.kind} ALL" if query.all else str(query.kind)
        combined = f"(({self.query(query.left)}) {word} ({self.query(query.right)}))"
        outputs = ", ".join(
            f"{self.expression(output.expression)} AS c{i}"
            for i, output in enumerate(query.outputs)
        )
        clauses = [f"SELECT {outputs} FROM {combined} AS {query.relation}", *self.tail(query, {})]
        return " ".join(clauses)

    def tail(self, query: Query, by_output: Mapping[Expression, str]) -> list[str]:
        """ORDER BY, LIMIT and OFFSET."""
        clauses = []
        if query.order:
            clauses.append(f"ORDER BY {', '.join(self.sort_keys(query.order, by_output))}")
        if query.limit is not None:
            clauses.append(f"LIMIT {query.limit}")
        if query.offset:
            clauses.append(f"OFFSET {query.offset}")
        return clauses

    def sort_keys(self, order: Iterable[SortKey], by_output: Mapping[Expression, str]) -> list[str]:
        """ORDER BY items; NULLs are where PostgreSQL puts them."""
        return [
            (by_output.get(key.expression) or self.key(key.expression))
            + (" DESC NULLS FIRST" if key.descending else " ASC NULLS LAST")
            for key in order
        ]

    def key(self, expression: Expression) -> str:
        """An expression of GROUP BY or ORDER BY, where a bare integer would be a position."""
        if isinstance(expression, Literal):
            return f"CAST({self.expression(expression)} AS {self.type(expression.type)})"
        return self.expression(expression)

    # -------------------------------------------------------------- sources

    def source(self, source: Source) -> str:
        """One item of FROM."""
        match source:
            case BaseTable() | Fetched():
                return f"{self.sources[source.relation]} AS {source.relation}"
            case Derived():
                return f"({self.query(source.query)}) AS {source.relation}"
            case Join():
                return self.join(source)
            case _:
                assert_never(source)

    def join(self, join: Join) -> str:
        """A join; its right side is parenthesised where it is one itself."""
        left, right = self.source(join.left), self.source(join.right)
        if isinstance(join.right, Join):
            right = f"({right})"
        if join.on is None:
            return f"{left} CROSS JOIN {right}"
        assert join.kind is not JoinKind.CROSS
        return f"{left} {join.kind} JOIN {right} ON {self.expression(join.on)}"

    # -------------------------------------------------------------- expressions

    def expression(self, node: Expression) -> str:
        """An expression, parenthesised so that it can stand anywhere."""
        match node:
            case Column():
                return f"{node.relation}.{quote(node.name)}"
            case Literal():
                return self.literal(node)
            case Call():
                return self.call(node)
            case Aggregate():
                return self.aggregate(node)
            case Case():
                return self.case(node)
            case Cast():
                return self.cast(node)
            case InList():
                items = ", ".join(self.expression(item) for item in node.items)
                return f"({self.expression(node.argument)} {_not(node.negated)}IN ({items}))"
            case InQuery():
                query = self.query(node.query)
                return f"({self.expression(node.argument)} {_not(node.negated)}IN ({query}))"
            case Exists():
                return f"({_not(node.negated)}EXISTS ({self.query(node.query)}))"
            case Scalar():
                return f"({self.query(node.query)})"
            case InShape():
                return self.in_shape(node)
            case Within():
                return self.within(node)
            case _:
                assert_never(node)

    def call(self, node: Call) -> str:
        """An operator or a function."""
        name, arguments = node.name, [self.expression(item) for item in node.arguments]
        if name in _BY_PROCEDURE:
            integer, floating = _BY_PROCEDURE[name]
            return self.procedure(integer if node.type.is_integer else floating, arguments)
        if name in _INFIX:
            return f"({f' {name.upper()} '.join(arguments)})"
        if name in {"<<", ">>"}:
            return self.shift(node, *arguments)
        if name in _POSTFIX:
            return f"({arguments[0]} {name.upper()})"
        if name in _PLAIN:
            return f"{name.upper()}({', '.join(arguments)})"
        return self.special(name, arguments)

    def shift(self, node: Call, value: str, count: str) -> str:
        """A shift of bits by 0 up to the type's width, else NULL; a bit lost to the left is an error.

        The engines differ: PostgreSQL takes the count modulo the width and drops bits silently.
        """
        bits, by = _BITS[node.type], node.arguments[1]
        most = bits - 1 if node.name == ">>" else bits - 2
        if node.name == ">>":
            shifted = f"({value} >> {count})"
        else:
            shifted = f"({value} * (CAST(1 AS {self.type(node.type)}) << {count}))"
        if isinstance(by, Literal) and isinstance(by.value, int) and 0 <= by.value <= most:
            return shifted
        return f"CASE WHEN {count} BETWEEN 0 AND {most} THEN {shifted} END"

    def special(self, name: str, arguments: list[str]) -> str:
        """Operators that the dialects spell differently, and procedures."""
        match name:
            case "neg":
                return f"(- {arguments[0]})"
            case "not":
                return f"(NOT {arguments[0]})"
            case "~":
                return f"(~ {arguments[0]})"
            case "^" if self.dialect is Dialect.POSTGRES:
                return f"({arguments[0]} # {arguments[1]})"
            case "^":
                return f"xor({arguments[0]}, {arguments[1]})"
            case "like" | "not like":
                # PostgreSQL's default escape is a backslash, DuckDB and ADQL have none.
                escape = " ESCAPE ''" if self.dialect is Dialect.POSTGRES else ""
                return f"({arguments[0]} {name.upper()} {arguments[1]}{escape})"
            case "ilike" | "not ilike":
                folded = [self.procedure("lower", [argument]) for argument in arguments]
                return self.special(name.replace("ilike", "like"), folded)
            case "pooled_squares":
                assert self.dialect is Dialect.DUCKDB, "moments are pooled in the merge"
                return _POOLED_SQUARES.format(*arguments)
            case _:
                return self.procedure(name, arguments)

    def procedure(self, name: str, arguments: list[str]) -> str:
        """A call of a function that `procedures` installs in both engines."""
        return f"{FUNCTIONS[name].sql_name}({', '.join(arguments)})"

    def aggregate(self, node: Aggregate) -> str:
        """An aggregate, of the type that the bound tree says."""
        if node.argument is None:
            return "count(*)"
        distinct = "DISTINCT " if node.distinct else ""
        call = f"{node.name}({distinct}{self.expression(node.argument)})"
        if node.name == "sum" and node.type.is_integer:
            return f"CAST({call} AS {self.type(node.type)})"  # numeric and HUGEINT otherwise
        return call

    def case(self, node: Case) -> str:
        """CASE WHEN."""
        branches = " ".join(
            f"WHEN {self.expression(when)} THEN {self.expression(then)}"
            for when, then in node.branches
        )
        otherwise = "" if node.otherwise is None else f" ELSE {self.expression(node.otherwise)}"
        return f"CASE {branches}{otherwise} END"

    def cast(self, node: Cast) -> str:
        """A conversion with PostgreSQL's meaning."""
        argument, source = self.expression(node.argument), node.argument.type
        procedure = f"{source}_to_{node.type}"
        if procedure in FUNCTIONS:
            return self.procedure(procedure, [argument])
        return f"CAST({argument} AS {self.type(node.type)})"

    def in_shape(self, node: InShape) -> str:
        """The exact test of a point against a constant region."""
        point = [self.expression(node.ra), self.expression(node.dec)]
        sides = half_spaces(node.shape)
        if sides is not None:
            vectors = ([self.number(part) for part in side] for side in sides)
            tests = (self.procedure("in_half_space", point + vector) for vector in vectors)
            return f"({' AND '.join(tests)})"
        numbers = [self.number(value) for value in node.shape.numbers]
        if node.shape.kind is ShapeKind.POLYGON:
            numbers = [f"ARRAY[{', '.join(numbers)}]"]
        return self.procedure(f"in_{node.shape.kind}", point + numbers)

    def within(self, node: Within) -> str:
        """The exact test of two points' distance."""
        arguments = (node.ra1, node.dec1, node.ra2, node.dec2, node.radius)
        name = "within_strict" if node.strict else "within"
        return self.procedure(name, [self.expression(argument) for argument in arguments])

    # -------------------------------------------------------------- literals and types

    def type(self, type_: Type) -> str:
        """The dialect's spelling of a type."""
        spelling = SPELLINGS[type_]
        return spelling.postgres if self.dialect is Dialect.POSTGRES else spelling.duckdb

    def literal(self, node: Literal) -> str:
        """A constant that has its type whatever stands around it."""
        value = node.value
        match value:
            case None:
                return f"CAST(NULL AS {self.type(node.type)})"
            case bool():
                return "TRUE" if value else "FALSE"
            case int() if node.type is Type.INT and value >= 0:
                return str(value)
            case int() | float() if node.type.is_floating:
                return self.number(float(value), node.type)
            case int() | float():
                return f"CAST({value} AS {self.type(node.type)})"
            case str():
                return f"CAST({_quoted(value)} AS {self.type(node.type)})"
            case datetime():
                return f"CAST('{value.isoformat(sep=' ')}' AS {self.type(node.type)})"
            case bytes():
                return self.binary(value)

    def number(self, value: float, type_: Type = Type.DOUBLE) -> str:
        """A floating constant; with an exponent DuckDB reads it as DOUBLE, not as a decimal."""
        if not math.isfinite(value):
            name = "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
            return f"CAST('{name}' AS {self.type(type_)})"
        text = repr(value)
        text = text if "e" in text else f"{text}e0"
        if self.dialect is Dialect.DUCKDB and type_ is Type.DOUBLE and value >= 0:
            return text
        return f"CAST({text} AS {self.type(type_)})"

    def binary(self, value: bytes) -> str:
        """A constant of bytes."""
        if self.dialect is Dialect.POSTGRES:
            return f"CAST('\\x{value.hex()}' AS bytea)"
        return "CAST('" + "".join(f"\\x{byte:02X}" for byte in value) + "' AS BLOB)"


def _not(negated: bool) -> str:
    return "NOT " if negated else ""


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
