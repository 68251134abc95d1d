"""Covers: a region as ranges of order-29 pixels, for choosing chunks and for index conditions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from schema.healpix import (
    F64,
    I64,
    MAX_ORDER,
    Pixel,
    centers,
    circle_ranges,
    neighbours,
    order_finer_than,
    order_wider_than,
    radius_arcsec,
    unit_vectors,
)
from schema.region import (
    Polygon,
    Shape,
    ShapeKind,
    as_box,
    bounding_circle,
    box_may_touch,
    ellipse_may_touch,
)

Bools = npt.NDArray[np.bool_]
MAX_RANGES = 16
ROUNDING = 1e-6
"""Degrees that every region grows by (3.6 mas).

The library places a position within 2 mas of a pole by 1 - z, so only to some mas.
"""
COARSE = 3.0
"""A cone's pixels are this much smaller than its radius: about 15 ranges hold 1.4 x its area."""
LEAST_HOLE = 0.1
"""Degrees: what lies outside a smaller region is the sky, as far as chunks go."""
MAX_HOLE_ORDER = 9
HOLE_COARSE = 8.0
"""A hole's pixels are this much smaller than its radius."""
MAX_HOLE_RANGES = 64
FEW_POINTS = 16
"""Around more points than these pixels take the place of circles."""
FINEST = 26
"""No cover is finer (3 mas)."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Disjoint, ascending, inclusive ranges of order-29 NESTED pixels."""

    pairs: tuple[tuple[int, int], ...]

    def touches_range(self, low: int, high: int) -> bool:
        """Whether any pixel of low..high (inclusive) is in a range."""
        at = bisect_left(self.pairs, low, key=lambda pair: pair[1])
        return at < len(self.pairs) and self.pairs[at][0] <= high

    def touches(self, pixel: Pixel) -> bool:
        """Whether a pixel of any order shares a part of the sky with a range."""
        return self.touches_range(pixel.first_29, pixel.last_29)

    def union(self, other: Ranges) -> Ranges:
        """What is in either."""
        return normalised((*self.pairs, *other.pairs))

    def intersection(self, other: Ranges) -> Ranges:
        """What is in both."""
        found: list[tuple[int, int]] = []
        left, right = 0, 0
        while left < len(self.pairs) and right < len(other.pairs):
            (low1, high1), (low2, high2) = self.pairs[left], other.pairs[right]
            if max(low1, low2) <= min(high1, high2):
                found.append((max(low1, low2), min(high1, high2)))
            if high1 < high2:
                left += 1
            else:
                right += 1
        return Ranges(tuple(found))

    def coarsened(self, max_ranges: int) -> Ranges:
        """At most so many ranges, by closing the narrowest gaps."""
        if len(self.pairs) <= max_ranges:
            return self
        pairs = np.array(self.pairs, np.int64)
        return _ranges(_coarsen(pairs, max_ranges))

    @property
    def pixels(self) -> int:
        """How many order-29 pixels there are."""
        return sum(high - low + 1 for low, high in self.pairs)


NOWHERE = Ranges(())
EVERYWHERE = Ranges(((0, 12 * 4**MAX_ORDER - 1),))


@lru_cache(maxsize=256)
def cover(shape: Shape, *, grow_arcsec: float = 0.0, max_ranges: int = MAX_RANGES) -> Ranges:
    """Ranges that hold every point within `grow_arcsec` of the region, and little more."""
    grow = grow_arcsec / 3600 + ROUNDING
    if shape.kind is ShapeKind.CIRCLE:
        ra, dec, radius = shape.numbers
        order, found = _circle(ra, dec, radius + grow, COARSE)
        return _ranges(_coarsen(_order_29(order, found), max_ranges))
    order, found = _refined(as_box(shape), grow, max_ranges)
    return _ranges(_coarsen(_order_29(order, found), max_ranges))


def cover_outside(shape: Shape, *, grow_arcsec: float = 0.0) -> Ranges | None:
    """Ranges that hold every point within `grow_arcsec` of what lies outside a region.

    None where they would hold the whole sky, and for polygons and ellipses.
    """
    shape = as_box(shape)
    match shape.kind:
        case ShapeKind.CIRCLE:
            ra, dec, radius = shape.numbers
            inner = radius - grow_arcsec / 3600 - ROUNDING
            if inner < LEAST_HOLE:
                return None
            order = min(MAX_HOLE_ORDER, order_finer_than(inner * 3600 / HOLE_COARSE))
            found = circle_ranges(order, (ra + 180) % 360, -dec, 180 - inner)
            return _ranges(_coarsen(_order_29(order, found), MAX_HOLE_RANGES))
        case ShapeKind.BOX:
            return _outside_box(shape, grow_arcsec)
        case _:
            return None


