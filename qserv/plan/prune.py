"""Which chunks a local must read, and which ranges of pixels within them. Pure.

A region on the position of an own director, or a key whose place is known, bounds the *home* pixels:
those of the directors that the local's rows lie with. Children's own positions and overlap partners
bound them too, with the region grown by their distance; statistics bound the chunks by the parts in
them. Only conditions that hold for every row count (`plan/bounds.py` reads them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np

from qserv.bound import RelationId
from qserv.carry import certain_of
from qserv.plan.bounds import Bound, Bounds
from qserv.plan.local import Local, Member
from qserv.plan.places import Known, Located, Places
from qserv.planned import ChunkSource, Reading
from schema.catalog import HEALPIX_29, Role, home_column
from schema.cover import Bools, Ranges, overlapping
from schema.healpix import F64, I64, Pixel
from schema.types import Type

__all__ = [
    "Given",
    "Known",
    "Located",
    "Reach",
    "bytes_to_read",
    "member_rows",
    "part_rows",
    "reach",
    "rows_to_read",
]


@dataclass(frozen=True, slots=True)
class Given:
    """What is known besides the conditions: the rows' homes lie in these pixels, and why."""

    home: Ranges
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Where a local must look: the chunks, and bounds on hidden columns by relation."""

    pixels: tuple[Pixel, ...]
    all_pixels: int
    ranges: Mapping[RelationId, tuple[str, Ranges]]
    fraction: float
    """Of the chosen chunks' area, how much the home ranges cover; in (0, 1]."""
    why: str
    """Which conditions chose the chunks; empty where none did."""
    first_29: I64
    """The first pixel of each chosen chunk, of the outermost ones, and the last."""
    last_29: I64


def reach(local: Local, known: Known, given: tuple[Given, ...] = ()) -> Reach:
    """The chunks and ranges that a partitioned local must read."""
    places = Places.of(local, known)
    found = Bounds(places).all_of((*certain_of(local.source), *local.filters))
    bound = _with_given(found or Bound((None,) * len(places.growths)), given)
    home = bound.homes[0]
    chosen = places.chunks_of(home, bound.parts, bound.chunks)
    first, last = places.pixels.outer_first[chosen], places.pixels.outer_last[chosen]
    return Reach(
        pixels=_pixels(places, chosen),
        all_pixels=len(places.pixels.pixels),
        ranges=_member_ranges(places, bound),
        fraction=_fraction(home, first, last),
        why=bound.why,
        first_29=first,
        last_29=last,
    )


def _with_given(bound: Bound, given: tuple[Given, ...]) -> Bound:
    """The bound within further homes; they say nothing of what is far from home."""
    home = bound.homes[0]
    for one in given:
        home = one.home if home is None else home.intersection(one.home)
    why = " and ".join(filter(None, (bound.why, *(one.why for one in given))))
    return Bound((home, *bound.homes[1:]), bound.rows, bound.parts, bound.chunks, why)


def _pixels(places: Places, chosen: Bools) -> tuple[Pixel, ...]:
    """The anchor's chunks, those inside a chosen one included."""
    if chosen.all():
        return places.pixels.pixels
    return tuple(compress(places.pixels.pixels, chosen[places.pixels.outer].tolist()))


def _member_ranges(places: Places, bound: Bound) -> dict[RelationId, tuple[str, Ranges]]:
    """Bounds on the rows of each member: by its own position, else by the home pixels."""
    found: dict[RelationId, tuple[str, Ranges]] = {}
    home = bound.homes[0]
    for member in places.local.partitioned:
        relation = member.base.relation
        own = bound.rows.get(relation)
        match member.reading:
            case Reading.OWN if home is not None and (own is None or _is_director(member)):
                found[relation] = (_home_column(member), home)
            case Reading.OVERLAP if own is None:
                near = bound.homes[places.growths.index(member.reach_arcsec)]
                if near is not None:
                    found[relation] = (HEALPIX_29, near)
            case _:
                if own is not None:
                    found[relation] = (HEALPIX_29, own)
    return found


def _is_director(member: Member) -> bool:
    """A director's own regions are part of its home bounds; others keep their exact one."""
    return member.table.role is Role.DIRECTOR


def _home_column(member: Member) -> str:
    return home_column(member.table)


def _fraction(home: Ranges | None, first_29: I64, last_29: I64) -> float:
    """The share of the chosen chunks that the home ranges cover."""
    if home is None or not len(first_29):
        return 1.0
    area = float(np.sum((last_29 - first_29 + 1).astype(np.float64)))
    return min(1.0, home.pixels / area)


def member_rows(member: Member, known: Known, found: Reach) -> int:
    """The own rows of a partitioned member's parts in the chosen chunks."""
    return int(part_rows(member, known, found).sum())


def part_rows(member: Member, known: Known, found: Reach) -> F64:
    """The own rows of each part of a partitioned member; 0 where it is outside the chosen chunks."""
    parts = known.manifests[member.base.catalog.name].table_rows(member.table.name)
    if not len(found.first_29):
        return np.zeros(len(parts.rows))
    inside = overlapping(found.first_29, found.last_29, parts.first_29, parts.last_29)
    return np.where(inside, parts.rows, 0).astype(np.float64)


def rows_to_read(local: Local, known: Known, found: Reach) -> int:
    """An estimate of the rows that the shards read for a local: its members' parts, by fraction."""
    return int(sum(_read_of(member, known, found) for member in local.partitioned)) + 1


def bytes_to_read(local: Local, known: Known, found: Reach, sources: Sequence[ChunkSource]) -> int:
    """An estimate of the bytes of the columns that are read, uncompressed; at least of one row."""
    width = {source.relation: _width(source) for source in sources}
    total = sum(
        max(1.0, _read_of(member, known, found)) * width[member.base.relation]
        for member in local.partitioned
    )
    return int(total)


def _read_of(member: Member, known: Known, found: Reach) -> float:
    is_bounded = member.base.relation in found.ranges
    return member_rows(member, known, found) * (found.fraction if is_bounded else 1.0)


def _width(source: ChunkSource) -> int:
    """Bytes of a row's columns that are read."""
    types = {column.name: column.type for column in source.table.stored_columns()}
    names = {*source.columns, *([source.range_column] if source.ranges is not None else [])}
    return sum(_BYTES.get(types[name], LONG_BYTES) for name in names)


_BYTES = {
    Type.BOOLEAN: 1,
    Type.SHORT: 2,
    Type.INT: 4,
    Type.LONG: 8,
    Type.FLOAT: 4,
    Type.DOUBLE: 8,
    Type.TIMESTAMP: 8,
}
LONG_BYTES = 16
"""Of texts and other values of any length: a guess."""
