"""Geometry: points in regions as conditions, regions in each other, distances, areas.

A point in a constant region is an InShape, two points near each other a Within: the planner reads
these. Where only a region's extent is constant, an InShape that follows from the condition goes
with it, so that it chooses chunks.
"""

from __future__ import annotations

from sqlglot import exp

from qserv.bind.coercion import cast
from qserv.bind.errors import BadRegion, Node, TypeMismatch
from qserv.bind.operators import every, negate
from qserv.bind.regions import (
    CONSTRUCTORS,
    Point,
    Region,
    constant,
    construct,
    coordinates,
    from_text,
    region,
    region_of,
)
from qserv.bind.scope import Env
from qserv.bound import Call, Case, Expression, InShape, Literal, Within
from schema.region import Shape, ShapeKind, grow
from schema.types import Type

PREDICATES = frozenset({"CONTAINS", "INTERSECTS"})
_ORDER = ("CIRCLE", "POLYGON", "BOX")
"""The order in which the functions of two regions that meet name them."""


def function_name(node: Node) -> str | None:
    """The upper-case name of a function that the front left as it was written; None else."""
    return node.name.upper() if isinstance(node, exp.Anonymous) else None


def function(name: str, node: Node, env: Env) -> Expression | None:
    """A geometry function that is no predicate, by its upper-case name; None for any other."""
    if name in CONSTRUCTORS:
        return construct(node, env)
    match name:
        case "REGION":
            return from_text(node, env)
        case "DISTANCE":
            return distance(node, env)
        case "COORD1" | "COORD2":
            point = _argument(name, node, env)
            if point.name != "POINT":
                raise TypeMismatch(f"{name} needs a POINT", node)
            return point.numbers[0 if name == "COORD1" else 1]
        case "COORDSYS":
            return _known(_argument(name, node, env), Literal("ICRS", Type.TEXT))
        case "AREA":
            return _area(_argument(name, node, env))
        case "CENTROID":
            return _centroid(_argument(name, node, env))
        case _:
            return None


def _argument(name: str, node: Node, env: Env) -> Region:
    """The one geometry that a function takes."""
    if len(node.expressions) != 1:
        raise TypeMismatch(f"{name} takes 1 argument, found {len(node.expressions)}", node)
    return region(node.expressions[0], env)


def _known(of: Region, result: Expression) -> Expression:
    """The result, NULL where the geometry is."""
    if all(isinstance(number, Literal) for number in of.numbers) and of.numbers:
        return result
    known = Call("is not null", (of.value,), Type.BOOLEAN)
    return Case(((known, result),), None, result.type)


def _area(of: Region) -> Expression:
    """Square degrees."""
    match of.name:
        case "POINT":
            return _known(of, Literal(0.0, Type.DOUBLE))
        case "CIRCLE":
            return _known(of, Call("circle_area", (of.numbers[2],), Type.DOUBLE))
        case "BOX":
            return _known(of, Call("box_area", of.numbers[1:], Type.DOUBLE))
        case _:
            return Call("polygon_area", (of.value,), Type.DOUBLE)


def _centroid(of: Region) -> Expression:
    """A polygon's centre of mass; the centre of a circle or a box."""
    if of.name == "POLYGON":
        return Call("polygon_centroid", (of.value,), Type.POINT)
    return Call("point", of.point(), Type.POINT)


# ------------------------------------------------------------------ regions in and across regions


def predicate(node: Node, env: Env) -> Expression:
    """CONTAINS or INTERSECTS as a condition."""
    name = function_name(node)
    if len(node.expressions) != 2:
        raise TypeMismatch(f"{name} takes 2 arguments, found {len(node.expressions)}", node)
    first, second = (region(item, env) for item in node.expressions)
    if name == "INTERSECTS" and second.name == "POINT":
        first, second = second, first
    if first.name == "POINT":
        return _point_in(first, second)
    return _lies_in(first, second) if name == "CONTAINS" else _meets(first, second)


def _point_in(tested: Region, target: Region) -> Expression:
    """Whether a point lies in a region, or is a point."""
    if target.name in ("POINT", "CIRCLE"):
        return _in_circle(tested, _as_circle(target))
    shape = target.shape()
    if shape is not None:
        return InShape(*tested.point(), shape)
    if target.name == "BOX":
        return Call("in_box", (*tested.point(), *target.numbers), Type.BOOLEAN)
    return Call("in_polygon", (*tested.point(), target.value), Type.BOOLEAN)