def _outside_box(box: Shape, grow_arcsec: float) -> Ranges | None:
    """The bands north and south of a box, and the other side of the sky."""
    ra, dec, width, height = box.numbers
    south, north = max(-90.0, dec - height / 2), min(90.0, dec + height / 2)
    if min(width, north - south) < LEAST_HOLE:
        return None
    around_it = (
        (180.0, (south - 90) / 2, 360.0, south + 90),
        (180.0, (north + 90) / 2, 360.0, 90 - north),
        ((ra + 180) % 360, 0.0, 360 - width, 180.0),
    )
    shapes = [Shape(ShapeKind.BOX, numbers) for numbers in around_it if min(numbers[2:]) > 0]
    covers = [cover(s, grow_arcsec=grow_arcsec, max_ranges=MAX_HOLE_RANGES) for s in shapes]
    return normalised(pair for found in covers for pair in found.pairs)


def around(numbers: I64 | Sequence[int], radius_arcsec: float) -> Ranges:
    """Ranges that hold every point within a radius of the order-29 pixels given, and little more."""
    unique = np.unique(np.asarray(numbers, np.int64))
    if len(unique) > FEW_POINTS:
        order = min(FINEST, order_wider_than(radius_arcsec + ROUNDING * 3600))
        own = np.unique(unique >> (2 * (MAX_ORDER - order)))
        near = np.unique(np.concatenate([own, neighbours(order, own).ravel()]))
        return _ranges(_order_29(order, _runs(near[near >= 0])))
    ra, dec = centers(MAX_ORDER, unique)
    circles = (
        cover(Shape(ShapeKind.CIRCLE, (x, y, radius_arcsec / 3600)))
        for x, y in zip(ra.tolist(), dec.tolist(), strict=True)
    )
    return normalised(pair for circle in circles for pair in circle.pairs)


def of_pixels(numbers: I64 | Sequence[int], *, max_ranges: int | None = None) -> Ranges:
    """The ranges of order-29 pixels given one by one, in any order."""
    unique = np.unique(np.asarray(numbers, np.int64))
    pairs = np.stack([unique, unique], axis=1)
    return _ranges(_coarsen(pairs, max_ranges or max(1, len(pairs))))


def of_order(order: int, numbers: I64, *, max_ranges: int | None = None) -> Ranges:
    """The ranges of NESTED pixels of one order, in any order, that may repeat."""
    runs = _runs(np.unique(numbers))
    return _ranges(_coarsen(_order_29(order, runs), max_ranges or max(1, len(runs))))


