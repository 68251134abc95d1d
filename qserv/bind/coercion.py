"""Types of expressions: which go together, the casts that make them equal, and constants.

As PostgreSQL has it, but: decimal literals are DOUBLE, and arithmetic of floats is done in DOUBLE.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from qserv.bind.errors import Node, TypeMismatch
from qserv.bound import Call, Cast, Expression, Literal
from schema.types import Type

_BITS = {Type.SHORT: 15, Type.INT: 31, Type.LONG: 63}
_RANK = {Type.SHORT: 0, Type.INT: 1, Type.LONG: 2, Type.FLOAT: 3, Type.DOUBLE: 4}
_TRUE = {"true", "t", "yes", "on", "1"}
_FALSE = {"false", "f", "no", "off", "0"}


def integer(value: int) -> Literal:
    """A whole number: INT if it fits, else LONG, else DOUBLE."""
    for kind in (Type.INT, Type.LONG):
        if fits(value, kind):
            return Literal(value, kind)
    return Literal(float(value), Type.DOUBLE)


def fits(value: int, kind: Type) -> bool:
    """Whether an integer type can hold the value."""
    return -(1 << _BITS[kind]) <= value < (1 << _BITS[kind])


def is_null(expression: Expression) -> bool:
    """Whether it is a NULL without a type of its own."""
    return (
        isinstance(expression, Literal)
        and expression.value is None
        and expression.type is Type.TEXT
    )


def describe(expression: Expression) -> str:
    """An operand's type as messages say it."""
    if isinstance(expression, Literal) and isinstance(expression.value, str):
        return f"the literal {expression.value!r}"
    return str(expression.type)


# ------------------------------------------------------------------ casts


def cast(expression: Expression, kind: Type, node: Node) -> Expression:
    """The expression as `kind`, where a value may stand for it unasked; TypeMismatch elsewhere.

    Any number for any other; a literal text for a number, a timestamp or a boolean; 0 and 1 for
    booleans.
    """
    if expression.type is kind:
        return expression
    if isinstance(expression, Literal):
        return _cast_literal(expression, kind, node)
    if expression.type.is_numeric and kind.is_numeric:
        return Cast(expression, kind)
    raise TypeMismatch(f"Expected {kind}, found {describe(expression)}", node)


def _cast_literal(literal: Literal, kind: Type, node: Node) -> Expression:
    """A constant as another type."""
    value = literal.value
    match value:
        case None:
            return Literal(None, kind)
        case bool():
            pass
        case int() | float() if kind.is_numeric:
            return _cast_number(literal, kind, node)
        case 0 | 1 if kind is Type.BOOLEAN:
            return Literal(bool(value), kind)
        case str() if kind.is_numeric:
            return _cast_text(literal, kind, node)
        case str() if kind is Type.TIMESTAMP:
            return Literal(timestamp(value, node), kind)
        case str() if kind is Type.BOOLEAN and value.strip().casefold() in _TRUE | _FALSE:
            return Literal(value.strip().casefold() in _TRUE, kind)
        case _:
            pass
    raise TypeMismatch(f"Expected {kind}, found {describe(literal)}", node)


def _cast_number(literal: Literal, kind: Type, node: Node) -> Expression:
    """A constant number as another numeric type; halves go to the even neighbour."""
    value = literal.value
    assert isinstance(value, int | float)
    if kind is Type.DOUBLE:
        return Literal(float(value), kind)
    if kind is Type.FLOAT:
        return Cast(Literal(float(value), Type.DOUBLE), kind)
    whole = round(value) if math.isfinite(value) else None
    if whole is None or not fits(whole, kind):
        raise TypeMismatch(f"{value} is out of range for {kind}", node)
    return Literal(whole, kind)


def timestamp(text: str, node: Node) -> datetime:
    """An ISO 8601 time, without zone; one with a zone is taken to UTC."""
    try:
        found = datetime.fromisoformat(text.strip())
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except ValueError:
        raise TypeMismatch(f"{text!r} is no ISO 8601 time", node) from None
    except OverflowError:
        raise TypeMismatch(f"{text!r} lies outside the years 1 to 9999 in UTC", node) from None


def explicit_cast(expression: Expression, kind: Type, node: Node) -> Expression:
    """`CAST(expression AS kind)`; values are converted at bind where they are constant."""
    source = expression.type
    if isinstance(expression, Literal) and isinstance(expression.value, str):
        return _cast_text(expression, kind, node)
    if is_null(expression) or source is kind or (source.is_numeric and kind.is_numeric):
        return cast(expression, kind, node)
    if Type.BOOLEAN in (source, kind) and (source.is_numeric or kind.is_numeric):
        return _cast_truth(expression, kind)
    if kind is Type.TEXT:
        return _as_text(expression, node)
    if source is Type.TEXT and (kind.is_numeric or kind in (Type.BOOLEAN, Type.TIMESTAMP)):
        return Cast(expression, kind)
    raise TypeMismatch(f"A {source} cannot be CAST to {kind}", node)


