"""SQL's functions on texts: which procedures they are, and with what arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from procedures.functions import FUNCTIONS
from procedures.texts import MAX_MADE_CHARACTERS
from qserv.bind import coercion, operators
from qserv.bind.errors import Node, TextTooLong, TypeMismatch, Unsupported
from qserv.bind.patterns import check_pattern, folded_pattern, similar_pattern
from qserv.bound import Call, Case, Expression, Literal
from schema.types import Type

PREFIX = "sql "
"""What the names of SQL's functions begin with, as the fronts give them."""
Bound = Callable[[Sequence[Expression], Node], Expression]
"""Binds a call by its bound arguments; the node is where errors are said to be."""


def display_name(node: Node) -> str:
    """A function's name as users know it."""
    return str(node.name).removeprefix(PREFIX).partition("_strict")[0].partition("_signed")[0]


# ------------------------------------------------------------------ arguments


def expect(arguments: Sequence[Expression], counts: Sequence[int], node: Node) -> None:
    """TypeMismatch where there are too many arguments, or too few."""
    if len(arguments) not in counts:
        wanted = " or ".join(str(count) for count in counts)
        name = display_name(node).upper()
        raise TypeMismatch(f"{name} takes {wanted} arguments, found {len(arguments)}", node)


def procedure(name: str, arguments: Sequence[Expression], node: Node) -> Expression:
    """The call of one of `procedures.functions`, its arguments cast."""
    function = FUNCTIONS[name]
    expect(arguments, (len(function.parameters),), node)
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
    return lambda arguments, node: procedure(name, arguments, node)


def _padded(name: str) -> Bound:
    """LPAD and RPAD, with blanks where nothing else is said."""

    def bound(arguments: Sequence[Expression], node: Node) -> Expression:
        expect(arguments, (2, 3), node)
        _check_made(arguments[1], 1, node)
        return procedure(name, [*arguments, text(" ")][:3], node)

    return bound


def _repeated(arguments: Sequence[Expression], node: Node) -> Expression:
    """REPEAT(text, n)."""
    expect(arguments, (2,), node)
    value = arguments[0].value if isinstance(arguments[0], Literal) else None
    _check_made(arguments[1], len(value) if isinstance(value, str) else 1, node)
    return procedure("text_repeated", arguments, node)


def _check_made(times: Expression, size: int, node: Node) -> None:
    """TextTooLong where a constant asks for more characters; where rows do, theirs is NULL."""
    count = times.value if isinstance(times, Literal) else None
    if isinstance(count, int) and count * size > MAX_MADE_CHARACTERS:
        name = display_name(node).upper()
        raise TextTooLong(name, count * size, MAX_MADE_CHARACTERS, node)


def text(value: str) -> Literal:
    """A constant text."""
    return Literal(value, Type.TEXT)


def whole(value: int) -> Literal:
    """A constant whole number."""
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
    expect(arguments, (2, 3), node)
    return procedure("text_part", [*arguments, _ALL][:3], node)


def _substr_signed(arguments: Sequence[Expression], node: Node) -> Expression:
    """MySQL's: a negative start counts from the end, 0 and what lies before the text give nothing."""
    expect(arguments, (2, 3), node)
    value, start = arguments[:2]
    count = arguments[2] if len(arguments) == 3 else _ALL
    length = procedure("text_length", [value], node)
    zero = whole(0)
    from_end = operators.arithmetic(
        "+", operators.arithmetic("+", length, start, node), whole(1), node
    )
    first = Case(((operators.compare("<", start, zero, node), from_end),), start, from_end.type)
    if first.type is not start.type:
        first = Case(first.branches, coercion.cast(start, from_end.type, node), from_end.type)
    found = procedure("text_part", [value, first, count], node)
    is_none = operators.every(
        "or", [operators.compare("<=", item, zero, node) for item in (first, count)]
    )
    return Case(((is_none, text("")),), found, Type.TEXT)


