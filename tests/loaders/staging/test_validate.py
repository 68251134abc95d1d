"""Rows against the model."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.readers.source import BadLine, SourceBatch
from loaders.staging.matching import MissingColumn, match_columns
from loaders.staging.validate import Conformed, Conformer
from schema.catalog import Table
from tests.loaders.skies import FILTER, OBJECT, SOURCE


def checked(table: Table, bad: tuple[BadLine, ...] = (), **columns: list[object]) -> Conformed:
    rows = pa.RecordBatch.from_pydict(columns)
    batch = SourceBatch(rows, np.arange(10, 10 + rows.num_rows), bad)
    with Conformer(table, match_columns(table, list(columns))) as conformer:
        return conformer.conform(batch)


def reasons(result: Conformed) -> dict[int, str]:
    return {reject.number: reject.reason for reject in result.rejects}


def test_names_match_in_any_case_and_exactly_first() -> None:
    matching = match_columns(OBJECT, ["OBJECTID", "Ra", "ra", "DEC", "extra"])
    assert matching.names[:3] == ("OBJECTID", "ra", "DEC")
    assert matching.unknown == ("Ra", "extra")


def test_columns_that_a_file_has_not_are_null() -> None:
    result = checked(FILTER, filterId=[1, 2])
    assert result.rows.to_pydict() == {"filterId": [1, 2], "name": [None, None]}


def test_a_needed_column_is_missed_with_the_nearest() -> None:
    with pytest.raises(MissingColumn, match=r"no column 'objectId'.*did you mean 'objecttId'"):
        match_columns(OBJECT, ["objecttId", "ra", "dec"])


def test_a_bad_cell_rejects_its_row_only() -> None:
    result = checked(FILTER, filterId=["1", "x", "3"], name=["u", "g", "r"])
    assert reasons(result) == {11: "column 'filterId': 'x' is not a value of type short"}
    assert result.rows.to_pydict() == {"filterId": [1, 3], "name": ["u", "r"]}
    assert result.numbers.tolist() == [10, 12]


def test_a_reject_keeps_the_row_as_it_was() -> None:
    result = checked(FILTER, filterId=["x"], name=["g"])
    assert result.rejects[0].text == '{"filterId": "x", "name": "g"}'


def test_null_where_it_may_not_be_rejects() -> None:
    assert reasons(checked(FILTER, filterId=[None, 2])) == {10: "column 'filterId' is NULL"}


def test_lines_that_were_not_split_are_rejects() -> None:
    result = checked(FILTER, (BadLine(7, "3 fields", "a,b,c"),), filterId=[1])
    assert reasons(result) == {7: "3 fields"}


@pytest.mark.parametrize(
    ("ra", "dec", "reason"),
    [
        (None, 0.0, "column 'ra' is NULL"),
        (float("nan"), 0.0, "column 'ra' is NULL"),
        (-0.1, 0.0, "position 'ra' is outside 0..360 degrees"),
        (360.1, 0.0, "position 'ra' is outside 0..360 degrees"),
        (0.0, 90.5, "position 'dec' is outside -90..90 degrees"),
        (float("inf"), 0.0, "position 'ra' is outside 0..360 degrees"),
    ],
)
def test_a_director_without_a_place_on_the_sky_is_rejected(
    ra: float | None, dec: float, reason: str
) -> None:
    result = checked(OBJECT, objectId=[1], ra=pa.array([ra], pa.float64()), dec=[dec])
    assert reasons(result) == {10: reason}


def test_ra_360_stays_as_written() -> None:
    assert checked(OBJECT, objectId=[1], ra=[360.0], dec=[0.0]).rows["ra"].to_pylist() == [360.0]


def test_a_child_may_have_no_position_but_none_off_the_sky() -> None:
    result = checked(SOURCE, sourceId=[1, 2], ra=[None, 400.0], dec=[None, 0.0])
    assert reasons(result) == {11: "position 'ra' is outside 0..360 degrees"}


def test_a_directors_key_is_given_and_no_sentinel() -> None:
    result = checked(OBJECT, objectId=[None, 0, 1], ra=[1.0] * 3, dec=[1.0] * 3)
    assert reasons(result) == {
        10: "column 'objectId' is NULL",
        11: "key 'objectId' is a value that means no row",
    }


@given(st.lists(st.tuples(st.floats(), st.floats())))
def test_every_row_is_kept_or_rejected(places: list[tuple[float, float]]) -> None:
    ra = pa.array([place[0] for place in places], pa.float64())
    dec = pa.array([place[1] for place in places], pa.float64())
    ids = pa.array(range(1, len(places) + 1), pa.int64())
    result = checked(OBJECT, objectId=ids, ra=ra, dec=dec)
    inside = [0 <= a <= 360 and -90 <= d <= 90 for a, d in places]
    assert result.rows["objectId"].to_pylist() == [n + 1 for n, ok in enumerate(inside) if ok]
    assert sorted(reasons(result)) == [n + 10 for n, ok in enumerate(inside) if not ok]
