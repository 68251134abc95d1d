"""Regions hold their points, edges included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.healpix import separation_arcsec, unit_vectors
from schema.region import (
    Shape,
    ShapeKind,
    bounding_circle,
    check_shape,
    contains,
    grow,
    half_spaces,
)
from tests.schema.shapes import polygons, scattered, shapes


def shape(kind: str, *numbers: float) -> Shape:
    return Shape(ShapeKind(kind), numbers)


def holds(region: Shape, ra: float, dec: float) -> bool:
    return bool(contains(region, np.array([ra]), np.array([dec]))[0])


@pytest.mark.parametrize(
    ("region", "ra", "dec"),
    [
        (shape("circle", 0, 0, 1), 359.5, 0),
        (shape("circle", 10, 20, 0), 10, 20),
        (shape("circle", 0, 90, 1.000000001), 123, 89),
        (shape("circle", 0, 0, 180), 180, 0),
        (shape("box", 0, 0, 1, 1), 359.5, 0.5),
        (shape("box", 10, 85, 360, 10), 200, 90),
        (shape("polygon", 0, 90, 0, 0, 90, 0), 45, 45),
        (shape("polygon", 0, 90, 0, 0, 90, 0), 0, 90),
        (shape("polygon", 0, 90, 0, 0, 90, 0), 45, 0),
        (shape("polygon", 359, -1, 1, -1, 1, 1, 359, 1), 0, 0),
        (shape("polygon", 359, 1, 1, 1, 1, -1, 359, -1), 0, 0),
        (shape("range", 350, -1, 10, 1), 0, 0),
        (shape("range", 350, -1, 10, 1), 350, 1),
        (shape("range", 10, -1, 0, 1), 360, 0),
        (shape("range", 0.1, 0, 0.3, 1), 0.1, 0),
        (shape("ellipse", 0, 0, 2, 1, 0), 0, 2),
        (shape("ellipse", 0, 0, 2, 1, 90), 358.001, 0),
        (shape("ellipse", 180, 89.5, 2, 1, 0), 0, 89),
        (shape("ellipse", 10, 20, 1e-9, 1e-9, 0), 10, 20),
        # A great circle between two points of a parallel runs poleward of it.
        (shape("polygon", 0, 40, 60, 40, 60, 60, 0, 60), 30, 60.1),
    ],
)
def test_a_region_holds_its_points_and_its_edges(region: Shape, ra: float, dec: float) -> None:
    assert holds(region, ra, dec)


@pytest.mark.parametrize(
    ("region", "ra", "dec"),
    [
        (shape("circle", 0, 0, 1), 358.999, 0),
        (shape("box", 0, 0, 1, 1), 0.500001, 0),
        (shape("box", 0, 80, 10, 1), 0, 80.500001),
        (shape("range", 350, -1, 10, 1), 11, 0),
        (shape("range", 10, -1, 350, 1), 0, 0),
        (shape("ellipse", 0, 0, 2, 1, 0), 1.001, 0),
        (shape("ellipse", 0, 0, 2, 1, 45), 359, 1),
        (shape("ellipse", 0, 0, 2, 1, 0), 180, 0),
        (shape("ellipse", 0, 0, 2, 0, 0), 0, 0),
        (shape("polygon", 0, 90, 0, 0, 90, 0), 225, -45),
        (shape("polygon", 0, 90, 0, 0, 90, 0), 45, -1e-9),
        (shape("polygon", 0, 40, 60, 40, 60, 60, 0, 60), 30, 40.1),
        (shape("polygon", 0, 0, 10, 0, 10, 10, 5, 2, 0, 10), 5, 5),
    ],
)
def test_a_region_holds_nothing_else(region: Shape, ra: float, dec: float) -> None:
    assert not holds(region, ra, dec)


@pytest.mark.parametrize("kind", ["circle", "box", "polygon", "range", "ellipse"])
def test_no_region_holds_a_point_without_position(kind: str) -> None:
    numbers = {"circle": 3, "box": 4, "polygon": 6, "range": 4, "ellipse": 5}[kind]
    region = shape(kind, *(0, 0, 9, 9, 0, 9)[:numbers])
    assert not holds(region, float("nan"), 1.0)


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (shape("circle", 0, 91, 1), "declination 91"),
        (shape("circle", 0, 0, -1), "radius -1"),
        (shape("range", -1, 0, 10, 1), "right ascension -1"),
        (shape("range", 0, 2, 10, 1), "from 2 down to 1"),
        (shape("ellipse", 0, 0, 1, 2, 0), "semi-minor axis 2"),
        (shape("ellipse", 0, 0, 11, 2, 0), "semi-major axis 11"),
        (shape("circle", 0, 0), "a centre and a radius"),
        (shape("box", 0, 0, 1), "a width and a height"),
        (shape("box", 0, 0, 361, 1), "width 361"),
        (shape("polygon", 0, 0, 1, 1), "three vertices"),
        (shape("polygon", 0, 0, 1, 1, 2), "three vertices"),
        (shape("polygon", 0, 0, 120, 0, 240, 0), "hemisphere"),
        (shape("circle", 0, 0, float("nan")), "finite"),
    ],
)
def test_numbers_that_make_no_region_are_refused_in_words(region: Shape, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_shape(region)


@given(shapes, st.integers(0, 1000))
def test_the_bounding_circle_holds_the_region(region: Shape, seed: int) -> None:
    check_shape(region)
    ra0, dec0, radius = bounding_circle(region)
    ra, dec = scattered(ra0, dec0, min(180.0, 1.5 * radius), seed)
    inside = contains(region, ra, dec)
    away = separation_arcsec(ra, dec, np.array(ra0), np.array(dec0)) / 3600
    assert (away[inside] <= radius + 1e-9).all()


@given(shapes, st.integers(0, 1000), st.sampled_from([0.0, 1.0, 600.0, 36000.0]))
def test_a_grown_region_holds_what_is_near_the_region(
    region: Shape, seed: int, by_arcsec: float
) -> None:
    ra0, dec0, radius = bounding_circle(region)
    ra, dec = scattered(ra0, dec0, min(180.0, 1.5 * radius), seed)
    inside = contains(region, ra, dec)
    rng = np.random.default_rng(seed)
    to_dec = np.clip(dec[inside] + rng.uniform(-1, 1, inside.sum()) * by_arcsec / 3600, -90, 90)
    assert contains(grow(region, by_arcsec + 1e-6), ra[inside], to_dec).all()


@given(polygons(), st.integers(0, 1000))
def test_half_spaces_say_what_the_polygon_says(region: Shape, seed: int) -> None:
    sides = half_spaces(region)
    if sides is None:
        return
    ra0, dec0, radius = bounding_circle(region)
    ra, dec = scattered(ra0, dec0, min(180.0, 1.5 * radius), seed)
    in_all = (unit_vectors(ra, dec) @ np.array(sides).T >= -1e-14).all(axis=1)
    assert (in_all == contains(region, ra, dec)).all()


@given(polygons(), st.integers(1, 7))
def test_the_order_of_a_polygon_s_vertices_may_start_anywhere(region: Shape, start: int) -> None:
    numbers = np.array(region.numbers).reshape(-1, 2)
    turned = Shape(region.kind, tuple(np.roll(numbers, start, axis=0)[::-1].ravel().tolist()))
    ra0, dec0, radius = bounding_circle(region)
    ra, dec = scattered(ra0, dec0, min(180.0, 1.5 * radius), 1)
    assert (contains(region, ra, dec) == contains(turned, ra, dec)).all()
