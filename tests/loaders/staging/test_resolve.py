"""Where rows lie, against a plain statement of the rules."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.readers.form import Form
from loaders.readers.source import I64
from loaders.staging.resolve import RepeatedVersions, Resolved, WrongKey, index_key, resolve
from loaders.staging.stage import Staged, StageTask, stage
from procedures.director_index import KeyMap, key_map
from schema.catalog import Catalog, Column, Role, Table
from schema.healpix import pixels_29
from schema.types import Type
from tests.loaders.skies import FILTER, NOTE, OBJECT, SKY, SOURCE


@dataclass(frozen=True, slots=True)
class Known:
    """What a store has published: pixels by table and key, and the keys that have no row."""

    index: dict[str, dict[int, int]] = field(default_factory=dict)
    orphans: frozenset[int] = frozenset()
    filters: tuple[int, ...] = ()
    """The keys of its Filter's rows."""

    def find(self, table: str, keys: I64) -> KeyMap:
        known = self.index.get(table, {})
        held = [key for key in keys.tolist() if key in known]
        return key_map(np.array(held, np.int64), np.array([known[k] for k in held], np.int64))

    def with_rows(self, table: str, known: KeyMap) -> I64:
        return np.array([k for k in known.keys.tolist() if k not in self.orphans], np.int64)

    def keys(self, table: Table) -> pa.Table:
        assert table is FILTER
        return pa.table({"filterId": pa.array(self.filters, pa.int16())})


def staged(number: int, table: Table, rows: pa.Table, folder: Path) -> Staged:
    path = folder / f"in-{number}.parquet"
    pq.write_table(rows, path)
    return stage(StageTask(number, table, path, Form(), folder, 1000))


def placed(resolved: Resolved, table: str, key: str) -> dict[int, int]:
    """The pixel that each kept row lies by, by the row's own key."""
    result: dict[int, int] = {}
    for run in resolved.runs.get(table, ()):
        assert np.all(run.pixels[:-1] <= run.pixels[1:])
        keys = np.asarray(run.rows[key])[run.order].tolist()
        result |= dict(zip(keys, run.pixels.tolist(), strict=True))
    return result


def pixel(ra: float, dec: float) -> int:
    return int(pixels_29(np.array([ra]), np.array([dec]))[0])


DECS = st.none() | st.integers(-8, 8).map(lambda n: n * 10.0)
SOURCES = st.lists(st.tuples(st.none() | st.integers(0, 6), DECS), min_size=1, max_size=12)


