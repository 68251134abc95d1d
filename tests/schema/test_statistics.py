"""Statistics of parts: what is written is read, and no part with a matching row is left out."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.catalog import Column, Role, Table
from schema.statistics import (
    ColumnStatistics,
    column_statistics,
    describe,
    may_be_null,
    may_compare,
    may_equal_any,
    may_have_value,
    share_among,
    share_of_nulls,
    share_within,
    statistics_columns,
)
from schema.types import SPELLINGS, Type

COMPARISONS = {
    "=": np.equal,
    "<>": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def table(*columns: Column, statistics: tuple[str, ...] | None = None) -> Table:
    return Table(
        "T", columns, Role.DIRECTOR, ("k",), key="k", ra="ra", dec="dec", statistics=statistics
    )


def known(parts: list[list[float | None]], kind: Type) -> ColumnStatistics:
    """The statistics of one column over parts with these values."""
    made = table(Column("x", kind))
    texts = [describe(pa.table({"x": pa.array(p, SPELLINGS[kind].arrow)}), made) for p in parts]
    return column_statistics(texts, [len(part) for part in parts], "x", kind)


integers = st.one_of(
    st.none(), st.integers(-5, 5), st.sampled_from([2**63 - 1, -(2**63), 2**53 + 1])
)
floats = st.one_of(
    st.none(), st.floats(-3, 3), st.sampled_from([1e300, -1e-300, 0.1, float("inf"), -0.0])
)


@given(
    st.one_of(
        st.tuples(st.just(Type.LONG), st.lists(st.lists(integers, max_size=4), max_size=4)),
        st.tuples(st.just(Type.DOUBLE), st.lists(st.lists(floats, max_size=4), max_size=4)),
    ),
    st.sampled_from(sorted(COMPARISONS)),
    st.one_of(st.integers(-5, 5), st.floats(-3, 3), st.sampled_from([2**53, 1e300])),
)
def test_no_part_with_a_matching_row_is_left_out(
    given_parts: tuple[Type, list[list[float | None]]], operator: str, value: float
) -> None:
    kind, parts = given_parts
    found = known(parts, kind)
    matches = [
        any(one is not None and COMPARISONS[operator](one, value) for one in part) for part in parts
    ]
    assert not np.any(np.array(matches, bool) & ~may_compare(found, operator, value))
    listed = [any(one in (value, 1, -2) for one in part if one is not None) for part in parts]
    assert not np.any(np.array(listed, bool) & ~may_equal_any(found, [value, 1, -2]))
    nulls = np.array([None in part for part in parts], bool)
    values = np.array([any(one is not None for one in part) for part in parts], bool)
    assert not np.any(nulls & ~may_be_null(found))
    assert not np.any(values & ~may_have_value(found))


def test_bounds_are_exact() -> None:
    found = known([[2**62 + 1, None, -7], [None]], Type.LONG)
    assert found.low[0] == -7
    assert found.high[0] == 2**62 + 1
    assert found.nulls.tolist() == [1, 1]
    assert may_compare(found, ">", 2**62).tolist() == [True, False]
    assert may_equal_any(found, []).tolist() == [False, False]


def test_a_part_of_which_nothing_is_known_may_hold_anything() -> None:
    found = column_statistics(["", '{"y":[1,2,0]}'], [3, 3], "x", Type.DOUBLE)
    assert not found.is_known.any()
    for operator in COMPARISONS:
        assert may_compare(found, operator, 1e9).all()
    assert may_be_null(found).all()


def test_an_instant_is_its_microseconds() -> None:
    instants = pa.array([datetime(1970, 1, 1, 0, 0, 2), None], pa.timestamp("us"))  # noqa: DTZ001
    text = describe(pa.table({"x": instants}), table(Column("x", Type.TIMESTAMP)))
    assert text == '{"x":[2000000,2000000,1]}'


def test_names_of_columns_are_told_apart() -> None:
    rows = pa.table({'a"b': [1], "b": [2], "ab": [3]})
    text = describe(rows, table(*(Column(name, Type.INT) for name in rows.column_names)))
    low = [int(column_statistics([text], [1], n, Type.INT).low[0]) for n in rows.column_names]
    assert low == [1, 2, 3]


def test_keys_and_times_come_first_and_positions_not_at_all() -> None:
    made = table(
        Column("flag", Type.BOOLEAN),
        *(Column(f"x{number}", Type.FLOAT) for number in range(9)),
        Column("mag", Type.FLOAT, principal=True),
        Column("ra", Type.DOUBLE),
        Column("dec", Type.DOUBLE),
        Column("mjd", Type.DOUBLE, unit="d"),
        Column("taken", Type.TIMESTAMP),
        Column("k", Type.LONG),
        Column("name", Type.TEXT),
    )
    assert statistics_columns(made) == ("k", "mjd", "taken", "mag", "x0", "x1", "x2", "x3")


@pytest.mark.parametrize("listed", [(), ("mag",)])
def test_a_layout_decides(listed: tuple[str, ...]) -> None:
    made = table(Column("k", Type.LONG), Column("mag", Type.FLOAT), statistics=listed)
    assert statistics_columns(made) == listed
    text = describe(pa.table({"k": [1], "mag": [2.5]}), made)
    assert text == ('{"mag":[2.5,2.5,0]}' if listed else "")


def parts(kind: Type, *values: list[float | None]) -> tuple[ColumnStatistics, np.ndarray]:
    """Some parts with these values of a column, and the rows of each."""
    made = table(Column("x", kind))
    arrow = SPELLINGS[kind].arrow
    texts = [describe(pa.table({"x": pa.array(some, arrow)}), made) for some in values]
    rows = [len(some) for some in values]
    return column_statistics(texts, rows, "x", kind), np.array(rows, np.float64)


@pytest.mark.parametrize(
    ("low", "high", "share"),
    [(0, 9, 0.5), (0, 19, 1.0), (5, 14, 0.5), (3, 3, 0.05), (20, 30, 0.0), (-np.inf, 4, 0.25)],
)
def test_whole_numbers_that_are_evenly_spread_are_counted(
    low: float, high: float, share: float
) -> None:
    found = parts(Type.INT, list(range(10)), list(range(10, 20)))
    assert share_within(*found, low, high) == pytest.approx(share)


def test_nulls_and_single_values_count() -> None:
    found = parts(Type.DOUBLE, [1.0, None, 1.0, None], [None, None])
    assert share_within(*found, 0, 2) == pytest.approx(2 / 6)
    assert share_within(*found, 2, 3) == 0
    assert share_among(*found, [1.0, 7.0]) == pytest.approx(2 / 6)
    assert share_of_nulls(*found) == pytest.approx(4 / 6)


def test_parts_that_are_not_read_do_not_count() -> None:
    found, rows = parts(Type.INT, list(range(10)), list(range(100)))
    rows[1] = 0
    assert share_within(found, rows, 0, 4) == pytest.approx(0.5)
    assert share_among(found, rows, [0, 1, 50]) == pytest.approx(0.2)
    assert share_within(found, np.zeros(2), 0, 4) == 0


def test_bounds_that_are_not_finite_are_a_guess() -> None:
    found = parts(Type.DOUBLE, [1.0, np.inf])
    assert 0 < share_within(*found, 5, 6) < 1
    unknown = column_statistics([""], [10], "x", Type.INT), np.array([10.0])
    assert 0 < share_within(*unknown, 5, 6) < 1
    assert share_of_nulls(*unknown) is None
