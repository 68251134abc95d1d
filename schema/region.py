"""Regions of the sky with constant coordinates, and the exact test of a point against them.

Positions and lengths are ICRS degrees. Edges belong to a region.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import asin, cos, degrees, isfinite, radians, sin
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from schema.healpix import F64, chord_squared, separation_arcsec, unit_vectors, wrapped

EDGE = 1e-14
"""How far from a polygon's edge a point still is on it, radians (2e-9 arcsec: rounding)."""
CONVEX = 5e-15
"""A corner so little behind an edge's great circle is on it: below `EDGE`, above rounding."""
HORIZON = 1e-9
"""The least cosine of the distance from a polygon's centre that its plane shows."""
BLOCK = 1_000_000
"""Points times edges that are tested at once."""


class ShapeKind(StrEnum):
    """Regions that a query can name by numbers."""

    CIRCLE = "circle"
    POLYGON = "polygon"
    BOX = "box"
    RANGE = "range"
    ELLIPSE = "ellipse"


MAX_SEMI_AXIS = 10.0
"""The largest ellipse, degrees: sciSQL's."""
MIN_SEMI_AXIS = 1e-20
"""An ellipse with a smaller one, degrees, is empty."""
TANGENTS = np.arange(16) * np.pi / 16
"""Directions in which an ellipse's extent is compared, for covers."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A region with constant coordinates.

    CIRCLE: (ra, dec, radius); BOX: (ra, dec, width, height) as ADQL 2.1, section 4.2.9: centred,
    its sides on the parallels and meridians at half a width and half a height; POLYGON: (ra1, dec1,
    ra2, dec2, ...), at least three vertices joined by great circles, the smaller side of the
    sphere, within the hemisphere around the mean of its vertices; RANGE: (ra_min, dec_min, ra_max,
    dec_max), right ascensions in 0..360, ra_max < ra_min where it crosses ra = 0; ELLIPSE: (ra, dec,
    semi-major axis, semi-minor axis, position angle of the major axis from north to east), drawn in
    the plane that touches the sphere at its centre and projected along the line of sight, as sciSQL.
    """

    kind: ShapeKind
    numbers: tuple[float, ...]


def check_shape(shape: Shape) -> None:
    """Raise ValueError, in words for the query's author, where the numbers make no region."""
    numbers = shape.numbers
    if not all(isfinite(number) for number in numbers):
        raise ValueError(f"a {shape.kind} needs finite numbers")
    match shape.kind:
        case ShapeKind.CIRCLE:
            _check(len(numbers) == 3, "a circle has a centre and a radius")
            _check_declination(numbers[1])
            _check(0 <= numbers[2] <= 180, f"radius {numbers[2]} outside 0..180 degrees")
        case ShapeKind.BOX:
            _check(len(numbers) == 4, "a box has a centre, a width and a height")
            _check_declination(numbers[1])
            _check(0 <= numbers[2] <= 360, f"width {numbers[2]} outside 0..360 degrees")
            _check(0 <= numbers[3] <= 180, f"height {numbers[3]} outside 0..180 degrees")
        case ShapeKind.POLYGON:
            _check(
                len(numbers) >= 6 and len(numbers) % 2 == 0, "a polygon has three vertices or more"
            )
            for declination in numbers[1::2]:
                _check_declination(declination)
            _check_hemisphere(numbers)
        case ShapeKind.RANGE:
            _check_range(numbers)
        case ShapeKind.ELLIPSE:
            _check_ellipse(numbers)
        case _:
            assert_never(shape.kind)


def _check_range(numbers: tuple[float, ...]) -> None:
    _check(len(numbers) == 4, "a range has two right ascensions and two declinations")
    for ra in numbers[0::2]:
        _check(0 <= ra <= 360, f"right ascension {ra} outside 0..360 degrees")
    for declination in numbers[1::2]:
        _check_declination(declination)
    _check(numbers[1] <= numbers[3], f"declinations run from {numbers[1]} down to {numbers[3]}")


