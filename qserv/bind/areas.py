"""sciSQL's regions, by which Qserv's users name parts of the sky, as shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qserv.bind.errors import BadRegion, Node, TypeMismatch
from schema.region import Shape, ShapeKind, check_shape

ARCSEC = 3600.0


def area_shape(name: str, numbers: Sequence[float], node: Node) -> Shape:
    """The region of `s2PtIn...` and `qserv_areaspec_...`: box, circle, ellipse or poly.

    `numbers` are sciSQL's, in its order and units: (lonMin, latMin, lonMax, latMax), (lon, lat,
    radius), (lon, lat, semi-major and semi-minor axis in arcsec, position angle) and (lon1, lat1,
    lon2, lat2, ...); degrees but for the axes.

    Raises
    ------
    BadRegion
        The numbers make no region.
    """
    build, wanted = _AREAS[name]
    if wanted is not None and len(numbers) != wanted:
        raise TypeMismatch(f"{name} takes {wanted} numbers, found {len(numbers)}", node)
    try:
        shape = build(tuple(float(number) for number in numbers))
        check_shape(shape)
    except ValueError as problem:
        raise BadRegion(f"Bad {name}", node, hint=str(problem)) from problem
    return shape


def _box(numbers: tuple[float, ...]) -> Shape:
    """A range of longitudes of any turn; within [0, 360] the second may be the smaller one."""
    lon_min, lat_min, lon_max, lat_max = numbers
    is_turned = not (0 <= lon_min <= 360 and 0 <= lon_max <= 360)
    if is_turned and lon_max < lon_min:
        raise ValueError(f"longitudes run from {lon_min} down to {lon_max}")
    if lon_max - lon_min >= 360:
        return Shape(ShapeKind.RANGE, (0.0, lat_min, 360.0, lat_max))
    return Shape(ShapeKind.RANGE, (lon_min % 360, lat_min, lon_max % 360, lat_max))


def _circle(numbers: tuple[float, ...]) -> Shape:
    return Shape(ShapeKind.CIRCLE, numbers)


def _ellipse(numbers: tuple[float, ...]) -> Shape:
    lon, lat, major, minor, angle = numbers
    return Shape(ShapeKind.ELLIPSE, (lon, lat, major / ARCSEC, minor / ARCSEC, angle))


def _polygon(numbers: tuple[float, ...]) -> Shape:
    return Shape(ShapeKind.POLYGON, numbers)


_AREAS: Mapping[str, tuple[Callable[[tuple[float, ...]], Shape], int | None]] = {
    "box": (_box, 4),
    "circle": (_circle, 3),
    "ellipse": (_ellipse, 5),
    "poly": (_polygon, None),
}
