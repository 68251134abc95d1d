"""Geometry: regions of ADQL as constant shapes, distances, or refusals.

Positions are ICRS degrees; the deprecated coordinate system as first argument is accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from qserv.bind.coercion import cast, describe
from qserv.bind.errors import BadRegion, Node, TypeMismatch, Unsupported
from qserv.bind.operators import every, negate
from qserv.bind.scope import Env
from qserv.bound import Call, Expression, InShape, Literal, Within
from schema.region import Shape, ShapeKind, check_shape
from schema.types import Type

REGIONS = frozenset({"POINT", "CIRCLE", "BOX", "POLYGON"})
PREDICATES = frozenset({"CONTAINS", "INTERSECTS"})
REFUSED = frozenset({"REGION", "CENTROID", "AREA", "COORDSYS"})


def function_name(node: Node) -> str | None:
    """The upper-case name of a function that the front left as it was written; None else."""
    return node.name.upper() if isinstance(node, exp.Anonymous) else None


Point = tuple[Expression, Expression]
"""Right ascension and declination."""


@dataclass(frozen=True, slots=True)
class Region:
    """A POINT, CIRCLE, BOX or POLYGON: its numbers, each a DOUBLE expression."""

    name: str
    numbers: tuple[Expression, ...]
    node: Node

    def point(self, first: int = 0) -> Point:
        """Two of the numbers, as a position."""
        return self.numbers[first], self.numbers[first + 1]

    def constants(self) -> tuple[float, ...] | None:
        """The numbers where all are constant."""
        found = []
        for number in self.numbers:
            if not (isinstance(number, Literal) and isinstance(number.value, float)):
                return None
            found.append(number.value)
        return tuple(found)


def coordinate(node: Node, env: Env) -> Expression:
    """COORD1(point) or COORD2(point)."""
    (argument,) = node.expressions if len(node.expressions) == 1 else (None,)
    if argument is None or function_name(argument) != "POINT":
        raise TypeMismatch(f"{node.name} needs a POINT", node)
    return region(argument, env).numbers[0 if node.name.upper() == "COORD1" else 1]


def region(node: Node, env: Env) -> Region:
    """The region that a node spells."""
    name = function_name(node)
    if name not in REGIONS:
        raise TypeMismatch("Expected a POINT, CIRCLE, BOX or POLYGON", node)
    assert name is not None
    numbers = coordinates(node.expressions, env)
    wanted = {"POINT": (2,), "CIRCLE": (3,), "BOX": (4,)}.get(name)
    if wanted is None:
        if len(numbers) < 6 or len(numbers) % 2:
            raise BadRegion("POLYGON needs at least three vertices of two coordinates", node)
    elif len(numbers) not in wanted:
        raise TypeMismatch(f"{name} takes {wanted[0]} numbers, found {len(numbers)}", node)
    return Region(name, numbers, node)


def coordinates(nodes: Sequence[Node], env: Env) -> tuple[Expression, ...]:
    """Numbers and POINTs as numbers, DOUBLE; a coordinate system in front is left out."""
    if nodes and isinstance(nodes[0], exp.Literal) and nodes[0].is_string:
        nodes = nodes[1:]
    found: list[Expression] = []
    for node in nodes:
        if function_name(node) == "POINT":
            found.extend(point(node, env).numbers)
            continue
        bound = env.bind(node)
        if not bound.type.is_numeric or (isinstance(bound, Literal) and bound.value is None):
            raise TypeMismatch(f"A coordinate is a number, found {describe(bound)}", node)
        found.append(cast(bound, Type.DOUBLE, node))
    return tuple(found)


def point(node: Node, env: Env) -> Region:
    """The POINT that a node spells, its declination in range where it is constant."""
    found = region(node, env)
    _check_declination(found.numbers[1], node)
    return found


def _check_declination(dec: Expression, node: Node) -> None:
    """BadRegion where a constant declination is beyond a pole."""
    if isinstance(dec, Literal) and isinstance(dec.value, float) and not -90 <= dec.value <= 90:
        raise BadRegion(f"Declination {dec.value:g} is outside [-90, 90]", node)


# ------------------------------------------------------------------ points in regions


def predicate(node: Node, env: Env) -> Expression:
    """CONTAINS or INTERSECTS as a condition: whether a point lies in a region."""
    name = function_name(node)
    if len(node.expressions) != 2:
        raise TypeMismatch(f"{name} takes 2 arguments, found {len(node.expressions)}", node)
    first, second = (
        point(item, env) if function_name(item) == "POINT" else region(item, env)
        for item in node.expressions
    )
    if name == "INTERSECTS" and second.name == "POINT":
        first, second = second, first
    if first.name != "POINT" or second.name == "POINT":
        raise Unsupported(
            f"{name} of {first.name} and {second.name} is not supported",
            node,
            hint="one must be a POINT, the other a CIRCLE, BOX or POLYGON",
        )
    if second.name == "CIRCLE":
        return _in_circle(first, second)
    numbers = second.constants()
    if numbers is None:
        raise Unsupported(f"{second.name} needs constant coordinates", second.node)
    return InShape(*first.point(), _shape(second.name, numbers, second.node))


def _in_circle(tested: Region, circle: Region) -> Expression:
    """A point in a circle: a constant shape where centre or point is constant, else a distance."""
    tested_point, center, radius = tested.point(), circle.point(), circle.numbers[2]
    _check_declination(center[1], circle.node)
    constant = _constant(radius)
    if constant is None:
        return Within(*tested_point, *center, radius, False)
    if constant < 0:
        raise BadRegion(f"Radius {constant:g} is negative", circle.node)
    near = _near_constant(tested_point, center, constant, circle.node)
    return near or Within(*tested_point, *center, radius, False)


def _near_constant(one: Point, other: Point, radius: float, node: Node) -> InShape | None:
    """Points at most `radius` apart of which one is constant, as a point in a circle."""
    for center, tested in ((other, one), (one, other)):
        ra, dec = (_constant(number) for number in center)
        if ra is not None and dec is not None:
            return InShape(*tested, _shape("CIRCLE", (ra, dec, radius), node))
    return None


def _constant(expression: Expression) -> float | None:
    """The number that a DOUBLE expression is, where it is constant."""
    value = expression.value if isinstance(expression, Literal) else None
    return value if isinstance(value, float) else None


def _shape(name: str, numbers: tuple[float, ...], node: Node) -> Shape:
    """A constant shape in range."""
    shape = Shape(ShapeKind(name.casefold()), numbers)
    try:
        check_shape(shape)
    except ValueError as problem:
        raise BadRegion(f"Bad {name}", node, hint=str(problem)) from problem
    return shape


# ------------------------------------------------------------------ distances


def distance(node: Node, env: Env) -> Expression:
    """DISTANCE(point, point) or DISTANCE(ra1, dec1, ra2, dec2), degrees."""
    return Call("separation", _distance_numbers(node, env), Type.DOUBLE)


def _distance_numbers(node: Node, env: Env) -> tuple[Expression, ...]:
    numbers = coordinates(node.expressions, env)
    if len(numbers) != 4:
        raise TypeMismatch("DISTANCE takes two POINTs or four numbers", node)
    _check_declination(numbers[1], node)
    _check_declination(numbers[3], node)
    return numbers


def compare_distance(operator: str, node: Node, limit: Expression, env: Env) -> Expression | None:
    """`DISTANCE(...) operator limit` as a test of nearness; None where it is none.

    A limit that is constant and outside [0, 180] is left to a plain comparison.
    """
    if operator not in ("<", "<=", ">", ">="):
        return None
    ra1, dec1, ra2, dec2 = _distance_numbers(node, env)
    radius = cast(limit, Type.DOUBLE, node)
    constant = _constant(radius)
    if isinstance(radius, Literal) and (constant is None or not 0 <= constant <= 180):
        return None
    strict = operator in ("<", ">=")
    test: Expression = Within(ra1, dec1, ra2, dec2, radius, strict)
    if constant is not None:
        near = _near_constant((ra1, dec1), (ra2, dec2), constant, node)
        if near is not None and not strict:
            test = near
        elif near is not None and operator == "<":
            return every("and", (near, test))  # the circle chooses chunks, the test its edge
    return test if operator in ("<", "<=") else negate(test)
