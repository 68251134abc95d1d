"""Operators over bound expressions: arithmetic, comparisons, logic; constants are worked out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from qserv.bind.coercion import cast, common_type, comparable, describe, fits, is_null
from qserv.bind.errors import Node, TypeMismatch
from qserv.bound import (
    Call,
    Case,
    Exists,
    Expression,
    InList,
    InQuery,
    Literal,
    Scalar,
)
from schema.types import Type

FLIPPED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""The comparison that says the same with its sides exchanged."""


# ------------------------------------------------------------------ arithmetic


def arithmetic(operator: str, left: Expression, right: Expression, node: Node) -> Expression:
    """`left operator right` for + - * / %; in DOUBLE where either side is floating."""
    kind = common_number([left, right], operator, node)
    left, right = cast(left, kind, node), cast(right, kind, node)
    folded = _fold(operator, left, right)
    return Call(operator, (left, right), kind) if folded is None else folded


def common_number(operands: Sequence[Expression], operator: str, node: Node) -> Type:
    """The type that an arithmetic operator works in."""
    typed = [operand.type for operand in operands if operand.type.is_numeric]
    for operand in operands:
        is_unknown = is_null(operand) or (typed and _is_text_literal(operand))
        if not (operand.type.is_numeric or is_unknown):
            raise TypeMismatch(f"{operator} needs numbers, found {describe(operand)}", node)
    types = typed or [Type.DOUBLE]
    if any(kind.is_floating for kind in types):
        return Type.DOUBLE
    return common_type(types, node)


def _is_text_literal(operand: Expression) -> bool:
    """Whether it is a text in quotes, which takes the type of what it is used with."""
    return isinstance(operand, Literal) and isinstance(operand.value, str)


def negative(operand: Expression, node: Node) -> Expression:
    """`- operand`."""
    if not operand.type.is_numeric:
        raise TypeMismatch(f"- needs a number, found {describe(operand)}", node)
    if isinstance(operand, Literal):
        value = operand.value
        if value is None:
            return operand
        assert isinstance(value, int | float)
        if not (isinstance(value, int) and not fits(-value, operand.type)):
            return Literal(-value, operand.type)
    return Call("neg", (operand,), operand.type)


def bitwise(operator: str, operands: Sequence[Expression], node: Node) -> Expression:
    """`& | ^ ~ << >>` over integers."""
    for operand in operands:
        if not operand.type.is_integer:
            raise TypeMismatch(f"{operator} needs integers, found {describe(operand)}", node)
    if operator in ("<<", ">>"):
        value, count = operands
        return Call(operator, (value, cast(count, Type.INT, node)), value.type)
    kind = common_type([operand.type for operand in operands], node)
    return Call(operator, tuple(cast(operand, kind, node) for operand in operands), kind)


def _divide(left: int, right: int) -> int:
    """Integer division towards zero."""
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


_FOLDS: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def _fold(operator: str, left: Expression, right: Expression) -> Expression | None:
    """The constant that an operator gives over constants; None where it is left to the engine."""
    if not (isinstance(left, Literal) and isinstance(right, Literal)):
        return None
    a, b, kind = left.value, right.value, left.type
    if a is None or b is None:
        return Literal(None, kind)
    assert isinstance(a, int | float)
    assert isinstance(b, int | float)
    if operator not in _FOLDS:
        return None
    if operator == "/" and b == 0:
        return Literal(None, kind)
    if isinstance(a, int) and isinstance(b, int):
        whole = _divide(a, b) if operator == "/" else int(_FOLDS[operator](a, b))
        return Literal(whole, kind) if fits(whole, kind) else None
    number = _FOLDS[operator](a, b)
    return Literal(number, kind) if math.isfinite(number) else None


# ------------------------------------------------------------------ comparisons and logic


def compare(operator: str, left: Expression, right: Expression, node: Node) -> Expression:
    """`left operator right` as a boolean, both sides of one type."""
    left, right = comparable(left, right, node)
    if operator in ("=", "<>") and left.type is Type.BOOLEAN:
        for side, other in ((left, right), (right, left)):
            if isinstance(side, Literal) and isinstance(side.value, bool):
                return other if side.value == (operator == "=") else negate(other)
    for number, other in ((left, right), (right, left)):
        truth = _truth_behind(number) if operator in ("=", "<>") else None
        if truth is not None and isinstance(other, Literal) and other.value in (0, 1):
            return truth if bool(other.value) == (operator == "=") else negate(truth)
    return Call(operator, (left, right), Type.BOOLEAN)


