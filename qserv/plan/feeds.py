"""Feeds: which finished fragment tells a later one what rows of it matter. Pure.

The merge joins fragments by equalities and distances that every row of its result must fulfil. The
fragment that is expected to send few rows is asked first; the values of its join column, or its
positions, then bound what the other reads. Rows that a feed leaves out could not be in the result:

- an equality in WHERE, or in ON of inner joins, bounds either side by the other;
- one in ON of a LEFT join bounds the right side only;
- one between a sub-query and the block around it bounds the sub-query; the block only where the
  sub-query is a conjunct `EXISTS` or `IN`, not negated;
- NOT IN bounds nothing: a NULL that is left out would change its meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qserv.analyse import certain_of
from qserv.bound import (
    Call,
    Cast,
    Column,
    Derived,
    Exists,
    Expression,
    InQuery,
    Join,
    JoinKind,
    Literal,
    Query,
    RelationId,
    Select,
    Source,
    Within,
)
from qserv.traverse import blocks, conjuncts, leaves
from schema.types import Type

MAX_FED_VALUES = 100_000
"""More distinct values, or positions, are not sent along."""
LEAST_FED_ROWS = 1_000
"""A fragment that reads fewer rows is asked at once: waiting would cost more."""
GAIN = 4.0
"""So many times more rows must the fed fragment send without what it is told."""
NEAR_ROWS = 2.0
"""How many rows are expected around a position."""


@dataclass(frozen=True, slots=True)
class Link:
    """`target` rows matter only where they equal a `source` value; columns of two fragments."""

    source: Column
    target: Column


@dataclass(frozen=True, slots=True)
class NearLink:
    """`target` rows matter only within `radius` degrees of a `source` position (ra, dec)."""

    source: tuple[Column, Column]
    target: tuple[Column, Column]
    radius: float


@dataclass(frozen=True, slots=True)
class Size:
    """What a fragment is expected to do: rows it sends, rows it reads."""

    sent: float
    read: float


def links_of(merge: Query, owners: Mapping[RelationId, RelationId]) -> list[Link | NearLink]:
    """The links of a merge whose open fragments' columns are still those of base tables.

    `owners` gives the fetched relation that stands for a base table's.
    """
    finder = _Finder(owners, {}, set())
    all_blocks = list(blocks(merge))
    seen = set[RelationId]()
    for block in all_blocks:
        for leaf in leaves(block.source):
            (finder.shared if leaf.relation in seen else seen).add(leaf.relation)
            if isinstance(leaf, Derived):
                finder.derived[leaf.relation] = leaf.query
    return list(dict.fromkeys(link for block in all_blocks for link in finder.block(block)))


def choose(
    links: Sequence[Link | NearLink],
    sizes: Mapping[RelationId, Size],
    owners: Mapping[RelationId, RelationId],
    rows_per_value: Mapping[Column, float],
) -> tuple[list[Link | NearLink], dict[RelationId, float]]:
    """The links to use: each from a fragment that sends few rows to one that would send many.

    Also how many rows each fragment is expected to send then.

    The fragment of the least rows is settled first, then the one of the least rows given what it
    tells, and so on; so there is no circle.
    """
    sent = {name: size.sent for name, size in sizes.items()}
    chosen: list[Link | NearLink] = []
    open_ = set(sizes)
    while open_:
        name = min(sorted(open_), key=lambda one: sent[one])
        open_.remove(name)
        for link in links:
            source, target = _ends(link, owners)
            if source != name or target not in open_ or sent[name] > MAX_FED_VALUES:
                continue
            each = rows_per_value.get(link.target, 1.0) if isinstance(link, Link) else NEAR_ROWS
            left = max(1.0, sent[name] * each)
            if sizes[target].read >= LEAST_FED_ROWS and sent[target] >= GAIN * left:
                chosen.append(link)
                sent[target] = left
    return chosen, sent


def _ends(
    link: Link | NearLink, owners: Mapping[RelationId, RelationId]
) -> tuple[RelationId, RelationId]:
    """The fetched relations that a link leads from and to."""
    source, target = (
        (link.source, link.target) if isinstance(link, Link) else (link.source[0], link.target[0])
    )
    return owners.get(source.relation, source.relation), owners[target.relation]


@dataclass(slots=True)
class _Finder:
    """Walks the blocks of one merge."""

    owners: Mapping[RelationId, RelationId]
    derived: dict[RelationId, Query]
    shared: set[RelationId]
    """Relations of sub-queries that stand in several places."""

    def block(self, block: Select) -> Iterator[Link | NearLink]:
        """The links of one block's conditions, those to its sub-queries included."""
        own = {leaf.relation for leaf in leaves(block.source)}
        for condition in (*conjuncts(block.where), *certain_of(block.source)):
            yield from self._condition(condition, own)
        yield from self._outer_joins(block.source)

    def _condition(self, condition: Expression, own: set[RelationId]) -> Iterator[Link | NearLink]:
        """What one condition that must hold says of the relations of its block."""
        match condition:
            case Call(name="=", arguments=(one, other)):
                for source, target in ((one, other), (other, one)):
                    yield from self._link(source, target, own)
            case Within():
                yield from self._near(condition, own)
            case Exists(negated=False, query=Select() as inner) if _only_filters(inner):
                yield from self._from_inner(inner, own)
            case InQuery(negated=False, query=Select() as inner):
                yield from self._in_query(condition.argument, inner, own)
            case _:
                pass

    def _outer_joins(self, source: Source | None) -> Iterator[Link | NearLink]:
        """Equalities of LEFT joins bound their right sides."""
        if not isinstance(source, Join):
            return
        yield from self._outer_joins(source.left)
        yield from self._outer_joins(source.right)
        sides = {JoinKind.LEFT: source.right, JoinKind.RIGHT: source.left}
        if source.kind in sides:
            nullable = {leaf.relation for leaf in leaves(sides[source.kind])}
            for condition in conjuncts(source.on):
                if isinstance(condition, Call | Within):
                    yield from self._condition(condition, nullable)

    def _from_inner(self, inner: Select, own: set[RelationId]) -> Iterator[Link | NearLink]:
        """The equalities of an EXISTS that bound the block around it."""
        for condition in (*conjuncts(inner.where), *certain_of(inner.source)):
            if isinstance(condition, Call | Within):
                yield from self._condition(condition, own)

    def _in_query(
        self, argument: Expression, inner: Select, own: set[RelationId]
    ) -> Iterator[Link]:
        """`argument IN (inner)`, both ways."""
        value = inner.outputs[0].expression
        yield from self._link(value, argument, own)
        is_whole = inner.limit is None and not inner.offset and not inner.distinct_on
        inside = {leaf.relation for leaf in leaves(inner.source)}
        # Elsewhere the same sub-query may be a value, which a NULL that is left out would change.
        is_whole = is_whole and inside.isdisjoint(self.shared)
        if is_whole and (not inner.is_grouped or value in inner.group):
            yield from self._link(argument, value, inside)

    def _link(self, source: Expression, target: Expression, own: set[RelationId]) -> Iterator[Link]:
        """`source` bounds `target`, where that is a column of one of these relations."""
        one, other = self._sent(_plain(source)), _plain(target)
        if one is None or other is None or other.relation not in self.owners:
            return
        home = self.owners[other.relation]
        is_same = self.owners.get(one.relation, one.relation) == home
        if home in own and not is_same and _are_comparable(one, other):
            yield Link(one, other)

    def _near(self, condition: Within, own: set[RelationId]) -> Iterator[NearLink]:
        """A distance bounds either side."""
        if not isinstance(condition.radius, Literal) or condition.radius.value is None:
            return
        points = ((condition.ra1, condition.dec1), (condition.ra2, condition.dec2))
        for here, there in (points, points[::-1]):
            source = tuple(self._sent(_plain(part)) for part in here)
            target = tuple(_plain(part) for part in there)
            if None in source or None in target:
                continue
            (ra1, dec1), (ra2, dec2) = source, target
            assert ra1 is not None
            assert dec1 is not None
            assert ra2 is not None
            assert dec2 is not None
            homes = [self.owners.get(c.relation, c.relation) for c in (ra1, dec1, ra2, dec2)]
            is_split = homes[0] == homes[1] != homes[2] == homes[3]
            if is_split and ra2.relation in self.owners and homes[2] in own:
                radius = float(condition.radius.value)  # type: ignore[arg-type]
                yield NearLink((ra1, dec1), (ra2, dec2), radius)

    def _sent(self, column: Column | None) -> Column | None:
        """The fragment's column that a column's values come from; None where they are made here."""
        while column is not None and column.relation in self.derived:
            query = self.derived[column.relation]
            if not isinstance(query, Select):
                return None
            column = _plain(query.outputs[int(column.name[1:])].expression)
        return column


def _plain(expression: Expression) -> Column | None:
    """The column that an expression is, an integer's widening aside."""
    if isinstance(expression, Cast) and expression.type.is_integer:
        inner = expression.argument
        return inner if isinstance(inner, Column) and inner.type.is_integer else None
    return expression if isinstance(expression, Column) else None


def _are_comparable(one: Column, other: Column) -> bool:
    """Whether both hold integers, or both texts."""
    both = (one.type, other.type)
    return all(kind.is_integer for kind in both) or all(kind is Type.TEXT for kind in both)


def _only_filters(block: Select) -> bool:
    """Whether the block has rows exactly where its FROM and WHERE have."""
    return (
        not block.is_grouped and block.having is None and block.limit is None and not block.offset
    )
