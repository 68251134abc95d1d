"""Covers never miss a point of their region, and are a handful of ranges."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.cover import (
    EVERYWHERE,
    NOWHERE,
    Ranges,
    cover,
    cover_outside,
    normalised,
    of_pixels,
    touched,
)
from schema.cover import around as around_pixels
from schema.healpix import F64, Pixel, pixels_29
from schema.region import Shape, ShapeKind, bounding_circle, contains
from tests.schema.shapes import around, circles, scattered, shapes

low_high = st.tuples(st.integers(0, 200), st.integers(0, 30)).map(lambda p: (p[0], p[0] + p[1]))
range_sets = st.lists(low_high, max_size=12).map(normalised)


def numbers_in(ranges: Ranges) -> set[int]:
    return {number for low, high in ranges.pairs for number in range(low, high + 1)}


def all_in(ranges: Ranges, ra: F64, dec: F64) -> bool:
    return all(ranges.touches_range(pixel, pixel) for pixel in pixels_29(ra, dec).tolist())


@settings(max_examples=300)
@given(shapes, st.integers(0, 1000))
def test_a_cover_holds_every_point_of_its_region(region: Shape, seed: int) -> None:
    ra0, dec0, radius = bounding_circle(region)
    ra, dec = scattered(ra0, dec0, min(180.0, radius), seed)
    inside = contains(region, ra, dec)
    assert all_in(cover(region), ra[inside], dec[inside])


@settings(max_examples=300)
@given(circles)
def test_a_cone_s_cover_holds_its_edge(region: Shape) -> None:
    ra0, dec0, radius = region.numbers
    ra, dec = around(ra0, dec0, np.full(64, radius), np.linspace(0, 2 * np.pi, 64))
    assert all_in(cover(region), ra, dec)


@pytest.mark.parametrize("radius", [90.0, 134.0, 136.0, 150.0, 170.0, 179.9, 180.0])
@pytest.mark.parametrize("centre", [(0.0, 0.0), (180.0, 0.0), (10.0, 90.0), (45.0, -41.8)])
def test_a_cover_of_most_of_the_sky_misses_no_point(
    centre: tuple[float, float], radius: float
) -> None:
    region = Shape(ShapeKind.CIRCLE, (*centre, radius))
    ra, dec = scattered(*centre, 180.0, 7)
    inside = contains(region, ra, dec)
    assert all_in(cover(region), ra[inside], dec[inside])


@settings(max_examples=300)
@given(shapes, st.sampled_from([0.0, 60.0]), st.integers(0, 1000))
def test_what_lies_outside_a_region_is_in_the_cover_of_its_outside(
    region: Shape, by_arcsec: float, seed: int
) -> None:
    ra0, dec0, radius = bounding_circle(region)
    ra, dec = scattered(ra0, dec0, min(180.0, 2 * radius + 1), seed)
    outside = ~contains(region, ra, dec)
    found = cover_outside(region, grow_arcsec=by_arcsec)
    assert found is None or all_in(found, ra[outside], dec[outside])


def test_the_outside_of_a_wide_circle_leaves_out_its_middle() -> None:
    found = cover_outside(Shape(ShapeKind.CIRCLE, (60.0, -35.0, 10.0)))
    assert found is not None
    assert found.pixels > 0.97 * EVERYWHERE.pixels
    middle = int(pixels_29(np.array([60.0]), np.array([-35.0]))[0])
    assert not found.touches_range(middle, middle)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.floats(0, 360), st.floats(-90, 90)), min_size=1, max_size=40),
    st.sampled_from([0.1, 5.0, 60.0, 3600.0]),
)
def test_what_is_near_some_points_is_in_the_ranges_around_them(
    points: list[tuple[float, float]], radius_arcsec: float
) -> None:
    found = around_pixels(
        pixels_29(*(np.array(axis) for axis in zip(*points, strict=True))), radius_arcsec
    )
    for ra0, dec0 in points:
        away = np.linspace(0, 0.999 * radius_arcsec / 3600, 16)
        ra, dec = around(ra0, dec0, away, np.linspace(0, 40, 16))
        assert all_in(found, ra, dec)


@settings(max_examples=200)
@given(shapes, st.sampled_from([0.5, 60.0, 3600.0]), st.integers(0, 1000))
def test_a_grown_cover_holds_what_is_near_its_region(
    region: Shape, by_arcsec: float, seed: int
) -> None:
    ra0, dec0, radius = bounding_circle(region)
    ra, dec = scattered(ra0, dec0, min(180.0, radius), seed)
    inside = contains(region, ra, dec)
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, inside.sum())
    away = np.full(int(inside.sum()), by_arcsec / 3600)
    moved = around(ra[inside], dec[inside], away, angle)
    ranges = cover(region, grow_arcsec=by_arcsec)
    assert all_in(ranges, *moved)


@given(shapes, st.integers(1, 32))
def test_a_cover_has_no_more_ranges_than_asked(region: Shape, max_ranges: int) -> None:
    pairs = cover(region, max_ranges=max_ranges).pairs
    assert 1 <= len(pairs) <= max_ranges
    assert all(low <= high for low, high in pairs)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(pairs))


@pytest.mark.parametrize("radius", [1 / 3600, 10 / 3600, 1 / 60, 1.0, 10.0])
@pytest.mark.parametrize("dec", [-90.0, -41.8, 0.0, 30.0, 89.9])
def test_a_cone_s_cover_is_tight(radius: float, dec: float) -> None:
    ranges = cover(Shape(ShapeKind.CIRCLE, (33.0, dec, radius)))
    area = ranges.pixels / (12 * 4**29) * 4 * np.pi
    assert area < 2.6 * 2 * np.pi * (1 - np.cos(np.radians(radius)))


def test_the_whole_sky_is_one_range() -> None:
    assert cover(Shape(ShapeKind.CIRCLE, (0.0, 0.0, 180.0))) == EVERYWHERE
    assert cover(Shape(ShapeKind.BOX, (0.0, 0.0, 360.0, 180.0))) == EVERYWHERE


def test_a_cone_across_the_meridian_touches_both_sides() -> None:
    ranges = cover(Shape(ShapeKind.CIRCLE, (0.0, 0.0, 1.0)))
    tiling = [Pixel(4, number) for number in range(12 * 4**4)]
    east, west = pixels_29(np.array([0.5, 359.5]), np.array([0.1, 0.1])).tolist()
    found = touched(ranges, tiling)
    assert any(pixel.first_29 <= east <= pixel.last_29 for pixel in found)
    assert any(pixel.first_29 <= west <= pixel.last_29 for pixel in found)
    assert len(found) < 8


@given(range_sets, range_sets)
def test_union_and_intersection_are_those_of_sets(one: Ranges, other: Ranges) -> None:
    assert numbers_in(one.union(other)) == numbers_in(one) | numbers_in(other)
    assert numbers_in(one.intersection(other)) == numbers_in(one) & numbers_in(other)


@given(range_sets, low_high)
def test_touching_is_sharing_a_pixel(ranges: Ranges, pair: tuple[int, int]) -> None:
    low, high = pair
    shares = bool(numbers_in(ranges) & set(range(low, high + 1)))
    assert ranges.touches_range(low, high) == shares


@given(range_sets, st.integers(1, 5))
def test_coarsened_ranges_hold_what_they_held(ranges: Ranges, max_ranges: int) -> None:
    coarse = ranges.coarsened(max_ranges)
    assert numbers_in(ranges) <= numbers_in(coarse)
    assert len(coarse.pairs) <= max_ranges


@given(st.lists(st.integers(0, 60)))
def test_single_pixels_are_exactly_themselves(numbers: list[int]) -> None:
    assert numbers_in(of_pixels(numbers)) == set(numbers)


def test_nowhere_touches_nothing() -> None:
    assert not NOWHERE.touches(Pixel(0, 0))
    assert NOWHERE.union(EVERYWHERE) == EVERYWHERE
