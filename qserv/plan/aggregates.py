"""Aggregates in two steps: what each chunk sends, and how the merge makes the whole of it.

A mean cannot be averaged: chunks send sums and counts. Variances travel as (n, mean, M2) and are
pooled by the formula of Chan, Golub & LeVeque 1983, which does not cancel; covariances likewise.
Values of which each counts once travel as keys of the fragment's groups, beside the parts of the other
aggregates; where no two chunks share a value, their counts are added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

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
from qserv.rebuild import rewrite
from qserv.traverse import conjunction
from schema.types import Type

Sent = Callable[[Expression], Column]
"""Asks the fragment for one more output; gives its column in the merge."""

_VARIANCES = {"var_samp", "var_pop", "stddev_samp", "stddev_pop"}
_OF_THEMSELVES = {"sum", "min", "max", "bool_and", "bool_or", "bit_and", "bit_or", "bit_xor"}
"""What is made of its own partial values."""
_COVARIANCES = {"covar_samp", "covar_pop", "corr"}
DECOMPOSABLE = {"count", "avg", "histogram"} | _OF_THEMSELVES | _VARIANCES | _COVARIANCES
_OF_VALUES = {"count", "sum", "avg"}
"""What the merge reckons from each value once."""


@dataclass(frozen=True, slots=True)
class Aggregates:
    """The aggregates of a block."""

    found: tuple[Aggregate, ...]

    @property
    def are_partial(self) -> bool:
        """Whether each can be computed from what chunks send of it."""
        return all(_is_of_values(a) if a.distinct else a.name in DECOMPOSABLE for a in self.found)

    def why_not_partial(self) -> str:
        """Why chunks cannot send parts of them."""
        whole = sorted({a.name for a in self.found if a.name not in DECOMPOSABLE})
        if whole:
            return f"{', '.join(whole)} needs all rows at once"
        return "what is asked of distinct values needs all rows at once"

    def sole_distinct(self) -> Expression | None:
        """The argument that all of them are distinct aggregates of; None where there are others."""
        arguments = {a.argument for a in self.found if a.distinct}
        are_plain = all(a.distinct and not (a.filter or a.order or a.more) for a in self.found)
        if len(arguments) == 1 and are_plain:
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


def _is_of_values(aggregate: Aggregate) -> bool:
    return aggregate.name in _OF_VALUES and not aggregate.order and not aggregate.more


def plain(aggregate: Aggregate) -> Aggregate:
    """The same without DISTINCT where that changes nothing."""
    if aggregate.distinct and aggregate.name in {"min", "max", "bool_and", "bool_or"}:
        return replace(aggregate, distinct=False)
    return aggregate


def value_of(aggregate: Aggregate) -> Expression:
    """What a distinct aggregate is over: NULL in the rows that its filter leaves out."""
    assert aggregate.argument is not None
    if aggregate.filter is None:
        return aggregate.argument
    return Case(((aggregate.filter, aggregate.argument),), None, aggregate.argument.type)


def over_values(aggregate: Aggregate, value: Column) -> Aggregate:
    """A distinct aggregate in the merge, over the values that chunks sent as keys of groups."""
    return replace(aggregate, argument=value, filter=None)


def finished(aggregate: Aggregate, sent: Sent) -> Expression:
    """The expression of the merge that gives the aggregate over all chunks.

    What chunks send of a filtered aggregate is filtered. A distinct count is one of values that no
    two chunks share.
    """
    match aggregate.name:
        case "count":
            return _total(sent(aggregate))
        case "sum" if aggregate.type is Type.LONG and _may_overflow(aggregate):
            return _wide_sum(aggregate, sent)
        case "histogram":
            return Aggregate(
                "histogram_sum", sent(aggregate), False, aggregate.type, more=aggregate.more
            )
        case name if name in _OF_THEMSELVES:
            return Aggregate(name, sent(aggregate), distinct=False, type=aggregate.type)
        case "avg":
            total = sent(_beside(aggregate, "sum", Type.DOUBLE))
            count = sent(_beside(aggregate, "count", Type.LONG))
            parts = (_sum(total), Cast(_total(count), Type.DOUBLE))
            return Call("/", parts, Type.DOUBLE)
        case name if name in _COVARIANCES:
            return _covariance(aggregate, sent)
        case name:
            assert name in _VARIANCES, name
            return _variance(aggregate, sent)


def _may_overflow(aggregate: Aggregate) -> bool:
    """Whether a part of a sum may be out of range where the whole is not; not of narrow integers."""
    return aggregate.argument is not None and aggregate.argument.type is Type.LONG


def _wide_sum(aggregate: Aggregate, sent: Sent) -> Expression:
    """A sum whose parts travel as sums of the values' higher and lower 32 bits."""
    value, bits = aggregate.argument, Literal(32, Type.INT)
    assert value is not None
    mask = Literal(0xFFFFFFFF, Type.LONG)
    halves = (Call(">>", (value, bits), Type.LONG), Call("&", (value, mask), Type.LONG))
    high, low = (sent(replace(aggregate, argument=half)) for half in halves)
    return Aggregate("sum_of_halves", high, False, Type.LONG, more=(low,))