def _cast_truth(expression: Expression, kind: Type) -> Expression:
    """A truth value as the number 1 or 0; a number as whether it is not 0."""
    if expression.type is Type.BOOLEAN:
        number = Cast(expression, Type.INT)
        return number if kind is Type.INT else Cast(number, kind)
    if expression.type is Type.INT:
        return Cast(expression, kind)
    zero = Literal(0.0 if expression.type.is_floating else 0, expression.type)
    return Call("<>", (expression, zero), Type.BOOLEAN)


def _as_text(expression: Expression, node: Node) -> Expression:
    """Any value but bytes as text; numbers of a geometry with blanks between, as DALI has it."""
    source = expression.type
    if source.element is Type.DOUBLE:
        return Call("doubles_to_text", (expression,), Type.TEXT)
    if source.element is not None or source is Type.BINARY:
        raise TypeMismatch(f"A {source} cannot be CAST to text", node)
    return Cast(expression, Type.TEXT)


def _cast_text(literal: Literal, kind: Type, node: Node) -> Expression:
    """A constant text as another type."""
    text = literal.value
    assert isinstance(text, str)
    if not kind.is_numeric:
        return cast(literal, kind, node)
    number = _number_in(text, kind)
    if number is None:
        raise TypeMismatch(f"{text!r} is no {kind}", node)
    if isinstance(number, float) and not math.isfinite(number):
        return Literal(None, kind)  # NaN is NULL everywhere
    return _cast_number(Literal(number, Type.LONG if kind.is_integer else Type.DOUBLE), kind, node)


def _number_in(text: str, kind: Type) -> int | float | None:
    """The number that a text spells; None where it spells none of that type."""
    if "_" in text or not text.isascii():  # which Python reads, and no database
        return None
    try:
        return int(text) if kind.is_integer else float(text)
    except ValueError:
        return None


# ------------------------------------------------------------------ types in common


def common_type(types: Sequence[Type], node: Node) -> Type:
    """The type that values of all these may be cast to unasked."""
    distinct = set(types)
    if len(distinct) == 1:
        return types[0]
    if not all(kind.is_numeric for kind in distinct):
        names = " and ".join(dict.fromkeys(str(kind) for kind in types))
        raise TypeMismatch(f"Types {names} do not go together", node)
    if any(kind.is_floating for kind in distinct):
        return Type.DOUBLE
    return max(distinct, key=_RANK.__getitem__)


def unify(expressions: Sequence[Expression], node: Node) -> tuple[Expression, ...]:
    """The expressions cast to one type: branches of CASE, arguments of COALESCE, IN lists."""
    typed = [e for e in expressions if not is_null(e)]
    if not typed:
        return tuple(expressions)
    columns: list[Expression] = [e for e in typed if not isinstance(e, Literal)]
    firm = columns or [e for e in typed if e.type is not Type.TEXT] or typed
    kind = _common_with_literals(firm, typed, node)
    return tuple(cast(e, kind, node) for e in expressions)


def _common_with_literals(
    firm: Sequence[Expression], typed: Sequence[Expression], node: Node
) -> Type:
    """The common type, where literals may bend to what is no literal."""
    kind = common_type([e.type for e in firm], node)
    for e in typed:
        if e.type is not kind and not _bends(e, kind):
            kind = common_type([kind, e.type], node)
    return kind


def _bends(expression: Expression, kind: Type) -> bool:
    """Whether a literal may be read as `kind` without loss."""
    if not isinstance(expression, Literal):
        return False
    value = expression.value
    if value is None:
        return True
    if isinstance(value, str):
        if kind.is_numeric:
            return _number_in(value, kind) is not None
        return kind in (Type.TIMESTAMP, Type.BOOLEAN)
    if kind is Type.BOOLEAN:
        return value in (0, 1)
    return kind.is_integer and type(value) is int and fits(value, kind)


def comparable(left: Expression, right: Expression, node: Node) -> tuple[Expression, Expression]:
    """Both sides cast to the type in which they are compared."""
    if left.type.is_geometry or right.type.is_geometry:
        raise TypeMismatch(
            "Geometries are not compared", node, hint="use CONTAINS, INTERSECTS or DISTANCE"
        )
    if left.type is right.type:
        return left, right
    if is_null(left) or is_null(right):
        kind = right.type if is_null(left) else left.type
        return cast(left, kind, node), cast(right, kind, node)
    for firm, soft in ((left, right), (right, left)):
        is_firm = not isinstance(firm, Literal) or soft.type is Type.TEXT
        if _bends(soft, firm.type) and is_firm:
            return cast(left, firm.type, node), cast(right, firm.type, node)
    if left.type.is_numeric and right.type.is_numeric:
        kind = common_type([left.type, right.type], node)
        return cast(left, kind, node), cast(right, kind, node)
    raise TypeMismatch(f"Cannot compare {describe(left)} with {describe(right)}", node)
