"""Walks over the bound tree: rebuild it, list what it names, split conditions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
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
                expression, arguments=tuple(rewrite(item, by) for item in expression.arguments)
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
    if all(_is_same(getattr(node, name), value) for name, value in fields.items()):
        return node
    return replace(node, **fields)  # type: ignore[type-var] # nodes are dataclasses


def _is_same(old: object, new: object) -> bool:
    if isinstance(old, tuple) and isinstance(new, tuple):
        return len(old) == len(new) and all(a is b for a, b in zip(old, new, strict=True))
    return old is new


def rewrite_query(query: Query, by: Rewrite) -> Query:
    """The query with every expression in it rewritten."""
    outputs = tuple(_changed(o, expression=rewrite(o.expression, by)) for o in query.outputs)
    order = rewrite_keys(query.order, by)
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
    source, alone = block.source, replace(block, source=None)
    rewritten = rewrite_query(alone, by)
    assert isinstance(rewritten, Select)
    return replace(rewritten, source=None if source is None else rewrite_conditions(source, by))


def rewrite_conditions(source: Source, by: Rewrite) -> Source:
    """The source with the conditions of its joins rewritten, but not its derived tables."""
    if isinstance(source, Values):
        return rewrite_source(source, by)
    if not isinstance(source, Join):
        return source
    return replace(
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


def nodes(expression: Expression) -> Iterator[Expression]:
    """Every node of an expression, those of its sub-queries included."""
    found: list[Expression] = []

    def note(node: Expression) -> None:
        found.append(node)

    rewrite(expression, note)
    return iter(found)


def query_nodes(query: Query) -> list[Expression]:
    """Every expression node of a query, those of its sub-queries and sources included."""
    found: list[Expression] = []

    def note(node: Expression) -> None:
        found.append(node)

    rewrite_query(query, note)
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


def own_nodes(expression: Expression) -> list[Expression]:
    """Every node of an expression but those inside its sub-queries."""
    found: list[Expression] = []

    def look(node: Expression) -> Expression | None:
        found.append(node)
        if isinstance(node, InQuery):
            rewrite(node.argument, look)
        return node if isinstance(node, InQuery | Exists | Scalar) else None

    rewrite(expression, look)
    return found


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
    for inner in _subqueries(_changed(query, source=_conditions_only(query.source))):
        yield from blocks(inner)


def _subqueries(block: Select) -> list[Query]:
    """The sub-queries of a block's own expressions, not those inside them."""
    found: list[Query] = []

    def note(node: Expression) -> Expression | None:
        if isinstance(node, InQuery | Exists | Scalar):
            found.append(node.query)
            if isinstance(node, InQuery):
                rewrite(node.argument, note)
            return node
        return None

    rewrite_query(block, note)
    return found


def _conditions_only(source: Source | None) -> Source | None:
    """The source with derived tables left out, so that their blocks are not met twice."""
    match source:
        case Join():
            left, right = _conditions_only(source.left), _conditions_only(source.right)
            assert left is not None
            assert right is not None
            return _changed(source, left=left, right=right)
        case Derived():
            return Fetched(source.relation, "")
        case _:
            return source


def base_relations(query: Query) -> list[BaseTable | Fetched]:
    """The base tables and fetched relations of a whole statement, sub-queries included."""
    return [
        leaf
        for block in blocks(query)
        for leaf in leaves(block.source)
        if isinstance(leaf, BaseTable | Fetched)
    ]
