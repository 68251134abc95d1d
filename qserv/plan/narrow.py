"""A fragment narrowed by what finished ones told: fewer chunks, fewer rows of each. Pure.

Values whose rows the director index knows choose chunks, and reach each chunk alone; the others are
sent to all. Positions become the pixels around them, grown by the radius.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qserv.bound import RelationId
from qserv.plan.fragments import SMALL_PAIRS, SMALL_ROWS, with_home_equalities
from qserv.plan.listed import bounded_by, lying_at
from qserv.planned import (
    Among,
    Around,
    ChunkSource,
    Engine,
    Feed,
    Fragment,
    KeyFeed,
    NearFeed,
    Reading,
)
from schema.catalog import Role, home_column
from schema.cover import PixelList, Ranges, of_order, of_pixels
from schema.healpix import (
    F64,
    I64,
    MAX_ORDER,
    Pixel,
    neighbours,
    order_wider_than,
    pixels_29,
)

MAX_FED_RANGES = 64
"""Homes of matched rows become at most so many ranges of a condition."""
FINEST_FED_ORDER = 14
"""Pixels around positions are no finer (13 arcsec): their number matters more than their size."""
FINEST_CHUNK_ORDER = 11
"""Chunks are chosen by pixels that are no finer (100 arcsec): chunks are larger."""


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The distinct values of a finished fragment's output, none NULL, and where their rows lie.

    `keys` and `homes` are what the director index knows of them; both None where none was asked.
    """

    values: pa.Array
    keys: I64 | None = None
    homes: I64 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """The positions in two outputs of a finished fragment, degrees."""

    ra: F64
    dec: F64


Told = Values | Positions | None
"""What a fragment tells; None where it is too much to send along."""


def narrowed(fragment: Fragment, told: Sequence[tuple[Feed, Told]]) -> Fragment:
    """The fragment as it is asked, now that what feeds it is known."""
    for feed, found in told:
        match feed, found:
            case KeyFeed(), Values():
                fragment = _by_values(fragment, feed, found)
            case NearFeed(), Positions():
                fragment = _by_positions(fragment, feed, found)
            case _:
                assert found is None, f"{fragment.name}: {feed} and {found} do not fit"
    return replace(fragment, feeds=())


def _by_values(fragment: Fragment, feed: KeyFeed, told: Values) -> Fragment:
    """Only rows of these values."""
    source = _source(fragment, feed.relation)
    sent, homes = told.values, None
    is_placed = told.keys is not None and not _has_sentinel(source, told.values)
    if is_placed:
        assert told.keys is not None
        assert told.homes is not None
        if feed.grow_arcsec:
            return _near_homes(fragment, feed, told)
        order = np.argsort(told.homes, kind="stable")
        sent, homes = pa.array(told.keys[order]), told.homes[order]
    sources = bounded_by(fragment.sources, feed.relation, Among(feed.column, sent, homes))
    if homes is None:
        rows = fragment.estimated_rows if len(sent) else 0
        return _asked(fragment, sources, fragment.pixels if len(sent) else (), rows=rows)
    touched = _touched(fragment, of_pixels(homes))
    rows = int(len(sent) * feed.rows_per_value) + 1
    return _asked(fragment, lying_at(sources, feed.relation, homes), touched, rows=rows)


def _near_homes(fragment: Fragment, feed: KeyFeed, told: Values) -> Fragment:
    """Only rows of these values, which lie around the pixels of the values' directors."""
    assert told.homes is not None
    source = _source(fragment, feed.relation)
    around = _around(told.homes, feed.grow_arcsec)
    sources = bounded_by(fragment.sources, feed.relation, Among(feed.column, told.values))
    if around is None:
        return _asked(fragment, sources, fragment.pixels, rows=fragment.estimated_rows)
    sources = _in_ranges(sources, feed.relation, _home_column(source), around)
    rows = int(len(told.values) * feed.rows_per_value) + 1
    return _asked(fragment, sources, _touched(fragment, around), rows=rows)


