"""Aggregates of sciSQL and of the IVOA's catalogue: medians, percentiles, histograms."""

from __future__ import annotations

from collections.abc import Sequence

from qserv.bind.coercion import cast, describe, is_null
from qserv.bind.errors import Node, TypeMismatch
from qserv.bound import Aggregate, Call, Expression, Literal, SortKey
from schema.types import Type

NAMES = frozenset({"median", "percentile", "histogram"})
MAX_BINS = 10_000
LARGEST = 1e100
"""Of a histogram's limits."""


def statistic(name: str, arguments: Sequence[Expression], node: Node) -> Aggregate:
    """One of `NAMES` over bound arguments."""
    value = arguments[0]
    if not (value.type.is_numeric or is_null(value)):
        raise TypeMismatch(f"{name.upper()} needs numbers, found {describe(value)}", node)
    value = cast(value, Type.DOUBLE, node)
    if name == "histogram":
        return _histogram(value, arguments[1:], node)
    percent = 50.0 if name == "median" else _constant("PERCENTILE", arguments[1], node)
    if not 0 <= percent <= 100:
        raise TypeMismatch(f"PERCENTILE takes a constant from 0 to 100, found {percent:g}", node)
    fraction = Literal(percent / 100, Type.DOUBLE)
    order = (SortKey(value),)
    return Aggregate("percentile_cont", value, False, Type.DOUBLE, None, order, (fraction,))


def _constant(name: str, argument: Expression, node: Node) -> float:
    found = cast(argument, Type.DOUBLE, node) if argument.type.is_numeric else argument
    value = found.value if isinstance(found, Literal) else None
    if not isinstance(value, float):
        raise TypeMismatch(f"{name} needs a constant number, found {describe(argument)}", node)
    return value


def _histogram(value: Expression, more: Sequence[Expression], node: Node) -> Aggregate:
    """Counts by bin, of which `more` are the limits and the number; NULLs lie below all of them."""
    low, high = (_constant("IVO_HISTOGRAM", limit, node) for limit in more[:2])
    if not -LARGEST < low < high < LARGEST:
        raise TypeMismatch(f"IVO_HISTOGRAM's limits are {low:g} and {high:g}", node)
    bins = more[2]
    if not (isinstance(bins, Literal) and bins.type.is_integer and isinstance(bins.value, int)):
        raise TypeMismatch(f"IVO_HISTOGRAM's bins are a whole number, found {describe(bins)}", node)
    if not 1 <= bins.value <= MAX_BINS:
        raise TypeMismatch(f"IVO_HISTOGRAM has 1 to {MAX_BINS} bins, found {bins.value}", node)
    limits = (Literal(low, Type.DOUBLE), Literal(high, Type.DOUBLE), cast(bins, Type.INT, node))
    place = Call("histogram_bin", (value, *limits), Type.INT)
    counted = Call("coalesce", (place, Literal(0, Type.INT)), Type.INT)
    return Aggregate("histogram", counted, False, Type.LONGS, more=limits[2:])
