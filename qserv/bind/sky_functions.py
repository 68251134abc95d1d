"""The IVOA's and sciSQL's functions that need more than a look-up of a procedure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from random import Random

from qserv.bind import functions
from qserv.bind.coercion import cast, describe, is_null
from qserv.bind.errors import Node, TypeMismatch, Unsupported, place
from qserv.bind.frames import FRAMES, rotation
from qserv.bind.operators import arithmetic, truth_as_number
from qserv.bind.scisql import AREAS, polygon_to_bytes
from qserv.bind.scope import Env
from qserv.bound import Call, Case, Expression, Literal
from schema.types import Type

Binder = Callable[[Sequence[Expression], Node, Env], Expression]


def sky_function(
    name: str, arguments: Sequence[Expression], node: Node, env: Env
) -> Expression | None:
    """The call of one of these functions by the name that users give it; None for any other."""
    binder = _BINDERS.get(functions.folded(name))
    return None if binder is None else binder(arguments, node, env)


def _expect(name: str, arguments: Sequence[Expression], count: int, node: Node) -> None:
    functions.expect(name, arguments, (count,), node)


def _text(name: str, argument: Expression, node: Node) -> Expression:
    if argument.type is not Type.TEXT:
        raise TypeMismatch(f"{name} needs texts, found {describe(argument)}", node)
    return argument


# ------------------------------------------------------------------ the IVOA's catalogue


def _healpix_index(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    """Of an order and either two coordinates or a point."""
    if len(arguments) == 2 and arguments[1].type is Type.POINT:
        arguments = [arguments[0], *_coordinates(arguments[1])]
    return functions.procedure("ivo_healpix_index", arguments, node)


def _coordinates(point: Expression) -> tuple[Expression, Expression]:
    """A point's longitude and latitude."""
    if isinstance(point, Call) and point.name == "point":
        ra, dec = point.arguments
        return ra, dec
    ra, dec = (
        Call("coordinate", (point, Literal(place, Type.INT)), Type.DOUBLE) for place in (1, 2)
    )
    return ra, dec


_NEEDED = {0: "ra", 1: "dec", 6: "ref_epoch", 7: "out_epoch"}


def _epoch_prop_pos(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    """NULL motions are 0 and a NULL parallax is infinitely far; any other NULL is an error."""
    _expect("ivo_epoch_prop_pos", arguments, 8, node)
    for where, name in _NEEDED.items():
        if is_null(arguments[where]):
            raise TypeMismatch(f"ivo_epoch_prop_pos needs {name}, found NULL", node)
    zero = Literal(0.0, Type.DOUBLE)
    known = [
        item if where in _NEEDED else _or_zero(cast(item, Type.DOUBLE, node), zero)
        for where, item in enumerate(arguments)
    ]
    return functions.procedure("ivo_epoch_prop_pos", known, node)


def _or_zero(value: Expression, zero: Literal) -> Expression:
    if isinstance(value, Literal):
        return zero if value.value is None else value
    return Call("coalesce", (value, zero), Type.DOUBLE)


def _geom_transform(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    """A geometry turned from one frame to another, both literals."""
    if len(arguments) == 4 and all(item.type is Type.DOUBLE for item in arguments[2:]):
        point = Call("point", tuple(arguments[2:]), Type.POINT)
        arguments = [*arguments[:2], point]
    _expect("ivo_geom_transform", arguments, 3, node)
    *names, geometry = arguments
    if not geometry.type.is_geometry:
        raise TypeMismatch(
            f"ivo_geom_transform needs a POINT, CIRCLE or POLYGON, found {describe(geometry)}", node
        )
    source, target = (_frame(name, node) for name in names)
    numbers = (Literal(number, Type.DOUBLE) for number in rotation(source, target))
    return Call("rotated", (geometry, *numbers), geometry.type)


def _frame(name: Expression, node: Node) -> str:
    """A frame's identifier; they are case-sensitive."""
    value = name.value if isinstance(name, Literal) else None
    if value not in FRAMES:
        raise TypeMismatch(
            f"ivo_geom_transform knows the frames {', '.join(FRAMES)}, found {describe(name)}", node
        )
    assert isinstance(value, str)
    return value


def _nocasematch(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    _expect("ivo_nocasematch", arguments, 2, node)
    texts = tuple(_text("ivo_nocasematch", item, node) for item in arguments)
    return truth_as_number(Call("ilike", texts, Type.BOOLEAN))


def _normal_random(arguments: Sequence[Expression], node: Node, env: Env) -> Expression:
    """mu + sigma * z, where z is a constant of the statement and the place of this call in it."""
    _expect("ivo_normal_random", arguments, 2, node)
    mu, sigma = (cast(item, Type.DOUBLE, node) for item in arguments)
    seed = (env.statement.moment.random, *place(node))
    deviate = Literal(Random(repr(seed)).gauss(0.0, 1.0), Type.DOUBLE)  # noqa: S311 # no secret
    return arithmetic("+", mu, arithmetic("*", sigma, deviate, node), node)


def _interval_has(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    """Of a value and either two bounds or an array of two numbers."""
    if len(arguments) == 2 and arguments[1].type in (Type.DOUBLES, Type.INTERVAL):
        bounds = _coordinates(arguments[1])
        arguments = [arguments[0], *bounds]
    _expect("ivo_interval_has", arguments, 3, node)
    typed = tuple(cast(item, Type.DOUBLE, node) for item in arguments)
    return Call("interval_has", typed, Type.INT)


def _simbadpoint(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    _expect("ivo_simbadpoint", arguments, 1, node)
    raise Unsupported(
        f"ivo_simbadpoint of {describe(arguments[0])} needs the network: Simbad is not asked from here",
        node,
        hint="give the position as POINT(ra, dec)",
    )


# ------------------------------------------------------------------ sciSQL's


def _separation(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    return functions.procedure("separation", arguments, node)


def _to_bytes(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    return Literal(polygon_to_bytes(arguments, node), Type.BINARY)


def _is_nan(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    """A NaN is NULL everywhere; so 0, and NULL of NULL."""
    _expect("isNan", arguments, 1, node)
    known = Call("is not null", (cast(arguments[0], Type.DOUBLE, node),), Type.BOOLEAN)
    return Case(((known, Literal(0, Type.INT)),), None, Type.INT)


def _is_infinite(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    _expect("isInf", arguments, 1, node)
    size = functions.procedure("abs", arguments, node)
    return truth_as_number(Call("=", (size, Literal(math.inf, Type.DOUBLE)), Type.BOOLEAN))


_BINDERS: Mapping[str, Binder] = {
    "ivohealpixindex": _healpix_index,
    "ivoepochproppos": _epoch_prop_pos,
    "ivogeomtransform": _geom_transform,
    "ivonocasematch": _nocasematch,
    "ivonormalrandom": _normal_random,
    "ivointervalhas": _interval_has,
    "ivosimbadpoint": _simbadpoint,
    "angsep": _separation,
    "s2cpolytobin": _to_bytes,
    "isnan": _is_nan,
    "isinf": _is_infinite,
    **AREAS,
}
"""By the folded name."""