def _by_positions(fragment: Fragment, feed: NearFeed, told: Positions) -> Fragment:
    """Only rows around these positions."""
    source = _source(fragment, feed.relation)
    points = pixels_29(told.ra, told.dec)
    near = _pixels_around(points, feed.radius_arcsec, FINEST_FED_ORDER)
    home = _around(points, feed.home_arcsec)
    if near is None or home is None:
        return fragment
    touched = _touched(fragment, home)
    share = len(touched) / max(1, len(fragment.pixels))
    sources = tuple(
        replace(one, around=(*one.around, near)) if one.relation == feed.relation else one
        for one in fragment.sources
    )
    if source.reading is Reading.WHOLE:
        return replace(fragment, sources=sources)
    return _asked(fragment, sources, touched, rows=int(share * fragment.estimated_rows) + 1)


def _around(points: I64, radius_arcsec: float) -> Ranges | None:
    """Ranges that hold all within a radius of order-29 pixels; None where that is most of the sky."""
    found = _pixels_around(points, radius_arcsec, FINEST_CHUNK_ORDER)
    return None if found is None else of_order(found.order, found.pixels)


def _pixels_around(points: I64, radius_arcsec: float, finest: int) -> Around | None:
    """Pixels that hold all within a radius of order-29 pixels; None where that is most of the sky."""
    try:
        order = min(finest, order_wider_than(radius_arcsec + 0.001))
    except ValueError:
        return None
    own = np.unique(points >> (2 * (MAX_ORDER - order)))
    around = np.concatenate([own, neighbours(order, own).ravel()]) if len(own) else own
    return Around(order, np.unique(around[around >= 0]))


def _source(fragment: Fragment, relation: RelationId) -> ChunkSource:
    return next(source for source in fragment.sources if source.relation == relation)


def _has_sentinel(source: ChunkSource, values: pa.Array) -> bool:
    """Whether a value means "by its own position": its rows lie anywhere."""
    sentinels = source.table.sentinels
    if not sentinels or source.table.role is Role.DIRECTOR:
        return False
    return bool(pc.any(pc.is_in(values, pa.array(sentinels, values.type))).as_py())


def _in_ranges(
    sources: tuple[ChunkSource, ...], relation: RelationId, column: str, ranges: Ranges
) -> tuple[ChunkSource, ...]:
    """One relation bounded by ranges of a hidden column, beside those it has of that column."""

    def bounded(source: ChunkSource) -> ChunkSource:
        if source.relation != relation:
            return source
        if source.ranges is None:
            kept = ranges
        elif source.range_column == column:
            kept = source.ranges.intersection(ranges)
        else:
            return source
        return replace(source, ranges=kept.coarsened(MAX_FED_RANGES), range_column=column)

    return tuple(bounded(source) for source in sources)


def _home_column(source: ChunkSource) -> str:
    return home_column(source.table)


def _touched(fragment: Fragment, ranges: Ranges) -> tuple[Pixel, ...]:
    return PixelList.of(fragment.pixels).touched(ranges)


def _asked(
    fragment: Fragment, sources: tuple[ChunkSource, ...], touched: tuple[Pixel, ...], *, rows: int
) -> Fragment:
    """The fragment over fewer chunks, by PostgreSQL where few rows are left to read."""
    rows = min(rows, fragment.estimated_rows)
    has_neighbours = any(source.cells_radius is not None for source in sources)
    small = SMALL_PAIRS if has_neighbours else SMALL_ROWS
    query, engine = fragment.query, fragment.engine
    if rows <= small and engine is Engine.SCAN:
        engine = Engine.POSTGRES
        assert query.source is not None
        query = replace(query, source=with_home_equalities(query.source))
    return replace(
        fragment, query=query, sources=sources, pixels=touched, engine=engine, estimated_rows=rows
    )
