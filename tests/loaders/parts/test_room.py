"""Parts wait where those at work fill the memory; a larger one than that is worked on alone."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pyarrow as pa

from loaders.parts.cut import Cut
from loaders.parts.room import Room, needed
from loaders.staging.resolve import PlacedRun
from procedures.director_index import KeyMap
from schema.manifest import PartKind
from schema.topology import ShardId
from tests.loaders.skies import OBJECT


def test_who_finds_no_room_waits_until_there_is_some() -> None:
    assert has_to_wait(Room(100), 50, 60)


def test_a_part_that_is_larger_than_the_room_is_worked_on_alone() -> None:
    assert has_to_wait(Room(100), 1000, 1)
    assert has_to_wait(Room(100), 1, 1000)


def has_to_wait(room: Room, first: int, second: int) -> bool:
    """Whether the second comes only when the first has left."""
    has_come = threading.Event()

    def come() -> None:
        with room.taking(second):
            has_come.set()

    other = threading.Thread(target=come)
    with room.taking(first):
        other.start()
        waited = not has_come.wait(0.1)
    other.join(60)
    return waited and has_come.is_set()


def test_tasks_of_another_process_share_its_room() -> None:
    packed = pickle.dumps(Room(7))
    assert pickle.loads(packed) is pickle.loads(packed)


def test_rows_count_twice_and_once_more_where_they_are_encoded_for_several_copies() -> None:
    rows = pa.table({"objectId": np.arange(1000), "ra": np.zeros(1000)})
    half = PlacedRun(rows, np.arange(500), np.zeros(500, np.int64))
    index = KeyMap(np.arange(10), np.arange(10))
    one = Cut(OBJECT, PartKind.ROWS, None, None, (ShardId(1),), own=(half,))
    two = Cut(OBJECT, PartKind.ROWS, None, None, (ShardId(1), ShardId(2)), own=(half,))
    assert needed([one]) == 2 * 8000
    assert needed([two]) == 3 * 8000
    assert needed([Cut(OBJECT, PartKind.INDEX, None, 3, (ShardId(1),), index=(index,))]) == 320
