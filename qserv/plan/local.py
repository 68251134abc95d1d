"""Locals: joins that each chunk can answer alone, and the rules that keep them sound.

A local is a join tree over base tables with one *anchor*: a partitioned relation read from own rows,
on the preserved side of every outer join in it. Its other members are partners:

- OWN: co-located with another own member by equality of keys, so its rows lie in the same chunk;
- OVERLAP: a director within a radius of a member; radii summed along the chain, and the largest
  distance of a child from its director, stay within the catalog's margin. Or the second director of a
  match table, where the ingests measured that it is never farther. It joins only replicated tables
  further (its children lie elsewhere);
- WHOLE: replicated.

Every row of the join then comes from exactly one chunk: the anchor row's. Each refusal says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from qserv.bound import (
    BaseTable,
    Call,
    Column,
    Expression,
    Join,
    JoinKind,
    Literal,
    RelationId,
    Source,
    Within,
)
from qserv.planned import Reading
from qserv.traverse import conjunction, leaves
from schema.catalog import Role, Table, family_key
from schema.types import Type

_BOOLEAN, _LONG = Type.BOOLEAN, Type.LONG


@dataclass(frozen=True, slots=True)
class Member:
    """One relation of a local. `reach_arcsec` is how far from an own row of the chunk it may lie.

    `cells_radius`, degrees, is set where a near-neighbour join reads it by cells.
    `preserved`: no outer join of the local can fill it with NULLs.
    """

    base: BaseTable
    reading: Reading
    reach_arcsec: float = 0.0
    cells_radius: float | None = None
    preserved: bool = True

    @property
    def table(self) -> Table:
        return self.base.table


@dataclass(frozen=True, slots=True)
class Local:
    """A join that each chunk can answer alone; `anchor` is None where all members are replicated."""

    source: Source
    members: tuple[Member, ...]
    anchor: RelationId | None
    filters: tuple[Expression, ...] = ()

    def member(self, relation: RelationId) -> Member | None:
        """The member of that relation id."""
        return next((m for m in self.members if m.base.relation == relation), None)

    @property
    def relations(self) -> frozenset[RelationId]:
        return frozenset(member.base.relation for member in self.members)

    @property
    def joined(self) -> frozenset[RelationId]:
        """The relations of its FROM, whose columns it can send; the others are its filters' own."""
        return frozenset(leaf.relation for leaf in leaves(self.source))

    @property
    def partitioned(self) -> tuple[Member, ...]:
        return tuple(m for m in self.members if m.reading is not Reading.WHOLE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why two locals cannot be one; a line of EXPLAIN."""

    reason: str


Ingests = Callable[[str, str], tuple[int, int] | None]
"""The oldest and the newest ingest of a (catalog, table)'s rows; None where it has none."""


class Separations:
    """The largest distance of rows from what they lie with, arcsec, by (catalog, table)."""

    def __init__(
        self, known: dict[tuple[str, str], float], ingests: Ingests = lambda *_: None
    ) -> None:
        self._known, self._ingests = known, ingests

    def of(self, base: BaseTable) -> float:
        """0 for directors: they lie in the chunk of their own position."""
        return self._known.get((base.catalog.name, base.table.name), 0.0)

    def of_second(self, base: BaseTable) -> float | None:
        """How far a match table's second director lies from the pair's chunk at most.

        None where nothing proves it: it is measured when the pairs are ingested, so rows of the second
        director must not be newer; and 0 was written before it was measured.
        """
        match = base.table.match
        if match is None:
            return None
        pairs = self._ingests(base.catalog.name, base.table.name)
        second = self._ingests(base.catalog.name, match[0])
        if pairs is None or second is None:
            return None
        reach = self.of(base)
        return reach if 0 < reach < math.inf and second[1] <= pairs[0] else None


def single(base: BaseTable) -> Local:
    """One table as a local."""
    if base.table.is_partitioned:
        return Local(base, (Member(base, Reading.OWN),), base.relation)
    return Local(base, (Member(base, Reading.WHOLE),), None)


def combine(
    left: Local,
    right: Local,
    kind: JoinKind,
    on: tuple[Expression, ...],
    separations: Separations,
) -> Local | Refusal:
    """The join of two locals as one local, or the rule that forbids it.

    `kind` is INNER, CROSS or LEFT (left preserved). For INNER and CROSS the roles may swap.
    """
    if left.anchor is None and right.anchor is not None and kind is JoinKind.LEFT:
        return Refusal(
            "a replicated table is preserved by an outer join: each chunk would return its rows"
        )
    if right.anchor is None or left.anchor is None:
        return _joined(left, right, kind, on)
    if linked_by_key(left, right, on):
        return _joined(left, right, kind, on)
    return _beside(left, right, kind, on, separations)


def _beside(
    left: Local,
    right: Local,
    kind: JoinKind,
    on: tuple[Expression, ...],
    separations: Separations,
) -> Local | Refusal:
    """Join by distance or by pairs: the right side becomes overlap, or for inner joins the left."""
    found = beside(left, right, on, separations)
    if isinstance(found, Refusal) and kind is not JoinKind.LEFT:
        swapped = beside(right, left, on, separations)
        if not isinstance(swapped, Refusal):
            return _joined(right, swapped.partner, kind, (*on, *swapped.conditions))
    if isinstance(found, Refusal):
        return found
    return _joined(left, found.partner, kind, (*on, *found.conditions))


@dataclass(frozen=True, slots=True)
class Beside:
    """A partner read from own and overlap rows, and the conditions that join it beside those given."""

    partner: Local
    conditions: tuple[Expression, ...] = ()


def beside(
    anchored: Local, partner: Local, on: Iterable[Expression], separations: Separations
) -> Beside | Refusal:
    """The partner as one read from the overlap: paired by a match table, or near."""
    on = tuple(on)
    target = _overlap_target(partner)
    if isinstance(target, Refusal):
        return target
    paired = _paired(anchored, partner, target, on, separations)
    if isinstance(paired, Beside):
        return paired
    near = _overlap_partner(anchored, partner, target, on, separations)
    if isinstance(near, Refusal):
        return paired or near
    return Beside(near[0], (near[1],))


def is_paired(joined: Local, one: Local, other: Local) -> bool:
    """Whether the join of two locals reads a match table's second director from the overlap."""
    before = {
        m.base.relation for m in (*one.members, *other.members) if m.reading is Reading.OVERLAP
    }
    return any(
        m.reading is Reading.OVERLAP and m.cells_radius is None and m.base.relation not in before
        for m in joined.members
    )


def _overlap_target(partner: Local) -> Member | Refusal:
    """The one member of a partner that could be read from the overlap."""
    members = partner.partitioned
    if len(members) != 1 or members[0].reading is not Reading.OWN:
        return Refusal("a table read from the overlap may join only replicated tables")
    if members[0].table.role is not Role.DIRECTOR:
        return Refusal(f"{members[0].table.name} is no director, so it has no overlap")
    if members[0].table.is_live:
        return Refusal(f"{members[0].table.name} is of a live catalog, which has no overlap")
    return members[0]


def _joined(left: Local, right: Local, kind: JoinKind, on: tuple[Expression, ...]) -> Local:
    """The joined local; an outer join's right members are no longer preserved."""
    condition = conjunction((*on, *right.filters) if kind is JoinKind.LEFT else on)
    filters = left.filters if kind is JoinKind.LEFT else left.filters + right.filters
    if condition is None and kind is JoinKind.LEFT:
        condition = Literal(True, _BOOLEAN)
    kind = JoinKind.CROSS if condition is None else kind
    kind = JoinKind.INNER if kind is JoinKind.CROSS and condition is not None else kind
    incoming = right.members
    if kind is JoinKind.LEFT:
        incoming = tuple(replace(member, preserved=False) for member in incoming)
    anchor = left.anchor if left.anchor is not None else right.anchor
    source = Join(kind, left.source, right.source, condition)
    return Local(source, left.members + incoming, anchor, filters)


# ------------------------------------------------------------------ equality of keys


def linked_by_key(left: Local, right: Local, on: Iterable[Expression]) -> bool:
    """Whether an equality of keys puts the rows that join into one chunk."""
    return any(
        colocated(left, one, right, other) or colocated(left, other, right, one)
        for condition in on
        if isinstance(condition, Call) and condition.name == "="
        for one, other in [condition.arguments]
    )


def colocated(left: Local, one: Expression, right: Local, other: Expression) -> bool:
    """Whether `one = other` joins own members of the two sides that lie together."""
    if not (isinstance(one, Column) and isinstance(other, Column)):
        return False
    a, b = left.member(one.relation), right.member(other.relation)
    if a is None or b is None or a.reading is not Reading.OWN or b.reading is not Reading.OWN:
        return False
    if a.base.catalog.name != b.base.catalog.name:
        return False
    catalog = a.base.catalog
    first, second = family_key(catalog, a.table, one.name), family_key(catalog, b.table, other.name)
    if first is None or second is None or first != second:
        return False
    # A sentinel key means "by its own position": two children of it may lie far apart. A director
    # never has one.
    a_is_parent, b_is_parent = a.table.name == first, b.table.name == second
    return a_is_parent or b_is_parent or not (a.table.sentinels or b.table.sentinels)


# ------------------------------------------------------------------ pairs


def _paired(
    anchored: Local,
    partner: Local,
    target: Member,
    on: Iterable[Expression],
    separations: Separations,
) -> Beside | Refusal | None:
    """The second director of a match table, where all of its rows are within the margin.

    None where no equality is one of a match table's second key.
    """
    for pairs in _pairing(anchored, target, on):
        reach = separations.of_second(pairs.base)
        margin = pairs.base.catalog.margin_arcsec
        name, match = target.table.name, pairs.table.name
        if reach is None:
            return Refusal(f"nothing proves how far rows of {name} lie from their {match}")
        if reach > margin:
            return Refusal(
                f"rows of {name} lie up to {reach:g} arcsec from their {match},"
                f" beyond the overlap's margin of {margin:g}"
            )
        other = replace(target, reading=Reading.OVERLAP, reach_arcsec=reach)
        rebuilt = tuple(other if m is target else m for m in partner.members)
        return Beside(replace(partner, members=rebuilt))
    return None


def _pairing(anchored: Local, target: Member, on: Iterable[Expression]) -> Iterator[Member]:
    """The own match tables whose second key equals the target's key."""
    for condition in on:
        if not isinstance(condition, Call) or condition.name != "=":
            continue
        one, other = condition.arguments
        for key, pair in ((one, other), (other, one)):
            if not (isinstance(key, Column) and isinstance(pair, Column)):
                continue
            member = anchored.member(pair.relation)
            is_key = key.relation == target.base.relation and key.name == target.table.key
            if member is None or member.reading is not Reading.OWN or not is_key:
                continue
            is_same = member.base.catalog.name == target.base.catalog.name
            if is_same and member.table.match == (target.table.name, pair.name):
                yield member


# ------------------------------------------------------------------ distance


def _overlap_partner(
    anchored: Local,
    partner: Local,
    target: Member,
    on: Iterable[Expression],
    separations: Separations,
) -> tuple[Local, Expression] | Refusal:
    """The partner read from own and overlap rows, and the equality of cells that joins it."""
    refusal = Refusal(
        f"no equality of keys and no distance within a constant radius joins {target.table.name}"
    )
    for condition in on:
        if not isinstance(condition, Within):
            continue
        found = _reach(anchored, target, condition, separations)
        if isinstance(found, Refusal):
            refusal = found
            continue
        reach_arcsec, origin = found
        assert isinstance(condition.radius, Literal)
        radius = float(condition.radius.value)  # type: ignore[arg-type]
        neighbour = replace(
            target, reading=Reading.OVERLAP, reach_arcsec=reach_arcsec, cells_radius=radius
        )
        rebuilt = tuple(neighbour if m is target else m for m in partner.members)
        return replace(partner, members=rebuilt), _same_cell(origin, target, condition.radius)
    return refusal


def _reach(
    anchored: Local, target: Member, condition: Within, separations: Separations
) -> tuple[float, tuple[Expression, Expression]] | Refusal:
    """How far the target may lie from an own row, arcsec, and the point it is near to."""
    pairs = ((condition.ra1, condition.dec1), (condition.ra2, condition.dec2))
    for here, there in (pairs, pairs[::-1]):
        origin = next((m for m in anchored.partitioned if is_position(m.base, *here)), None)
        if origin is None or not is_position(target.base, *there):
            continue
        if not (isinstance(condition.radius, Literal) and condition.radius.value is not None):
            return Refusal("the radius is not constant")
        if origin.base.catalog.name != target.base.catalog.name:
            return Refusal("the two tables are of different catalogs")
        radius_arcsec = 3600.0 * float(condition.radius.value)  # type: ignore[arg-type]
        reach = origin.reach_arcsec + separations.of(origin.base) + radius_arcsec
        if reach > target.base.catalog.margin_arcsec:
            return Refusal(
                f"the distance of {target.table.name} from the anchor may reach {reach:g} arcsec,"
                f" beyond the overlap's margin of {target.base.catalog.margin_arcsec:g}"
            )
        return reach, here
    return Refusal(f"the distance is not between the positions of {target.table.name} and a member")


def is_position(base: BaseTable, ra: Expression, dec: Expression) -> bool:
    """Whether (ra, dec) is the very position that the table's `_healpix_29` was built from."""
    table = base.table
    return (
        table.has_position
        and isinstance(ra, Column)
        and isinstance(dec, Column)
        and ra.relation == dec.relation == base.relation
        and (ra.name, dec.name) == (table.ra, table.dec)
    )


CELL = "_cell"


def _same_cell(
    origin: tuple[Expression, Expression], target: Member, radius: Literal
) -> Expression:
    """`sky.cell(origin) = target._cell`: each pair within the radius meets in the origin's cell."""
    cell = Call("cell", (*origin, radius), _LONG)
    return Call("=", (cell, Column(target.base.relation, CELL, _LONG)), _BOOLEAN)
