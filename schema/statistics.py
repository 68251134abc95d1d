"""What is known of the columns of parts: least and greatest value, and how many are NULL.

In a part's row it is JSON, `{"mjd": [61041.2, 61060.5, 3]}`: the bounds of the own rows (both null
where every value is NULL; one of them null where that side is not finite) and the number of NULLs. A
TIMESTAMP is its microseconds since 1970. A column that is not there is not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schema.catalog import Column, Table
from schema.types import Type

DEFAULT_COLUMNS = 8
"""Columns of a table with statistics where its layout names none."""
Bools = npt.NDArray[np.bool_]
Bounds = npt.NDArray[Any]
"""Of int64 or float64."""
Entry = tuple[float | int | None, float | int | None, int]
"""(least, greatest, NULLs) of one column of one part."""


@dataclass(frozen=True, slots=True, eq=False)
class ColumnStatistics:
    """One column over some parts. `low > high` where a part has no value but NULL.

    Where nothing is known of a part (`is_known` false) its bounds are as wide as the type.
    """

    low: Bounds
    high: Bounds
    nulls: npt.NDArray[np.int64]
    is_known: Bools

    @property
    def is_complete(self) -> bool:
        """Whether every part is known."""
        return bool(self.is_known.all())


def statistics_columns(table: Table) -> tuple[str, ...]:
    """The columns of a table that have statistics: its layout's, else the likeliest of a WHERE.

    Keys, then times, then what the schema calls principal, then others in its order; numbers and
    timestamps only, and no position (pixels bound it better).
    """
    if table.statistics is not None:
        return table.statistics
    keys = {table.key, *table.primary_key}
    position = {table.ra, table.dec}

    def rank(column: Column) -> int:
        if column.name in keys:
            return 0
        if _is_time(column):
            return 1
        return 2 if column.principal else 3

    known = [c for c in table.columns if has_statistics(c.type) and c.name not in position]
    return tuple(c.name for c in sorted(known, key=rank)[:DEFAULT_COLUMNS])


def has_statistics(kind: Type) -> bool:
    """Whether columns of a type can have statistics."""
    return kind.is_numeric or kind is Type.TIMESTAMP


def _is_time(column: Column) -> bool:
    """Whether a column holds instants."""
    is_day = column.type.is_floating and column.unit == "d"
    return column.type is Type.TIMESTAMP or is_day or (column.ucd or "").startswith("time")


def describe(rows: pa.Table, table: Table) -> str:
    """The statistics of a part's own rows, as JSON; empty text where the table has none."""
    names = [name for name in statistics_columns(table) if name in rows.schema.names]
    found = {name: _entry(rows.column(name)) for name in names}
    return json.dumps(found, separators=(",", ":")) if found else ""


def _entry(values: pa.ChunkedArray) -> Entry:
    bounds = pc.min_max(values)
    return _plain(bounds["min"]), _plain(bounds["max"]), values.null_count


def _plain(value: pa.Scalar) -> float | int | None:
    """A bound as JSON has it."""
    if not value.is_valid:
        return None
    plain: float | int = value.value if pa.types.is_timestamp(value.type) else value.as_py()
    return plain if isfinite(plain) else None


def column_statistics(
    texts: Sequence[str], rows: Sequence[int], name: str, kind: Type
) -> ColumnStatistics:
    """One column of some parts, which have such statistics and so many own rows.

    Only this column is read out of the JSON that `describe` writes: of 100,000 parts a tenth of the
    time that reading all of it takes.
    """
    entry = re.compile(r"[{,]" + re.escape(json.dumps(name)) + r":\[([^,\]]+),([^,\]]+),(\d+)\]")
    number: Callable[[str], float] = float if kind.is_floating else int
    dtype, least, most = _FLOATS if kind.is_floating else _INTEGERS
    low, high, nulls = [least] * len(texts), [most] * len(texts), [-1] * len(texts)
    for at, text in enumerate(texts):
        found = entry.search(text)
        if found is None:
            continue
        lowest, highest, count = found.groups()
        nulls[at] = int(count)
        if nulls[at] >= rows[at]:
            low[at], high[at] = most, least
            continue
        if lowest != "null":
            low[at] = number(lowest)
        if highest != "null":
            high[at] = number(highest)
    counts = np.array(nulls, np.int64)
    is_known = np.asarray(counts >= 0, np.bool_)
    return ColumnStatistics(np.array(low, dtype), np.array(high, dtype), counts, is_known)


