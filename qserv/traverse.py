"""Walks over the bound tree that only look: what it names and holds, conditions one by one. Pure.

`qserv/rebuild.py` has those that make new trees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

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
    Literal,
    Output,
    Query,
    RelationId,
    Scalar,
    Select,
    SetOperation,
    SortKey,
    Source,
    Values,
    Window,
    Within,
)
from schema.types import Type

T = TypeVar("T")


def _inside(node: Expression) -> Sequence[Expression | Query]:
    """What stands right inside a node, in the order of `rewrite`."""
    match node:
        case Column() | Literal():
            return ()
        case Call():
            return node.arguments
        case Cast():
            return (node.argument,)
        case Aggregate():
            return _some(node.argument, node.filter, *_expressions(node.order), *node.more)
        case Window():
            return (*node.arguments, *node.partition, *_expressions(node.order), *_framing(node))
        case Case():
            return _some(*(item for branch in node.branches for item in branch), node.otherwise)
        case InList():
            return (node.argument, *node.items)
        case InQuery():
            return (node.argument, node.query)
        case Exists() | Scalar():
            return (node.query,)
        case InShape():
            return (node.ra, node.dec)
        case Within():
            return (node.ra1, node.dec1, node.ra2, node.dec2, node.radius)


def _inside_query(query: Query) -> Sequence[Expression | Query]:
    """What stands right inside a query, sub-queries of FROM included, in the order of `rewrite_query`."""
    outputs = [*_expressions(query.outputs), *_expressions(query.order)]
    if isinstance(query, SetOperation):
        return [*outputs, query.left, query.right]
    source = [] if query.source is None else _inside_source(query.source)
    return _some(*outputs, *source, query.where, *query.group, query.having, *query.distinct_on)


def _inside_source(source: Source) -> Sequence[Expression | Query]:
    match source:
        case BaseTable() | Fetched():
            return ()
        case Derived():
            return (source.query,)
        case Values():
            return [item for row in source.rows for item in row]
        case Join():
            sides = (*_inside_source(source.left), *_inside_source(source.right))
            return sides if source.on is None else (*sides, source.on)


def _expressions(items: Iterable[Output | SortKey]) -> list[Expression]:
    return [item.expression for item in items]


def _framing(window: Window) -> Sequence[Expression]:
    frame = window.frame
    bounds = () if frame is None else (frame.start.offset, frame.stop.offset)
    return _some(*bounds, window.filter)


def _some(*items: T | None) -> list[T]:
    return [item for item in items if item is not None]


def nodes(expression: Expression) -> list[Expression]:
    """Every node of an expression, those of its sub-queries included."""
    return _nodes([expression])


def query_nodes(query: Query) -> list[Expression]:
    """Every expression node of a query, those of its sub-queries and sources included."""
    return _nodes([query])


def own_nodes(expression: Expression) -> list[Expression]:
    """Every node of an expression but those inside its sub-queries."""
    return _nodes([expression], deep=False)


def _nodes(waiting: list[Expression | Query], *, deep: bool = True) -> list[Expression]:
    """The nodes, outermost first, left to right; `deep`: those of queries too."""
    found: list[Expression] = []
    while waiting:
        item = waiting.pop()
        if isinstance(item, Select | SetOperation):
            if deep:
                waiting.extend(reversed(_inside_query(item)))
            continue
        found.append(item)
        if not isinstance(item, Column | Literal):
            waiting.extend(reversed(_inside(item)))
    return found


def columns(expression: Expression) -> set[Column]:
    """The columns that an expression names."""
    return {node for node in nodes(expression) if isinstance(node, Column)}


def relations(expression: Expression) -> set[RelationId]:
    """The relations that an expression names."""
    return {column.relation for column in columns(expression)}


def has_subquery(expression: Expression) -> bool:
    """Whether a query stands inside the expression."""
    return any(isinstance(node, InQuery | Exists | Scalar) for node in nodes(expression))


def has_aggregate(expression: Expression) -> bool:
    """Whether an aggregate of this block stands inside the expression (not in a sub-query)."""
    return any(isinstance(node, Aggregate) for node in own_nodes(expression))


def windows(expression: Expression) -> list[Window]:
    """The window functions of this block inside the expression (not those of a sub-query)."""
    return [node for node in own_nodes(expression) if isinstance(node, Window)]


def conjuncts(condition: Expression | None) -> tuple[Expression, ...]:
    """The conditions that must all hold; none for None."""
    if condition is None:
        return ()
    if isinstance(condition, Call) and condition.name == "and":
        return tuple(part for argument in condition.arguments for part in conjuncts(argument))
    return (condition,)


def conjunction(conditions: tuple[Expression, ...]) -> Expression | None:
    """One condition that says all of them; None for none."""
    match conditions:
        case ():
            return None
        case (single,):
            return single
        case _:
            return Call("and", conditions, Type.BOOLEAN)


def leaves(source: Source | None) -> Iterator[BaseTable | Derived | Values | Fetched]:
    """The relations of a FROM clause, left to right."""
    match source:
        case None:
            return
        case Join():
            yield from leaves(source.left)
            yield from leaves(source.right)
        case _:
            yield source


def blocks(query: Query) -> Iterator[Select]:
    """Every SELECT block of a statement, inner ones included."""
    if isinstance(query, SetOperation):
        yield from blocks(query.left)
        yield from blocks(query.right)
        return
    yield query
    for leaf in leaves(query.source):
        if isinstance(leaf, Derived):
            yield from blocks(leaf.query)
    for item in _inside_query(query):
        if not isinstance(item, Select | SetOperation):
            for node in own_nodes(item):
                if isinstance(node, InQuery | Exists | Scalar):
                    yield from blocks(node.query)


def base_relations(query: Query) -> list[BaseTable | Fetched]:
    """The base tables and fetched relations of a whole statement, sub-queries included."""
    return [
        leaf
        for block in blocks(query)
        for leaf in leaves(block.source)
        if isinstance(leaf, BaseTable | Fetched)
    ]
