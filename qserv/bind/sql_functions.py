"""SQL's functions, those that PostgreSQL's and MySQL's fronts name: each has one meaning.

The fronts say which is meant (`sql substr` counts as PostgreSQL's SUBSTR does, `sql substr_signed` as
MySQL's); names with a blank are no user's, so that ADQL has none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

from procedures.functions import FUNCTIONS
from qserv.bind import coercion, operators
from qserv.bind.conditions import unwrapped
from qserv.bind.errors import Node, NotGrouped, TypeMismatch, UnknownFunction, Unsupported
from qserv.bind.intervals import is_interval
from qserv.bind.patterns import check_pattern, folded_pattern
from qserv.bind.scope import Env
from qserv.bound import Call, Case, Cast, Expression, Literal
from schema.types import Type

PREFIX = "sql "
Bound = Callable[[Sequence[Expression], Node], Expression]


def sql_function(node: Node, env: Env) -> Expression:
    """The call of a function whose name begins with PREFIX."""
    name = str(node.name).removeprefix(PREFIX)
    if name == "extract":
        return _extract(node, env)
    if name == "interval":
        raise Unsupported("An INTERVAL is added to a time or taken from it", node)
    handler = _HANDLERS.get(name)
    if handler is None:
        raise UnknownFunction(name.upper(), node)
    return handler([env.bind(item) for item in node.expressions], node)


def display_name(node: Node) -> str:
    """A function's name as users know it."""
    return str(node.name).removeprefix(PREFIX).partition("_strict")[0].partition("_signed")[0]


# ------------------------------------------------------------------ arguments


def _expect(arguments: Sequence[Expression], counts: Sequence[int], node: Node) -> None:
    if len(arguments) not in counts:
        wanted = " or ".join(str(count) for count in counts)
        name = display_name(node).upper()
        raise TypeMismatch(f"{name} takes {wanted} arguments, found {len(arguments)}", node)


def _procedure(name: str, arguments: Sequence[Expression], node: Node) -> Expression:
    """The call of one of `procedures.functions`, its arguments cast."""
    function = FUNCTIONS[name]
    _expect(arguments, (len(function.parameters),), node)
    typed = []
    for argument, kind in zip(arguments, function.parameters, strict=True):
        if argument.type.is_floating and kind.is_integer:
            raise TypeMismatch(
                f"{display_name(node).upper()} needs {kind}, found {coercion.describe(argument)}",
                node,
            )
        typed.append(coercion.cast(argument, kind, node))
    return Call(name, tuple(typed), function.result)


def _plain(name: str) -> Bound:
    """A function that one procedure is."""
    return lambda arguments, node: _procedure(name, arguments, node)


def _padded(name: str) -> Bound:
    """LPAD and RPAD, with blanks where nothing else is said."""

    def bound(arguments: Sequence[Expression], node: Node) -> Expression:
        _expect(arguments, (2, 3), node)
        return _procedure(name, [*arguments, _text(" ")][:3], node)

    return bound


def _text(value: str) -> Literal:
    return Literal(value, Type.TEXT)


def _whole(value: int) -> Literal:
    return Literal(value, Type.INT)


def as_text(expression: Expression, node: Node) -> Expression:
    """A value as text, where it is none."""
    if coercion.is_null(expression) or expression.type is Type.TEXT:
        return expression
    return coercion.explicit_cast(expression, Type.TEXT, node)


# ------------------------------------------------------------------ parts of texts

_ALL = Literal(2_000_000_000, Type.LONG)
"""More characters than a text has."""


def _substr(arguments: Sequence[Expression], node: Node) -> Expression:
    _expect(arguments, (2, 3), node)
    return _procedure("text_part", [*arguments, _ALL][:3], node)


def _substr_signed(arguments: Sequence[Expression], node: Node) -> Expression:
    """MySQL's: a negative start counts from the end, 0 and what lies before the text give nothing."""
    _expect(arguments, (2, 3), node)
    value, start = arguments[:2]
    count = arguments[2] if len(arguments) == 3 else _ALL
    length = _procedure("text_length", [value], node)
    zero = _whole(0)
    from_end = operators.arithmetic(
        "+", operators.arithmetic("+", length, start, node), _whole(1), node
    )
    first = Case(((operators.compare("<", start, zero, node), from_end),), start, from_end.type)
    if first.type is not start.type:
        first = Case(first.branches, coercion.cast(start, from_end.type, node), from_end.type)
    found = _procedure("text_part", [value, first, count], node)
    is_none = operators.every(
        "or", [operators.compare("<=", item, zero, node) for item in (first, count)]
    )
    return Case(((is_none, _text("")),), found, Type.TEXT)


