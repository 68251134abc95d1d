"""sciSQL's `s2PtIn...`: 1 where a point lies in a region, and 0 where not or where anything is NULL.

Of constants they are an InShape, which chooses chunks; else a test of distance or coordinates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from qserv.bind.areas import ARCSEC, area_shape
from qserv.bind.coercion import cast
from qserv.bind.errors import Node, TypeMismatch, Unsupported
from qserv.bind.operators import arithmetic, certain_as_number
from qserv.bind.scope import Env
from qserv.bound import Call, Case, Expression, InShape, Literal, Within
from schema.region import half_spaces
from schema.types import Type

Numbers = tuple[Expression, ...]
Point = tuple[Expression, Expression]


def _doubles(name: str, arguments: Sequence[Expression], node: Node) -> Numbers:
    for argument in arguments:
        if not (argument.type.is_numeric or isinstance(argument, Literal)):
            raise TypeMismatch(f"{name} needs numbers, found {argument.type}", node)
    return tuple(cast(argument, Type.DOUBLE, node) for argument in arguments)


def _constants(numbers: Numbers) -> tuple[float, ...] | None:
    """The numbers where all are constant and none is NULL."""
    found = tuple(n.value for n in numbers if isinstance(n, Literal) and isinstance(n.value, float))
    return found if len(found) == len(numbers) else None


# ------------------------------------------------------------------ points in regions


def _in_circle(point: Point, numbers: Numbers, node: Node) -> Expression:
    """A point in a circle; either's place may be the constant one."""
    lon, lat, radius = numbers
    centre = lon, lat
    size = _constants((radius,))
    if size is not None:
        for tested, constant in ((point, centre), (centre, point)):
            fixed = _constants(constant)
            if fixed is not None:
                return InShape(*tested, area_shape("circle", (*fixed, *size), node))
    return Within(*point, *centre, radius, False)


def _in_box(point: Point, numbers: Numbers, node: Node) -> Expression:
    constant = _constants(numbers)
    if constant is not None:
        return InShape(*point, area_shape("box", constant, node))
    lon_min, lat_min, lon_max, lat_max = numbers
    full = Literal(360.0, Type.DOUBLE)
    width = arithmetic("-", lon_max, lon_min, node)
    is_round = Call(">=", (width, full), Type.BOOLEAN)
    zero = Literal(0.0, Type.DOUBLE)
    within = (_turned(lon_min, node), lat_min, _turned(lon_max, node), lat_max)
    ranges = Call("in_range", (*point, *within), Type.BOOLEAN)
    band = Call("in_range", (*point, zero, lat_min, full, lat_max), Type.BOOLEAN)
    return Case(((is_round, band),), ranges, Type.BOOLEAN)


def _turned(longitude: Expression, node: Node) -> Expression:
    """A longitude in [0, 360)."""
    full = Literal(360.0, Type.DOUBLE)
    turns = Call("floor", (arithmetic("/", longitude, full, node),), Type.DOUBLE)
    return arithmetic("-", longitude, arithmetic("*", full, turns, node), node)


def _in_ellipse(point: Point, numbers: Numbers, node: Node) -> Expression:
    constant = _constants(numbers)
    if constant is not None:
        return InShape(*point, area_shape("ellipse", constant, node))
    lon, lat, major, minor, angle = numbers
    arcsec = Literal(ARCSEC, Type.DOUBLE)
    axes = (arithmetic("/", axis, arcsec, node) for axis in (major, minor))
    return Call("in_ellipse", (*point, lon, lat, *axes, angle), Type.BOOLEAN)


def _in_polygon(point: Point, numbers: Numbers, node: Node) -> Expression:
    constant = _constants(numbers)
    if constant is not None:
        return InShape(*point, area_shape("poly", constant, node))
    return Call("in_polygon", (*point, Call("array", numbers, Type.DOUBLES)), Type.BOOLEAN)


def _area(
    name: str, counts: range, test: Callable[[Point, Numbers, Node], Expression]
) -> Callable[[Sequence[Expression], Node, Env], Expression]:
    """The binder of one of the functions; `counts` are those of the region's numbers."""

    def bind(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
        arguments = _with_vertices(arguments, node) if name == "s2PtInCPoly" else arguments
        if len(arguments) - 2 not in counts:
            found = len(arguments)
            raise TypeMismatch(f"{name} takes {counts[0] + 2} arguments, found {found}", node)
        lon, lat, *numbers = _doubles(name, arguments, node)
        if any(isinstance(n, Literal) and n.value is None for n in (lon, lat, *numbers)):
            return Literal(0, Type.INT)
        return certain_as_number(test((lon, lat), tuple(numbers), node))

    return bind


AREAS: Mapping[str, Callable[[Sequence[Expression], Node, Env], Expression]] = {
    "s2ptinbox": _area("s2PtInBox", range(4, 5), _in_box),
    "s2ptincircle": _area("s2PtInCircle", range(3, 4), _in_circle),
    "s2ptinellipse": _area("s2PtInEllipse", range(5, 6), _in_ellipse),
    "s2ptincpoly": _area("s2PtInCPoly", range(6, 41, 2), _in_polygon),
}
"""By the folded name."""

# ------------------------------------------------------------------ polygons as bytes


def polygon_to_bytes(arguments: Sequence[Expression], node: Node) -> bytes:
    """A constant convex polygon as s2CPolyToBin writes it: the poles of its edges' inner sides.

    Three doubles each, the lowest byte first.
    """
    constant = _constants(_doubles("s2CPolyToBin", arguments, node))
    if constant is None:
        raise Unsupported("s2CPolyToBin takes constant vertices", node)
    sides = half_spaces(area_shape("poly", constant, node))
    if sides is None:
        raise TypeMismatch("s2CPolyToBin takes a convex polygon", node)
    return np.array(sides, "<f8").tobytes()


def _with_vertices(arguments: Sequence[Expression], node: Node) -> Sequence[Expression]:
    """The arguments of s2PtInCPoly with a polygon of bytes as its vertices."""
    if len(arguments) != 3 or arguments[2].type is not Type.BINARY:
        return arguments
    poly = arguments[2]
    value = poly.value if isinstance(poly, Literal) else None
    if not isinstance(value, bytes) or len(value) % 24 or len(value) < 72:
        raise Unsupported(
            "s2PtInCPoly takes vertices, or what s2CPolyToBin makes of constants", node
        )
    sides = np.frombuffer(value, "<f8").reshape(-1, 3)
    corners = np.cross(np.roll(sides, 1, axis=0), sides)
    # Of a polygon that runs the other way round the products point away from it.
    corners *= np.sign((corners @ sides.T).sum(axis=1, keepdims=True))
    lon = np.degrees(np.arctan2(corners[:, 1], corners[:, 0])) % 360
    lat = np.degrees(np.arctan2(corners[:, 2], np.hypot(corners[:, 0], corners[:, 1])))
    vertices = np.stack([lon, lat], axis=1).ravel().tolist()
    return [*arguments[:2], *(Literal(number, Type.DOUBLE) for number in vertices)]