def normalised(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """Inclusive ranges in any order, that may touch or overlap, as one `Ranges`."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(pairs):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return Ranges(tuple(found))


@dataclass(frozen=True, slots=True, eq=False)
class PixelList:
    """Pixels of any orders beside the bounds of each, so that thousands are tested at once."""

    pixels: tuple[Pixel, ...]
    first_29: I64
    last_29: I64
    outer: I64
    """For each pixel the number of the outermost one that holds it (itself where none does)."""
    outer_first: I64
    """The bounds of the outermost ones: disjoint, ascending."""
    outer_last: I64

    @classmethod
    def of(cls, pixels: Iterable[Pixel]) -> PixelList:
        """In NESTED order, the coarser first."""
        ordered = tuple(sorted(pixels, key=lambda pixel: (pixel.first_29, pixel.order)))
        first = np.array([pixel.first_29 for pixel in ordered], np.int64)
        last = np.array([pixel.last_29 for pixel in ordered], np.int64)
        before = np.maximum.accumulate(np.concatenate([[-1], last[:-1]])) if len(last) else last
        is_outer = first > before
        outer = np.cumsum(is_outer) - 1
        return cls(ordered, first, last, outer, first[is_outer], last[is_outer])

    def touched(self, ranges: Ranges) -> tuple[Pixel, ...]:
        """Those that share a part of the sky with the ranges."""
        found = touching(ranges, self.first_29, self.last_29)
        return tuple(self.pixels[n] for n in np.flatnonzero(found))


def touching(ranges: Ranges, first_29: I64, last_29: I64) -> Bools:
    """Which of the pixels from `first_29` to `last_29` share a part of the sky with the ranges."""
    if not ranges.pairs:
        return np.zeros(len(first_29), np.bool_)
    pairs = np.array(ranges.pairs, np.int64)
    return overlapping(pairs[:, 0], pairs[:, 1], first_29, last_29)


def overlapping(lows: I64, highs: I64, first_29: I64, last_29: I64) -> Bools:
    """Which ranges `first_29`..`last_29` meet one of `lows`..`highs`: disjoint, ascending, not none."""
    at = np.searchsorted(highs, first_29)
    is_before_end = at < len(highs)
    starts = lows[np.where(is_before_end, at, 0)]
    return np.asarray(is_before_end & (starts <= last_29), np.bool_)


def touched(ranges: Ranges, tiling: Sequence[Pixel]) -> tuple[Pixel, ...]:
    """The pixels of a tiling that share a part of the sky with the ranges."""
    return tuple(pixel for pixel in tiling if ranges.touches(pixel))


def _circle(ra: float, dec: float, radius: float, coarse: float) -> tuple[int, I64]:
    """An order that suits the radius, and the circle's half-open ranges there."""
    if radius >= 180:
        return 0, np.array([[0, 12]], np.int64)
    order = min(FINEST, order_finer_than(radius * 3600 / coarse))
    return order, circle_ranges(order, ra, dec, radius)


def _refined(shape: Shape, grow: float, enough: int) -> tuple[int, I64]:
    """Pixels that may touch a region, from its bounding circle on, finer until they are enough."""
    ra, dec, radius = bounding_circle(shape)
    order, ranges = _circle(ra, dec, radius + grow, COARSE)
    may_touch = _touching(shape)
    numbers = _listed(ranges)
    while True:
        numbers = numbers[may_touch(*centers(order, numbers), grow + radius_arcsec(order) / 3600)]
        runs = _runs(numbers)
        if order >= FINEST or len(runs) >= enough or len(numbers) > 16 * enough:
            return order, runs
        order, numbers = order + 1, (numbers[:, None] * 4 + np.arange(4)).ravel()


def _touching(shape: Shape) -> Callable[[F64, F64, float], Bools]:
    """Which points (ra, dec) may lie within a distance (degrees) of a box, polygon or ellipse."""
    if shape.kind is ShapeKind.POLYGON:
        polygon = Polygon.of(shape.numbers)
        return lambda ra, dec, within: polygon.may_touch(unit_vectors(ra, dec), within)
    if shape.kind is ShapeKind.ELLIPSE:
        return lambda ra, dec, within: ellipse_may_touch(
            shape.numbers, unit_vectors(ra, dec), within
        )
    return lambda ra, dec, within: box_may_touch(shape.numbers, ra, dec, within)


def _listed(ranges: I64) -> I64:
    """The numbers in half-open ranges, one by one."""
    lengths = ranges[:, 1] - ranges[:, 0]
    starts = np.repeat(ranges[:, 0] - np.cumsum(lengths) + lengths, lengths)
    return np.asarray(starts + np.arange(lengths.sum()), np.int64)


def _runs(numbers: I64) -> I64:
    """Ascending numbers as half-open ranges."""
    if not len(numbers):
        return np.empty((0, 2), np.int64)
    breaks = np.flatnonzero(np.diff(numbers) != 1)
    lows = numbers[np.concatenate([[0], breaks + 1])]
    highs = numbers[np.concatenate([breaks, [len(numbers) - 1]])] + 1
    return np.stack([lows, highs], axis=1)


def _order_29(order: int, ranges: I64) -> I64:
    """Half-open ranges of one order as inclusive ones of order 29."""
    return np.asarray((ranges << (2 * (MAX_ORDER - order))) - np.array([0, 1]), np.int64)


def _coarsen(pairs: I64, max_ranges: int) -> I64:
    """Ascending inclusive ranges, adjacent ones joined, then the narrowest gaps closed."""
    if len(pairs) < 2:
        return pairs
    gaps = pairs[1:, 0] - pairs[:-1, 1] - 1
    keep = np.flatnonzero(gaps > 0)
    if len(keep) >= max_ranges:
        narrow = len(keep) - max_ranges + 1
        keep = np.sort(keep[np.argsort(gaps[keep], kind="stable")[narrow:]])
    lows = pairs[np.concatenate([[0], keep + 1]), 0]
    highs = pairs[np.concatenate([keep, [len(pairs) - 1]]), 1]
    return np.stack([lows, highs], axis=1)


def _ranges(pairs: I64) -> Ranges:
    found = tuple((low, high) for low, high in pairs.tolist())
    assert all(before[1] < after[0] for before, after in pairwise(found))
    return Ranges(found)