def _left(arguments: Sequence[Expression], node: Node) -> Expression:
    """The first n characters; all but the last -n where n is negative."""
    _expect(arguments, (2,), node)
    value, count = arguments
    return _procedure("text_part", [value, _whole(1), _count_of(value, count, node)], node)


def _right(arguments: Sequence[Expression], node: Node) -> Expression:
    """The last n characters; all but the first -n where n is negative."""
    _expect(arguments, (2,), node)
    value, count = arguments
    length = _procedure("text_length", [value], node)
    kept = _count_of(value, count, node)
    before = operators.arithmetic("-", length, kept, node)
    first = operators.arithmetic("+", before, _whole(1), node)
    positive = Call("greatest", (first, coercion.cast(_whole(1), first.type, node)), first.type)
    return _procedure("text_part", [value, positive, kept], node)


def _count_of(value: Expression, count: Expression, node: Node) -> Expression:
    """How many characters LEFT and RIGHT keep."""
    length = _procedure("text_length", [value], node)
    rest = operators.arithmetic("+", length, count, node)
    kind = rest.type
    zero = coercion.cast(_whole(0), kind, node)
    some = Call("greatest", (rest, zero), kind)
    is_negative = operators.compare("<", count, _whole(0), node)
    return Case(((is_negative, some),), coercion.cast(count, kind, node), kind)


def _locate(arguments: Sequence[Expression], node: Node) -> Expression:
    """LOCATE(part, text)."""
    _expect(arguments, (2,), node)
    return _procedure("text_place", arguments[::-1], node)


def _concat(arguments: Sequence[Expression], node: Node) -> Expression:
    """PostgreSQL's CONCAT: NULLs are left out."""
    return _joined([_or_empty(as_text(item, node)) for item in arguments], node)


def _concat_strict(arguments: Sequence[Expression], node: Node) -> Expression:
    """MySQL's CONCAT: NULL where any part is."""
    return _joined([as_text(item, node) for item in arguments], node)


def _concat_ws(arguments: Sequence[Expression], node: Node) -> Expression:
    """The texts that are not NULL with a separator between them."""
    if len(arguments) < 2:
        raise TypeMismatch("CONCAT_WS takes at least 2 arguments", node)
    separator = as_text(arguments[0], node)
    parts = []
    for item in arguments[1:]:
        value = as_text(item, node)
        led = Call("||", (separator, value), Type.TEXT)
        parts.append(Call("coalesce", (led, _text("")), Type.TEXT))
    length = _procedure("text_length", [separator], node)
    first = operators.arithmetic("+", length, _whole(1), node)
    return _procedure("text_part", [_joined(parts, node), first, _ALL], node)


def _or_empty(value: Expression) -> Expression:
    if isinstance(value, Literal):
        return _text("") if value.value is None else value
    return Call("coalesce", (value, _text("")), Type.TEXT)


def _joined(parts: Sequence[Expression], node: Node) -> Expression:
    if not parts:
        raise TypeMismatch("CONCAT takes at least 1 argument", node)
    found = parts[0]
    for part in parts[1:]:
        found = Call("||", (found, part), Type.TEXT)
    return found


def _matches(arguments: Sequence[Expression], node: Node) -> Expression:
    """A regular expression; constant, and of the kind on which both engines agree."""
    value, pattern = _pattern(arguments, node)
    check_pattern(pattern, node)
    return _procedure("text_matches", [value, _text(pattern)], node)


def _matches_folded(arguments: Sequence[Expression], node: Node) -> Expression:
    """Likewise without regard to the case of ASCII letters."""
    value, pattern = _pattern(arguments, node)
    check_pattern(pattern, node)
    folded = Call("lower", (value,), Type.TEXT)
    return _procedure("text_matches", [folded, _text(folded_pattern(pattern, node))], node)


