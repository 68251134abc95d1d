"""Differences of times, as seconds in DOUBLE, and what is added to times.

PostgreSQL has a type for spans of time; here one is a number whose unit is s, so that it sorts, averages
and goes into a result like any other. Two DATEs differ by whole days, as they do there.
"""

from __future__ import annotations

from sqlglot import exp

from qserv.bind import operators
from qserv.bind.coercion import cast, describe, timestamp
from qserv.bind.conditions import unwrapped
from qserv.bind.errors import Node, TypeMismatch
from qserv.bind.intervals import (
    Interval,
    is_interval,
    moved,
    moved_by_seconds,
    read_interval,
    read_interval_text,
)
from qserv.bind.scope import Env
from qserv.bind.units import is_duration
from qserv.bound import Call, Cast, Expression, Literal
from schema.types import Type

_DAY = 86_400


def time_arithmetic(
    operator: str, left: Expression, right: Node, node: Node, env: Env
) -> Expression:
    """`left operator right`, of numbers, times and spans of time."""
    right = unwrapped(right)
    if is_interval(right):
        return shifted(left, operator, read_interval(right), node, env)
    if left.type is Type.TIMESTAMP and isinstance(right, exp.Literal) and right.is_string:
        if operator == "+":
            return moved(left, operator, read_interval_text(right.this, right), node)
        time: Expression = Literal(timestamp(right.this, right), Type.TIMESTAMP)
    else:
        time = env.bind(right)
    match left.type, operator, time.type:
        case Type.TIMESTAMP, "-", Type.TIMESTAMP:
            return _difference(left, time, node, right)
        case Type.TIMESTAMP, "+" | "-", kind if kind.is_integer and _is_date(node.this):
            days = operators.arithmetic("*", time, Literal(_DAY, Type.LONG), node)
            return moved_by_seconds(left, operator, cast(days, Type.DOUBLE, node), node)
        case Type.TIMESTAMP, "+" | "-", _ if is_duration(time, env):
            return moved_by_seconds(left, operator, time, node)
        case _, "+", Type.TIMESTAMP if is_duration(left, env):
            return moved_by_seconds(time, operator, left, node)
        case _ if Type.TIMESTAMP in (left.type, time.type):
            other = describe(time if left.type is Type.TIMESTAMP else left)
            hint = "a time takes an INTERVAL, as in t + INTERVAL '1 day', or another time"
            raise TypeMismatch(f"{operator} of a time and {other}", node, hint=hint)
        case _:
            return operators.arithmetic(operator, left, time, node)


def shifted(
    left: Expression, operator: str, interval: Interval, node: Node, env: Env
) -> Expression:
    """A time or a span of time, and a constant span."""
    if left.type is not Type.TIMESTAMP and operator in ("+", "-") and is_duration(left, env):
        return operators.arithmetic(operator, left, interval.literal(), node)
    return moved(left, operator, interval, node)


def _difference(left: Expression, right: Expression, node: Node, right_node: Node) -> Expression:
    seconds = Call("time_between", (left, right), Type.DOUBLE)
    if not (_is_date(node.this) and _is_date(right_node)):
        return seconds
    days = operators.arithmetic("/", seconds, Literal(float(_DAY), Type.DOUBLE), node)
    return Cast(days, Type.INT)


def _is_date(node: Node) -> bool:
    """Whether a node is a DATE as the fronts leave it: a time at midnight."""
    node = unwrapped(node)
    return isinstance(node, exp.Anonymous) and node.name == "sql date"
