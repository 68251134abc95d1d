"""Columns of files in the model's types."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.staging.convert import Converted, WrongType, convert
from schema.catalog import Column
from schema.types import Type

INT32 = st.integers(-(2**31), 2**31 - 1)


def converted(values: list[object], kind: Type, **more: object) -> Converted:
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return convert(array, Column("x", kind, **more))


@given(st.lists(INT32 | st.none(), min_size=1))
def test_integers_are_parsed_from_text(values: list[int | None]) -> None:
    cells = pa.array([None if v is None else str(v) for v in values], pa.string())
    assert converted(cells, Type.INT).array.to_pylist() == values


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_exactly_the_integers_that_do_not_fit_are_faults(values: list[int]) -> None:
    result = converted(pa.array(values, pa.int64()), Type.INT)
    assert sorted(result.faults) == [n for n, v in enumerate(values) if not -(2**31) <= v < 2**31]


@given(st.lists(st.floats(width=32), min_size=1))
def test_nan_becomes_null_and_the_rest_stays(values: list[float]) -> None:
    result = converted(pa.array(values, pa.float32()), Type.FLOAT)
    assert result.array.to_pylist() == [None if math.isnan(v) else v for v in values]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_doubles_are_parsed_from_text_exactly(values: list[float]) -> None:
    assert converted([repr(v) for v in values], Type.DOUBLE).array.to_pylist() == values


def test_a_double_beyond_real_is_a_fault_and_infinity_is_not() -> None:
    result = converted([1e300, math.inf, 1.5], Type.FLOAT)
    assert (list(result.faults), result.array.to_pylist()) == ([0], [None, math.inf, 1.5])


@pytest.mark.parametrize("cell", ["", "\\N", "NULL", "null", "nan", " NaN "])
def test_cells_without_a_number_are_null(cell: str) -> None:
    assert converted([cell, "1"], Type.INT).array.to_pylist() == [None, 1]


def test_integers_may_be_written_as_pandas_writes_them() -> None:
    assert converted(["12.0", "", "3e2"], Type.LONG).array.to_pylist() == [12, None, 300]


def test_a_large_integer_beside_a_floating_one_keeps_its_digits() -> None:
    result = converted(["9007199254740993", "12.0"], Type.LONG)
    assert result.array.to_pylist() == [9007199254740993, 12]


@pytest.mark.parametrize("cell", ["12.5", "abc", "99999999999999999999", "1,5"])
def test_a_bad_integer_names_column_and_value(cell: str) -> None:
    faults = converted([cell, "1"], Type.LONG).faults
    assert faults == {0: f"column 'x': {cell!r} is not a value of type long"}


@pytest.mark.parametrize("cell", ["1", "true", "TRUE", "t", "\x01", "yes"])
def test_words_for_true(cell: str) -> None:
    assert converted([cell], Type.BOOLEAN).array.to_pylist() == [True]


@pytest.mark.parametrize("cell", ["0", "false", "F", "\x00", "no"])
def test_words_for_false(cell: str) -> None:
    assert converted([cell], Type.BOOLEAN).array.to_pylist() == [False]


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-02T03:04:05.000006",
        "2026-01-02 03:04:05.000006",
        "2026-01-02T03:04:05.000006Z",
        "2026-01-02T03:04:05.000006789",
        "2026-01-02T04:04:05.000006+01:00",
    ],
)
def test_instants_are_parsed(cell: str) -> None:
    expected = dt.datetime(2026, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001
    assert converted([cell], Type.TIMESTAMP).array.to_pylist() == [expected]


def test_nanoseconds_are_cut_to_microseconds() -> None:
    array = pa.array([1_001], pa.timestamp("ns", tz="UTC"))
    assert converted(array, Type.TIMESTAMP).array.cast(pa.int64()).to_pylist() == [1]


def test_a_text_that_is_too_long_is_a_fault() -> None:
    assert converted(["ab", "äöü"], Type.TEXT, length=2).faults == {
        1: "column 'x': 'äöü' is longer than 2"
    }


def test_a_text_with_a_nul_is_a_fault() -> None:
    assert list(converted(["a", "b\0"], Type.TEXT).faults) == [1]


def test_dictionaries_views_and_large_texts_are_plain_texts() -> None:
    plain = pa.array(["a", None, "b"])
    for given_type in (pa.dictionary(pa.int8(), pa.string()), pa.large_string(), pa.string_view()):
        assert converted(plain.cast(given_type), Type.TEXT).array == plain


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (pa.array([[1]]), Type.INT),
        (pa.array([1]), Type.TIMESTAMP),
        (pa.array([dt.date(2026, 1, 1)]), Type.DOUBLE),
    ],
)
def test_a_type_that_can_never_fit_is_refused(array: pa.Array, kind: Type) -> None:
    with pytest.raises(WrongType, match=r"column 'x' is .* in the file"):
        convert(array, Column("x", kind))


def test_unsigned_and_boolean_numbers_widen() -> None:
    assert converted(pa.array(np.array([7], np.uint8)), Type.SHORT).array.to_pylist() == [7]
    assert converted(pa.array([True, None]), Type.INT).array.to_pylist() == [1, None]


def test_dictionaries_of_large_texts_are_read() -> None:
    cells = pa.array(["1", "2", "1"], pa.large_string()).dictionary_encode()
    assert converted(cells, Type.INT).array.to_pylist() == [1, 2, 1]
    assert converted(cells, Type.TEXT).array.to_pylist() == ["1", "2", "1"]


def test_integers_that_a_double_cannot_tell_apart_are_faults() -> None:
    result = converted(pa.array([2**53, 2**53 + 1, -(2**60)], pa.int64()), Type.DOUBLE)
    assert sorted(result.faults) == [1, 2]
    assert result.array.to_pylist() == [2.0**53, None, None]


def test_only_0_and_1_are_booleans() -> None:
    result = converted(pa.array([0, 1, 2, None, -1], pa.int16()), Type.BOOLEAN)
    assert sorted(result.faults) == [2, 4]
    assert result.array.to_pylist() == [False, True, None, None, None]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (
            ["10.5 -3", "[1, 2]", "(1,2)", "", "NaN NaN"],
            Type.POINT,
            [[10.5, -3], [1, 2], [1, 2], None, None],
        ),
        ([[1, 2], [3]], Type.DOUBLES, [[1.0, 2.0], [3.0]]),
        ([[1.0, None, 2.0], None], Type.CIRCLE, [None, None]),
        (['["a", null]', "[]", None], Type.TEXTS, [["a", None], [], None]),
        (["1 2 3"], Type.LONGS, [[1, 2, 3]]),
    ],
)
def test_arrays_are_lists_or_texts(
    values: list[object], kind: Type, expected: list[object]
) -> None:
    result = converted(values, kind)
    assert (result.array.to_pylist(), result.faults) == (expected, {})


def test_a_geometry_of_a_wrong_length_is_a_fault() -> None:
    result = converted([[1.0, 2.0], [1.0, 2.0, 3.0], [0.0, 0.0]], Type.POINT)
    assert result.array.to_pylist() == [[1.0, 2.0], None, [0.0, 0.0]]
    assert set(result.faults) == {1}
