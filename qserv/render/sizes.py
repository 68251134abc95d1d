"""How large an expression of DOUBLEs can be: where arithmetic cannot leave the range of doubles."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from qserv.bound import Aggregate, Call, Case, Cast, Column, Expression, Literal
from schema.types import Type

ARITHMETIC = frozenset({"+", "-", "*", "/", "neg"})


@dataclass(frozen=True, slots=True)
class Size:
    """The largest absolute value, and the smallest one that is not 0."""

    most: float
    least: float


ANY = Size(sys.float_info.max, 0.0)
_REAL = Size(3.5e38, 1.4e-45)
_WHOLE = Size(9.3e18, 1.0)
_BOUNDED = {
    **dict.fromkeys(("sin", "cos", "sign"), 1.0),
    **dict.fromkeys(("asin", "acos", "atan", "atan2"), 4.0),
    **dict.fromkeys(("ln", "log10"), 750.0),
    **dict.fromkeys(("separation", "ivo_hms_to_degrees", "ivo_dms_to_degrees"), 360.0),
    **dict.fromkeys(("nanojansky_to_abmag", "flux_to_abmag", "dn_to_abmag"), 1e4),
    **dict.fromkeys(("ivo_to_jd", "ivo_to_mjd"), 1e9),
    "sqrt": 1.4e154,
    # What is beyond this has overflowed inside, before any division.
    **dict.fromkeys(("pooled_squares", "pooled_products"), 1e290),
}
"""The largest results of functions."""
FINITE_ONLY = frozenset({"sqrt", "ln", "log10", "sin", "cos", "tan"})
"""Functions that are NULL of what is not finite."""
_AS_ARGUMENTS = {"neg", "abs", "coalesce", "nullif", "greatest", "least"}


def is_within_range(node: Call) -> bool:
    """Whether no step of an arithmetic tree can overflow."""
    return size(node).most <= sys.float_info.max


def size(node: Expression) -> Size:
    """The bounds of an expression's finite values; `most` is infinite where a step may overflow."""
    match node:
        case Literal(value=bool() | str() | bytes() | None):
            return Size(0.0, math.inf)
        case Literal(value=int() | float() as value):
            return Size(abs(value), abs(value) or math.inf)
        case Cast(argument=argument) if argument.type.is_numeric:
            return size(argument)
        case Column() | Aggregate(name="min" | "max" | "count"):
            return _of_type(node.type)
        case Case(branches=branches, otherwise=otherwise):
            values = [value for _, value in branches]
            return _widest(values if otherwise is None else [*values, otherwise])
        case Call(name="+" | "-" | "*" | "/" as operator, arguments=(left, right)):
            return _arithmetic(operator, size(left), size(right))
        case Call(name=name) if name in _BOUNDED:
            return Size(_BOUNDED[name], 0.0)
        case Call(name=name, arguments=arguments) if name in _AS_ARGUMENTS:
            return _widest(arguments)
        case _:
            return _of_type(node.type)


def _of_type(kind: Type) -> Size:
    if kind.is_integer:
        return _WHOLE
    return _REAL if kind is Type.FLOAT else ANY


def _widest(values: Iterable[Expression]) -> Size:
    sizes = [size(value) for value in values]
    return Size(max(one.most for one in sizes), min(one.least for one in sizes))


def _arithmetic(operator: str, left: Size, right: Size) -> Size:
    match operator:
        case "*":
            # An infinite `least` is that of 0 alone.
            return Size(left.most * right.most, left.least * right.least)
        case "/":
            most = left.most / right.least if right.least > 0 else math.inf
            return Size(most, left.least / right.most if right.most > 0 else math.inf)
        case _:
            # The difference of two doubles is a multiple of the smaller one's last digit.
            least = min(left.least, right.least) * sys.float_info.epsilon
            return Size(left.most + right.most, least)
