"""Expressions: operators, functions, conditions, tests of position."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import assert_never

from procedures.functions import FUNCTIONS
from qserv.bound import (
    Aggregate,
    Call,
    Case,
    Cast,
    Column,
    Exists,
    Expression,
    InList,
    InQuery,
    InShape,
    Literal,
    Query,
    Scalar,
    Window,
    Within,
)
from qserv.render.dialect import Dialect
from qserv.render.lists import LONG_LIST, array_of, array_of_numbers
from qserv.render.literals import Literals
from qserv.render.sizes import ARITHMETIC, FINITE_ONLY, is_within_range
from schema.ddl import quote
from schema.region import ShapeKind, half_spaces
from schema.types import Type

_INFIX = {"=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "||", "and", "or", "&", "|"}
_BITS = {Type.SHORT: 16, Type.INT: 32, Type.LONG: 64}
_PLAIN = {"coalesce", "nullif", "greatest", "least"}
_COMPARISONS_OF_NULLS = {"is distinct from", "is not distinct from"}
_POSTFIX = {"is null", "is not null"}
_POOLED_PRODUCTS = (
    "list_reduce(list({{'n': CAST({0} AS DOUBLE), 'x': {1}, 'y': {2}, 's': {3}}})"
    " FILTER (WHERE {0} > 0), lambda a, b: {{'n': a['n'] + b['n'],"
    " 'x': a['x'] + (b['x'] - a['x']) * b['n'] / (a['n'] + b['n']),"
    " 'y': a['y'] + (b['y'] - a['y']) * b['n'] / (a['n'] + b['n']), 's': a['s'] + b['s']"
    " + (b['x'] - a['x']) * (b['y'] - a['y']) * a['n'] * b['n'] / (a['n'] + b['n'])}}).s"
)
"""The sum of products of deviations of several samples (n, mean x, mean y, products), likewise."""
_POOLED_SQUARES = (
    "list_reduce(list({{'n': CAST({0} AS DOUBLE), 'm': {1}, 's': {2}}}) FILTER (WHERE {0} > 0),"
    " lambda a, b: {{'n': a['n'] + b['n'],"
    " 'm': a['m'] + (b['m'] - a['m']) * b['n'] / (a['n'] + b['n']), 's': a['s'] + b['s']"
    " + (b['m'] - a['m']) * (b['m'] - a['m']) * a['n'] * b['n'] / (a['n'] + b['n'])}}).s"
)
"""The sum of squared deviations of several samples (n, mean, squares), pairwise: Chan, Golub &
LeVeque 1983, formula 2.1. It does not cancel where the mean is far larger than the deviation.
In HAVING DuckDB takes `a.n` for a column of the query, `a['n']` never."""
_CAREFUL = {"+": "plus", "-": "minus", "*": "times", "/": "over"}
_BY_PROCEDURE = {"/": ("idiv", "div"), "%": ("imod", "mod")}


class Expressions(Literals, ABC):
    """Writes expressions; queries and aggregates are written by the classes above it."""

    @abstractmethod
    def query(self, query: Query) -> str:
        """A whole query, not parenthesised."""

    @abstractmethod
    def aggregate(self, node: Aggregate) -> str:
        """An aggregate, of the type that the bound tree says."""

    @abstractmethod
    def window(self, node: Window) -> str:
        """A window function."""

    @abstractmethod
    def key(self, expression: Expression) -> str:
        """An expression of GROUP BY or ORDER BY."""

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
            case Window():
                return self.window(node)
            case Case():
                return self.case(node)
            case Cast():
                return self.cast(node)
            case InList():
                return f"({self.in_list(node)})"
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

    def in_list(self, node: InList) -> str:
        """`IN` of a short list item by item, of a long one of constants as an array."""
        term = self.expression(node.argument)
        values = [item.value for item in node.items if isinstance(item, Literal)]
        kind = node.argument.type
        if len(node.items) < LONG_LIST or len(values) < len(node.items) or None in values:
            items = ", ".join(self.expression(item) for item in node.items)
            return f"{term} {_not(node.negated)}IN ({items})"
        numbers = [value for value in values if type(value) is int]
        if kind.is_integer and len(numbers) == len(values):
            array = array_of_numbers(numbers, kind, self.dialect)
        else:
            array = array_of(map(self.expression, node.items), kind, self.dialect)
        return f"{term} {_not(node.negated)}IN (SELECT unnest({array}))"

    def call(self, node: Call) -> str:
        """An operator or a function."""
        if node.name in ARITHMETIC and node.type is Type.DOUBLE:
            return self.arithmetic(node)
        written = self.step if node.name in FINITE_ONLY else self.expression
        name, arguments = node.name, [written(item) for item in node.arguments]
        if name in _BY_PROCEDURE:
            integer, floating = _BY_PROCEDURE[name]
            return self.procedure(integer if node.type.is_integer else floating, arguments)
        if name in _INFIX:
            return f"({f' {name.upper()} '.join(arguments)})"
        if name in {"<<", ">>"}:
            return self.shift(node, *arguments)
        if name in _POSTFIX:
            return f"({arguments[0]} {name.upper()})"
        if name in _COMPARISONS_OF_NULLS:
            return f"({arguments[0]} {name.upper()} {arguments[1]})"
        if name == "grouping":
            keys = ", ".join(self.key(item) for item in node.arguments)
            return f"CAST(GROUPING({keys}) AS {self.type(node.type)})"
        if name in _PLAIN:
            return f"{name.upper()}({', '.join(arguments)})"
        return self.special(name, arguments)

    def arithmetic(self, node: Call) -> str:
        """Arithmetic of DOUBLEs, NULL where a step is out of their range.

        PostgreSQL raises there, and the statement is asked again, carefully. DuckDB goes on with an
        infinity, which every further step keeps, so that one test of the whole tells.
        """
        if self.dialect is Dialect.POSTGRES or is_within_range(node):
            return self.step(node)
        return self.procedure("finite", [self.step(node)])

    def step(self, node: Expression) -> str:
        """One step of arithmetic and, of its operands, those that need no test of their own."""
        if not (isinstance(node, Call) and node.name in ARITHMETIC and node.type is Type.DOUBLE):
            return self.expression(node)
        first, *others = node.arguments
        # A quotient by an infinity would be 0.
        second = [self.expression(item) if node.name == "/" else self.step(item) for item in others]
        operands = [self.step(first), *second]
        if node.name == "neg":
            return f"(- {operands[0]})"
        if self.is_careful and self.dialect is Dialect.POSTGRES:
            return self.procedure(_CAREFUL[node.name], operands)
        if node.name == "/":
            return self.procedure("div", operands)
        return f"({f' {node.name} '.join(operands)})"

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
                escape = f" ESCAPE {arguments[2]}" if len(arguments) == 3 else escape
                return f"({arguments[0]} {name.upper()} {arguments[1]}{escape})"
            case "ilike" | "not ilike":
                folded = [self.procedure("lower", [item]) for item in arguments[:2]]
                folded += arguments[2:]
                return self.special(name.replace("ilike", "like"), folded)
            case "array":
                return f"ARRAY[{', '.join(arguments)}]"
            case "pooled_squares":
                assert self.dialect is Dialect.DUCKDB, "moments are pooled in the merge"
                return _POOLED_SQUARES.format(*arguments)
            case "pooled_products":
                assert self.dialect is Dialect.DUCKDB, "moments are pooled in the merge"
                return _POOLED_PRODUCTS.format(*arguments)
            case _:
                return self.procedure(name, arguments)

    def procedure(self, name: str, arguments: list[str]) -> str:
        """A call of a function that `procedures` installs in both engines."""
        return f"{FUNCTIONS[name].sql_name}({', '.join(arguments)})"

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


def _not(negated: bool) -> str:
    return "NOT " if negated else ""
