"""What a constant expression comes to. Pure.

For planning only: the query's own text is not changed, so what is not sure here is left to the
engines. `bind` folds arithmetic already; this also knows conditions, CASE and COALESCE.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence

from qserv.bound import Call, Case, Cast, Expression, InList, Literal
from schema.types import Type

_COMPARISONS: Mapping[str, Callable[..., bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
_BITS = {Type.SHORT: 16, Type.INT: 32, Type.LONG: 64}


def constant_of(expression: Expression) -> Literal | None:
    """The literal that an expression is equal to whatever the row; None where that is not known."""
    match expression:
        case Literal():
            return expression
        case Cast():
            return _cast(constant_of(expression.argument), expression.type)
        case Call():
            return _call(expression)
        case InList():
            return _in_list(expression)
        case Case():
            return _case(expression)
        case _:
            return None


def _call(call: Call) -> Literal | None:
    match call.name:
        case "and" | "or":
            return _connected(call)
        case "not":
            (one,) = call.arguments
            found = constant_of(one)
            return found and _truth(None if found.value is None else not found.value)
        case "is null" | "is not null":
            (one,) = call.arguments
            found = constant_of(one)
            return found and _truth((found.value is None) == (call.name == "is null"))
        case "coalesce":
            return _coalesced(call)
        case _:
            return _of_values(call) if _is_simple(call.name) else None


def _is_simple(name: str) -> bool:
    return name in _COMPARISONS or name in _ARITHMETIC or name == "neg"


def _of_values(call: Call) -> Literal | None:
    """A comparison or arithmetic over constants; NULL of NULL."""
    found = [constant_of(argument) for argument in call.arguments]
    values = [one.value for one in found if one is not None]
    if len(values) < len(call.arguments):
        return None
    if None in values:
        return Literal(None, call.type)
    if call.name in _COMPARISONS:
        return _truth(_COMPARISONS[call.name](*values)) if _are_alike(values) else None
    if not all(type(value) in (int, float) for value in values):
        return None
    numbers: list[float] = values  # type: ignore[assignment] # as checked
    result = -numbers[0] if call.name == "neg" else _ARITHMETIC[call.name](*numbers)
    return _fitting(result, call.type)


def _are_alike(values: Sequence[object]) -> bool:
    """Whether Python compares the values as the engines do."""
    first, second = (type(value) for value in values)
    return first is second or {first, second} == {int, float}


def _fitting(number: float, kind: Type) -> Literal | None:
    """The number as a literal of a type; None where it overflows."""
    if kind in _BITS:
        bits = _BITS[kind]
        is_fit = type(number) is int and -(2 ** (bits - 1)) <= number < 2 ** (bits - 1)
        return Literal(number, kind) if is_fit else None
    if kind is not Type.DOUBLE or not math.isfinite(number):
        return None
    return Literal(float(number), kind)


def _cast(found: Literal | None, kind: Type) -> Literal | None:
    """A constant as another type, where that neither rounds nor parses."""
    if found is None:
        return None
    if found.value is None:
        return Literal(None, kind)
    if found.type is kind:
        return found
    if type(found.value) in (int, float) and kind.is_numeric:
        return _fitting(found.value, kind)  # type: ignore[arg-type] # a number
    return None


def _connected(call: Call) -> Literal | None:
    """AND and OR of three values; one that decides is enough."""
    decisive = call.name == "or"
    found = [constant_of(argument) for argument in call.arguments]
    if any(one is not None and one.value is decisive for one in found):
        return _truth(decisive)
    if any(one is None for one in found):
        return None
    is_unknown = any(one is not None and one.value is None for one in found)
    return _truth(None if is_unknown else not decisive)


def _coalesced(call: Call) -> Literal | None:
    for argument in call.arguments:
        found = constant_of(argument)
        if found is None or found.value is not None:
            return found
    return Literal(None, call.type)


def _in_list(expression: InList) -> Literal | None:
    """`constant IN (constants)`."""
    if constant_of(expression.argument) is None:
        return None
    tests = tuple(Call("=", (expression.argument, item), Type.BOOLEAN) for item in expression.items)
    found = constant_of(Call("or", tests, Type.BOOLEAN))
    if found is None or found.value is None:
        return found
    return _truth(bool(found.value) is not expression.negated)


def _case(expression: Case) -> Literal | None:
    """The first branch that is true, where all before it are known not to be."""
    for condition, value in expression.branches:
        found = constant_of(condition)
        if found is None:
            return None
        if found.value is True:
            return constant_of(value)
    if expression.otherwise is None:
        return Literal(None, expression.type)
    return constant_of(expression.otherwise)


def _truth(value: bool | None) -> Literal:
    return Literal(value, Type.BOOLEAN)