def _check_ellipse(numbers: tuple[float, ...]) -> None:
    _check(len(numbers) == 5, "an ellipse has a centre, two semi-axes and an angle")
    _, dec, major, minor, _ = numbers
    _check_declination(dec)
    _check(
        0 <= minor <= major, f"semi-minor axis {minor} outside 0..{major} degrees, the other one"
    )
    _check(major <= MAX_SEMI_AXIS, f"semi-major axis {major} above {MAX_SEMI_AXIS} degrees")


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)


def _check_declination(declination: float) -> None:
    _check(-90 <= declination <= 90, f"declination {declination} outside -90..90 degrees")


def _check_hemisphere(numbers: tuple[float, ...]) -> None:
    corners = unit_vectors(np.array(numbers[0::2]), np.array(numbers[1::2]))
    middle = corners.mean(axis=0)
    reach = corners @ middle
    _check(
        bool(reach.min() > 1e-6 * np.linalg.norm(middle) > 1e-9),
        "a polygon must fit in the hemisphere around the mean of its vertices",
    )


def contains(shape: Shape, ra: F64, dec: F64) -> NDArray[np.bool_]:
    """Which points lie in the region or on its edge; NaN lies nowhere."""
    ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
    match shape.kind:
        case ShapeKind.CIRCLE:
            ra0, dec0, radius = shape.numbers
            chords = chord_squared(ra, dec, np.full(1, ra0), np.full(1, dec0))
            return np.asarray(chords <= 4 * np.sin(np.radians(radius) / 2) ** 2)
        case ShapeKind.BOX:
            ra0, dec0, width, height = shape.numbers
            turn = np.abs(ra - ra0) % 360
            turn = np.minimum(turn, 360 - turn)
            return np.asarray((turn <= width / 2) & (np.abs(dec - dec0) <= height / 2))
        case ShapeKind.POLYGON:
            points = unit_vectors(ra, dec)
            found = Polygon.of(shape.numbers).contains(points.reshape(-1, 3))
            return np.asarray(found.reshape(points.shape[:-1]))
        case ShapeKind.RANGE:
            ra_min, dec_min, ra_max, dec_max = shape.numbers
            turned = wrapped(ra)
            after, before = turned >= ra_min, turned <= ra_max
            is_between = after & before if ra_min <= ra_max else after | before
            return np.asarray(is_between & (dec >= dec_min) & (dec <= dec_max))
        case ShapeKind.ELLIPSE:
            depth, along, across = _ellipse_frame(shape.numbers, unit_vectors(ra, dec))
            major, minor = np.radians(shape.numbers[2:4])
            held = (along * minor) ** 2 + (across * major) ** 2 <= (major * minor) ** 2
            return np.asarray(held & (depth > 0) & (shape.numbers[3] >= MIN_SEMI_AXIS))
        case _:
            assert_never(shape.kind)


def _ellipse_frame(numbers: tuple[float, ...], points: F64) -> tuple[F64, F64, F64]:
    """Unit vectors in the frame of an ellipse: towards us, along its major and its minor axis."""
    ra, dec, _, _, angle = np.radians(numbers)
    centre = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    north = np.array([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)])
    east = np.array([-np.sin(ra), np.cos(ra), 0.0])
    along = np.cos(angle) * north + np.sin(angle) * east
    across = np.cos(angle) * east - np.sin(angle) * north
    return points @ centre, points @ along, points @ across


def ellipse_may_touch(numbers: tuple[float, ...], points: F64, within: float) -> NDArray[np.bool_]:
    """Which unit vectors may lie within a distance (degrees) of an ellipse; a superset, for covers.

    An ellipse lies between each two of its tangents, and a projection makes no distance larger.
    """
    _, along, across = _ellipse_frame(numbers, points)
    major, minor = radians(numbers[2]), radians(numbers[3])
    extent = np.hypot(major * np.cos(TANGENTS), minor * np.sin(TANGENTS)) + radians(within)
    away = np.abs(
        np.multiply.outer(along, np.cos(TANGENTS)) + np.multiply.outer(across, np.sin(TANGENTS))
    )
    return np.asarray((away <= extent).all(axis=-1), np.bool_)


