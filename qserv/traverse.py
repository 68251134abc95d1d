"""Walks over the bound tree: rebuild it, list what it names, split conditions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from operator import is_
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
    WindowFrame,
    Within,
)
from schema.types import Type

N = TypeVar("N")
T = TypeVar("T")
Rewrite = Callable[[Expression], Expression | None]
"""Gives what stands for a node, or None to look inside it."""


def rewrite(expression: Expression, by: Rewrite) -> Expression:
    """The expression with every node that `by` answers for replaced, outermost first.

    Looks into sub-queries too, so that their references to outer relations follow.
    """
    found = by(expression)
    if found is not None:
        return found
    match expression:
        case Column() | Literal():
            return expression
        case Call():
            return _changed(
                expression, arguments=tuple([rewrite(item, by) for item in expression.arguments])
            )
        case Aggregate():
            return _rewrite_aggregate(expression, by)
        case Window():
            return _rewrite_window(expression, by)
        case Cast():
            return _changed(expression, argument=rewrite(expression.argument, by))
        case Case():
            return _changed(
                expression,
                branches=tuple((rewrite(w, by), rewrite(t, by)) for w, t in expression.branches),
                otherwise=_rewrite_optional(expression.otherwise, by),
            )
        case InList():
            return _changed(
                expression,
                argument=rewrite(expression.argument, by),
                items=tuple(rewrite(item, by) for item in expression.items),
            )
        case InQuery():
            return _changed(
                expression,
                argument=rewrite(expression.argument, by),
                query=rewrite_query(expression.query, by),
            )
        case Exists() | Scalar():
            return _changed(expression, query=rewrite_query(expression.query, by))
        case InShape():
            return _changed(
                expression, ra=rewrite(expression.ra, by), dec=rewrite(expression.dec, by)
            )
        case Within():
            return _changed(
                expression,
                ra1=rewrite(expression.ra1, by),
                dec1=rewrite(expression.dec1, by),
                ra2=rewrite(expression.ra2, by),
                dec2=rewrite(expression.dec2, by),
                radius=rewrite(expression.radius, by),
            )


def _rewrite_optional(expression: Expression | None, by: Rewrite) -> Expression | None:
    return None if expression is None else rewrite(expression, by)


def _rewrite_each(expressions: tuple[Expression, ...], by: Rewrite) -> tuple[Expression, ...]:
    return tuple(rewrite(item, by) for item in expressions)


def rewrite_keys(order: tuple[SortKey, ...], by: Rewrite) -> tuple[SortKey, ...]:
    """The sort keys with their expressions rewritten."""
    return tuple(_changed(key, expression=rewrite(key.expression, by)) for key in order)


def rewrite_outputs(outputs: tuple[Output, ...], by: Rewrite) -> tuple[Output, ...]:
    """The outputs with their expressions rewritten."""
    return tuple([_changed(o, expression=rewrite(o.expression, by)) for o in outputs])


def _rewrite_aggregate(node: Aggregate, by: Rewrite) -> Aggregate:
    return _changed(
        node,
        argument=_rewrite_optional(node.argument, by),
        filter=_rewrite_optional(node.filter, by),
        order=rewrite_keys(node.order, by),
        more=_rewrite_each(node.more, by),
    )


def _rewrite_window(node: Window, by: Rewrite) -> Window:
    return _changed(
        node,
        arguments=_rewrite_each(node.arguments, by),
        partition=_rewrite_each(node.partition, by),
        order=rewrite_keys(node.order, by),
        frame=None if node.frame is None else _rewrite_frame(node.frame, by),
        filter=_rewrite_optional(node.filter, by),
    )


def _rewrite_frame(frame: WindowFrame, by: Rewrite) -> WindowFrame:
    start, stop = (
        _changed(bound, offset=_rewrite_optional(bound.offset, by))
        for bound in (frame.start, frame.stop)
    )
    return _changed(frame, start=start, stop=stop)


def _changed(node: N, **fields: object) -> N:
    """The node with some fields changed; the very node where all are what they were."""
    for name, value in fields.items():
        if not _is_same(getattr(node, name), value):
            return replace(node, **fields)  # type: ignore[type-var] # nodes are dataclasses
    return node


def _is_same(old: object, new: object) -> bool:
    if old is new:
        return True
    if isinstance(old, tuple) and isinstance(new, tuple):
        return len(old) == len(new) and all(map(is_, old, new))
    return False


def rewrite_query(query: Query, by: Rewrite) -> Query:
    """The query with every expression in it rewritten."""
    outputs, order = rewrite_outputs(query.outputs, by), rewrite_keys(query.order, by)
    if isinstance(query, SetOperation):
        return _changed(
            query,
            left=rewrite_query(query.left, by),
            right=rewrite_query(query.right, by),
            outputs=outputs,
            order=order,
        )
    return _changed(
        query,
        outputs=outputs,
        order=order,
        source=None if query.source is None else rewrite_source(query.source, by),
        where=_rewrite_optional(query.where, by),
        group=_rewrite_each(query.group, by),
        having=_rewrite_optional(query.having, by),
        distinct_on=_rewrite_each(query.distinct_on, by),
    )


def rewrite_block(block: Select, by: Rewrite) -> Select:
    """The block with its own expressions rewritten, ON included, but not its derived tables."""
    return _changed(
        block,
        outputs=rewrite_outputs(block.outputs, by),
        order=rewrite_keys(block.order, by),
        where=_rewrite_optional(block.where, by),
        group=_rewrite_each(block.group, by),
        having=_rewrite_optional(block.having, by),
        distinct_on=_rewrite_each(block.distinct_on, by),
        source=None if block.source is None else rewrite_conditions(block.source, by),
    )


def rewrite_conditions(source: Source, by: Rewrite) -> Source:
    """The source with the conditions of its joins rewritten, but not its derived tables."""
    if isinstance(source, Values):
        return rewrite_source(source, by)
    if not isinstance(source, Join):
        return source
    return _changed(
        source,
        left=rewrite_conditions(source.left, by),
        right=rewrite_conditions(source.right, by),
        on=None if source.on is None else rewrite(source.on, by),
    )


def rewrite_source(source: Source, by: Rewrite) -> Source:
    """The source with every expression in it rewritten."""
    match source:
        case BaseTable() | Fetched():
            return source
        case Derived():
            return _changed(source, query=rewrite_query(source.query, by))
        case Values():
            return _changed(source, rows=tuple(_rewrite_each(row, by) for row in source.rows))
        case Join():
            return _changed(
                source,
                left=rewrite_source(source.left, by),
                right=rewrite_source(source.right, by),
                on=None if source.on is None else rewrite(source.on, by),
            )


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
