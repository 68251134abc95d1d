"""Aggregates in two steps: what each chunk sends, and how the merge makes the whole of it.

A mean cannot be averaged: chunks send sums and counts. Variances travel as (n, mean, M2) and are
pooled by the formula of Chan, Golub & LeVeque 1983, which does not cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from qserv.bound import (
    Aggregate,
    Call,
    Case,
    Cast,
    Column,
    Exists,
    Expression,
    InQuery,
    Literal,
    Scalar,
)
from qserv.traverse import rewrite
from schema.types import Type

Sent = Callable[[Expression], Column]
"""Asks the fragment for one more output; gives its column in the merge."""

_VARIANCES = {"var_samp", "var_pop", "stddev_samp", "stddev_pop"}
DECOMPOSABLE = {"count", "sum", "avg", "min", "max"} | _VARIANCES


@dataclass(frozen=True, slots=True)
class Aggregates:
    """The aggregates of a block."""

    found: tuple[Aggregate, ...]

    @property
    def are_partial(self) -> bool:
        """Whether each can be computed from what chunks send of it."""
        return all(a.name in DECOMPOSABLE and not a.distinct for a in self.found)

    def sole_distinct(self) -> Expression | None:
        """The argument that all of them are distinct aggregates of; None where there are others."""
        arguments = {a.argument for a in self.found if a.distinct}
        if len(arguments) == 1 and all(a.distinct for a in self.found):
            return next(iter(arguments))
        return None


def aggregates_of(expressions: Iterable[Expression]) -> Aggregates:
    """The distinct aggregates in some expressions, not those of sub-queries."""
    found: dict[Aggregate, None] = {}

    def note(node: Expression) -> Expression | None:
        if isinstance(node, Aggregate):
            found[node] = None
        return node if isinstance(node, Aggregate | Exists | InQuery | Scalar) else None

    for expression in expressions:
        rewrite(expression, note)
    return Aggregates(tuple(found))


def finished(aggregate: Aggregate, sent: Sent) -> Expression:
    """The expression of the merge that gives the aggregate over all chunks."""
    argument = aggregate.argument
    match aggregate.name:
        case "count":
            return _total(sent(aggregate))
        case "sum" | "min" | "max":
            return Aggregate(aggregate.name, sent(aggregate), distinct=False, type=aggregate.type)
        case "avg":
            assert argument is not None
            total = sent(Aggregate("sum", argument, distinct=False, type=Type.DOUBLE))
            count = sent(Aggregate("count", argument, distinct=False, type=Type.LONG))
            parts = (_sum(total), Cast(_total(count), Type.DOUBLE))
            return Call("/", parts, Type.DOUBLE)
        case name:
            assert argument is not None
            assert name in _VARIANCES, name
            return _variance(name, argument, sent)


def _variance(name: str, argument: Expression, sent: Sent) -> Expression:
    """Variance or deviation from pooled moments."""
    count = Aggregate("count", argument, distinct=False, type=Type.LONG)
    spread = Aggregate("var_pop", argument, distinct=False, type=Type.DOUBLE)
    n = sent(count)
    mean = sent(Aggregate("avg", argument, distinct=False, type=Type.DOUBLE))
    squares = sent(Call("*", (spread, Cast(count, Type.DOUBLE)), Type.DOUBLE))
    pooled = Call("pooled_squares", (n, mean, squares), Type.DOUBLE)
    total = Cast(_total(n), Type.DOUBLE)
    is_sample = name.endswith("samp")
    below = Call("-", (total, Literal(1.0, Type.DOUBLE)), Type.DOUBLE) if is_sample else total
    enough = Call(">", (below, Literal(0.0, Type.DOUBLE)), Type.BOOLEAN)
    variance = Call("/", (pooled, below), Type.DOUBLE)
    value = Call("sqrt", (variance,), Type.DOUBLE) if name.startswith("stddev") else variance
    return Case(((enough, value),), None, Type.DOUBLE)


def _sum(column: Column) -> Aggregate:
    return Aggregate("sum", column, distinct=False, type=column.type)


def _total(column: Column) -> Expression:
    """A sum of counts: 0, not NULL, where no chunk sent any."""
    return Call("coalesce", (_sum(column), Literal(0, Type.LONG)), Type.LONG)
