"""Random regions, and points in and around them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from schema.healpix import F64
from schema.region import Shape, ShapeKind

ras = st.one_of(st.sampled_from([0.0, 90.0, 180.0, 359.999999, 360.0]), st.floats(-400, 800))
decs = st.one_of(
    st.sampled_from([-90.0, -89.9999, 0.0, 41.8103148957786, 90.0]), st.floats(-90, 90)
)
sizes = st.one_of(
    st.sampled_from([0.0, 90.0, 180.0]), st.floats(-7, 2).map(lambda e: float(10.0**e))
)

circles = st.builds(
    lambda ra, dec, radius: Shape(ShapeKind.CIRCLE, (ra, dec, min(radius, 180.0))), ras, decs, sizes
)
boxes = st.builds(
    lambda ra, dec, width, height: Shape(
        ShapeKind.BOX, (ra, dec, min(360.0, 2 * width), min(180.0, height))
    ),
    ras,
    decs,
    sizes,
    sizes,
)


@st.composite
def polygons(draw: st.DrawFn) -> Shape:
    """Stars of 3 to 8 vertices around a centre, convex or not."""
    count = draw(st.integers(3, 8))
    reach = draw(st.floats(-5, 1.7).map(lambda e: float(10.0**e)))
    parts = draw(st.lists(st.floats(0.2, 1.0), min_size=count, max_size=count))
    angles = 2 * np.pi * np.arange(count) / count
    points = around(draw(ras), draw(decs), np.array(parts) * reach, angles)
    return Shape(ShapeKind.POLYGON, tuple(np.stack(points, axis=1).ravel().tolist()))


@st.composite
def ranges(draw: st.DrawFn) -> Shape:
    """Right ascensions in any order, declinations in theirs."""
    south, north = sorted((draw(decs), draw(decs)))
    ra_min, ra_max = (
        draw(st.one_of(st.sampled_from([0.0, 350.0, 360.0]), st.floats(0, 360))) for _ in "ab"
    )
    return Shape(ShapeKind.RANGE, (ra_min, south, ra_max, north))


ellipses = st.builds(
    lambda ra, dec, major, ratio, angle: Shape(
        ShapeKind.ELLIPSE, (ra, dec, min(major, 10.0), min(major, 10.0) * ratio, angle)
    ),
    ras,
    decs,
    sizes,
    st.floats(0, 1),
    st.floats(-180, 180),
)

shapes = st.one_of(circles, boxes, polygons(), ranges(), ellipses)


def around(ra: float | F64, dec: float | F64, away: F64, angle: F64) -> tuple[F64, F64]:
    """Points at distances (degrees) and position angles (radians) from one or from as many."""
    latitude, distance = np.radians(dec), np.radians(away)
    sine = np.sin(latitude) * np.cos(distance) + np.cos(latitude) * np.sin(distance) * np.cos(angle)
    turn = np.arctan2(
        np.sin(angle) * np.sin(distance) * np.cos(latitude),
        np.cos(distance) - np.sin(latitude) * sine,
    )
    return (ra + np.degrees(turn)) % 360, np.degrees(np.arcsin(np.clip(sine, -1, 1)))


def scattered(ra: float, dec: float, reach: float, seed: int) -> tuple[F64, F64]:
    """Points within `reach` degrees of one, dense towards it, and some anywhere."""
    rng = np.random.default_rng(seed)
    near = around(ra, dec, reach * rng.uniform(0, 1, 300), rng.uniform(0, 2 * np.pi, 300))
    far = rng.uniform(0, 360, 100), np.degrees(np.arcsin(rng.uniform(-1, 1, 100)))
    return np.concatenate([near[0], far[0]]), np.concatenate([near[1], far[1]])
