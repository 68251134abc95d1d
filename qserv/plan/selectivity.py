"""Which share of a local's rows its conditions leave: by statistics of columns, else by their form. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from qserv.bound import (
    Call,
    Column,
    Exists,
    Expression,
    InList,
    InQuery,
    InShape,
    Literal,
    Within,
)
from qserv.constants import constant_of
from qserv.plan.bounds import number_of, plain_column
from qserv.plan.box import MIRRORED, coordinate_of
from qserv.plan.local import Local
from qserv.plan.places import Known, statistics_of
from qserv.plan.prune import Reach, part_rows
from qserv.traverse import conjuncts
from schema.healpix import F64
from schema.statistics import ColumnStatistics, share_among, share_of_nulls, share_within

EQUAL, RANGE, NULL, TEXT, OTHER = 0.02, 0.33, 0.1, 0.1, 0.5
"""Shares of rows that conditions leave: `=`, a comparison, IS NULL, LIKE, anything else."""


@dataclass(frozen=True, slots=True)
class _Interval:
    """A column between two numbers, ends included."""

    column: Column
    low: float = -inf
    high: float = inf


@dataclass(frozen=True, slots=True)
class Selectivity:
    """Of one local, in the chunks that it reads; `found` is None where it has none."""

    local: Local
    known: Known
    found: Reach | None

    def of_all(self, conditions: Iterable[Expression]) -> float:
        """The share of rows for which all conditions are true: bounds of one column together."""
        share = 1.0
        within: dict[Column, _Interval] = {}
        for condition in (part for one in conditions for part in conjuncts(one)):
            new = self._interval(condition)
            if new is None:
                share *= self._of(condition)
                continue
            old = within.get(new.column, new)
            low, high = max(old.low, new.low), min(old.high, new.high)
            within[new.column] = _Interval(new.column, low, high)
        for interval in within.values():
            share *= self._within(interval)
        return share

    def _of(self, condition: Expression) -> float:
        """The share of one condition that is no interval of a column with statistics."""
        match condition:
            case InShape() | Within():
                return 1.0  # regions are counted by their pixels
            case Literal(value=bool(value)):
                return 1.0 if value else 0.0
            case InList():
                share = self._among(condition)
                return 1.0 - share if condition.negated else share
            case Exists() | InQuery():
                return OTHER
            case Call():
                return self._of_call(condition)
            case _:
                return OTHER

    def _of_call(self, call: Call) -> float:
        match call.name:
            case "or":
                return min(1.0, sum(self.of_all((part,)) for part in call.arguments))
            case "not":
                return 1.0 - self.of_all(call.arguments)
            case "is null":
                return self._nulls(call.arguments[0])
            case "is not null":
                return 1.0 - self._nulls(call.arguments[0])
            case "=" | "<" | "<=" | ">" | ">=" if self._is_placed(call):
                return 1.0
            case "=":
                return EQUAL
            case "<" | "<=" | ">" | ">=":
                return RANGE
            case "<>":
                return 1.0 - NULL
            case "like" | "ilike":
                return TEXT
            case _:
                return OTHER

    def _is_placed(self, call: Call) -> bool:
        """Whether it compares a coordinate with a constant: counted by its pixels."""
        one, other = call.arguments
        pairs = ((one, other), (other, one))
        return any(
            coordinate_of(term, self.local) is not None and constant_of(value) is not None
            for term, value in pairs
        )

    # -------------------------------------------------------------- by statistics

    def _statistics(self, column: Column) -> tuple[ColumnStatistics, F64] | None:
        """What is known of a column, and the rows of each part that is read."""
        known = statistics_of(column, self.local, self.known)
        member = self.local.member(column.relation)
        if known is None or member is None or self.found is None:
            return None
        return known, part_rows(member, self.known, self.found)

    def _interval(self, condition: Expression) -> _Interval | None:
        """A comparison of a column with statistics and a constant."""
        if not isinstance(condition, Call) or condition.name not in MIRRORED:
            return None
        one, other = condition.arguments
        name = condition.name
        for term, value, operator in ((one, other, name), (other, one, MIRRORED[name])):
            column, constant = plain_column(term), constant_of(value)
            number = None if constant is None else number_of(constant)
            if column is None or number is None or operator == "<>":
                continue
            if self._statistics(column) is not None:
                return _bounded(column, operator, number)
        return None

    def _within(self, interval: _Interval) -> float:
        known = self._statistics(interval.column)
        assert known is not None, "an interval is of a column with statistics"
        return share_within(*known, interval.low, interval.high)

    def _among(self, condition: InList) -> float:
        """`column IN (constants)`."""
        column = plain_column(condition.argument)
        known = None if column is None else self._statistics(column)
        values = _numbers(condition.items) if known is not None else None
        if known is None or values is None:
            return min(1.0, EQUAL * len(condition.items))
        return share_among(*known, values)

    def _nulls(self, term: Expression) -> float:
        known = self._statistics(term) if isinstance(term, Column) else None
        found = None if known is None else share_of_nulls(*known)
        return NULL if found is None else found


def _bounded(column: Column, operator: str, number: float) -> _Interval:
    """`column operator number`; a whole number's next one where it is strict."""
    step = 1 if column.type.is_integer and float(number).is_integer() else 0
    match operator:
        case "=":
            return _Interval(column, number, number)
        case "<":
            return _Interval(column, high=number - step)
        case "<=":
            return _Interval(column, high=number)
        case ">":
            return _Interval(column, low=number + step)
        case _:
            return _Interval(column, low=number)


def _numbers(items: Sequence[Expression]) -> list[float] | None:
    """Constants as statistics count; None where one is not known or no number."""
    constants = [constant_of(item) for item in items]
    found = [number_of(one) for one in constants if one is not None and one.value is not None]
    numbers = [number for number in found if number is not None]
    is_known = None not in constants and len(numbers) == len(found)
    return list(np.asarray(numbers, np.float64)) if is_known else None
