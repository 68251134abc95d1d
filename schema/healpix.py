"""HEALPix arithmetic, NESTED everywhere. The one file that calls the HEALPix libraries.

Górski et al. 2005, ApJ 622, 759. Positions are ICRS degrees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import pi, sqrt

import hpgeom
import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

MAX_ORDER = 29
ARCSEC_PER_RADIAN = 180 * 3600 / pi
NARROWEST = 0.65
"""A bound on the smallest pixel width over the square root of the area.

The least distance between opposite sides over all pixels is 0.82, 0.74, 0.71, 0.70, 0.69, 0.683,
0.681, 0.679 of it at the orders 0..7 and converges; tests/schema/test_healpix.py measures it.
"""


@dataclass(frozen=True, slots=True, order=True)
class Pixel:
    """One HEALPix pixel: `number` in [0, 12 * 4**order), NESTED."""

    order: int
    number: int

    def __post_init__(self) -> None:
        if not 0 <= self.order <= MAX_ORDER:
            raise ValueError(f"order {self.order} outside 0..{MAX_ORDER}")
        if not 0 <= self.number < 12 * 4**self.order:
            raise ValueError(f"pixel {self.number} outside order {self.order}")

    @override
    def __str__(self) -> str:
        return f"{self.order}/{self.number}"

    def parent(self) -> Pixel:
        """The pixel of the next coarser order that holds this one."""
        return self.ancestor(self.order - 1)

    def ancestor(self, order: int) -> Pixel:
        """The pixel of the given coarser (or equal) order that holds this one."""
        return Pixel(order, self.number >> (2 * (self.order - order)))

    def children(self) -> Iterator[Pixel]:
        """The four pixels of the next finer order."""
        return (Pixel(self.order + 1, 4 * self.number + k) for k in range(4))

    @property
    def first_29(self) -> int:
        """The first order-29 pixel inside."""
        return self.number << (2 * (MAX_ORDER - self.order))

    @property
    def last_29(self) -> int:
        """The last order-29 pixel inside (inclusive)."""
        return ((self.number + 1) << (2 * (MAX_ORDER - self.order))) - 1

    def contains(self, other: Pixel) -> bool:
        """Whether `other` lies inside this pixel (or is it)."""
        return other.order >= self.order and other.ancestor(self.order) == self


def pixels_29(ra: F64, dec: F64) -> I64:
    """The order-29 pixel of each position; any finite ra is taken modulo 360.

    Raises ValueError where a declination lies outside -90..90 or a coordinate is not finite.
    """
    return pixels(MAX_ORDER, ra, dec)


def pixels(order: int, ra: F64, dec: F64) -> I64:
    """The pixel of each position at one order; ra and dec as `pixels_29`."""
    found = hpgeom.angle_to_pixel(
        2**order, wrapped(ra), np.asarray(dec, np.float64), nest=True, lonlat=True, degrees=True
    )
    return np.asarray(found, np.int64)


def wrapped(ra: F64) -> F64:
    """Right ascensions brought into [0, 360)."""
    turned: F64 = np.mod(np.asarray(ra, np.float64), 360.0)
    # A tiny negative angle rounds to a full turn.
    return np.where(turned == 360.0, 0.0, turned)


def centers(order: int, numbers: I64) -> tuple[F64, F64]:
    """ra, dec of the pixels' centres."""
    ra, dec = hpgeom.pixel_to_angle(2**order, numbers, nest=True, lonlat=True, degrees=True)
    return np.asarray(ra, np.float64), np.asarray(dec, np.float64)


def neighbours(order: int, numbers: I64) -> I64:
    """The eight pixels around each, shape (n, 8); -1 where there is none (at the base corners)."""
    found = hpgeom.neighbors(2**order, np.atleast_1d(numbers), nest=True)
    return np.asarray(found, np.int64).reshape(-1, 8)


def corners(order: int, numbers: I64) -> F64:
    """The four corners of each pixel as unit vectors, in turn; shape (n, 4, 3).

    A pixel's edge is no great circle: it leaves the one through its corners by up to 0.08 of the
    resolution, at any order (next to the poles; measured in tests/schema/test_healpix.py).
    """
    ra, dec = hpgeom.boundaries(
        2**order, np.atleast_1d(numbers), step=1, nest=True, lonlat=True, degrees=True
    )
    return unit_vectors(ra, dec).reshape(-1, 4, 3)


def radius_arcsec(order: int) -> float:
    """The largest distance of any pixel's corner from its centre."""
    return float(hpgeom.max_pixel_radius(2**order, degrees=True)) * 3600


def resolution_arcsec(order: int) -> float:
    """The square root of a pixel's area."""
    return sqrt(4 * pi / (12 * 4**order)) * ARCSEC_PER_RADIAN


