"""Grouped blocks: which columns may stand outside aggregates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from qserv.bind.errors import BindError, Node, NotGrouped
from qserv.bind.scope import Env
from qserv.bound import Aggregate, Column, Exists, Expression, InQuery, RelationId, Scalar
from qserv.traverse import rewrite, rewrite_query


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
