"""Row values: several columns compared at once, spelled out as comparisons of one by one.

As PostgreSQL has it: `=` and `<>` look at all pairs, `<` and its like at the first pair that differs and
give NULL where either of it is. So planning sees plain comparisons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from qserv.bind import coercion, operators
from qserv.bind.errors import Node, TypeMismatch, Unsupported
from qserv.bind.scope import Env
from qserv.bound import Call, Expression, InList, Literal
from qserv.traverse import has_subquery
from schema.errors import LimitExceeded
from schema.types import Type

Compare = Callable[[str, Node, Node], Expression]
"""Binds `one operator other`."""
MAX_CELLS = 20_000
"""Values of an IN list of rows; more belong into a table."""


def row_of(node: Node) -> list[Node] | None:
    """The values of `(a, b)` or ROW(a, b); None for what is no row."""
    while isinstance(node, exp.Paren):
        node = node.this
    is_row = isinstance(node, exp.Anonymous) and str(node.name).upper() == "ROW"
    return list(node.expressions) if is_row or isinstance(node, exp.Tuple) else None


def compare_rows(
    operator: str, sides: tuple[Node, Node], node: Node, compare: Compare
) -> Expression:
    """`(a, b) operator (c, d)`."""
    left, right = (row_of(side) for side in sides)
    if left is None or right is None:
        hint = "write both sides as (a, b), or compare columns one by one"
        raise TypeMismatch("A row is compared with a row", node, hint=hint)
    _check_lengths(len(left), len(right), node)
    pairs = list(zip(left, right, strict=True))
    match operator:
        case "=" | "is not distinct from":
            return operators.every("and", [compare(operator, *pair) for pair in pairs])
        case "<>" | "is distinct from":
            return operators.every("or", [compare(operator, *pair) for pair in pairs])
        case _:
            return _ordered(operator, pairs, compare)


def _ordered(operator: str, pairs: Sequence[tuple[Node, Node]], compare: Compare) -> Expression:
    """`<` and its like: by the first pair that differs, from the last pair to the first."""
    *before, last = pairs
    found = compare(operator, *last)
    for pair in reversed(before):
        equal = operators.every("and", [compare("=", *pair), found])
        found = operators.every("or", [compare(operator[0], *pair), equal])
    return found


def _check_lengths(one: int, other: int, node: Node) -> None:
    if one != other:
        raise TypeMismatch(f"A row of {one} values is compared with one of {other}", node)


def row_in_list(row: Sequence[Node], items: Sequence[Node], node: Node, env: Env) -> Expression:
    """`(a, b) IN ((1, 2), (3, 4))`; that each column is one of its values goes with it."""
    found = [(item, row_of(item)) for item in items]
    if len(row) * len(items) > MAX_CELLS:
        raise LimitExceeded(f"An IN list of rows has more than {MAX_CELLS} values")
    columns = [env.bind(item) for item in row]
    if any(has_subquery(column) for column in columns):
        hint = "join with it, or compare with EXISTS"
        raise Unsupported("A sub-query stands in a row before IN", node, hint=hint)
    rows: list[list[Expression]] = []
    for item, values in found:
        if values is None:
            raise TypeMismatch("An IN list after a row holds rows", item, hint="write ((1, 2))")
        _check_lengths(len(row), len(values), item)
        rows.append([env.bind(value) for value in values])
    unified = [
        coercion.unify([column, *(one[k] for one in rows)], node)
        for k, column in enumerate(columns)
    ]
    tests = [
        operators.every("and", [operators.compare("=", u[0], u[k + 1], node) for u in unified])
        for k in range(len(rows))
    ]
    any_of = operators.every("or", tests)
    if len(rows) == 1:
        return any_of
    lists = [
        InList(column[0], tuple(dict.fromkeys(column[1:])))
        for column in unified
        if all(isinstance(item, Literal) and item.value is not None for item in column[1:])
    ]
    return operators.every("and", [*lists, any_of])


def pair_as_text(values: Sequence[Expression], node: Node) -> Expression:
    """A row as one text that no other row has: what COUNT(DISTINCT (a, b)) counts."""
    parts = [_part(value, node) for value in values]
    found = parts[0]
    for part in parts[1:]:
        found = Call("||", (found, part), Type.TEXT)
    return found


def _part(value: Expression, node: Node) -> Expression:
    """A value's text after its length; `n` for NULL."""
    if value.type.is_floating:  # -0.0 is equal to 0.0
        value = operators.arithmetic("+", value, Literal(0.0, Type.DOUBLE), node)
    written = value if value.type is Type.TEXT else coercion.explicit_cast(value, Type.TEXT, node)
    length = coercion.explicit_cast(Call("text_length", (written,), Type.INT), Type.TEXT, node)
    colon = Call("||", (length, Literal(":", Type.TEXT)), Type.TEXT)
    told = Call("||", (colon, written), Type.TEXT)
    return Call("coalesce", (told, Literal("n", Type.TEXT)), Type.TEXT)
