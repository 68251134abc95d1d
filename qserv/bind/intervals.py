"""Intervals: constants that are added to times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from sqlglot import exp

from qserv.bind.errors import Node, TypeMismatch
from qserv.bind.operators import arithmetic
from qserv.bound import Call, Cast, Expression, Literal
from schema.types import Type


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of time; a day has 24 hours."""

    months: int
    microseconds: int

    def literal(self) -> Literal:
        """Its seconds; a month has 30 days, as PostgreSQL compares them."""
        seconds = self.months * 30 * 86_400 + self.microseconds / _SECOND
        return Literal(float(seconds), Type.DOUBLE)


_SECOND = 1_000_000
_MICROSECONDS = {
    "microsecond": 1,
    "us": 1,
    "millisecond": 1_000,
    "ms": 1_000,
    "second": _SECOND,
    "sec": _SECOND,
    "s": _SECOND,
    "minute": 60 * _SECOND,
    "min": 60 * _SECOND,
    "hour": 3_600 * _SECOND,
    "hr": 3_600 * _SECOND,
    "h": 3_600 * _SECOND,
    "day": 86_400 * _SECOND,
    "d": 86_400 * _SECOND,
    "week": 7 * 86_400 * _SECOND,
    "w": 7 * 86_400 * _SECOND,
}
_MONTHS = {"month": 1, "mon": 1, "quarter": 3, "year": 12, "yr": 12, "y": 12}
_TERM = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([a-z]+)\s*")
_CLOCK = re.compile(r"\s*([+-]?)(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?\s*")
_LARGEST = 2**31


def is_interval(node: Node) -> bool:
    """Whether a node is an INTERVAL as the fronts leave it."""
    return isinstance(node, exp.Anonymous) and node.name == "sql interval"


def read_interval(node: Node) -> Interval:
    """The span that an INTERVAL's text says: `1 day 2 hours`, `-3 months`, `01:30:00`."""
    return read_interval_text(str(node.expressions[0].this), node)


def read_interval_text(text: str, node: Node) -> Interval:
    """The span that a text says."""
    text = text.lower()
    months, microseconds, place = Fraction(0), Fraction(0), 0
    while place < len(text):
        clock, term = _CLOCK.match(text, place), _TERM.match(text, place)
        if clock is not None:
            microseconds += _clock(clock)
            place = clock.end()
            continue
        unit = _unit(term[2]) if term is not None else None
        if term is None or unit is None:
            raise TypeMismatch(f"{text!r} is no interval of time", node)
        months += Fraction(term[1]) * _MONTHS.get(unit, 0)
        microseconds += Fraction(term[1]) * _MICROSECONDS.get(unit, 0)
        place = term.end()
    if months.denominator != 1 or not text.strip():
        raise TypeMismatch(f"{text!r} is no interval of whole months", node)
    if abs(months) >= _LARGEST or abs(microseconds) >= _LARGEST * 86_400 * _SECOND:
        raise TypeMismatch(f"{text!r} is too long", node)
    return Interval(int(months), round(microseconds))


def _unit(word: str) -> str | None:
    """A unit's name in the singular."""
    for name in (word, word.removesuffix("s")):
        if name in _MONTHS or name in _MICROSECONDS:
            return name
    return None


def _clock(found: re.Match[str]) -> Fraction:
    seconds = int(found[2]) * 3600 + int(found[3]) * 60 + Fraction(found[4] or 0)
    return seconds * _SECOND * (-1 if found[1] == "-" else 1)


def moved(time: Expression, operator: str, interval: Interval, node: Node) -> Expression:
    """`time + interval` or `time - interval`."""
    if time.type is not Type.TIMESTAMP or operator not in ("+", "-"):
        raise TypeMismatch("An INTERVAL is added to a time or taken from it", node)
    sign = 1 if operator == "+" else -1
    months = Literal(sign * interval.months, Type.INT)
    microseconds = Literal(sign * interval.microseconds, Type.LONG)
    return Call("time_moved", (time, months, microseconds), Type.TIMESTAMP)


def moved_by_seconds(
    time: Expression, operator: str, seconds: Expression, node: Node
) -> Expression:
    """`time + seconds` or `time - seconds`, to the microsecond."""
    factor = Literal(1e6 if operator == "+" else -1e6, Type.DOUBLE)
    microseconds = Cast(arithmetic("*", seconds, factor, node), Type.LONG)
    return Call("time_moved", (time, Literal(0, Type.INT), microseconds), Type.TIMESTAMP)