def as_box(shape: Shape) -> Shape:
    """A RANGE as the BOX that holds it and, for rounding, 1e-12 degrees more; others as they are."""
    if shape.kind is not ShapeKind.RANGE:
        return shape
    ra_min, dec_min, ra_max, dec_max = shape.numbers
    width = ra_max - ra_min if ra_min <= ra_max else ra_max - ra_min + 360
    ra, dec = (ra_min + width / 2) % 360, (dec_min + dec_max) / 2
    height = min(180.0, dec_max - dec_min + 1e-12)
    return Shape(ShapeKind.BOX, (ra, dec, min(360.0, width + 1e-12), height))


def half_spaces(shape: Shape) -> tuple[tuple[float, float, float], ...] | None:
    """A convex polygon as the poles of its edges' inner sides; None for any other region.

    A point lies in the polygon where its unit vector's product with each is >= 0 (to `EDGE`).
    """
    if shape.kind is not ShapeKind.POLYGON:
        return None
    polygon = Polygon.of(shape.numbers)
    inside = polygon.normals @ polygon.frame[0]
    normals = polygon.normals * np.sign(inside)[:, None]
    heights = normals @ polygon.corners.T
    if np.any(np.abs(inside) < CONVEX) or np.any(heights < -CONVEX):
        return None
    return tuple((float(x), float(y), float(z)) for x, y, z in normals)


def bounding_circle(shape: Shape) -> tuple[float, float, float]:
    """ra, dec, radius of a circle that holds the region."""
    match shape.kind:
        case ShapeKind.CIRCLE:
            ra, dec, radius = shape.numbers
            return ra, dec, radius
        case ShapeKind.BOX:
            return _circle_of_box(*shape.numbers)
        case ShapeKind.RANGE:
            return bounding_circle(as_box(shape))
        case ShapeKind.ELLIPSE:
            ra, dec, major, _, _ = shape.numbers
            return ra, dec, degrees(asin(radians(major))) + 1e-9
        case ShapeKind.POLYGON:
            return Polygon.of(shape.numbers).circle()
        case _:
            assert_never(shape.kind)


def _circle_of_box(
    ra: float, dec: float, width: float, height: float
) -> tuple[float, float, float]:
    south, north = max(-90.0, dec - height / 2), min(90.0, dec + height / 2)
    middle = (south + north) / 2
    if width > 90 or south <= -89 or north >= 89:
        pole = 90.0 if middle >= 0 else -90.0
        return ra, pole, min(180.0, abs(pole - (south if pole > 0 else north)) + 1e-9)
    # On a meridian or a parallel the farthest point of a narrow box is a corner or on its equator.
    nearest = min(max(0.0, south), north)
    turn = np.full(3, ra + width / 2)
    reach = separation_arcsec(
        np.full(3, ra), np.full(3, middle), turn, np.array([south, nearest, north])
    )
    return ra, middle, float(reach.max()) / 3600 * (1 + 1e-9) + 1e-9


def grow(shape: Shape, by_arcsec: float) -> Shape:
    """A region that holds every point within `by_arcsec` of this one: a box of one, else a circle."""
    by = by_arcsec / 3600
    shape = as_box(shape)
    if shape.kind is not ShapeKind.BOX:
        ra, dec, radius = bounding_circle(shape)
        return Shape(ShapeKind.CIRCLE, (ra, dec, min(180.0, radius + by)))
    ra, dec, width, height = shape.numbers
    south, north = max(-90.0, dec - height / 2 - by), min(90.0, dec + height / 2 + by)
    width = min(360.0, width + 2 * _turn(by, abs(dec) + height / 2))
    return Shape(ShapeKind.BOX, (ra, (south + north) / 2, width, north - south + 1e-12))


def _turn(by: float, declination: float) -> float:
    """How far in ra a circle of radius `by` reaches around a point; 180 where it holds a pole."""
    if abs(declination) + by >= 90:
        return 180.0
    return degrees(asin(min(1.0, sin(radians(by)) / cos(radians(declination)))))


def box_may_touch(
    numbers: tuple[float, ...], ra: F64, dec: F64, within: float
) -> NDArray[np.bool_]:
    """Which points may lie within a distance (degrees) of a box; a superset, for covers."""
    ra0, dec0, width, height = numbers
    ratio = np.sin(np.radians(min(within, 90.0))) / np.maximum(np.cos(np.radians(dec)), 1e-300)
    turn = np.where(np.abs(dec) + within >= 90, 180.0, np.degrees(np.arcsin(np.minimum(ratio, 1))))
    away = np.abs(wrapped(ra - ra0 + 180.0) - 180.0)
    return np.asarray((away <= width / 2 + turn) & (np.abs(dec - dec0) <= height / 2 + within))


