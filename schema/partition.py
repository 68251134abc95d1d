"""How the sky is cut into chunks, which chunk a row lies in, and which overlaps it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from schema.healpix import (
    ARCSEC_PER_RADIAN,
    F64,
    I64,
    MAX_ORDER,
    Pixel,
    corners,
    neighbours,
    order_wider_than,
    resolution_arcsec,
    unit_vectors,
)

DENSITY_ORDER = 10
"""Densities are counted in pixels of this order; no chunk is finer."""
OVERLAP_SHARE = 0.5
"""Chunks are split no further than where overlap would exceed this share of the own rows."""

SLACK = 0.15
"""Pixel edges lie within this share of the resolution of the straight line between their corners.

0.06 for the curve on the sphere, 0.03 for the chord at order 2, and some more.
"""


_EVEN_BITS = np.int64(0x5555555555555555)


def count_density(healpix_29: I64) -> dict[int, int]:
    """How many rows lie in each pixel of DENSITY_ORDER; empty ones are left out."""
    numbers = np.asarray(healpix_29, np.int64) >> (2 * (MAX_ORDER - DENSITY_ORDER))
    found, counts = np.unique(numbers, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def tile_sky(
    density: Mapping[int, int] | tuple[I64, I64] | I64,
    target_rows: int,
    *,
    coarsest: int,
    margin_arcsec: float = 0.0,
) -> tuple[Pixel, ...]:
    """Cut the whole sky into chunks of at most `target_rows` rows, in NESTED order.

    `density` counts rows per pixel of DENSITY_ORDER: a mapping, pixels with their counts, or an array
    of all pixels. A pixel is split while it holds more than the target, from order `coarsest` to
    DENSITY_ORDER at most, and to where the margin around it would hold more than OVERLAP_SHARE of
    its own area. Where rows lie evenly, chunks hold half of the target in the mean.
    """
    numbers, counts = _sparse(density)
    sums = np.concatenate([[0], np.cumsum(counts)])
    finest = _finest_order(margin_arcsec, coarsest)
    tiles: list[Pixel] = []
    open_pixels = np.arange(12 * 4**coarsest)
    for order in range(coarsest, finest + 1):
        rows = _rows_of(open_pixels, numbers, sums, order)
        is_split = (rows > target_rows) & (order < finest)
        tiles += [Pixel(order, number) for number in open_pixels[~is_split].tolist()]
        open_pixels = (open_pixels[is_split][:, None] * 4 + np.arange(4)).ravel()
    return tuple(sorted(tiles, key=lambda pixel: pixel.first_29))


def split_pixel(
    pixel: Pixel, density: tuple[I64, I64], target_rows: int, *, margin_arcsec: float = 0.0
) -> tuple[Pixel, ...]:
    """One pixel cut as `tile_sky` cuts the sky; itself where it is not to be cut."""
    numbers, counts = _sparse(density)
    sums = np.concatenate([[0], np.cumsum(counts)])
    finest = _finest_order(margin_arcsec, pixel.order)
    tiles: list[Pixel] = []
    open_pixels = np.array([pixel.number])
    for order in range(pixel.order, finest + 1):
        rows = _rows_of(open_pixels, numbers, sums, order)
        is_split = (rows > target_rows) & (order < finest)
        tiles += [Pixel(order, number) for number in open_pixels[~is_split].tolist()]
        open_pixels = (open_pixels[is_split][:, None] * 4 + np.arange(4)).ravel()
    return tuple(sorted(tiles, key=lambda one: one.first_29))


def _sparse(density: Mapping[int, int] | tuple[I64, I64] | I64) -> tuple[I64, I64]:
    """Ascending pixel numbers and their counts."""
    if isinstance(density, np.ndarray):
        numbers = np.flatnonzero(density)
        return numbers, density[numbers]
    if isinstance(density, tuple):
        numbers, counts = density
    else:
        numbers = np.fromiter(density.keys(), np.int64, len(density))
        counts = np.fromiter(density.values(), np.int64, len(density))
    ascending = np.argsort(numbers)
    return numbers[ascending], counts[ascending]


def _rows_of(pixels: I64, numbers: I64, sums: I64, order: int) -> I64:
    """The rows in each pixel of an order; `sums[n]` are those before the n-th of `numbers`."""
    shift = 2 * (DENSITY_ORDER - order)
    ends = np.searchsorted(numbers, (pixels + 1) << shift)
    return np.asarray(sums[ends] - sums[np.searchsorted(numbers, pixels << shift)])


def _finest_order(margin_arcsec: float, coarsest: int) -> int:
    for order in range(DENSITY_ORDER, coarsest, -1):
        width = resolution_arcsec(order)
        if (1 + 2 * margin_arcsec / width) ** 2 - 1 <= OVERLAP_SHARE:
            return order
    return coarsest


@dataclass(frozen=True)
class Tiling:
    """Chunks that cover the whole sky once, in NESTED order; of any orders."""

    chunks: tuple[Pixel, ...]

    def __post_init__(self) -> None:
        follows = 0
        for chunk in self.chunks:
            if chunk.first_29 != follows:
                raise ValueError(f"chunks leave a gap or overlap before {chunk}")
            follows = chunk.last_29 + 1
        if follows != 12 * 4**MAX_ORDER:
            raise ValueError("chunks do not cover the whole sky")

    @cached_property
    def _firsts(self) -> I64:
        return np.array([chunk.first_29 for chunk in self.chunks], np.int64)

    def chunk_of(self, healpix_29: I64) -> I64:
        """The index in `chunks` of the chunk that holds each order-29 pixel."""
        return np.searchsorted(self._firsts, healpix_29, "right") - 1

    def edges(self, ascending_29: I64) -> I64:
        """Where each chunk's rows begin among ascending pixels, and after the last where they end."""
        starts = np.searchsorted(ascending_29, self._firsts)
        return np.append(starts, len(ascending_29)).astype(np.int64)

    def overlaps(self, ra: F64, dec: F64, healpix_29: I64, margin_arcsec: float) -> tuple[I64, I64]:
        """Every row with each other chunk within the margin: (row indices, chunk indices).

        Rows ascend. It may name a chunk a little farther away and misses none: a row is compared to
        its own and the neighbouring pixels at the finest order whose smallest pixel is wider than
        the margin, by their corners and a slack for their edges' curvature.
        """
        suspects = self.near_borders(healpix_29, margin_arcsec)
        if not len(suspects):
            return suspects, suspects
        order = order_wider_than(margin_arcsec)
        rows, around = self._candidates(order, healpix_29[suspects])
        rows = suspects[rows]
        is_near = (around.slot == 0) | _is_near(
            unit_vectors(ra[rows], dec[rows]), around.corners(order), order, margin_arcsec
        )
        pairs = np.unique(rows[is_near] * len(self.chunks) + around.chunk[is_near])
        return pairs // len(self.chunks), pairs % len(self.chunks)

    def near_borders(self, healpix_29: I64, margin_arcsec: float) -> I64:
        """The rows that `overlaps` looks at: at the edge of their chunk, by pixels of its order.

        A pixel's number within its chunk interleaves the bits of its two coordinates there (Górski
        et al. 2005); where neither is the first or the last, all its neighbours lie in the chunk.
        """
        if margin_arcsec <= 0 or not len(healpix_29):
            return np.empty(0, np.int64)
        order = order_wider_than(margin_arcsec)
        pixels = np.asarray(healpix_29, np.int64) >> _shift(order)
        finer = np.array([max(0, order - chunk.order) for chunk in self.chunks])
        last = (_EVEN_BITS & ((1 << 2 * finer) - 1))[self.chunk_of(healpix_29)]
        along, across = pixels & last, (pixels >> 1) & last
        is_edge = (along == 0) | (along == last) | (across == 0) | (across == last)
        return np.flatnonzero(is_edge)

    def _candidates(self, order: int, healpix_29: I64) -> tuple[I64, _Around]:
        """Rows with the other chunks at their pixel and its neighbours."""
        found, inverse = _distinct(healpix_29 >> _shift(order))
        first, last, members = self._chunks_around(order, found)
        at, chunk = _expanded(first.ravel(), last.ravel() + 1)
        starts = np.searchsorted(at // 9, np.arange(len(found) + 1))
        rows, entry = _expanded(starts[inverse], starts[inverse + 1])
        is_other = chunk[entry] != self.chunk_of(healpix_29[rows])
        rows, entry = rows[is_other], entry[is_other]
        return rows, _Around(members.ravel()[at[entry]], at[entry] % 9, chunk[entry])

    def _chunks_around(self, order: int, pixels: I64) -> tuple[I64, I64, I64]:
        """For each pixel and its neighbours, (n, 9): the first and the last chunk there; they."""
        members = np.column_stack([pixels, neighbours(order, pixels)])
        members = np.where(members < 0, pixels[:, None], members)
        first = self.chunk_of(members << _shift(order))
        last = self.chunk_of(((members + 1) << _shift(order)) - 1)
        return first, last, members


@dataclass(frozen=True, slots=True)
class _Around:
    """One entry for each (row, pixel near it, chunk there); slot 0 is the row's own pixel."""

    pixel: I64
    slot: I64
    chunk: I64

    def corners(self, order: int) -> F64:
        found, inverse = np.unique(self.pixel, return_inverse=True)
        return corners(order, found)[inverse]


def _distinct(pixels: I64) -> tuple[I64, I64]:
    """Distinct pixels, ascending, and where each pixel is among them; sorted ones need no sort."""
    if len(pixels) and np.all(pixels[:-1] <= pixels[1:]):
        is_new = np.concatenate([[True], pixels[1:] != pixels[:-1]])
        return pixels[is_new], np.cumsum(is_new) - 1
    found, inverse = np.unique(pixels, return_inverse=True)
    return found, inverse


def _shift(order: int) -> int:
    return 2 * (MAX_ORDER - order)


def _is_near(points: F64, around: F64, order: int, margin_arcsec: float) -> NDArray[np.bool_]:
    """Which points lie within the margin of the pixel with the given corners; never misses."""
    if order < 2:
        return np.ones(len(points), np.bool_)
    following = np.roll(around, -1, axis=1)
    edges = following - around
    along = np.einsum("nij,nij->ni", points[:, None] - around, edges)
    along = np.clip(along / np.einsum("nij,nij->ni", edges, edges), 0, 1)
    away = points[:, None] - around - along[:, :, None] * edges
    nearest = np.sqrt(np.einsum("nij,nij->ni", away, away).min(axis=1)) * ARCSEC_PER_RADIAN
    return np.asarray(nearest <= margin_arcsec + SLACK * resolution_arcsec(order))


def _expanded(starts: I64, stops: I64) -> tuple[I64, I64]:
    """(i, n) for every i and every n of starts[i]..stops[i] - 1."""
    lengths = stops - starts
    members = np.repeat(np.arange(len(starts)), lengths)
    offsets = np.arange(len(members)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return members, starts[members] + offsets
