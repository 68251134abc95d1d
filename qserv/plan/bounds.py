"""What a condition says of where the rows lie that fulfil it. Pure.

Any tree of AND, OR and NOT over regions, comparisons of coordinates, keys and columns with statistics
becomes a `Bound`: sets of pixels and of parts that hold every row for which the tree is *true* (or,
under NOT, *false*: NULL is neither). AND intersects, OR unites; what is not understood bounds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import TypeVar

from qserv.bound import Call, Cast, Column, Expression, InList, InShape, Literal, RelationId
from qserv.constants import constant_of
from qserv.plan.box import MIRRORED, NEGATED, SkyBox, boxes_in, coordinate_of
from qserv.plan.places import Places
from qserv.traverse import conjuncts
from schema.cover import NOWHERE, Bools, Ranges, cover, cover_outside, normalised
from schema.region import Shape
from schema.statistics import may_be_null, may_compare, may_equal_any, may_have_value
from schema.types import Type

BOX_RANGES = 128
"""Boxes are long and thin: chunks are chosen by so many ranges, rows by fewer."""
MAX_LINES = 64
"""More values of a coordinate are one box."""
V = TypeVar("V")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (timestamps have no zone)


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """Where the rows of a local lie; each field on its own is true of every row.

    `homes[0]` holds the pixels of the directors that the row lies with, `homes[i]` those grown by the
    i-th of the local's distances. `rows` hold own positions by relation, `parts` the parts (of kind
    ROWS, in the manifest's order), `chunks` the anchor's chunks (`Places`). None: anywhere.
    """

    homes: tuple[Ranges | None, ...]
    rows: Mapping[RelationId, Ranges] = field(default_factory=dict)
    parts: Mapping[RelationId, Bools] = field(default_factory=dict)
    chunks: Bools | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Finds what conditions say of one local."""

    places: Places

    def all_of(self, conditions: Iterable[Expression], *, truth: bool = True) -> Bound | None:
        """Where rows lie for which all conditions are true (or all false); None: anywhere."""
        flat = [part for one in conditions for part in (conjuncts(one) if truth else (one,))]
        boxes, others = boxes_in(flat, self.places.local, truth=truth)
        found = [self._in_box(relation, box) for relation, box in boxes.items()]
        found += [self._of(condition, truth=truth) for condition in others]
        known = [bound for bound in found if bound is not None]
        return self._both(known) if known else None

    def _any_of(self, conditions: Iterable[Expression], *, truth: bool) -> Bound | None:
        """Where rows lie for which one condition is true (or one false)."""
        found = [self.all_of((condition,), truth=truth) for condition in conditions]
        known = [bound for bound in found if bound is not None]
        if len(known) < len(found):
            return None
        somewhere = [bound for bound in known if bound.homes[0] != NOWHERE]
        return self._either(somewhere) if somewhere else known[0]

    def _of(self, condition: Expression, *, truth: bool) -> Bound | None:
        """What one condition says that is no AND (when true) and no comparison of coordinates."""
        constant = constant_of(condition)
        if constant is not None:
            return None if constant.value is truth else self._nowhere()
        match condition:
            case Call(name="not", arguments=(inner,)):
                return self.all_of((inner,), truth=not truth)
            case Call(name="and" | "or" as name, arguments=parts):
                if (name == "and") == truth:
                    return self.all_of(parts, truth=truth)
                return self._any_of(parts, truth=truth)
            case Call(name="coalesce", arguments=(inner, Literal(value=bool(instead)))):
                # IS TRUE and IS FALSE
                return self.all_of((inner,), truth=truth) if instead is not truth else None
            case InShape():
                return self._in_shape(condition, truth=truth)
            case InList(negated=negated):
                return self._in_list(condition) if negated is not truth else None
            case Call(name="is null" | "is not null" as name, arguments=(Column() as column,)):
                return self._null(column, is_null=(name == "is null") == truth)
            case Call(name=name) if name in NEGATED:
                return self._compared(condition, truth=truth)
            case _:
                return None

    # -------------------------------------------------------------- regions

    def _in_shape(self, condition: InShape, *, truth: bool) -> Bound | None:
        relation = self.places.owner(condition.ra, condition.dec)
        if relation is None:
            return None
        said = _region(condition.shape)
        if truth:
            return self._placed(relation, condition.shape, f"region {said}")
        member = self.places.member(relation)
        homes = tuple(
            cover_outside(condition.shape, grow_arcsec=grow)
            for grow in self.places.growths_of(member)
        )
        return None if homes[0] is None else Bound(homes, why=f"outside {said}")

    def _in_box(self, relation: RelationId, box: SkyBox) -> Bound | None:
        if box.is_empty:
            return self._nowhere()
        shape = box.shape
        if shape is None:
            return None
        grow = self.places.growths_of(self.places.member(relation))[0]
        fine = cover(shape, grow_arcsec=grow, max_ranges=BOX_RANGES)
        chunks = self.places.chunks_of(fine, {}, None)
        return replace(self._placed(relation, shape, str(box)), chunks=chunks)

    def _placed(self, relation: RelationId, shape: Shape, why: str) -> Bound:
        """Rows whose own position lies in a region."""
        member = self.places.member(relation)
        growths = self.places.growths_of(member)
        homes = tuple(cover(shape, grow_arcsec=grow) for grow in growths)
        own = cover(shape, grow_arcsec=0.0)  # as a director's home: covered once
        return Bound(homes, rows={relation: own}, why=why)

    # -------------------------------------------------------------- keys and statistics

    def _compared(self, condition: Call, *, truth: bool) -> Bound | None:
        one, other = condition.arguments
        name = condition.name if truth else NEGATED[condition.name]
        for term, value, operator in ((one, other, name), (other, one, MIRRORED[name])):
            column, constant = plain_column(term), constant_of(value)
            if column is not None and constant is not None:
                if constant.value is None:
                    return self._nowhere()
                found = self._keys(condition) if operator == "=" else None
                return found or self._statistics(column, operator, (constant,))
        return None

    def _in_list(self, condition: InList) -> Bound | None:
        """`column IN (constants)`."""
        column = plain_column(condition.argument)
        items = [constant_of(item) for item in condition.items]
        constants = [item for item in items if item is not None]
        if column is None or len(constants) < len(items):
            return None
        some = tuple(item for item in constants if item.value is not None)
        if coordinate_of(condition.argument, self.places.local) is not None:
            return self._at_coordinates(condition.argument, some)
        return self._keys(condition) or self._statistics(column, "in", some)

    def _at_coordinates(self, term: Expression, items: Sequence[Literal]) -> Bound | None:
        """`coordinate IN (constants)`: a line of the sky each, or from the first to the last."""
        ordered = sorted(items, key=lambda item: float(item.value))  # type: ignore[arg-type] # numbers
        if len(ordered) <= MAX_LINES:
            lines = [Call("=", (term, item), Type.BOOLEAN) for item in ordered]
            return self._any_of(lines, truth=True) if lines else self._nowhere()
        first, last = Call(">=", (term, ordered[0]), Type.BOOLEAN), ordered[-1]
        return self.all_of((first, Call("<=", (term, last), Type.BOOLEAN)))

    def _keys(self, condition: Expression) -> Bound | None:
        """Keys whose places the director index told."""
        found = self.places.located(condition)
        if found is None:
            return None
        return Bound(found.homes, why=found.why)

    def _statistics(
        self, column: Column, operator: str, constants: Sequence[Literal]
    ) -> Bound | None:
        """A comparison of a column that the manifest has bounds of."""
        values = [number_of(constant) for constant in constants]
        numbers = [value for value in values if value is not None]
        known = self.places.statistics(column)
        if known is None or len(numbers) < len(values):
            return None
        is_list = operator == "in"
        kept = (
            may_equal_any(known, numbers) if is_list else may_compare(known, operator, numbers[0])
        )
        return self._in_parts(column, kept)

    def _null(self, column: Column, *, is_null: bool) -> Bound | None:
        """IS [NOT] NULL; rows that an outer join fills with NULLs are in no part."""
        known = self.places.statistics(column)
        if known is None or (is_null and not self.places.member(column.relation).preserved):
            return None
        return self._in_parts(column, may_be_null(known) if is_null else may_have_value(known))

    def _in_parts(self, column: Column, kept: Bools) -> Bound | None:
        if kept.all():
            return None
        why = f"statistics of {column.name}"
        return Bound(self._anywhere(), parts={column.relation: kept}, why=why)

    # -------------------------------------------------------------- AND and OR

    def _anywhere(self) -> tuple[Ranges | None, ...]:
        return (None,) * len(self.places.growths)

    def _nowhere(self) -> Bound:
        return Bound((NOWHERE,) * len(self.places.growths), why="a condition is never true")

    def _both(self, bounds: Sequence[Bound]) -> Bound:
        if len(bounds) == 1:
            return bounds[0]
        homes = tuple(
            _all(list(some), Ranges.intersection)
            for some in zip(*(bound.homes for bound in bounds), strict=True)
        )
        return Bound(
            homes,
            _merged([bound.rows for bound in bounds], Ranges.intersection),
            _merged([bound.parts for bound in bounds], and_),
            _all([bound.chunks for bound in bounds], and_),
            " and ".join(dict.fromkeys(bound.why for bound in bounds)),
        )

    def _either(self, bounds: Sequence[Bound]) -> Bound:
        if len(bounds) == 1:
            return bounds[0]
        homes = tuple(
            None if None in some else normalised(p for one in some if one for p in one.pairs)
            for some in zip(*(bound.homes for bound in bounds), strict=True)
        )
        common = set.intersection(*(set(bound.rows) for bound in bounds))
        rows = {r: reduce(Ranges.union, (bound.rows[r] for bound in bounds)) for r in common}
        held = set.intersection(*(set(bound.parts) for bound in bounds))
        parts = {r: reduce(or_, (bound.parts[r] for bound in bounds)) for r in held}
        chunks = None
        if not _says_one_thing(bounds):
            masks = [self.places.chunks_of(b.homes[0], b.parts, b.chunks) for b in bounds]
            chunks = reduce(or_, masks)
        said = list(dict.fromkeys(bound.why for bound in bounds))
        why = f"({' or '.join(said)})" if len(said) > 1 else said[0]
        return Bound(homes, rows, parts, chunks, why)


