"""SQL's functions, those that PostgreSQL's and MySQL's fronts name: each has one meaning.

The fronts say which is meant (`sql substr` counts as PostgreSQL's SUBSTR does, `sql substr_signed` as
MySQL's); names with a blank are no user's, so that ADQL has none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qserv.bind import coercion, operators
from qserv.bind.conditions import unwrapped
from qserv.bind.errors import Node, NotGrouped, TypeMismatch, UnknownFunction, Unsupported
from qserv.bind.intervals import is_interval, read_interval
from qserv.bind.scope import Env
from qserv.bind.text_functions import PREFIX, TEXTS, Bound, as_text, expect, procedure, text, whole
from qserv.bind.units import is_duration
from qserv.bound import Call, Case, Cast, Expression, Literal
from schema.types import Type


def sql_function(node: Node, env: Env) -> Expression:
    """The call of a function whose name begins with PREFIX."""
    name = str(node.name).removeprefix(PREFIX)
    if name == "extract":
        return _extract(node, env)
    if name == "interval":
        raise Unsupported(
            "An INTERVAL stands alone",
            node,
            hint="add it to a time, or compare it with a difference",
        )
    handler = _HANDLERS.get(name)
    if handler is None:
        raise UnknownFunction(name.upper(), node)
    return handler([env.bind(item) for item in node.expressions], node)


# ------------------------------------------------------------------ values


def _extreme(name: str) -> Bound:
    """GREATEST and LEAST of those that are not NULL."""

    def bound(arguments: Sequence[Expression], node: Node) -> Expression:
        if not arguments:
            raise TypeMismatch(f"{name.upper()} takes at least 1 argument", node)
        typed = coercion.unify(arguments, node)
        return Call(name, typed, typed[0].type)

    return bound


def _extreme_strict(name: str) -> Bound:
    """MySQL's: NULL where any of them is."""

    def bound(arguments: Sequence[Expression], node: Node) -> Expression:
        found = _extreme(name)(arguments, node)
        assert isinstance(found, Call)
        known = [Call("is not null", (item,), Type.BOOLEAN) for item in found.arguments]
        return Case(((operators.every("and", known), found),), None, found.type)

    return bound


def _if(arguments: Sequence[Expression], node: Node) -> Expression:
    """IF(condition, value, otherwise)."""
    expect(arguments, (3,), node)
    test, *values = arguments
    one, other = coercion.unify(values, node)
    return Case(((operators.condition(test, "IF", node), one),), other, one.type)


def _ifnull(arguments: Sequence[Expression], node: Node) -> Expression:
    expect(arguments, (2,), node)
    typed = coercion.unify(arguments, node)
    return Call("coalesce", typed, typed[0].type)


def _isnull(arguments: Sequence[Expression], node: Node) -> Expression:
    expect(arguments, (1,), node)
    return operators.truth_as_number(Call("is null", (arguments[0],), Type.BOOLEAN))


def _truth(arguments: Sequence[Expression], node: Node) -> Expression:
    """A value as a condition: a boolean as it is, a number where it is not 0."""
    (value,) = arguments
    if value.type.is_numeric:
        return operators.compare("<>", value, whole(0), node)
    return operators.condition(value, "AND, OR or WHERE", node)


def _number(arguments: Sequence[Expression], _: Node) -> Expression:
    """A boolean as 1 and 0; other values as they are."""
    (value,) = arguments
    if value.type is not Type.BOOLEAN:
        return value
    if isinstance(value, Literal):
        return Literal(None if value.value is None else int(bool(value.value)), Type.INT)
    return operators.truth_as_number(value)


def _as_text(arguments: Sequence[Expression], node: Node) -> Expression:
    return as_text(arguments[0], node)


def _grouping(arguments: Sequence[Expression], node: Node) -> Expression:
    """GROUPING(keys): which of them a row's set does not group by, as bits."""
    if not 1 <= len(arguments) <= 31:
        raise NotGrouped("GROUPING takes 1 to 31 expressions of GROUP BY", node)
    return Call("grouping", tuple(arguments), Type.INT)


# ------------------------------------------------------------------ numbers


def _log(arguments: Sequence[Expression], node: Node) -> Expression:
    """PostgreSQL's LOG: to base 10, or to the first of two arguments."""
    expect(arguments, (1, 2), node)
    if len(arguments) == 1:
        return procedure("log10", arguments, node)
    base, value = (procedure("ln", [item], node) for item in arguments)
    return _quotient(value, base, node)


def _log_natural(arguments: Sequence[Expression], node: Node) -> Expression:
    """MySQL's LOG: natural, or to the first of two arguments."""
    expect(arguments, (1, 2), node)
    return procedure("ln", arguments, node) if len(arguments) == 1 else _log(arguments, node)