def _left(arguments: Sequence[Expression], node: Node) -> Expression:
    """The first n characters; all but the last -n where n is negative."""
    expect(arguments, (2,), node)
    value, count = arguments
    return procedure("text_part", [value, whole(1), _count_of(value, count, node)], node)


def _right(arguments: Sequence[Expression], node: Node) -> Expression:
    """The last n characters; all but the first -n where n is negative."""
    expect(arguments, (2,), node)
    value, count = arguments
    length = procedure("text_length", [value], node)
    kept = _count_of(value, count, node)
    before = operators.arithmetic("-", length, kept, node)
    first = operators.arithmetic("+", before, whole(1), node)
    positive = Call("greatest", (first, coercion.cast(whole(1), first.type, node)), first.type)
    return procedure("text_part", [value, positive, kept], node)


def _count_of(value: Expression, count: Expression, node: Node) -> Expression:
    """How many characters LEFT and RIGHT keep."""
    length = procedure("text_length", [value], node)
    rest = operators.arithmetic("+", length, count, node)
    kind = rest.type
    zero = coercion.cast(whole(0), kind, node)
    some = Call("greatest", (rest, zero), kind)
    is_negative = operators.compare("<", count, whole(0), node)
    return Case(((is_negative, some),), coercion.cast(count, kind, node), kind)


def _locate(arguments: Sequence[Expression], node: Node) -> Expression:
    """LOCATE(part, text)."""
    expect(arguments, (2,), node)
    return procedure("text_place", arguments[::-1], node)


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
        parts.append(Call("coalesce", (led, text("")), Type.TEXT))
    length = procedure("text_length", [separator], node)
    first = operators.arithmetic("+", length, whole(1), node)
    return procedure("text_part", [_joined(parts, node), first, _ALL], node)


def _or_empty(value: Expression) -> Expression:
    if isinstance(value, Literal):
        return text("") if value.value is None else value
    return Call("coalesce", (value, text("")), Type.TEXT)


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
    return procedure("text_matches", [value, text(pattern)], node)


def _matches_folded(arguments: Sequence[Expression], node: Node) -> Expression:
    """Likewise without regard to the case of ASCII letters."""
    value, pattern = _pattern(arguments, node)
    check_pattern(pattern, node)
    folded = Call("lower", (value,), Type.TEXT)
    return procedure("text_matches", [folded, text(folded_pattern(pattern, node))], node)


def _similar(arguments: Sequence[Expression], node: Node) -> Expression:
    """SIMILAR TO: SQL's regular expressions, which match the whole text."""
    expect(arguments, (3,), node)
    value, pattern = _pattern(arguments[:2], node)
    escape = arguments[2].value if isinstance(arguments[2], Literal) else None
    if not isinstance(escape, str) or len(escape) > 1:
        raise TypeMismatch("ESCAPE takes one character", node)
    found = similar_pattern(pattern, escape, node)
    check_pattern(found, node)
    return procedure("text_matches", [value, text(found)], node)


def _pattern(arguments: Sequence[Expression], node: Node) -> tuple[Expression, str]:
    expect(arguments, (2,), node)
    value, pattern = arguments
    if value.type is not Type.TEXT:
        raise TypeMismatch(
            f"A regular expression needs text, found {coercion.describe(value)}", node
        )
    if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
        raise Unsupported("A regular expression must be a constant text", node)
    return value, pattern.value


TEXTS: Mapping[str, Bound] = {
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
    "repeat": _repeated,
    "reverse": _plain("text_reversed"),
    "initcap": _plain("text_capitalised"),
    "length": _plain("text_length"),
    "concat": _concat,
    "concat_strict": _concat_strict,
    "concat_ws": _concat_ws,
    "regexp": _matches,
    "regexp_folded": _matches_folded,
    "similar": _similar,
}
"""Each function by its name without PREFIX."""
