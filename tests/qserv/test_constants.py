"""What constants come to: as PostgreSQL would say, or nothing where that is not sure."""

from __future__ import annotations

import pytest

from qserv.bound import Call, Case, Cast, Column, Expression, InList, Literal, RelationId
from qserv.constants import constant_of
from schema.types import Type

X = Column(RelationId("r0"), "x", Type.INT)
TRUE, FALSE, NULL = (Literal(value, Type.BOOLEAN) for value in (True, False, None))


def number(value: int) -> Literal:
    return Literal(value, Type.INT)


def call(name: str, *arguments: Expression, kind: Type = Type.BOOLEAN) -> Call:
    return Call(name, arguments, kind)


UNKNOWN = call("=", X, number(1))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (call("=", number(1), number(0)), False),
        (call("<", number(1), Literal(1.5, Type.DOUBLE)), True),
        (call(">=", number(1), Literal(None, Type.INT)), None),
        (call("and", UNKNOWN, FALSE), False),
        (call("or", UNKNOWN, TRUE), True),
        (call("and", TRUE, NULL), None),
        (call("or", FALSE, NULL), None),
        (call("not", NULL), None),
        (call("is null", NULL), True),
        (call("is not null", number(3)), True),
        (call("coalesce", Literal(None, Type.INT), number(3), X, kind=Type.INT), 3),
        (call("neg", number(3), kind=Type.INT), -3),
        (call("*", number(3), number(-4), kind=Type.INT), -12),
        (Cast(number(3), Type.DOUBLE), 3.0),
        (InList(number(3), (number(1), number(3))), True),
        (InList(number(3), (number(1), number(2)), negated=True), True),
        (InList(number(3), (number(1), Literal(None, Type.INT))), None),
        (Case(((FALSE, number(1)), (NULL, number(2))), number(4), Type.INT), 4),
        (Case(((FALSE, number(1)),), None, Type.INT), None),
    ],
)
def test_a_constant_is_known(expression: Expression, value: object) -> None:
    found = constant_of(expression)
    assert found is not None
    assert found.value == value
    assert type(found.value) is type(value)


@pytest.mark.parametrize(
    "expression",
    [
        X,
        UNKNOWN,
        call("and", UNKNOWN, TRUE),
        call("coalesce", X, number(3), kind=Type.INT),
        call("*", number(2**30), number(4), kind=Type.INT),
        call("*", Literal(1e200, Type.DOUBLE), Literal(1e200, Type.DOUBLE), kind=Type.DOUBLE),
        call("sqrt", Literal(4.0, Type.DOUBLE), kind=Type.DOUBLE),
        Cast(Literal("3", Type.TEXT), Type.INT),
        Cast(Literal(2.5, Type.DOUBLE), Type.INT),
        Case(((UNKNOWN, number(1)),), number(2), Type.INT),
    ],
)
def test_what_depends_on_a_row_or_may_fail_is_left_to_the_engines(expression: Expression) -> None:
    assert constant_of(expression) is None
