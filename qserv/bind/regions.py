"""Geometries as values: the expressions that POINT, CIRCLE, BOX, POLYGON and REGION are bound to.

A geometry is an array of numbers, whose constructor is a Call: `point`, `circle`, `polygon` over an
`array`, `box_corners`. `Region` looks at such an expression: a BOX is one as long as it is not read
from a column; there it is the polygon of its corners. Positions are ICRS degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from qserv.bind.coercion import cast, describe
from qserv.bind.errors import BadRegion, Node, TypeMismatch
from qserv.bind.operators import every
from qserv.bind.scope import Env
from qserv.bind.stcs import fault_of_frame, read_region
from qserv.bound import Call, Case, Expression, Literal
from schema.region import Shape, ShapeKind, check_shape
from schema.types import Type

CONSTRUCTORS = {"POINT": 2, "CIRCLE": 3, "BOX": 4, "POLYGON": None}
"""How many numbers each has; None: three vertices or more."""
_RESULTS = {"point": "POINT", "circle": "CIRCLE", "box_corners": "BOX", "polygon": "POLYGON"}
"""The geometry that each constructor's call is."""

Point = tuple[Expression, Expression]
"""Right ascension and declination."""


@dataclass(frozen=True, slots=True)
class Region:
    """A geometry: its name, its numbers as far as it has a known count of them, and its array."""

    name: str
    numbers: tuple[Expression, ...]
    value: Expression
    node: Node

    def point(self) -> Point:
        """A point, or the centre of a circle or a box."""
        return self.numbers[0], self.numbers[1]

    def shape(self) -> Shape | None:
        """The region where all numbers are constant; None for a point."""
        numbers = tuple(constant(number) for number in self.numbers)
        if self.name == "POINT" or not numbers or any(number is None for number in numbers):
            return None
        return Shape(ShapeKind(self.name.casefold()), tuple(n for n in numbers if n is not None))

    def array(self) -> Expression:
        """The numbers as the functions of regions take them."""
        if self.name != "BOX":
            return self.value
        numbers = Call("array", self.numbers, Type.DOUBLES)
        return Call("polygon", (numbers,), Type.DOUBLES)  # NULL where one is


def constant(expression: Expression) -> float | None:
    """The number that a DOUBLE expression is, where it is constant."""
    value = expression.value if isinstance(expression, Literal) else None
    return value if isinstance(value, float) else None


# ------------------------------------------------------------------ constructors


def construct(node: Node, env: Env) -> Expression:
    """POINT, CIRCLE, BOX or POLYGON, checked as far as its numbers are constant."""
    name = str(node.name).upper()
    numbers = _numbers(node, env)
    wanted = CONSTRUCTORS[name]
    if wanted is None and (len(numbers) < 6 or len(numbers) % 2):
        raise BadRegion("POLYGON needs at least three vertices of two coordinates", node)
    if wanted is not None and len(numbers) != wanted:
        raise TypeMismatch(f"{name} takes {wanted} numbers, found {len(numbers)}", node)
    return _built(name, numbers, node)


def _built(name: str, numbers: tuple[Expression, ...], node: Node) -> Expression:
    _check(name, numbers, node)
    match name:
        case "POINT":
            return Call("point", numbers, Type.POINT)
        case "CIRCLE":
            return Call("circle", numbers, Type.CIRCLE)
        case "BOX":
            return Call("box_corners", numbers, Type.POLYGON)
        case _:
            return Call("polygon", (Call("array", numbers, Type.DOUBLES),), Type.POLYGON)


def _check(name: str, numbers: tuple[Expression, ...], node: Node) -> None:
    """BadRegion for constants out of range: the whole where all are, else what can be told."""
    centers = numbers[1::2] if name == "POLYGON" else numbers[1:2]
    for dec in (constant(number) for number in centers):
        if dec is not None and not -90 <= dec <= 90:
            raise BadRegion(f"Declination {dec:g} is outside [-90, 90]", node)
    radius = constant(numbers[2]) if name == "CIRCLE" else None
    if radius is not None and radius < 0:
        raise BadRegion(f"Radius {radius:g} is negative", node)
    constants = [constant(number) for number in numbers]
    if name == "POINT" or any(number is None for number in constants):
        return
    known = tuple(number for number in constants if number is not None)
    try:
        check_shape(Shape(ShapeKind(name.casefold()), known))
    except ValueError as problem:
        raise BadRegion(f"Bad {name}", node, hint=str(problem)) from problem


