"""Two regions in or across each other, at random: both engines against points all over them.

Only what points prove is compared: where none lies in both regions they may still meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from schema.region import Shape, ShapeKind, contains
from tests.procedures.engines import Engine

F64 = NDArray[np.float64]
ROWS = 30
SAMPLES = 10_000
KINDS = ("circle", "polygon", "box")
Numbers = list[float]


def random_region(kind: str, rng: np.random.Generator, scale: float) -> Numbers:
    """A region of some degrees near (ra, dec) = (0, 60); polygons are stars, not always convex."""
    ra, dec = rng.uniform(-4, 4) % 360, rng.uniform(57, 63)
    size = scale * 10 ** rng.uniform(-0.5, 0.7)
    if kind == "circle":
        return [ra, dec, size]
    if kind == "box":
        return [ra, dec, 4 * size, 2 * size]
    angles = np.sort(rng.uniform(0, 2 * np.pi, 6)) if size > 2 else np.arange(4) * np.pi / 2
    reach = size * rng.uniform(0.4, 1.0, len(angles))
    east = reach * np.sin(angles) / np.cos(np.radians(dec))
    corners = np.stack([(ra + east) % 360, dec + reach * np.cos(angles)], axis=1)
    return [float(number) for number in corners.ravel()]


def inside(kind: str, numbers: Numbers, ra: F64, dec: F64) -> NDArray[np.bool_]:
    return contains(Shape(ShapeKind(kind), tuple(numbers)), ra, dec)


def samples(rng: np.random.Generator) -> tuple[F64, F64]:
    """Points over all of the regions."""
    return rng.uniform(-60, 60, SAMPLES) % 360, rng.uniform(40, 80, SAMPLES)


def pairs(a: str, b: str, scale: float = 1.0) -> list[tuple[Numbers, Numbers]]:
    rng = np.random.default_rng(f"{a} {b}".encode()[0] * 100 + f"{a} {b}".encode()[-1])
    return [(random_region(a, rng, scale), random_region(b, rng, 1.0)) for _ in range(ROWS)]


def answers(engine: Engine, name: str, rows: Sequence[tuple[Numbers, Numbers]]) -> list[bool]:
    return [bool(found) for found in engine.call(name, rows)]


@pytest.mark.parametrize(("a", "b"), list(product(KINDS, KINDS)))
def test_no_sample_of_a_contained_region_lies_outside(engine: Engine, a: str, b: str) -> None:
    rng = np.random.default_rng(5)
    ra, dec = samples(rng)
    rows = pairs(a, b, scale=0.2)
    found = answers(engine, f"{a}_in_{b}", rows)
    for (one, other), is_in in zip(rows, found, strict=True):
        outside = inside(a, one, ra, dec) & ~inside(b, other, ra, dec)
        assert not (is_in and outside.any()), (one, other)
    assert 0 < sum(found) < ROWS


@pytest.mark.parametrize(
    ("a", "b"), [(a, b) for a, b in product(KINDS, KINDS) if KINDS.index(a) <= KINDS.index(b)]
)
def test_regions_with_a_sample_in_common_meet(engine: Engine, a: str, b: str) -> None:
    rng = np.random.default_rng(6)
    ra, dec = samples(rng)
    rows = pairs(a, b)
    found = answers(engine, f"{a}_meets_{b}", rows)
    common = [
        bool((inside(a, one, ra, dec) & inside(b, other, ra, dec)).any()) for one, other in rows
    ]
    missed = [row for row, meets, both in zip(rows, found, common, strict=True) if both > meets]
    assert missed == []
    assert 0 < sum(common) < ROWS
    # Regions that only touch, or whose common part is small, have no sample there.
    assert sum(found) - sum(common) <= ROWS // 4


@pytest.mark.parametrize("kind", ["circle", "box"])
def test_a_region_that_shrinks_lies_in_what_it_was(engine: Engine, kind: str) -> None:
    rows = [row for row, _ in pairs(kind, kind)]
    small = [[*row[:2], *(0.99 * n for n in row[2:])] for row in rows]
    assert all(answers(engine, f"{kind}_in_{kind}", list(zip(small, rows, strict=True))))
    assert not any(answers(engine, f"{kind}_in_{kind}", list(zip(rows, small, strict=True))))
