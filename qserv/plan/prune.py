"""Which chunks a local must read, and which ranges of pixels within them. Pure.

A region on the position of an own director, or a key whose place is known, bounds the *home* pixels:
those of the directors that the local's rows lie with. Children's own positions and overlap partners
bound them too, with the region grown by their distance. Only conditions that hold for every row count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qserv.analyse import certain_of, key_condition
from qserv.bound import BaseTable, Column, Expression, InShape, RelationId
from qserv.plan.local import Local, Member, Separations, is_position
from qserv.planned import Reading
from qserv.traverse import conjuncts
from schema.catalog import DIRECTOR_29, HEALPIX_29, Role
from schema.cover import PixelList, Ranges, cover, normalised, of_pixels, touching
from schema.healpix import Pixel
from schema.manifest import Manifest
from schema.region import Shape

Located = Mapping[tuple[str, str], Mapping[int, int]]
"""(catalog, table) -> key -> `_healpix_29` of its director, for the keys that the index knows."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the store while a query is planned."""

    manifests: Mapping[str, Manifest]
    """The pinned snapshot of each catalog, by its name."""
    located: Located
    separations: Separations


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a local must look: the chunks, and bounds on hidden columns by relation."""

    pixels: tuple[Pixel, ...]
    all_pixels: int
    ranges: Mapping[RelationId, tuple[str, Ranges]]
    fraction: float
    """Of the chosen chunks' area, how much the home ranges cover; in (0, 1]."""


@dataclass(frozen=True, slots=True)
class _Region:
    """A region that some member's position must lie in."""

    relation: RelationId
    shape: Shape


def reach(local: Local, known: Known) -> Reach:
    """The chunks and ranges that a partitioned local must read."""
    certain = (
        *certain_of(local.source),
        *(part for condition in local.filters for part in conjuncts(condition)),
    )
    regions = _regions(local, certain)
    home = _home(local, certain, regions, known)
    asked = _own_pixels(local, known)
    pixels = asked.pixels if home is None else asked.touched(home)
    return Reach(
        pixels=pixels,
        all_pixels=len(asked.pixels),
        ranges=_member_ranges(local, home, regions, known.separations),
        fraction=_fraction(home, pixels),
    )


def _own_pixels(local: Local, known: Known) -> PixelList:
    """The chunks where the anchor has rows of its own."""
    anchor = local.member(local.anchor) if local.anchor is not None else None
    assert anchor is not None, "a local of replicated tables has no chunks"
    return known.manifests[anchor.base.catalog.name].own_pixels(anchor.table.name)


def _regions(local: Local, certain: tuple[Expression, ...]) -> tuple[_Region, ...]:
    """Constant regions on positions that `_healpix_29` was built from."""
    found = []
    for condition in certain:
        if not isinstance(condition, InShape) or not isinstance(condition.ra, Column):
            continue
        member = local.member(condition.ra.relation)
        if member is not None and is_position(member.base, condition.ra, condition.dec):
            found.append(_Region(member.base.relation, condition.shape))
    return tuple(found)


def _home(
    local: Local,
    certain: tuple[Expression, ...],
    regions: tuple[_Region, ...],
    known: Known,
) -> Ranges | None:
    """Bounds on the home pixels; None where nothing bounds them."""
    bounds = []
    for region in regions:
        member = local.member(region.relation)
        if member is not None and member.reading is not Reading.WHOLE:
            grow = member.reach_arcsec + known.separations.of(member.base)
            bounds.append(cover(region.shape, grow_arcsec=grow))
    bases: dict[RelationId, BaseTable] = {
        m.base.relation: m.base for m in local.members if m.reading is Reading.OWN
    }
    for condition in certain:
        key = key_condition(condition, bases)
        if key is None:
            continue
        places = known.located.get((bases[key.relation].catalog.name, key.family))
        if places is not None:
            bounds.append(of_pixels([places[k] for k in key.keys if k in places]))
    if not bounds:
        return None
    home = bounds[0]
    for bound in bounds[1:]:
        home = home.intersection(bound)
    return home


def _member_ranges(
    local: Local,
    home: Ranges | None,
    regions: tuple[_Region, ...],
    separations: Separations,
) -> dict[RelationId, tuple[str, Ranges]]:
    """Bounds on the rows of each member: by its own region, else by the home pixels."""
    found: dict[RelationId, tuple[str, Ranges]] = {}
    for region in regions:
        found[region.relation] = (HEALPIX_29, cover(region.shape))
    for member in local.members:
        relation = member.base.relation
        if relation in found and _is_home_no_better(member):
            continue
        if member.reading is Reading.OWN and home is not None:
            found[relation] = (_home_column(member), home)
        elif member.reading is Reading.OVERLAP:
            near = _near_ranges(local, member, regions, separations)
            if near is not None and relation not in found:
                found[relation] = (HEALPIX_29, near)
    return found


def _is_home_no_better(member: Member) -> bool:
    """Directors' own regions are part of the home bounds; others keep their exact one."""
    return not (member.reading is Reading.OWN and member.table.role is Role.DIRECTOR)


def _near_ranges(
    local: Local, member: Member, regions: tuple[_Region, ...], separations: Separations
) -> Ranges | None:
    """An overlap partner lies within its reach of the home position that a region bounds."""
    for region in regions:
        bounded = local.member(region.relation)
        assert bounded is not None
        if bounded.reading is Reading.WHOLE:
            continue
        grow = member.reach_arcsec + bounded.reach_arcsec + separations.of(bounded.base)
        return cover(region.shape, grow_arcsec=grow)
    return None


def _home_column(member: Member) -> str:
    return HEALPIX_29 if member.table.role is Role.DIRECTOR else DIRECTOR_29


def _fraction(home: Ranges | None, pixels: tuple[Pixel, ...]) -> float:
    """The share of the chosen chunks that the home ranges cover."""
    if home is None or not pixels:
        return 1.0
    area = sum(pixel.last_29 - pixel.first_29 + 1 for pixel in pixels)
    covered = sum(high - low + 1 for low, high in home.pairs)
    return min(1.0, covered / area)


def rows_to_read(local: Local, known: Known, found: Reach) -> int:
    """An estimate of the rows that the shards read for a local: its members' parts, by fraction."""
    total = 0.0
    chosen = normalised((pixel.first_29, pixel.last_29) for pixel in found.pixels)
    for member in local.partitioned:
        parts = known.manifests[member.base.catalog.name].table_rows(member.table.name)
        rows = int(parts.rows[touching(chosen, parts.first_29, parts.last_29)].sum())
        bounded = member.base.relation in found.ranges
        total += rows * (found.fraction if bounded else 1.0)
    return int(total) + 1