_INTEGERS = np.dtype(np.int64), np.iinfo(np.int64).min, np.iinfo(np.int64).max
_FLOATS = np.dtype(np.float64), -np.inf, np.inf


# ------------------------------------------------------------------ which parts may match


def may_compare(found: ColumnStatistics, operator: str, value: float) -> Bools:
    """The parts where `column operator value` may be true of a row."""
    low, high = found.low, found.high
    match operator:
        case "=":
            kept = (low <= value) & (high >= value)
        case "<>":
            kept = (low != value) | (high != value)
        case "<":
            kept = low < value
        case "<=":
            kept = low <= value
        case ">":
            kept = high > value
        case ">=":
            kept = high >= value
        case _:
            raise ValueError(f"{operator} is no comparison")
    return np.asarray(kept, np.bool_)


def may_equal_any(found: ColumnStatistics, values: Sequence[float]) -> Bools:
    """The parts where the column may be one of the values."""
    if not len(values):
        return np.zeros(len(found.low), np.bool_)
    wanted = np.unique(np.asarray(values))
    at = np.searchsorted(wanted, found.low)
    nearest = wanted[np.minimum(at, len(wanted) - 1)]
    return np.asarray((at < len(wanted)) & (nearest <= found.high), np.bool_)


def may_be_null(found: ColumnStatistics) -> Bools:
    """The parts where the column may be NULL."""
    return np.asarray(found.nulls != 0, np.bool_)


def may_have_value(found: ColumnStatistics) -> Bools:
    """The parts where the column may be something else than NULL."""
    return np.asarray(found.low <= found.high, np.bool_)


# ------------------------------------------------------------------ which share of the rows

UNKNOWN_WITHIN, UNKNOWN_EQUAL = 0.33, 0.02
"""Guesses for parts of which nothing is known, or whose bounds are not finite."""
Shares = npt.NDArray[np.float64]
"""Of each part's rows, in [0, 1]."""


def share_within(found: ColumnStatistics, rows: Shares, low: float, high: float) -> float:
    """The share of the rows of parts (`rows` by part) whose column lies in [low, high].

    Values are taken as evenly spread between a part's bounds; instants are microseconds since 1970.
    """
    width, each = _spread(found, rows)
    is_whole = found.low.dtype.kind == "i"
    over = np.minimum(found.high, high) - np.maximum(found.low, low) + float(is_whole)
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = np.where(width > 0, np.clip(over / width, 0.0, 1.0), 1.0)
    share = np.where(over < float(is_whole), 0.0, np.maximum(inside, each))
    return _of_all(found, rows, share, UNKNOWN_EQUAL if low == high else UNKNOWN_WITHIN)


def share_among(found: ColumnStatistics, rows: Shares, values: Sequence[float]) -> float:
    """The share of the rows of parts whose column is one of the values."""
    wanted = np.unique(np.asarray(values, np.float64))
    inside = np.searchsorted(wanted, found.high, "right") - np.searchsorted(wanted, found.low)
    share = np.minimum(1.0, np.maximum(inside, 0) * _spread(found, rows)[1])
    return _of_all(found, rows, share, min(1.0, UNKNOWN_EQUAL * len(wanted)))


def share_of_nulls(found: ColumnStatistics, rows: Shares) -> float | None:
    """The share of the rows of parts whose column is NULL; None where that is not known."""
    total = float(rows.sum())
    if not total or not found.is_complete:
        return None
    return float((np.minimum(found.nulls, rows) * (rows > 0)).sum()) / total


def _spread(found: ColumnStatistics, rows: Shares) -> tuple[Shares, Shares]:
    """How far apart a part's bounds are, and the share of its rows that one value has."""
    width = np.asarray(found.high, np.float64) - np.asarray(found.low, np.float64)
    if found.low.dtype.kind == "i":
        width = width + 1
        return width, 1.0 / np.maximum(width, 1.0)
    return width, np.where(width > 0, 1.0 / np.maximum(rows, 1.0), 1.0)


def _of_all(found: ColumnStatistics, rows: Shares, share: Shares, guess: float) -> float:
    """The parts' shares of rows that are not NULL as one of all rows."""
    total = float(rows.sum())
    if not total:
        return 0.0
    is_finite = found.is_known & np.isfinite(found.low) & np.isfinite(found.high)
    given = 1.0 - np.clip(found.nulls / np.maximum(rows, 1.0), 0.0, 1.0)
    share = np.where(is_finite, share * given, np.where(may_have_value(found), guess, 0.0))
    return float((rows * share).sum()) / total
