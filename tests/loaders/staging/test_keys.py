"""Keys by shares are the keys, and arrays beyond the memory are the arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.staging.keys import (
    SHARE_ROWS,
    Gathered,
    Scratch,
    first_of_each,
    indexed,
    share_count,
)
from procedures.director_index import key_map
from schema.manifest import INDEX_BUCKETS
from schema.placement import bucket_of

KEYS = st.dictionaries(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**59), max_size=60)
COUNTS = st.sampled_from([INDEX_BUCKETS, 3 * INDEX_BUCKETS])


def arrays(known: dict[int, int]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(list(known), np.int64), np.array(list(known.values()), np.int64)


@given(KEYS, KEYS, COUNTS)
def test_an_index_by_shares_finds_what_a_map_finds(
    known: dict[int, int], newer: dict[int, int], count: int
) -> None:
    whole = key_map(*arrays(known)).merged(key_map(*arrays(newer)))
    shared = indexed(key_map(*arrays(known)), count)
    shared = shared.merged(indexed(key_map(*arrays(newer)), count))
    asked = np.array([*known, *newer, 0, 1, 2], np.int64)
    assert len(shared) == len(whole)
    for ours, theirs in zip(shared.find(asked), whole.find(asked), strict=True):
        assert ours.tolist() == theirs.tolist()


@given(KEYS, COUNTS)
def test_each_bucket_of_the_director_index_has_its_own_keys(
    known: dict[int, int], count: int
) -> None:
    shared = indexed(key_map(*arrays(known)), count)
    for number in range(INDEX_BUCKETS):
        keys = [key for one in shared.bucket(number) for key in one.keys.tolist()]
        assert sorted(keys) == sorted(k for k in known if bucket_of(np.array([k]))[0] == number)


def test_the_first_of_equal_keys_wins_whichever_run_has_it() -> None:
    gathered = Gathered(INDEX_BUCKETS, Scratch())
    gathered.add(np.array([5, 6, 5]), np.array([50, 60, 51]))
    gathered.add(np.array([6, 7]), np.array([61, 70]))
    found, is_known = first_of_each(gathered, Scratch()).find(np.array([5, 6, 7, 8]))
    assert found.tolist() == [50, 60, 70, -1]
    assert is_known.tolist() == [True, True, True, False]


def test_more_rows_make_more_shares() -> None:
    assert share_count(0) == share_count(INDEX_BUCKETS * SHARE_ROWS) == INDEX_BUCKETS
    assert share_count(INDEX_BUCKETS * SHARE_ROWS + 1) == 2 * INDEX_BUCKETS


def test_arrays_beyond_the_memory_lie_in_files_without_a_name(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, most=1000)
    kept = [scratch.keep(np.arange(100) + number) for number in range(3)]
    assert [isinstance(one, np.memmap) for one in kept] == [False, True, True]
    assert [one[[0, 99]].tolist() for one in kept] == [[0, 99], [1, 100], [2, 101]]
    assert list(tmp_path.iterdir()) == []


def test_memory_that_is_given_back_is_taken_again(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, most=1000)
    first = scratch.keep(np.arange(100))
    del first
    assert not isinstance(scratch.keep(np.arange(100)), np.memmap)


@pytest.mark.parametrize("size", [0, 10])
def test_without_a_folder_all_stay_in_memory(size: int) -> None:
    values = np.arange(size)
    assert Scratch(most=0).keep(values) is values
