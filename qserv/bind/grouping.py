"""Grouped blocks: GROUP BY with its sets, and which columns may stand outside aggregates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

from sqlglot import exp

from qserv.bind.conditions import unwrapped
from qserv.bind.errors import BindError, MisplacedAggregate, Node, NotGrouped, Unsupported
from qserv.bind.order import by_position
from qserv.bind.scope import Env
from qserv.bound import (
    Aggregate,
    Call,
    Column,
    Exists,
    Expression,
    InQuery,
    Output,
    RelationId,
    Scalar,
)
from qserv.rebuild import rewrite, rewrite_query
from qserv.traverse import has_aggregate, own_nodes, windows
from schema.errors import LimitExceeded

MAX_SETS = 4096
"""PostgreSQL's limit of the grouping sets of a block."""
Sets = tuple[tuple[int, ...], ...]


def group_of(
    node: Node | None, outputs: Sequence[Output], env: Env
) -> tuple[tuple[Expression, ...], Sets]:
    """GROUP BY: positions, expressions, and output names where no column has them; and its sets.

    A plain GROUP BY has none. Items beside each other multiply: `a, ROLLUP (b)` is (a, b), (a).
    """
    if node is None:
        return (), ()
    keys = _Keys(outputs, replace(env, clause="GROUP BY"))
    items = [*node.expressions, *_listed(node, "grouping_sets", "cube", "rollup")]
    if any(value for key, value in node.args.items() if key in ("all", "totals")):
        raise Unsupported("GROUP BY takes expressions only", node)
    factors = [keys.sets(item) for item in items]
    if all(isinstance(item, exp.Expression) and not _is_set(item) for item in items):
        return tuple(keys.found), ()
    count = 1
    for factor in factors:
        count *= len(factor)
        if count > MAX_SETS:
            raise LimitExceeded(f"The statement has more than {MAX_SETS} grouping sets")
    found = (dict.fromkeys(key for part in parts for key in part) for parts in product(*factors))
    return tuple(keys.found), tuple(tuple(sorted(one)) for one in found)


def _listed(node: Node, *keys: str) -> list[Node]:
    return [item for key in keys for item in node.args.get(key) or ()]


def _is_set(node: Node) -> bool:
    return isinstance(node, exp.GroupingSets | exp.Rollup | exp.Cube | exp.Tuple)


class _Keys:
    """The keys of one GROUP BY, each once, in the order in which they are met."""

    def __init__(self, outputs: Sequence[Output], env: Env) -> None:
        self.outputs, self.env = outputs, env
        self.found: dict[Expression, int] = {}

    def sets(self, node: Node) -> list[tuple[int, ...]]:
        """The sets of keys that one item stands for."""
        match node:
            case exp.GroupingSets():
                return [one for item in node.expressions for one in self.sets(item)]
            case exp.Rollup():
                parts = [self.keys(item) for item in node.expressions]
                return [_joined(parts[:count]) for count in range(len(parts), -1, -1)]
            case exp.Cube():
                parts = [self.keys(item) for item in node.expressions]
                if len(parts) > 12:
                    raise LimitExceeded(f"The statement has more than {MAX_SETS} grouping sets")
                kept = product((True, False), repeat=len(parts))
                return [
                    _joined([part for part, is_kept in zip(parts, one, strict=True) if is_kept])
                    for one in kept
                ]
            case _:
                return [self.keys(node)]

    def keys(self, node: Node) -> tuple[int, ...]:
        """The keys of an expression, or of several in parentheses."""
        if isinstance(node, exp.Tuple):
            return tuple(self.key(item) for item in node.expressions)
        return (self.key(node),)

    def key(self, item: Node) -> int:
        """The place of one key."""
        inner = unwrapped(item)
        expression = by_position(inner, self.outputs) or self.env.bind(inner)
        if has_aggregate(expression):
            raise MisplacedAggregate("GROUP BY names an output that is an aggregate", item)
        if windows(expression):
            raise MisplacedAggregate("GROUP BY names an output that is a window function", item)
        return self.found.setdefault(expression, len(self.found))


def _joined(parts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(key for part in parts for key in part)


def check_grouped(
    checked: Iterable[tuple[Expression, Node]],
    group: Sequence[Expression],
    own: set[RelationId],
    env: Env,
) -> None:
    """NotGrouped where an expression names a column of the block outside aggregates and the group.

    `checked` are expressions of the select list, HAVING and ORDER BY with the nodes they came from;
    `own` are the block's relations. That a key determines its row's other columns is not used.
    """
    grouped = frozenset(group)
    for expression, node in checked:
        stray = _stray(expression, grouped, own)
        if stray is not None:
            place, name = _named(stray, node, env)
            raise NotGrouped(f"Column {name} is neither grouped by nor inside an aggregate", place)
        for found in own_nodes(expression):
            if isinstance(found, Call) and found.name == "grouping":
                _check_grouping(found, grouped, node)


def _check_grouping(call: Call, grouped: frozenset[Expression], node: Node) -> None:
    """GROUPING names expressions of GROUP BY."""
    if any(argument not in grouped for argument in call.arguments):
        raise NotGrouped("GROUPING names what is not grouped by", node)


def _stray(
    expression: Expression, grouped: frozenset[Expression], own: set[RelationId]
) -> Column | None:
    """The first column of the block's own relations that is free; None where there is none.

    An aggregate of the block covers what is in it; one of a sub-query does not.
    """
    found: list[Column] = []

    def look_inside(node: Expression) -> Expression | None:
        if isinstance(node, Column) and node.relation in own and node not in grouped:
            found.append(node)
        return node if node in grouped else None

    def look(node: Expression) -> Expression | None:
        if isinstance(node, Aggregate):
            return node
        if isinstance(node, InQuery | Exists | Scalar):
            if isinstance(node, InQuery):
                rewrite(node.argument, look)
            rewrite_query(node.query, look_inside)
            return node
        return look_inside(node)

    rewrite(expression, look)
    return found[0] if found else None


def _named(column: Column, node: Node, env: Env) -> tuple[Node, str]:
    """Where a column is named in a node, and how it is spelled there."""
    for candidate in node.find_all(exp.Column):
        try:
            if env.bind(candidate) == column:
                return candidate, candidate.sql("postgres")
        except BindError:
            continue  # a name of an inner block
    return node, column.name