def _in_circle(tested: Region, circle: Region) -> Expression:
    """A point in a circle: a constant shape where centre or point is constant, else a distance."""
    point, center, radius = tested.point(), circle.point(), constant(circle.numbers[2])
    near = None
    if radius is not None:
        near = _near_constant(point, center, radius, circle.node)
    return near or Within(*point, *center, circle.numbers[2], False)


def _near_constant(one: Point, other: Point, radius: float, node: Node) -> InShape | None:
    """Points at most `radius` apart of which one is constant, as a point in a circle."""
    for center, tested in ((other, one), (one, other)):
        ra, dec = (constant(number) for number in center)
        if ra is not None and dec is not None:
            if not 0 <= radius <= 180:
                raise BadRegion(f"Radius {radius:g} is outside 0..180 degrees", node)
            return InShape(*tested, Shape(ShapeKind.CIRCLE, (ra, dec, radius)))
    return None


def _lies_in(first: Region, second: Region) -> Expression:
    """Whether a region lies in another; in a point, only where it is one."""
    second = _as_circle(second)
    name = f"{first.name}_in_{second.name}".casefold()
    test = Call(name, (first.array(), second.array()), Type.BOOLEAN)
    shape = second.shape()
    radius = constant(first.numbers[2]) if first.name == "CIRCLE" else None
    if radius is not None and shape is not None and first.shape() is None:
        return every("and", (InShape(*first.point(), shape), test))  # which chooses chunks
    return test


def _meets(first: Region, second: Region) -> Expression:
    """Whether two regions have a point in common."""
    first, second = sorted((first, second), key=lambda one: _ORDER.index(one.name))
    name = f"{first.name}_meets_{second.name}".casefold()
    test = Call(name, (first.array(), second.array()), Type.BOOLEAN)
    for circle, other in ((first, second), (second, first)):
        shape = other.shape()
        radius = constant(circle.numbers[2]) if circle.name == "CIRCLE" else None
        if shape is not None and radius is not None and circle.shape() is None:
            around = grow(shape, radius * 3600)
            return every("and", (InShape(*circle.point(), around), test))
    return test


def _as_circle(of: Region) -> Region:
    """A point as a circle without extent; any other region as it is."""
    if of.name != "POINT":
        return of
    value = Call("circle", (*of.point(), Literal(0.0, Type.DOUBLE)), Type.CIRCLE)
    return region_of(value, of.node)


# ------------------------------------------------------------------ distances


def distance(node: Node, env: Env) -> Expression:
    """DISTANCE(point, point) or DISTANCE(ra1, dec1, ra2, dec2), degrees."""
    return Call("separation", _distance_numbers(node, env), Type.DOUBLE)


def _distance_numbers(node: Node, env: Env) -> tuple[Expression, ...]:
    numbers = coordinates(node.expressions, env)
    if len(numbers) != 4:
        raise TypeMismatch("DISTANCE takes two POINTs or four numbers", node)
    for dec in (constant(numbers[1]), constant(numbers[3])):
        if dec is not None and not -90 <= dec <= 90:
            raise BadRegion(f"Declination {dec:g} is outside [-90, 90]", node)
    return numbers


def compare_distance(
    operator: str, value: Expression, limit: Expression, node: Node
) -> Expression | None:
    """`DISTANCE(...) operator limit`, bound, as a test of nearness; None where it is none.

    A limit that is constant and outside [0, 180] is left to a plain comparison.
    """
    if operator not in ("<", "<=", ">", ">=") or not limit.type.is_numeric:
        return None
    if not isinstance(value, Call) or value.name != "separation":
        return None
    ra1, dec1, ra2, dec2 = value.arguments
    radius = cast(limit, Type.DOUBLE, node)
    known = constant(radius)
    if isinstance(radius, Literal) and (known is None or not 0 <= known <= 180):
        return None
    strict = operator in ("<", ">=")
    test: Expression = Within(ra1, dec1, ra2, dec2, radius, strict)
    if known is not None:
        near = _near_constant((ra1, dec1), (ra2, dec2), known, node)
        if near is not None and not strict:
            test = near
        elif near is not None and operator == "<":
            test = every("and", (near, test))  # the circle chooses chunks, the test its edge
    return test if operator in ("<", "<=") else negate(test)