@dataclass(frozen=True, slots=True)
class Polygon:
    """A polygon in the gnomonic plane of its vertices' mean, where great circles are lines."""

    frame: F64
    """Rows: the centre, and two directions across it; unit vectors."""
    corners: F64
    """Unit vectors, shape (edges, 3); edge i runs from corner i to corner i + 1."""
    normals: F64
    """Of the edges' great circles, unit vectors (0 for an edge without length)."""

    @classmethod
    def of(cls, numbers: tuple[float, ...]) -> Polygon:
        """From (ra1, dec1, ra2, dec2, ...), degrees."""
        corners = unit_vectors(np.array(numbers[0::2]), np.array(numbers[1::2]))
        centre = corners.mean(axis=0)
        centre /= np.linalg.norm(centre)
        across = np.cross(np.eye(3)[np.argmin(np.abs(centre))], centre)
        across /= np.linalg.norm(across)
        # With the difference: of two corners close by, their own product has no digits left.
        normals = np.cross(corners, np.roll(corners, -1, axis=0) - corners)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
        return cls(np.stack([centre, across, np.cross(centre, across)]), corners, normals)

    def contains(self, points: F64) -> NDArray[np.bool_]:
        """Which unit vectors, shape (n, 3), lie inside or on an edge."""
        size = max(1, BLOCK // len(self.corners))
        blocks = [points[start : start + size] for start in range(0, len(points), size)]
        found = [self._contains(block) for block in blocks]
        return np.concatenate(found) if found else np.zeros(0, bool)

    def _contains(self, points: F64) -> NDArray[np.bool_]:
        depth = points @ self.frame[0]
        is_before = depth > HORIZON
        depth = np.where(is_before, depth, 1.0)
        x, y = ((points @ axis / depth)[:, None] for axis in self.frame[1:])
        ax, ay = (self.corners @ axis / (self.corners @ self.frame[0]) for axis in self.frame[1:])
        bx, by = np.roll(ax, -1), np.roll(ay, -1)
        dx, dy = bx - ax, by - ay
        # Even-odd rule: how many edges a ray from the point towards +x crosses.
        is_crossed = ((ay > y) != (by > y)) & ((dx * (y - ay) > (x - ax) * dy) == (dy > 0))
        along = ((x - ax) * dx + (y - ay) * dy) / np.maximum(dx * dx + dy * dy, 1e-300)
        along = np.clip(along, 0.0, 1.0)
        distance = (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2
        on_edge = distance.min(axis=1) <= (EDGE * (1 + x * x + y * y)[:, 0]) ** 2
        is_inside = np.logical_xor.reduce(is_crossed, axis=1)
        return np.asarray((is_inside | on_edge) & is_before, np.bool_)

    def may_touch(self, points: F64, within: float) -> NDArray[np.bool_]:
        """Which unit vectors lie inside or within a distance (degrees) of an edge."""
        following = np.roll(self.corners, -1, axis=0)
        heights = np.abs(points @ self.normals.T)
        is_beside = points @ np.cross(self.normals, self.corners).T > 0
        is_beside &= points @ np.cross(following, self.normals).T > 0
        near_edge = (is_beside & (heights <= sin(radians(min(within, 90.0))))).any(axis=1)
        chords = ((points[:, None] - self.corners) ** 2).sum(axis=2).min(axis=1)
        near_corner = chords <= 4 * sin(radians(min(within, 180.0)) / 2) ** 2
        return np.asarray(self.contains(points) | near_edge | near_corner, np.bool_)

    def circle(self) -> tuple[float, float, float]:
        """ra, dec, radius around the centre; degrees."""
        x, y, z = self.frame[0]
        away = 2 * np.arcsin(np.linalg.norm(self.corners - self.frame[0], axis=1) / 2)
        ra, dec = np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))
        return float(ra) % 360, float(dec), float(np.degrees(away.max())) * (1 + 1e-12) + 1e-9