@settings(deadline=None, max_examples=60)
@given(brought=st.sets(st.integers(1, 6)), published=st.sets(st.integers(1, 6)), sources=SOURCES)
def test_children_lie_as_the_rules_say(
    brought: set[int],
    published: set[int],
    sources: list[tuple[int | None, float | None]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("resolve")
    brought = brought - published
    store = {key: pixel(200.0, key) for key in published}
    objects = {"objectId": sorted(brought), "ra": [50.0] * len(brought), "dec": sorted(brought)}
    objects = {
        n: pa.array(v, pa.int64() if n == "objectId" else pa.float64()) for n, v in objects.items()
    }
    children = pa.table(
        {
            "sourceId": range(len(sources)),
            "objectId": pa.array([key for key, _ in sources], pa.int64()),
            "ra": pa.array([5.0] * len(sources)),
            "dec": pa.array([dec for _, dec in sources], pa.float64()),
        }
    )
    given_rows = [
        staged(0, SOURCE, children, folder),
        staged(1, OBJECT, pa.table(objects), folder),
    ]
    resolved = resolve(SKY, given_rows, Known({"Object": store}))

    homes = store | {key: pixel(50.0, key) for key in brought}
    found = placed(resolved, "Source", "sourceId")
    orphans: dict[int, set[int]] = {}
    for number, (key, dec) in enumerate(sources):
        own = None if dec is None else pixel(5.0, dec)
        if key in homes:
            assert found[number] == homes[key]
        elif key in (None, 0):
            assert found.get(number) == own
        elif number in found:
            orphans.setdefault(key, set()).add(found[number])
        else:
            assert own is None
            assert all(other is None for k, other in sources if k == key)
    assert all(len(pixels) == 1 for pixels in orphans.values())
    maps = resolved.index["Object"].maps if "Object" in resolved.index else ()
    entries = {k: p for one in maps for k, p in zip(one.keys, one.pixels, strict=True)}
    expected = {key: homes[key] for key in brought} | {k: v.pop() for k, v in orphans.items()}
    assert entries == expected
    assert len(resolved.rejects) == len(sources) - len(found)


def test_children_of_children_lie_with_the_director(tmp_path: Path) -> None:
    rows = [
        (NOTE, pa.table({"noteId": [1, 2], "sourceId": [10, 11]})),
        (SOURCE, pa.table({"sourceId": [10], "objectId": [5], "ra": [60.0], "dec": [0.0]})),
        (OBJECT, pa.table({"objectId": [5], "ra": [50.0], "dec": [0.0]})),
    ]
    given_rows = [staged(n, table, given, tmp_path) for n, (table, given) in enumerate(rows)]
    resolved = resolve(SKY, given_rows, Known({"Source": {11: 77}}))
    assert placed(resolved, "Note", "noteId") == {1: pixel(50.0, 0.0), 2: 77}


def test_a_published_key_is_rejected_and_an_orphans_is_taken(tmp_path: Path) -> None:
    rows = pa.table({"objectId": [1, 2, 3], "ra": [1.0] * 3, "dec": [1.0] * 3})
    known = Known({"Object": {1: 11, 2: 22}}, orphans=frozenset({2}))
    resolved = resolve(SKY, [staged(0, OBJECT, rows, tmp_path)], known)
    assert list(placed(resolved, "Object", "objectId")) == [2, 3]
    assert [reject.reason for _, reject in resolved.rejects] == ["objectId is published already"]
    assert resolved.rehomed["Object"].find(np.array([2]))[0].tolist() == [22]


def test_a_key_is_kept_once_whatever_the_number_of_files(tmp_path: Path) -> None:
    rows = pa.table({"objectId": [1, 2], "ra": [1.0, 2.0], "dec": [1.0, 2.0]})
    files = [staged(n, OBJECT, rows, tmp_path) for n in range(2)]
    resolved = resolve(SKY, files, Known())
    assert len(resolved.rejects) == 2
    assert {staged.task.number for staged, _ in resolved.rejects} == {1}


def test_all_rejects_are_counted_and_some_are_written(tmp_path: Path) -> None:
    count = 200_000
    ids, places = np.arange(count), np.full(count, 10.0)
    rows = pa.table({"objectId": ids + 1, "ra": places, "dec": places})
    notes = pa.table({"noteId": ids, "sourceId": ids})
    files = [staged(0, OBJECT, rows, tmp_path), staged(1, OBJECT, rows, tmp_path)]
    started = time.process_time()
    resolved = resolve(SKY, [*files, staged(2, NOTE, notes, tmp_path)], Known(), limit=50)
    assert (resolved.rejected, len(resolved.rejects)) == (count, 50)
    assert "Note" not in resolved.runs
    assert time.process_time() - started < 5.0
    assert {staged.task.number for staged, _ in resolved.rejects} == {1}
    assert json.loads(resolved.rejects[0][1].text)["ra"] == 10.0


def test_versions_of_a_director_are_refused_only_where_there_are_some(tmp_path: Path) -> None:
    versioned = dataclasses.replace(OBJECT, primary_key=("objectId", "seen"))
    sky = Catalog("x", (versioned,))
    rows = pa.table({"objectId": [1, 2], "ra": [1.0] * 2, "dec": [1.0] * 2, "seen": [0, 1]})
    rows = rows.set_column(3, "seen", rows["seen"].cast(pa.timestamp("us")))
    once = [staged(0, versioned, rows, tmp_path)]
    assert sorted(placed(resolve(sky, once, Known()), "Object", "objectId")) == [1, 2]
    with pytest.raises(RepeatedVersions, match=r"several rows of one objectId.*not support"):
        resolve(sky, [*once, staged(1, versioned, rows, tmp_path)], Known())
    with pytest.raises(RepeatedVersions):
        resolve(sky, once, Known({"Object": {2: 22}}))


def test_a_key_of_text_cannot_place_rows(tmp_path: Path) -> None:
    named = Table(
        "Named",
        (Column("name", Type.TEXT), Column("ra", Type.DOUBLE), Column("dec", Type.DOUBLE)),
        Role.DIRECTOR,
        key="name",
        ra="ra",
        dec="dec",
    )
    rows = pa.table({"name": ["a"], "ra": [1.0], "dec": [1.0]})
    with pytest.raises(WrongKey, match=r"Named.name places rows, so it must be an integer"):
        resolve(Catalog("x", (named,)), [staged(0, named, rows, tmp_path)], Known())


def test_directors_and_parents_are_indexed() -> None:
    keys = {table.name: index_key(SKY, table) for table in SKY.tables}
    assert keys == {
        "Object": "objectId",
        "Source": "sourceId",
        "Note": None,
        "Star": "starId",
        "Pair": None,
        "Filter": None,
    }


@given(
    st.dictionaries(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**59)),
    st.lists(st.integers(-(2**63), 2**63 - 1)),
)
def test_a_key_map_finds_what_it_holds(known: dict[int, int], others: list[int]) -> None:
    held = key_map(np.array(list(known), np.int64), np.array(list(known.values()), np.int64))
    asked = [*known, *others]
    pixels, found = held.find(np.array(asked, np.int64))
    assert pixels.tolist() == [known.get(key, -1) for key in asked]
    assert found.tolist() == [key in known for key in asked]


def test_a_key_of_a_replicated_table_comes_once(tmp_path: Path) -> None:
    one = staged(1, FILTER, pa.table({"filterId": [1, 2, 1], "name": ["g", "r", "g"]}), tmp_path)
    two = staged(2, FILTER, pa.table({"filterId": [4, 3, 2], "name": ["z", "i", "r"]}), tmp_path)
    resolved = resolve(SKY, [one, two], Known(filters=(4, 9)))
    rejects = [(by.task.number, r.number, r.reason) for by, r in resolved.rejects]
    assert rejects == [
        (1, 3, "filterId comes twice in this ingest"),
        (2, 1, "filterId is published already"),
        (2, 3, "filterId comes twice in this ingest"),
    ]
    kept = [np.asarray(run.rows["filterId"])[run.order].tolist() for run in resolved.runs["Filter"]]
    assert kept == [[1, 2], [3]]
