"""Merge simple sub-queries of FROM into the block around them, so that their tables can be local.

A sub-query without grouping, DISTINCT or limit is its FROM and WHERE with other names. On the
null-supplying side of an outer join only plain columns may be renamed: an expression could make a
value out of the NULLs.
"""

from __future__ import annotations

from dataclasses import replace

from qserv.bound import (
    BaseTable,
    Call,
    Column,
    Derived,
    Exists,
    Expression,
    Fetched,
    InQuery,
    InShape,
    Join,
    JoinKind,
    Literal,
    Output,
    Query,
    RelationId,
    Scalar,
    Select,
    SetOperation,
    Source,
    Values,
    Within,
)
from qserv.rebuild import Rewrite, rewrite, rewrite_block, rewrite_query
from qserv.traverse import conjunction, conjuncts, leaves, nodes, windows

Renames = dict[RelationId, tuple[Output, ...]]
MAX_MERGED_NODES = 64
"""A larger expression stays where it is: each use would repeat it, and each use of that."""


def flatten(query: Query) -> Query:
    """The query with its simple sub-queries merged, at every depth; the same rows.

    Each sub-query is flattened once, before the block around it: the work grows with the text.
    """
    if isinstance(query, SetOperation):
        return replace(query, left=flatten(query.left), right=flatten(query.right))
    block = rewrite_block(query, _flatten_subquery)
    if block.source is None:
        return block
    renames: Renames = {}
    source, lifted = _flatten_source(block.source, renames, nullable=False)
    where = conjunction((*conjuncts(block.where), *lifted))
    block = replace(block, source=source, where=where)
    if not renames:
        return block

    def rename(node: Expression) -> Expression | None:
        if isinstance(node, Column) and node.relation in renames:
            merged = renames[node.relation][int(node.name[1:])].expression
            return rewrite(merged, rename)  # a lateral one names others that are merged
        if isinstance(node, InShape):
            return InShape(*_position(rename, node.ra, node.dec), node.shape)
        if isinstance(node, Within):
            one = _position(rename, node.ra1, node.dec1)
            other = _position(rename, node.ra2, node.dec2)
            return Within(*one, *other, rewrite(node.radius, rename), node.strict)
        return None

    return rewrite_query(block, rename)


def _position(rename: Rewrite, ra: Expression, dec: Expression) -> tuple[Expression, Expression]:
    """A position renamed; that of a POINT as the numbers that it is made of, which planning reads.

    Both are NULL, and so is the test, where either number is.
    """
    ra, dec = rewrite(ra, rename), rewrite(dec, rename)
    match ra, dec:
        case (
            Call(name="coordinate", arguments=(Call(name="point") as point, Literal(value=1))),
            Call(name="coordinate", arguments=(Call(name="point") as other, Literal(value=2))),
        ) if point == other:
            return point.arguments[0], point.arguments[1]
        case _:
            return ra, dec


def _flatten_subquery(node: Expression) -> Expression | None:
    match node:
        case Exists() | Scalar():
            return replace(node, query=flatten(node.query))
        case InQuery():
            argument = rewrite(node.argument, _flatten_subquery)
            return replace(node, argument=argument, query=flatten(node.query))
        case _:
            return None


def _flatten_source(
    source: Source, renames: Renames, *, nullable: bool
) -> tuple[Source, list[Expression]]:
    """The source with simple sub-queries replaced by theirs, and the conditions lifted out of them."""
    match source:
        case BaseTable() | Values() | Fetched():
            return source, []
        case Derived():
            query = flatten(source.query)
            if isinstance(query, Select) and _is_simple(query, nullable=nullable):
                renames[source.relation] = query.outputs
                assert query.source is not None
                return query.source, list(conjuncts(query.where))
            return replace(source, query=query), []
        case Join():
            return _flatten_join(source, renames, nullable=nullable)


def _flatten_join(
    join: Join, renames: Renames, *, nullable: bool
) -> tuple[Source, list[Expression]]:
    """A join; conditions from its null-supplying side go into its ON, others are lifted further."""
    left_nullable = nullable or join.kind in (JoinKind.RIGHT, JoinKind.FULL)
    right_nullable = nullable or join.kind in (JoinKind.LEFT, JoinKind.FULL)
    if join.kind is JoinKind.FULL:
        return replace(join, left=_inside(join.left), right=_inside(join.right)), []
    if not nullable and _is_computed(join):
        assert isinstance(join.right, Derived)
        renames[join.right.relation] = flatten(join.right.query).outputs
        source, lifted = _flatten_source(join.left, renames, nullable=False)
        return source, [*lifted, *conjuncts(join.on)]
    left, from_left = _flatten_source(join.left, renames, nullable=left_nullable)
    right, from_right = _flatten_source(join.right, renames, nullable=right_nullable)
    match join.kind:
        case JoinKind.LEFT:
            on = conjunction((*conjuncts(join.on), *from_right))
            return replace(join, left=left, right=right, on=on), from_left
        case JoinKind.RIGHT:
            on = conjunction((*conjuncts(join.on), *from_left))
            return replace(join, left=left, right=right, on=on), from_right
        case _:
            return replace(join, left=left, right=right), [*from_left, *from_right]


def _is_computed(join: Join) -> bool:
    """Whether the right side is one row without tables: LATERAL (SELECT a.x + 1 AS y)."""
    right = join.right
    if join.kind not in (JoinKind.INNER, JoinKind.CROSS) or not isinstance(right, Derived):
        return False
    query = right.query
    if not isinstance(query, Select) or query.source is not None or query.where is not None:
        return False
    return _is_simple(replace(query, source=right), nullable=False)


def _inside(source: Source) -> Source:
    """A side of a FULL join: its sub-queries stay, flattened within."""
    match source:
        case Derived():
            return replace(source, query=flatten(source.query))
        case Join():
            return replace(source, left=_inside(source.left), right=_inside(source.right))
        case _:
            return source


def _is_simple(query: Select, *, nullable: bool) -> bool:
    """Whether the block only filters and renames (or computes, where that is allowed)."""
    has_shape = query.is_grouped or query.distinct or query.having is not None
    has_shape = has_shape or bool(query.distinct_on)
    if has_shape or query.limit is not None or query.offset or query.source is None:
        return False
    expressions = [output.expression for output in query.outputs]
    if any(windows(e) for e in expressions):
        return False
    if nullable:
        # A column of a query around this one is no column of the side that becomes NULL.
        own = {leaf.relation for leaf in leaves(query.source)}
        return all(isinstance(e, Column) and e.relation in own for e in expressions)
    return all(sum(1 for _ in nodes(e)) <= MAX_MERGED_NODES for e in expressions)
