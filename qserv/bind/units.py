"""Units: of expressions as far as they follow from the columns', and factors between them.

astropy is imported only where a conversion is asked for.
"""

from __future__ import annotations

from functools import lru_cache

from qserv.bind.errors import Node, TypeMismatch
from qserv.bind.scope import Env
from qserv.bound import Aggregate, Call, Case, Cast, Column, Expression, Literal
from schema.types import Type

_SAME = frozenset({"neg", "ceiling", "floor", "abs", "coalesce", "+", "-"})
"""Functions whose result has the unit that all their arguments but constants have."""
_KNOWN = {
    **dict.fromkeys(("separation", "degrees", "coordinate"), "deg"),
    **dict.fromkeys(("circle_area", "box_area", "polygon_area"), "deg2"),
    **dict.fromkeys(("point", "circle", "polygon", "box_corners", "polygon_centroid"), "deg"),
    **dict.fromkeys(("radians", "asin", "acos", "atan", "atan2"), "rad"),
    "time_between": "s",
}
"""Functions whose result's unit is fixed."""
_AGGREGATES = frozenset({"min", "max", "sum", "avg", "stddev_samp", "stddev_pop"})


def unit_of(expression: Expression, env: Env) -> str | None:
    """The unit of an expression's values; None where it does not follow.

    That of a product with a constant does not: it may be a conversion.
    """
    match expression:
        case Column():
            column = env.scope.metadata(expression)
            return None if column is None else column.unit
        case Cast(argument=argument):
            return unit_of(argument, env)
        case Aggregate(name=name, argument=argument) if name in _AGGREGATES and argument:
            return unit_of(argument, env)
        case Call(name=name) if name in _KNOWN:
            return _KNOWN[name]
        case Call(name="round" | "truncate" | "nullif", arguments=(value, _)):
            return unit_of(value, env)
        case Call(name=name, arguments=arguments) if name in _SAME:
            return _common(arguments, env)
        case Case(branches=branches, otherwise=otherwise):
            values = [then for _, then in branches]
            return _common([*values, otherwise] if otherwise else values, env)
        case _:
            return None


def is_duration(expression: Expression, env: Env) -> bool:
    """Whether it is a span of time: seconds."""
    return expression.type is Type.DOUBLE and unit_of(expression, env) == "s"


def _common(expressions: list[Expression] | tuple[Expression, ...], env: Env) -> str | None:
    """The one unit of all of them that are no constants."""
    found = {unit_of(e, env) for e in expressions if not isinstance(e, Literal)}
    return found.pop() if len(found) == 1 else None


def factor(unit: str, target: str, node: Node) -> float:
    """What a value in `unit` is multiplied by to be in `target`, both VOUnits."""
    try:
        return _factor(unit, target)
    except ValueError as problem:
        message = f"Cannot convert from unit {unit!r} to {target!r}"
        raise TypeMismatch(message, node, hint=str(problem).strip()) from problem


@lru_cache(maxsize=1024)
def _factor(unit: str, target: str) -> float:
    """The factor; ValueError where a unit is unknown or the two measure different things."""
    from astropy.units import Unit

    return float(Unit(unit, format="vounit").to(Unit(target, format="vounit")))