def _beside(aggregate: Aggregate, name: str, kind: Type) -> Aggregate:
    """Another aggregate of the same rows."""
    return replace(aggregate, name=name, type=kind)


def _variance(aggregate: Aggregate, sent: Sent) -> Expression:
    """Variance or deviation from pooled moments."""
    name = aggregate.name
    count = _beside(aggregate, "count", Type.LONG)
    spread = _beside(aggregate, "var_pop", Type.DOUBLE)
    n = sent(count)
    mean = sent(_beside(aggregate, "avg", Type.DOUBLE))
    squares = sent(Call("*", (spread, Cast(count, Type.DOUBLE)), Type.DOUBLE))
    pooled = Call("pooled_squares", (n, mean, squares), Type.DOUBLE)
    total = Cast(_total(n), Type.DOUBLE)
    is_sample = name.endswith("samp")
    below = Call("-", (total, Literal(1.0, Type.DOUBLE)), Type.DOUBLE) if is_sample else total
    enough = Call(">", (below, Literal(0.0, Type.DOUBLE)), Type.BOOLEAN)
    variance = Call("/", (pooled, below), Type.DOUBLE)
    value = Call("sqrt", (variance,), Type.DOUBLE) if name.startswith("stddev") else variance
    return Case(((enough, value),), None, Type.DOUBLE)


def _covariance(aggregate: Aggregate, sent: Sent) -> Expression:
    """Covariance or correlation from pooled moments, over rows where neither value is NULL."""
    one, (other,) = aggregate.argument, aggregate.more
    assert one is not None
    given = tuple(Call("is not null", (value,), Type.BOOLEAN) for value in (one, other))
    both = conjunction((*given, *((aggregate.filter,) if aggregate.filter else ())))
    plain_one = Aggregate("avg", one, distinct=False, type=Type.DOUBLE, filter=both)
    plain_other = replace(plain_one, argument=other)
    count = _beside(plain_one, "count", Type.LONG)
    n, x, y = sent(count), sent(plain_one), sent(plain_other)

    def pooled(product: Aggregate, means: tuple[Column, ...], name: str) -> Expression:
        whole = Call("*", (product, Cast(count, Type.DOUBLE)), Type.DOUBLE)
        return Call(name, (n, *means, sent(whole)), Type.DOUBLE)

    together = pooled(
        replace(aggregate, name="covar_pop", type=Type.DOUBLE), (x, y), "pooled_products"
    )
    if aggregate.name == "corr":
        spreads = tuple(
            pooled(_beside(mean, "var_pop", Type.DOUBLE), (sent(mean),), "pooled_squares")
            for mean in (plain_one, plain_other)
        )
        spread = Call("sqrt", (Call("*", spreads, Type.DOUBLE),), Type.DOUBLE)
        return Call("/", (together, spread), Type.DOUBLE)
    total = Cast(_total(n), Type.DOUBLE)
    is_sample = aggregate.name == "covar_samp"
    below = Call("-", (total, Literal(1.0, Type.DOUBLE)), Type.DOUBLE) if is_sample else total
    enough = Call(">", (below, Literal(0.0, Type.DOUBLE)), Type.BOOLEAN)
    return Case(((enough, Call("/", (together, below), Type.DOUBLE)),), None, Type.DOUBLE)


def _sum(column: Column) -> Aggregate:
    return Aggregate("sum", column, distinct=False, type=column.type)


def _total(column: Column) -> Expression:
    """A sum of counts: 0, not NULL, where no chunk sent any."""
    return Call("coalesce", (_sum(column), Literal(0, Type.LONG)), Type.LONG)
