"""Rebuilds bound trees: what a node is replaced by, and what that leaves as it was. Pure.

Nodes are frozen; a rewrite gives back the very nodes that it leaves alone.
"""

from __future__ import annotations

from collections.abc import Callable
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

N = TypeVar("N")
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
    if isinstance(query, SetOperation):
        return _changed(
            query,
            left=rewrite_query(query.left, by),
            right=rewrite_query(query.right, by),
            outputs=rewrite_outputs(query.outputs, by),
            order=rewrite_keys(query.order, by),
        )
    source = None if query.source is None else rewrite_source(query.source, by)
    return _with_expressions(query, source, by)


def rewrite_block(block: Select, by: Rewrite) -> Select:
    """The block with its own expressions rewritten, ON included, but not its derived tables."""
    source = None if block.source is None else rewrite_conditions(block.source, by)
    return _with_expressions(block, source, by)


def _with_expressions(block: Select, source: Source | None, by: Rewrite) -> Select:
    """The block over a source that is rewritten already, its other expressions rewritten."""
    return _changed(
        block,
        source=source,
        outputs=rewrite_outputs(block.outputs, by),
        order=rewrite_keys(block.order, by),
        where=_rewrite_optional(block.where, by),
        group=_rewrite_each(block.group, by),
        having=_rewrite_optional(block.having, by),
        distinct_on=_rewrite_each(block.distinct_on, by),
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


def rewrite_blocks(query: Query, by: Callable[[Select], Select]) -> Query:
    """The query with every SELECT block replaced, the innermost first."""

    def inside(node: Expression) -> Expression | None:
        match node:
            case Exists() | Scalar():
                return _changed(node, query=rewrite_blocks(node.query, by))
            case InQuery():
                argument = rewrite(node.argument, inside)
                return _changed(node, argument=argument, query=rewrite_blocks(node.query, by))
            case _:
                return None

    if isinstance(query, SetOperation):
        left, right = rewrite_blocks(query.left, by), rewrite_blocks(query.right, by)
        return _changed(query, left=left, right=right)
    block = rewrite_block(query, inside)
    if block.source is None:
        return by(block)
    return by(_changed(block, source=_rewrite_derived(block.source, by)))


def _rewrite_derived(source: Source, by: Callable[[Select], Select]) -> Source:
    """The source with the blocks of its derived tables replaced."""
    match source:
        case Derived():
            return _changed(source, query=rewrite_blocks(source.query, by))
        case Join():
            left, right = _rewrite_derived(source.left, by), _rewrite_derived(source.right, by)
            return _changed(source, left=left, right=right)
        case _:
            return source
