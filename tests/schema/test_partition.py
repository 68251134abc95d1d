"""Chunks tile the sky, every row lies in one, and overlaps miss no neighbour."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.healpix import F64, I64, Pixel, centers, corners, pixels_29, separation_arcsec
from schema.partition import DENSITY_ORDER, Tiling, count_density, tile_sky
from tests.schema.shapes import around

COARSEST = tuple(Pixel(1, number) for number in range(48))
ORDERS = st.integers(0, 4)


def clustered(seed: int, count: int = 4000) -> tuple[F64, F64]:
    """Rows in a few clusters, one at a pole and one on the meridian, and some anywhere."""
    rng = np.random.default_rng(seed)
    places = [(0.0, 90.0), (0.0, 0.0), tuple(rng.uniform((0, -90), (360, 90)))]
    spread = 10.0 ** rng.uniform(-2, 0.7, 3)
    near = [
        around(ra, dec, rng.exponential(width, count // 4), rng.uniform(0, 2 * np.pi, count // 4))
        for (ra, dec), width in zip(places, spread, strict=True)
    ]
    far = rng.uniform(0, 360, count // 4), np.degrees(np.arcsin(rng.uniform(-1, 1, count // 4)))
    ra, dec = zip(*near, far, strict=True)
    return np.concatenate(ra), np.concatenate(dec)


@given(st.integers(0, 100), st.integers(1, 2000), ORDERS)
def test_chunks_cover_the_whole_sky_once(seed: int, target: int, coarsest: int) -> None:
    Tiling(tile_sky(count_density(pixels_29(*clustered(seed))), target, coarsest=coarsest))


@given(st.integers(0, 100), st.integers(50, 2000))
def test_no_chunk_that_can_be_split_is_above_its_target(seed: int, target: int) -> None:
    rows = pixels_29(*clustered(seed))
    tiling = Tiling(tile_sky(count_density(rows), target, coarsest=1))
    counts = np.bincount(tiling.chunk_of(rows), minlength=len(tiling.chunks))
    orders = np.array([chunk.order for chunk in tiling.chunks])
    assert (counts[orders < DENSITY_ORDER] <= target).all()


@given(st.integers(0, 100), st.integers(50, 2000), ORDERS)
def test_no_chunk_is_coarser_than_wished_or_split_without_need(
    seed: int, target: int, coarsest: int
) -> None:
    rows = pixels_29(*clustered(seed))
    for chunk in tile_sky(count_density(rows), target, coarsest=coarsest):
        assert chunk.order >= coarsest
        if chunk.order > coarsest:
            parent = chunk.parent()
            assert ((parent.first_29 <= rows) & (rows <= parent.last_29)).sum() > target


@given(st.integers(0, 100))
def test_every_row_lies_in_the_chunk_that_holds_its_pixel(seed: int) -> None:
    rows = pixels_29(*clustered(seed))
    tiling = Tiling(tile_sky(count_density(rows), 100, coarsest=1))
    for row, index in zip(rows[::97].tolist(), tiling.chunk_of(rows[::97]).tolist(), strict=True):
        assert tiling.chunks[index].first_29 <= row <= tiling.chunks[index].last_29


@given(st.integers(0, 100))
def test_the_rows_of_a_chunk_follow_each_other_between_its_edges(seed: int) -> None:
    rows = np.sort(pixels_29(*clustered(seed)))
    tiling = Tiling(tile_sky(count_density(rows), 100, coarsest=1))
    counts = np.bincount(tiling.chunk_of(rows), minlength=len(tiling.chunks))
    assert np.array_equal(np.diff(tiling.edges(rows)), counts)


def test_an_array_of_counts_tiles_like_a_mapping() -> None:
    density = count_density(pixels_29(*clustered(1)))
    counts = np.zeros(12 * 4**DENSITY_ORDER, np.int64)
    counts[list(density)] = list(density.values())
    assert tile_sky(counts, 100, coarsest=1) == tile_sky(density, 100, coarsest=1)


def test_an_empty_sky_is_tiled_coarsely() -> None:
    assert tile_sky({}, 100, coarsest=1) == COARSEST


def test_a_wide_margin_stops_splitting() -> None:
    density = {0: 10**9}
    tilings = {m: tile_sky(density, 1, coarsest=1, margin_arcsec=m) for m in (0, 60, 3600)}
    finest = {margin: max(p.order for p in tiling) for margin, tiling in tilings.items()}
    assert finest == {0: 10, 60: 8, 3600: 2}


@pytest.mark.parametrize("chunks", [COARSEST[1:], COARSEST[:-1], (*COARSEST[:5], *COARSEST[4:])])
def test_what_leaves_a_gap_or_overlaps_is_no_tiling(chunks: tuple[Pixel, ...]) -> None:
    with pytest.raises(ValueError, match=r"gap|whole sky"):
        Tiling(chunks)


@settings(max_examples=60)
@given(st.integers(0, 1000), st.sampled_from([1.0, 60.0, 600.0, 7200.0]))
def test_an_overlap_holds_every_row_within_the_margin(seed: int, margin: float) -> None:
    """Any row with a neighbour in another chunk within the margin lies in that chunk's overlap."""
    rng = np.random.default_rng(seed)
    ra, dec = clustered(seed, 2000)
    away = margin / 3600 * np.sqrt(rng.uniform(0, 1, len(ra))) * (1 - 1e-9)
    to_ra, to_dec = around(ra, dec, away, rng.uniform(0, 2 * np.pi, len(ra)))
    rows, neighbours = pixels_29(ra, dec), pixels_29(to_ra, to_dec)
    tiling = Tiling(tile_sky(count_density(rows), 60, coarsest=1))
    own, other = tiling.chunk_of(rows), tiling.chunk_of(neighbours)
    is_near = separation_arcsec(ra, dec, to_ra, to_dec) <= margin
    wanted = {(int(n), int(other[n])) for n in np.flatnonzero((own != other) & is_near)}
    found = {
        (int(row), int(chunk))
        for row, chunk in zip(*tiling.overlaps(ra, dec, rows, margin), strict=True)
    }
    assert wanted <= found


