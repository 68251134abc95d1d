"""Whether two lists of rows say the same: floats to 1e-9 relative, sums to 1e-6 of their terms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

Row = Sequence[object]


def assert_same_rows(found: Sequence[Row], wanted: Sequence[Row], *, ordered: bool) -> None:
    """Raise AssertionError that shows the first difference."""
    assert len(found) == len(wanted), f"{len(found)} rows, the oracle has {len(wanted)}"
    if not ordered:
        found, wanted = sorted(found, key=_sort_key), sorted(wanted, key=_sort_key)
    for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
        assert len(one) == len(other), f"row {number}: {len(one)} columns, not {len(other)}"
        for column, (a, b) in enumerate(zip(one, other, strict=True)):
            assert _same(a, b), f"row {number}, column {column}: {a!r}, the oracle has {b!r}"


def _same(a: object, b: object) -> bool:
    if a is None or b is None:
        return a is b
    if isinstance(b, Decimal):
        b = float(b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, float) or isinstance(b, float):
        assert isinstance(a, int | float)
        assert isinstance(b, int | float)
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return a == b


def _sort_key(row: Row) -> tuple[tuple[int, object], ...]:
    """Sorts NULLs last, and floats by 12 digits, so that rounding does not change the order."""
    return tuple(_cell_key(cell) for cell in row)


def _cell_key(cell: object) -> tuple[int, object]:
    match cell:
        case None:
            return (2, "")
        case bool():
            return (0, int(cell))
        case int():
            return (0, cell)
        case float() | Decimal():
            return (0, float(f"{float(cell):.12g}"))
        case datetime():
            return (1, cell.isoformat())
        case list():
            return (1, str([_cell_key(item) for item in cell]))
        case _:
            return (1, str(cell))
