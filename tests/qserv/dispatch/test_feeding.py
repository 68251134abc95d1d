"""What waits for what, and what complete rows tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from procedures.director_index import EMPTY, KeyMap
from qserv.bound import RelationId, Select
from qserv.dispatch import feeding
from qserv.dispatch.feeding import Waiting, positions_in, values_in
from qserv.planned import Fragment, KeyFeed, Plan
from qserv.spool import Rows
from schema.healpix import I64
from tests.qserv.rows_of_chunks import fragment

R0 = RelationId("r0")


def rows(name: str, *batches: dict[str, list[object]]) -> Rows:
    held = tuple(pa.RecordBatch.from_pydict(batch) for batch in batches)
    return Rows(name, held[0].schema, held, None, sum(b.num_rows for b in held))


def nothing(catalog: str, table: str, keys: I64) -> KeyMap:
    return EMPTY


def waiting_chain() -> Waiting:
    """f1 waits for f0, f2 for f1."""
    first = replace(fragment(), name="f0")
    return Waiting(Plan((first, after("f1", "f0"), after("f2", "f1")), Select(()), (), ()), nothing)


def after(name: str, source: str) -> Fragment:
    waits = fragment()
    relation = waits.sources[0].relation
    return replace(waits, name=name, feeds=(KeyFeed(source, 0, relation, "id"),))


def test_a_fragment_is_ready_once_its_source_is_complete() -> None:
    waiting = waiting_chain()
    waiting.begun("f0", 2)
    assert list(waiting.ready()) == []
    waiting.keep(rows("f0", {"c0": [3, 3, None]}))
    waiting.done("f0")
    assert list(waiting.ready()) == []
    waiting.done("f0")
    (ready,) = waiting.ready()
    assert ready.name == "f1"
    assert ready.sources[0].among[0].values.to_pylist() == [3]
    assert ready.feeds == ()


def test_a_source_that_gave_nothing_feeds_on() -> None:
    waiting = waiting_chain()
    assert [f.name for f in waiting.ready()] == ["f1"]
    assert [(f.name, f.pixels) for f in waiting.ready()] == [("f2", ())]


def test_values_come_once_and_never_null() -> None:
    found = values_in(
        [rows("f0", {"c0": [2, None, 2]}, {"c0": [1, 2]}), rows("f0", {"c0": [5]})], 0
    )
    assert found is not None
    assert sorted(found.to_pylist()) == [1, 2, 5]


def test_too_many_values_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "MAX_FED_VALUES", 2)
    assert values_in([rows("f0", {"c0": [1, 2]})], 0) is not None
    assert values_in([rows("f0", {"c0": [1, 2]}, {"c0": [3]})], 0) is None
    assert positions_in([rows("f0", {"c0": [1.0, 2.0, 3.0], "c1": [0.0, 0.0, 0.0]})], 0, 1) is None


def test_positions_that_are_none_are_left_out() -> None:
    found = positions_in([rows("f0", {"c0": [1.0, None, 3.0], "c1": [0.0, 0.0, 91.0]})], 0, 1)
    assert found is not None
    assert np.array_equal(found.ra, [1.0])
    assert np.array_equal(found.dec, [0.0])


def test_rows_that_are_too_many_are_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "MAX_FED_ROWS", 2)
    waiting = waiting_chain()
    waiting.begun("f0", 1)
    waiting.keep(rows("f0", {"c0": [1, 2, 3]}))
    waiting.done("f0")
    (ready,) = waiting.ready()
    assert ready.sources[0].among == ()