def _pattern(arguments: Sequence[Expression], node: Node) -> tuple[Expression, str]:
    _expect(arguments, (2,), node)
    value, pattern = arguments
    if value.type is not Type.TEXT:
        raise TypeMismatch(
            f"A regular expression needs text, found {coercion.describe(value)}", node
        )
    if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
        raise Unsupported("A regular expression must be a constant text", node)
    return value, pattern.value


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
    _expect(arguments, (3,), node)
    test, *values = arguments
    one, other = coercion.unify(values, node)
    return Case(((operators.condition(test, "IF", node), one),), other, one.type)


def _ifnull(arguments: Sequence[Expression], node: Node) -> Expression:
    _expect(arguments, (2,), node)
    typed = coercion.unify(arguments, node)
    return Call("coalesce", typed, typed[0].type)


def _isnull(arguments: Sequence[Expression], node: Node) -> Expression:
    _expect(arguments, (1,), node)
    return operators.truth_as_number(Call("is null", (arguments[0],), Type.BOOLEAN))


def _truth(arguments: Sequence[Expression], node: Node) -> Expression:
    """A value as a condition: a boolean as it is, a number where it is not 0."""
    (value,) = arguments
    if value.type.is_numeric:
        return operators.compare("<>", value, _whole(0), node)
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
    _expect(arguments, (1, 2), node)
    if len(arguments) == 1:
        return _procedure("log10", arguments, node)
    base, value = (_procedure("ln", [item], node) for item in arguments)
    return _quotient(value, base, node)


def _log_natural(arguments: Sequence[Expression], node: Node) -> Expression:
    """MySQL's LOG: natural, or to the first of two arguments."""
    _expect(arguments, (1, 2), node)
    return _procedure("ln", arguments, node) if len(arguments) == 1 else _log(arguments, node)


def _log2(arguments: Sequence[Expression], node: Node) -> Expression:
    _expect(arguments, (1,), node)
    two = Literal(2.0, Type.DOUBLE)
    return _quotient(_procedure("ln", arguments, node), _procedure("ln", [two], node), node)


def _quotient(one: Expression, other: Expression, node: Node) -> Expression:
    return operators.arithmetic("/", one, other, node)


def _div(arguments: Sequence[Expression], node: Node) -> Expression:
    """A quotient cut to a whole number."""
    _expect(arguments, (2,), node)
    found = operators.arithmetic("/", arguments[0], arguments[1], node)
    if found.type.is_integer:
        return found
    return Cast(Call("truncate", (found, _whole(0)), Type.DOUBLE), Type.LONG)


def _cbrt(arguments: Sequence[Expression], node: Node) -> Expression:
    """The cube root."""
    _expect(arguments, (1,), node)
    size = _procedure("abs", arguments, node)
    root = _procedure("power", [size, Literal(1 / 3, Type.DOUBLE)], node)
    return operators.arithmetic("*", _procedure("sign", arguments, node), root, node)


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
        raise Unsupported("EXTRACT from an INTERVAL is not supported", node)
    if field == "epoch" and isinstance(source, exp.Sub):
        times = [env.bind(side) for side in (source.this, source.expression)]
        if all(time.type is Type.TIMESTAMP for time in times):
            return _procedure("time_between", times, node)
    return _procedure("time_field", [_text(field), env.bind(source)], node)


def _date_trunc(arguments: Sequence[Expression], node: Node) -> Expression:
    """DATE_TRUNC(unit, time)."""
    _expect(arguments, (2,), node)
    unit = _word(arguments[0], _UNITS, "unit", node)
    return _procedure("time_floor", [_text(unit), arguments[1]], node)


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
    "substr": _substr,
    "substr_signed": _substr_signed,
    "btrim": _plain("text_trimmed"),
    "ltrim": _plain("text_trimmed_left"),
    "rtrim": _plain("text_trimmed_right"),
    "replace": _plain("text_replaced"),
    "split_part": _plain("text_field"),
    "strpos": _plain("text_place"),
    "locate": _locate,
    "starts_with": _plain("text_begins"),
    "left": _left,
    "right": _right,
    "lpad": _padded("text_padded_left"),
    "rpad": _padded("text_padded_right"),
    "repeat": _plain("text_repeated"),
    "reverse": _plain("text_reversed"),
    "initcap": _plain("text_capitalised"),
    "length": _plain("text_length"),
    "concat": _concat,
    "concat_strict": _concat_strict,
    "concat_ws": _concat_ws,
    "regexp": _matches,
    "regexp_folded": _matches_folded,
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
}
