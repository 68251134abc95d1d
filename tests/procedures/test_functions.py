"""Both engines give what the definitions say."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import hpgeom
import numpy as np
import pytest

from procedures.functions import FUNCTIONS
from schema.healpix import pixels, separation_arcsec
from schema.region import Shape, ShapeKind, contains
from tests.procedures.engines import Engine
from tests.procedures.vectors import ARROW, OCTANT, TRIANGLE, VECTORS

GROUPED: dict[str, list[tuple[tuple[object, ...], object]]] = defaultdict(list)
for _name, _arguments, _expected in VECTORS:
    GROUPED[_name].append((_arguments, _expected))


def same(found: Any, expected: object) -> bool:
    """Equal, floats to 1e-12 relative."""
    if isinstance(expected, list) and found is not None:
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, float) and found is not None:
        return math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-300)
    return bool(found == expected)


def test_every_function_has_vectors() -> None:
    assert set(GROUPED) == set(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(GROUPED))
def test_a_function_gives_what_its_definition_says(engine: Engine, name: str) -> None:
    found = engine.call(name, [arguments for arguments, _ in GROUPED[name]])
    wrong = [
        (arguments, result, expected)
        for (arguments, expected), result in zip(GROUPED[name], found, strict=True)
        if not same(result, expected)
    ]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(GROUPED))
def test_null_in_gives_null_out(engine: Engine, name: str) -> None:
    (arguments, _) = GROUPED[name][0]
    rows = [
        tuple(None if i == place else value for i, value in enumerate(arguments))
        for place in range(len(arguments))
    ]
    assert engine.call(name, rows) == [None] * len(rows)


@pytest.mark.parametrize("text", ["1e3", "2.5", "", "1 2", "x"])
def test_text_that_is_no_integer_is_refused(engine: Engine, text: str) -> None:
    with pytest.raises(Exception, match=r"(?i)invalid input|could not convert"):
        engine.call("text_to_int", [(text,)])


@pytest.mark.parametrize("text", ["", "1_000", "1,5", "ten"])
def test_text_that_is_no_number_is_refused(engine: Engine, text: str) -> None:
    with pytest.raises(Exception, match=r"(?i)invalid input|could not convert"):
        engine.call("text_to_double", [(text,)])


@pytest.mark.parametrize("name", ["round", "truncate"])
def test_rounding_is_decimal_rounding_where_numbers_have_few_digits(
    engine: Engine, name: str
) -> None:
    eighths = [number / 8 for number in range(-40, 41)]
    found = engine.call(name, [(number, 2) for number in eighths])
    halves = 0.5 if name == "round" else 0.0
    expected = [math.copysign(math.floor(abs(n) * 100 + halves) / 100, n) for n in eighths]
    assert found == pytest.approx(expected, rel=1e-15)


def positions(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points all over the sky, some next to the poles and to the meridian."""
    rng = np.random.default_rng(seed)
    ra = rng.uniform(0, 360, count)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    few = count // 10
    dec[:few] = (90 - 10 ** rng.uniform(-8, 0, few)) * rng.choice([-1, 1], few)
    ra[few : 2 * few] = 10 ** rng.uniform(-8, 0, few) * rng.choice([-1, 1], few) % 360
    return ra, dec


def borders(order: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Corners and the middles of edges of pixels."""
    numbers = np.random.default_rng(order).integers(0, 12 * 4**order, count)
    ra, dec = hpgeom.boundaries(2**order, numbers, step=2, nest=True, lonlat=True, degrees=True)
    return ra.ravel(), dec.ravel()


@pytest.mark.parametrize("order", [0, 1, 5, 10, 29])
def test_the_pixel_is_the_library_s_to_the_last_bit(engine: Engine, order: int) -> None:
    inner, edge = positions(1000, order), borders(order, 100)
    ra, dec = np.concatenate([inner[0], edge[0]]), np.concatenate([inner[1], edge[1]])
    rows = [(order, *point) for point in zip(ra.tolist(), dec.tolist(), strict=True)]
    assert engine.call("ivo_healpix_index", rows) == pixels(order, ra, dec).tolist()


@pytest.mark.parametrize("numbers", [TRIANGLE, ARROW, OCTANT])
def test_polygons_hold_what_the_reference_says(engine: Engine, numbers: list[float]) -> None:
    rng = np.random.default_rng(7)
    ra, dec = rng.uniform(-15, 100, 1500) % 360, rng.uniform(-20, 90, 1500)
    rows = [(*point, numbers) for point in zip(ra.tolist(), dec.tolist(), strict=True)]
    expected = contains(Shape(ShapeKind.POLYGON, tuple(numbers)), ra, dec)
    assert expected.any()
    assert engine.call("in_polygon", rows) == expected.tolist()


@pytest.mark.parametrize("radius", [0.0, 1e-9, 0.001, 0.3, 20.0, 180.0])
def test_neighbours_meet_in_a_cell(engine: Engine, radius: float) -> None:
    ra, dec = positions(400, 11)
    rng = np.random.default_rng(12)
    to_ra = (ra + rng.uniform(-1, 1, 400) * radius / np.cos(np.radians(dec))) % 360
    to_dec = np.clip(dec + rng.uniform(-1, 1, 400) * radius, -90, 90)
    near = separation_arcsec(ra, dec, to_ra, to_dec) <= radius * 3600
    cells = engine.call("cell", [(*p, radius) for p in zip(ra.tolist(), dec.tolist(), strict=True)])
    around = engine.call(
        "cells_around", [(*p, radius) for p in zip(to_ra.tolist(), to_dec.tolist(), strict=True)]
    )
    assert near.sum() > 100
    meet = [cell in others for cell, others in zip(cells, around, strict=True)]
    assert all(np.array(meet)[near])


@pytest.mark.parametrize("radius", [0.001, 0.3, 20.0])
def test_no_cell_is_named_twice(engine: Engine, radius: float) -> None:
    rows = [(*p, radius) for p in zip(*(a.tolist() for a in positions(400, 13)), strict=True)]
    for around in engine.call("cells_around", rows):
        named = [cell for cell in around if cell is not None]
        assert len(named) == len(set(named)) <= 4


def test_zero_rows_make_no_error_of_a_constant_argument(engine: Engine) -> None:
    call = FUNCTIONS["ln"].sql_name
    assert engine.run(f"SELECT {call}(CAST(0 AS DOUBLE PRECISION)), {call}(NULL)") == [(None, None)]