def order_wider_than(width_arcsec: float) -> int:
    """The finest order at which even the smallest pixel is wider than `width_arcsec`.

    All points within that distance of a pixel lie in it or in its neighbours. ValueError where no
    order is wide enough (about 38 degrees).
    """
    for order in range(MAX_ORDER, -1, -1):
        if NARROWEST * resolution_arcsec(order) > width_arcsec:
            return order
    raise ValueError(f"no pixels are wider than {width_arcsec} arcsec")


def order_finer_than(width_arcsec: float) -> int:
    """The coarsest order whose resolution is at most `width_arcsec` (MAX_ORDER where none is)."""
    for order in range(MAX_ORDER):
        if resolution_arcsec(order) <= width_arcsec:
            return order
    return MAX_ORDER


WIDEST_CIRCLE = 90.0
"""Degrees. Of wider circles the library loses pixels (from 135 on, hpgeom 1.5); their outside it has."""


def circle_ranges(order: int, ra: float, dec: float, radius: float) -> I64:
    """The pixels that a circle may touch, as (n, 2) half-open ranges of one order; degrees.

    A superset: it may hold a few pixels that the circle does not touch, and misses none.
    """
    if radius > WIDEST_CIRCLE:
        return _outside(order, *_inside_hole(order, (ra + 180) % 360, -dec, 180 - radius))
    found = hpgeom.query_circle(
        2**order,
        ra,
        dec,
        radius,
        inclusive=True,
        fact=4 if order <= MAX_ORDER - 2 else 1,
        nest=True,
        lonlat=True,
        degrees=True,
        return_pixel_ranges=True,
    )
    return np.asarray(found, np.int64).reshape(-1, 2)


def _inside_hole(order: int, ra: float, dec: float, radius: float) -> tuple[I64, I64]:
    """The half-open runs of pixels that lie wholly within a circle, of at most 90 degrees."""
    ranges = circle_ranges(order, ra, dec, radius)
    lengths = ranges[:, 1] - ranges[:, 0]
    starts = np.repeat(ranges[:, 0] - np.cumsum(lengths) + lengths, lengths)
    numbers = starts + np.arange(lengths.sum())
    away = separation_arcsec(*centers(order, numbers), np.full(1, ra), np.full(1, dec))
    numbers = numbers[away + radius_arcsec(order) < radius * 3600]
    breaks = np.flatnonzero(np.diff(numbers) != 1)
    firsts = numbers[np.concatenate([[0], breaks + 1])] if len(numbers) else numbers
    lasts = numbers[np.concatenate([breaks, [len(numbers) - 1]])] if len(numbers) else numbers
    return firsts, lasts + 1


def _outside(order: int, lows: I64, highs: I64) -> I64:
    """The half-open ranges that half-open ascending runs leave."""
    starts = np.concatenate([[0], highs])
    ends = np.concatenate([lows, [12 * 4**order]])
    kept = starts < ends
    return np.stack([starts[kept], ends[kept]], axis=1)


def unit_vectors(ra: F64, dec: F64) -> F64:
    """Positions as unit vectors, shape (..., 3)."""
    longitude, latitude = np.radians(ra), np.radians(dec)
    cos_latitude = np.cos(latitude)
    return np.stack(
        [cos_latitude * np.cos(longitude), cos_latitude * np.sin(longitude), np.sin(latitude)],
        axis=-1,
    )


def separation_arcsec(ra1: F64, dec1: F64, ra2: F64, dec2: F64) -> F64:
    """Great-circle distances, arcseconds; Vincenty's form, accurate at any separation.

    Its term cos(d1) sin(d2) - sin(d1) cos(d2) cos(t) is written so that it loses no digits where the
    points are close.
    """
    turn = np.radians(np.asarray(ra2) - np.asarray(ra1))
    phi1, phi2 = np.radians(dec1), np.radians(dec2)
    sin1, cos1, sin2, cos2 = np.sin(phi1), np.cos(phi1), np.sin(phi2), np.cos(phi2)
    north = (
        np.sin(np.radians(np.asarray(dec2) - np.asarray(dec1)))
        + 2 * sin1 * cos2 * np.sin(turn / 2) ** 2
    )
    across = np.hypot(cos2 * np.sin(turn), north)
    along = sin1 * sin2 + cos1 * cos2 * np.cos(turn)
    return np.asarray(np.arctan2(across, along) * ARCSEC_PER_RADIAN)


def chord_squared(ra1: F64, dec1: F64, ra2: F64, dec2: F64) -> F64:
    """Squared distances of the unit vectors: 4 sin^2(separation / 2), without cancellation."""
    half_turn = np.radians(np.asarray(ra2) - np.asarray(ra1)) / 2
    half_rise = np.radians(np.asarray(dec2) - np.asarray(dec1)) / 2
    cosines = np.cos(np.radians(dec1)) * np.cos(np.radians(dec2))
    return np.asarray(4 * (np.sin(half_rise) ** 2 + cosines * np.sin(half_turn) ** 2))
