"""Pixels: their family, their widths, and distances on the sky."""

from __future__ import annotations

import hpgeom
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.healpix import (
    MAX_ORDER,
    NARROWEST,
    Pixel,
    centers,
    chord_squared,
    corners,
    neighbours,
    order_finer_than,
    order_wider_than,
    pixels,
    pixels_29,
    radius_arcsec,
    resolution_arcsec,
    separation_arcsec,
    unit_vectors,
    wrapped,
)

orders = st.integers(0, MAX_ORDER - 1)
pixel_strategy = orders.flatmap(
    lambda order: st.builds(Pixel, st.just(order), st.integers(0, 12 * 4**order - 1))
)


@given(pixel_strategy)
def test_every_child_names_its_parent(pixel: Pixel) -> None:
    assert all(child.parent() == pixel for child in pixel.children())


@given(pixel_strategy)
def test_children_share_out_their_parent(pixel: Pixel) -> None:
    children = list(pixel.children())
    assert children[0].first_29 == pixel.first_29
    assert children[-1].last_29 == pixel.last_29
    assert all(pixel.contains(child) for child in children)


@pytest.mark.parametrize(("order", "number"), [(-1, 0), (30, 0), (0, 12), (1, -1)])
def test_a_pixel_outside_the_sky_is_refused(order: int, number: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        Pixel(order, number)


@pytest.mark.parametrize("order", [0, 7, 29])
def test_the_centre_of_a_pixel_lies_in_it(order: int) -> None:
    numbers = np.random.default_rng(order).integers(0, 12 * 4**order, 500)
    assert (pixels(order, *centers(order, numbers)) == numbers).all()


@pytest.mark.parametrize("turns", [-720.0, -360.0, 360.0, 1080.0])
def test_right_ascension_is_taken_modulo_a_turn(turns: float) -> None:
    ra, dec = np.array([0.0, 12.5, 359.5]), np.array([0.0, -45.0, 89.0])
    assert (pixels_29(ra + turns, dec) == pixels_29(ra, dec)).all()


def test_a_tiny_negative_right_ascension_is_zero() -> None:
    assert wrapped(np.array([-1e-20])).tolist() == [0.0]


def test_a_declination_beyond_the_pole_is_refused() -> None:
    with pytest.raises(ValueError, match="out of range"):
        pixels_29(np.array([0.0]), np.array([90.1]))


def edges(order: int, numbers: np.ndarray, step: int) -> np.ndarray:
    """Points along the four edges of pixels as unit vectors, (n, 4, step + 1, 3)."""
    ra, dec = hpgeom.boundaries(2**order, numbers, step=step, nest=True, lonlat=True, degrees=True)
    points = unit_vectors(ra, dec).reshape(len(numbers), 4, step, 3)
    return np.concatenate([points, np.roll(points, -1, axis=1)[:, :, :1]], axis=2)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4, 5])
def test_no_pixel_is_narrower_than_its_order_says(order: int) -> None:
    found = edges(order, np.arange(12 * 4**order), 8)
    width = min(
        float(np.linalg.norm(found[:, i, :, None] - found[:, i + 2, None], axis=-1).min())
        for i in (0, 1)
    )
    smallest = 2 * np.degrees(np.arcsin(width / 2)) * 3600
    assert smallest > NARROWEST * resolution_arcsec(order)


@pytest.mark.parametrize("order", [2, 3, 5, 8])
def test_an_edge_stays_near_the_line_between_its_corners(order: int) -> None:
    numbers = np.arange(12 * 4**order)[:: max(1, 4 ** (order - 5))]
    found = edges(order, numbers, 8)
    line = found[:, :, -1] - found[:, :, 0]
    line /= np.linalg.norm(line, axis=-1, keepdims=True)
    away = found - found[:, :, :1]
    beside = np.linalg.norm(np.cross(away, line[:, :, None]), axis=-1).max()
    assert beside * np.degrees(1) * 3600 < 0.15 * resolution_arcsec(order)


def test_corners_are_as_far_from_the_centre_as_the_radius_says() -> None:
    numbers = np.arange(12 * 4**4)
    middle = unit_vectors(*centers(4, numbers))
    away = np.linalg.norm(corners(4, numbers) - middle[:, None], axis=-1).max()
    assert 2 * np.degrees(np.arcsin(away / 2)) * 3600 == pytest.approx(radius_arcsec(4))


@given(st.floats(1e-3, 1e5))
def test_the_order_wider_than_a_width_is_the_finest(width: float) -> None:
    order = order_wider_than(width)
    assert NARROWEST * resolution_arcsec(order) > width
    assert order == MAX_ORDER or NARROWEST * resolution_arcsec(order + 1) <= width


def test_no_order_is_wider_than_half_the_sky() -> None:
    with pytest.raises(ValueError, match="no pixels are wider"):
        order_wider_than(180 * 3600)


def test_the_order_finer_than_a_width_ends_at_the_finest() -> None:
    assert order_finer_than(0.0) == MAX_ORDER
    assert order_finer_than(1e9) == 0


def test_a_base_corner_has_seven_neighbours() -> None:
    around = neighbours(2, np.arange(192))
    assert around.shape == (192, 8)
    assert int((around == -1).sum()) == 24


@pytest.mark.parametrize("away", [1e-9, 1e-4, 1.0, 100.0, 179.999999])
def test_separation_keeps_its_digits(away: float) -> None:
    one, other = np.array([10.0]), np.array([10.0 - away])
    zero = np.zeros(1)
    assert separation_arcsec(zero, one, zero, other)[0] == pytest.approx(
        (one - other)[0] * 3600, rel=1e-12
    )


def test_the_chord_is_twice_the_sine_of_half_the_distance() -> None:
    ra, dec = np.array([0.0, 350.0, 7.0]), np.array([0.0, -80.0, 90.0])
    to_ra, to_dec = np.array([1e-7, 20.0, 99.0]), np.array([0.0, 70.0, -90.0])
    half = np.radians(separation_arcsec(ra, dec, to_ra, to_dec) / 3600) / 2
    assert chord_squared(ra, dec, to_ra, to_dec) == pytest.approx(4 * np.sin(half) ** 2, rel=1e-12)