@settings(max_examples=20)
@given(st.integers(0, 1000), st.sampled_from([60.0, 600.0]))
def test_rows_on_the_corners_of_chunks_lie_in_all_their_overlaps(seed: int, margin: float) -> None:
    tiling = Tiling(tile_sky(count_density(pixels_29(*clustered(seed))), 100, coarsest=1))
    index = int(np.random.default_rng(seed).integers(0, len(tiling.chunks)))
    chunk = tiling.chunks[index]
    corner = corners(chunk.order, np.array([chunk.number]))[0]
    ra, dec = (
        np.degrees(np.arctan2(corner[:, 1], corner[:, 0])),
        np.degrees(np.arcsin(corner[:, 2])),
    )
    rows = pixels_29(ra, dec)
    row, found = tiling.overlaps(ra, dec, rows, margin)
    own = tiling.chunk_of(rows)
    assert all(own[n] == index or index in found[row == n] for n in range(4))


def test_an_overlap_is_not_much_wider_than_the_margin() -> None:
    ra, dec = clustered(5, 40_000)
    rows = pixels_29(ra, dec)
    tiling = Tiling(COARSEST)
    row, chunk = tiling.overlaps(ra, dec, rows, 600.0)
    order = 10
    border = np.concatenate([_ring(tiling.chunks[n], order) for n in range(len(tiling.chunks))])
    edge_ra, edge_dec = centers(order, border)
    sample = np.random.default_rng(1).choice(len(row), 20)
    nearest = [
        separation_arcsec(ra[n : n + 1], dec[n : n + 1], edge_ra, edge_dec).min()
        for n in row[sample]
    ]
    assert max(nearest) < 1.5 * 600.0
    assert (chunk != tiling.chunk_of(rows)[row]).all()


def _ring(pixel: Pixel, order: int) -> I64:
    """The pixels of a finer order along a pixel's edges."""
    side = 2 ** (order - pixel.order)
    line = np.arange(side)
    x = np.concatenate([line, line, np.zeros_like(line), np.full_like(line, side - 1)])
    y = np.concatenate([np.zeros_like(line), np.full_like(line, side - 1), line, line])
    inner = np.zeros_like(x)
    for bit in range(order):
        inner |= ((x >> bit & 1) << 2 * bit) | ((y >> bit & 1) << 2 * bit + 1)
    return np.asarray(inner + pixel.number * side * side, np.int64)


def test_overlaps_name_each_chunk_once_in_the_order_of_rows() -> None:
    ra, dec = clustered(9)
    row, chunk = Tiling(COARSEST).overlaps(ra, dec, pixels_29(ra, dec), 600.0)
    pairs = list(zip(row.tolist(), chunk.tolist(), strict=True))
    assert pairs == sorted(set(pairs))


@pytest.mark.parametrize("margin", [0.0, 60.0])
def test_no_rows_have_no_overlap(margin: float) -> None:
    none, pixels = np.empty(0), np.empty(0, np.int64)
    assert [len(part) for part in Tiling(COARSEST).overlaps(none, none, pixels, margin)] == [0, 0]