def _log2(arguments: Sequence[Expression], node: Node) -> Expression:
    expect(arguments, (1,), node)
    two = Literal(2.0, Type.DOUBLE)
    return _quotient(procedure("ln", arguments, node), procedure("ln", [two], node), node)


def _quotient(one: Expression, other: Expression, node: Node) -> Expression:
    return operators.arithmetic("/", one, other, node)


def _div(arguments: Sequence[Expression], node: Node) -> Expression:
    """A quotient cut to a whole number."""
    expect(arguments, (2,), node)
    found = operators.arithmetic("/", arguments[0], arguments[1], node)
    if found.type.is_integer:
        return found
    return Cast(Call("truncate", (found, whole(0)), Type.DOUBLE), Type.LONG)


def _cbrt(arguments: Sequence[Expression], node: Node) -> Expression:
    """The cube root."""
    expect(arguments, (1,), node)
    size = procedure("abs", arguments, node)
    root = procedure("power", [size, Literal(1 / 3, Type.DOUBLE)], node)
    return operators.arithmetic("*", procedure("sign", arguments, node), root, node)


# ------------------------------------------------------------------ times

_FIELDS = {
    *("year", "quarter", "month", "week", "day", "hour", "minute", "second", "milliseconds"),
    *("microseconds", "dow", "isodow", "doy", "epoch"),
}
_UNITS = {
    *("second", "minute", "hour", "day", "week", "month", "quarter", "year"),
    *("milliseconds", "microseconds"),
}
_SHORT = {"millisecond": "milliseconds", "microsecond": "microseconds"}


def _extract(node: Node, env: Env) -> Expression:
    """EXTRACT(field FROM time); the EPOCH of a difference of times is its seconds."""
    if len(node.expressions) != 2:
        raise TypeMismatch(f"EXTRACT takes 2 arguments, found {len(node.expressions)}", node)
    field = _word(env.bind(node.expressions[0]), _FIELDS, "field", node)
    source = unwrapped(node.expressions[1])
    if is_interval(source):
        if field != "epoch":
            raise Unsupported(f"EXTRACT({field.upper()}) from an INTERVAL", node, hint=_EPOCH)
        return read_interval(source).literal()
    bound = env.bind(source)
    if is_duration(bound, env):
        if field != "epoch":
            raise Unsupported(f"EXTRACT({field.upper()}) from a difference", node, hint=_EPOCH)
        return bound
    return procedure("time_field", [text(field), bound], node)


_EPOCH = "EXTRACT(EPOCH FROM ...) gives its seconds"


def _date(arguments: Sequence[Expression], node: Node) -> Expression:
    """A DATE: midnight."""
    return _date_trunc([text("day"), *arguments], node)


def _days_between(arguments: Sequence[Expression], node: Node) -> Expression:
    """MySQL's DATEDIFF: whole days from the second date to the first."""
    expect(arguments, (2,), node)
    dates = [procedure("time_floor", [text("day"), one], node) for one in arguments]
    seconds = procedure("time_between", dates, node)
    return Cast(_quotient(seconds, Literal(86_400.0, Type.DOUBLE), node), Type.INT)


def _date_trunc(arguments: Sequence[Expression], node: Node) -> Expression:
    """DATE_TRUNC(unit, time)."""
    expect(arguments, (2,), node)
    unit = _word(arguments[0], _UNITS, "unit", node)
    return procedure("time_floor", [text(unit), arguments[1]], node)


def _word(expression: Expression, known: set[str], what: str, node: Node) -> str:
    """A constant name of a field or a unit."""
    value = expression.value if isinstance(expression, Literal) else None
    word = value.strip().lower() if isinstance(value, str) else ""
    word = _SHORT.get(word, word)
    if word not in known:
        raise TypeMismatch(
            f"{value!r} is no {what} of a time", node, hint=f"there are {', '.join(sorted(known))}"
        )
    return word


_HANDLERS: Mapping[str, Bound] = {
    **TEXTS,
    "text": _as_text,
    "greatest": _extreme("greatest"),
    "least": _extreme("least"),
    "greatest_strict": _extreme_strict("greatest"),
    "least_strict": _extreme_strict("least"),
    "if": _if,
    "ifnull": _ifnull,
    "isnull": _isnull,
    "truth": _truth,
    "number": _number,
    "grouping": _grouping,
    "log": _log,
    "log_natural": _log_natural,
    "log2": _log2,
    "div": _div,
    "cbrt": _cbrt,
    "date_trunc": _date_trunc,
    "date": _date,
    "days_between": _days_between,
}
