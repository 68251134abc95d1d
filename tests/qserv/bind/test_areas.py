"""sciSQL's numbers become the regions that sciSQL means."""

from __future__ import annotations

import numpy as np
import pytest

from qserv.bind.areas import area_shape
from qserv.bind.errors import BadRegion, TypeMismatch
from schema.region import Shape, ShapeKind, contains


@pytest.mark.parametrize(
    ("numbers", "shape"),
    [
        ((350, -1, 10, 1), (350, -1, 10, 1)),
        ((350, -1, 370, 1), (350, -1, 10, 1)),
        ((-10, -1, 10, 1), (350, -1, 10, 1)),
        ((350, -1, 360, 1), (350, -1, 0, 1)),
        ((0, -90, 360, 90), (0, -90, 360, 90)),
        ((-1000, -1, 1000, 1), (0, -1, 360, 1)),
        ((10, -1, 10, 1), (10, -1, 10, 1)),
    ],
)
def test_longitudes_of_a_box_may_be_of_any_turn(
    numbers: tuple[float, ...], shape: tuple[float, ...]
) -> None:
    assert area_shape("box", numbers, None) == Shape(ShapeKind.RANGE, shape)


def test_an_ellipse_s_axes_are_in_arcsec() -> None:
    ellipse = area_shape("ellipse", (10, 20, 7200, 3600, 30), None)
    assert ellipse == Shape(ShapeKind.ELLIPSE, (10.0, 20.0, 2.0, 1.0, 30.0))


def test_an_ellipse_holds_what_sciSQL_s_formula_says() -> None:
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(8, 12, 2000), rng.uniform(18, 22, 2000)
    x, y, z = (np.radians(v) for v in (ra - 10, dec, np.full(2000, 20.0)))
    north = np.sin(y) * np.cos(z) - np.cos(y) * np.sin(z) * np.cos(x)
    east = np.cos(y) * np.sin(x)
    s, c = np.sin(np.radians(30)), np.cos(np.radians(30))
    along, across = (c * north + s * east) / np.radians(2), (c * east - s * north) / np.radians(1)
    expected = along**2 + across**2 <= 1
    found = contains(area_shape("ellipse", (10, 20, 7200, 3600, 30), None), ra, dec)
    assert 100 < expected.sum() < 1900
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("box", (370, 0, 10, 1)),
        ("box", (0, 2, 10, 1)),
        ("box", (0, -91, 10, 1)),
        ("circle", (0, 0, -1)),
        ("circle", (0, 91, 1)),
        ("ellipse", (0, 0, 1, 2, 0)),
        ("ellipse", (0, 0, 36001, 1, 0)),
        ("poly", (0, 0, 10, 0)),
    ],
)
def test_numbers_that_make_no_region_are_refused(name: str, numbers: tuple[float, ...]) -> None:
    with pytest.raises(BadRegion):
        area_shape(name, numbers, None)


def test_a_wrong_count_of_numbers_is_refused() -> None:
    with pytest.raises(TypeMismatch, match="circle takes 3 numbers, found 2"):
        area_shape("circle", (1, 2), None)