def plain_column(term: Expression) -> Column | None:
    """The column that a term is, a widening of numbers aside: it keeps their order."""
    if isinstance(term, Cast) and isinstance(term.argument, Column):
        inner = term.argument
        is_wider = inner.type.is_integer and term.type in (Type.INT, Type.LONG, Type.DOUBLE)
        is_wider = is_wider and _RANK[term.type] >= _RANK[inner.type]
        return inner if is_wider or (inner.type, term.type) == (Type.FLOAT, Type.DOUBLE) else None
    return term if isinstance(term, Column) else None


_RANK = {Type.SHORT: 0, Type.INT: 1, Type.LONG: 2, Type.DOUBLE: 3}


def _says_one_thing(bounds: Sequence[Bound]) -> bool:
    """Whether nothing is lost when what the bounds say is united field by field."""
    if any(bound.chunks is not None for bound in bounds):
        return False
    if all(bound.homes[0] is not None and not bound.parts for bound in bounds):
        return True
    told = {frozenset(bound.parts) for bound in bounds}
    return len(told) == 1 and len(next(iter(told))) == 1 and all(b.homes[0] is None for b in bounds)


def _all(values: Sequence[V | None], by: Callable[[V, V], V]) -> V | None:
    """The values that there are, put together; None where there is none."""
    known = [value for value in values if value is not None]
    return reduce(by, known) if known else None


def _merged(
    mappings: Sequence[Mapping[RelationId, V]], by: Callable[[V, V], V]
) -> dict[RelationId, V]:
    """One mapping, where several have a key their values put together."""
    found: dict[RelationId, V] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            found[key] = by(found[key], value) if key in found else value
    return found


def number_of(constant: Literal) -> float | int | None:
    """A constant as statistics count: microseconds since 1970 for an instant."""
    value = constant.value
    if isinstance(value, datetime):
        since = value - _EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return value if type(value) in (int, float) else None  # type: ignore[return-value]


def _region(shape: Shape) -> str:
    """A region as EXPLAIN shows it: rounded."""
    numbers = " ".join(f"{number:.6g}" for number in shape.numbers[:8])
    more = " ..." if len(shape.numbers) > 8 else ""
    return f"{shape.kind}({numbers}{more})"
