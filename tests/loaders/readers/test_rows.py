"""The order of rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.readers.rows import ascending, reordered


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_values_ascend(values: list[int]) -> None:
    found = np.array(values, np.int64)
    assert found[ascending(found)].tolist() == sorted(values)


@given(st.lists(st.integers(0, 3), max_size=200))
def test_equal_values_stay_as_they_came(values: list[int]) -> None:
    order = ascending(np.array(values, np.int64)).tolist()
    assert order == sorted(range(len(values)), key=values.__getitem__)


@pytest.mark.parametrize("most", [2**62, 1000, 1])
def test_many_values_are_ordered_like_few(most: int) -> None:
    """Two threads sort them, whether they are distinct or mostly equal."""
    values = np.random.default_rng(most).integers(-most, most, 1_000_001)
    assert np.array_equal(ascending(values), np.argsort(values, kind="stable"))


def test_rows_in_another_order_are_one_piece() -> None:
    rows = pa.concat_tables([pa.table({"a": [1, 2]}), pa.table({"a": [3]})])
    found = reordered(rows, np.array([2, 0]))
    assert found.column("a").to_pylist() == [3, 1]
    assert found.column("a").num_chunks == 1