def condition(expression: Expression, clause: str, node: Node) -> Expression:
    """The expression as a truth value."""
    if expression.type is Type.BOOLEAN:
        return expression
    if is_null(expression):
        return Literal(None, Type.BOOLEAN)
    raise TypeMismatch(f"{clause} needs a condition, found {describe(expression)}", node)


def every(operator: str, parts: Sequence[Expression]) -> Expression:
    """`and` or `or` over all parts, flat."""
    flat: list[Expression] = []
    for part in parts:
        if isinstance(part, Call) and part.name == operator:
            flat.extend(part.arguments)
        else:
            flat.append(part)
    return flat[0] if len(flat) == 1 else Call(operator, tuple(flat), Type.BOOLEAN)


_NEGATED = {
    "like": "not like",
    "not like": "like",
    "ilike": "not ilike",
    "not ilike": "ilike",
    "is null": "is not null",
    "is not null": "is null",
}


def negate(expression: Expression) -> Expression:
    """NOT of a condition, said in the node itself where it has a word for that."""
    match expression:
        case InList() | InQuery() | Exists():
            return replace(expression, negated=not expression.negated)
        case Call(name=name, arguments=arguments) if name in _NEGATED:
            return Call(_NEGATED[name], arguments, Type.BOOLEAN)
        case Call(name="not", arguments=(argument,)):
            return argument
        case Literal(value=bool() as value):
            return Literal(not value, Type.BOOLEAN)
        case _:
            return Call("not", (expression,), Type.BOOLEAN)


def truth_as_number(expression: Expression) -> Expression:
    """A condition as ADQL's 1 and 0, NULL where it is not known."""
    one, zero = Literal(1, Type.INT), Literal(0, Type.INT)
    return Case(((expression, one), (negate(expression), zero)), None, Type.INT)


def certain_as_number(expression: Expression) -> Expression:
    """A condition as 1 and 0, and 0 where it is not known."""
    certain = Call("coalesce", (expression, Literal(False, Type.BOOLEAN)), Type.BOOLEAN)
    return Case(((certain, Literal(1, Type.INT)),), Literal(0, Type.INT), Type.INT)


def _truth_behind(number: Expression) -> Expression | None:
    """The condition that `truth_as_number` or `certain_as_number` made a number of."""
    match number:
        case Case(
            branches=((condition, Literal(value=1)), (negated, Literal(value=0))), otherwise=None
        ) if negated == negate(condition):
            return condition
        case Case(
            branches=((Call(name="coalesce", arguments=(_, Literal(value=False))) as certain, _),),
            otherwise=Literal(value=0),
        ) if number == certain_as_number(certain.arguments[0]):
            return certain
        case _:
            return None


def selecting(condition: Expression) -> Expression:
    """A condition that holds for the same rows, where false and not known need not differ."""
    match condition:
        case Call(name="coalesce", arguments=(inner, Literal(value=False))):
            return selecting(inner)
        case Call(name="and" | "or" as name, arguments=parts):
            return every(name, [selecting(part) for part in parts])
        case Case() if is_told_by_queries(condition):
            return selecting(condition.branches[0][0])
        case Call(name="not", arguments=(Case() as told,)) if is_told_by_queries(told):
            found, *never, unknown = [when for when, _ in told.branches]
            known = every("and", [negate(found), negate(unknown)])
            return every("or", [*never, known])
        case _:
            return condition


_TOLD = ((True, None), (True, False, None))


def is_told_by_queries(condition: Case) -> bool:
    """Whether a CASE gives the three truths of ANY or IN over a query, as `quantified` writes it.

    Its first test is never NULL where the others are false: it is an EXISTS, or compares what the
    last one tests for NULL.
    """
    values = tuple(
        then.value if isinstance(then, Literal) else then for _, then in condition.branches
    )
    if values not in _TOLD or condition.otherwise != Literal(False, Type.BOOLEAN):
        return False
    found, unknown = condition.branches[0][0], condition.branches[-1][0]
    if len(values) == 2:
        return isinstance(found, Exists) and isinstance(unknown, Exists)
    first = found.arguments[0] if isinstance(found, Call) and found.name == "or" else found
    return (
        isinstance(first, Call)
        and isinstance(first.arguments[-1], Scalar)
        and isinstance(unknown, Call)
        and isinstance(unknown.arguments[-1], Exists)
    )