def from_text(node: Node, env: Env) -> Expression:
    """REGION('text')."""
    text = env.bind(node.expressions[0]) if len(node.expressions) == 1 else None
    if not (isinstance(text, Literal) and isinstance(text.value, str)):
        raise TypeMismatch("REGION takes a text in single quotes", node)
    return text_constant(text.value, node)


def text_constant(text: str, node: Node) -> Expression:
    """The geometry that a text of STC-S or DALI spells."""
    try:
        name, numbers = read_region(text)
    except ValueError as problem:
        raise BadRegion(f"Bad region {text!r}", node, hint=str(problem)) from problem
    return _built(name, tuple(Literal(number, Type.DOUBLE) for number in numbers), node)


def cast_geometry(value: Expression, kind: Type, node: Node) -> Expression:
    """CAST to POINT, CIRCLE or POLYGON: of a text, DALI's numbers with blanks between."""
    if isinstance(value, Literal) and value.value is None:
        return Literal(None, kind)
    name = str(kind).upper()
    if isinstance(value, Literal) and isinstance(value.value, str):
        first = value.value.split(maxsplit=1)[:1]
        spelled = value.value if first and first[0].isalpha() else f"{name} {value.value}"
        value = text_constant(spelled, node)
    if value.type is kind:
        return value
    if value.type is not Type.TEXT:
        raise TypeMismatch(f"{describe(value)} cannot be CAST to {kind}", node)
    numbers = Call("text_to_doubles", (value,), kind)
    return _of_right_count(numbers, CONSTRUCTORS[name] or 6)


def _of_right_count(numbers: Expression, count: int) -> Expression:
    """The array, NULL where it has too few numbers, or of a point or a circle too many."""
    conditions = [Call("is not null", (coordinate(numbers, count),), Type.BOOLEAN)]
    if numbers.type is not Type.POLYGON:
        conditions.append(Call("is null", (coordinate(numbers, count + 1),), Type.BOOLEAN))
    return Case(((every("and", conditions), numbers),), None, numbers.type)


def _numbers(node: Node, env: Env) -> tuple[Expression, ...]:
    """A constructor's numbers; a coordinate system in front, which must be ICRS, is left out."""
    nodes = node.expressions
    if nodes and isinstance(nodes[0], exp.Literal) and nodes[0].is_string:
        fault = fault_of_frame(nodes[0].this)
        if fault is not None:
            raise BadRegion(f"Bad coordinate system {nodes[0].this!r}", nodes[0], hint=fault)
        nodes = nodes[1:]
    return coordinates(nodes, env)


def coordinates(nodes: Sequence[Node], env: Env) -> tuple[Expression, ...]:
    """Numbers and points as numbers, DOUBLE."""
    found: list[Expression] = []
    for node in nodes:
        bound = env.bind(node)
        if bound.type is Type.POINT:
            found.extend(region_of(bound, node).numbers)
            continue
        if not bound.type.is_numeric or (isinstance(bound, Literal) and bound.value is None):
            raise TypeMismatch(f"A coordinate is a number, found {describe(bound)}", node)
        found.append(cast(bound, Type.DOUBLE, node))
    return tuple(found)


# ------------------------------------------------------------------ looking at a geometry


def region(node: Node, env: Env) -> Region:
    """The geometry that a node is bound to."""
    return region_of(env.bind(node), node)


def region_of(value: Expression, node: Node) -> Region:
    """What a geometry is made of."""
    if not value.type.is_geometry:
        raise TypeMismatch("Expected a POINT, CIRCLE, BOX or POLYGON", node)
    if isinstance(value, Call) and value.name in _RESULTS:
        numbers, name = value.arguments, _RESULTS[value.name]
        if name == "POLYGON" and isinstance(numbers[0], Call) and numbers[0].name == "array":
            return Region(name, numbers[0].arguments, value, node)
        if name != "POLYGON":
            return Region(name, numbers, value, node)
    name = str(value.type).upper()
    count = CONSTRUCTORS[name] or 0
    return Region(name, tuple(coordinate(value, n + 1) for n in range(count)), value, node)


def coordinate(value: Expression, place: int) -> Expression:
    """The n-th number (from 1) of a geometry's array."""
    return Call("coordinate", (value, Literal(place, Type.INT)), Type.DOUBLE)
