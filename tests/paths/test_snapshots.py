"""Snapshots of a sharded store: compacted, retracted, asked again, against the unsharded oracle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from loaders import lifecycle
from loaders.copies.retired import drop_retired
from loaders.discard import drop_dead
from loaders.ingest import Contribution
from loaders.options import Site
from loaders.parts.degraded import Patience
from loaders.parts.publish import PublishConflict
from loaders.rewrites import rewrite as rewrites
from loaders.rewrites.compact import MOST_PARTS, compact, groups_above
from loaders.rewrites.retract import retract
from loaders.rewrites.rewrite import Rewrite, open_base, rewrite
from procedures.columns import add_column
from procedures.manifests import read_manifest
from procedures.rewrites import RetractRefused
from procedures.snapshots import (
    SnapshotDropped,
    SnapshotKept,
    TagRefused,
    UnknownSnapshot,
    drop_snapshots,
    find_pin,
    keep_snapshots,
    list_snapshots,
    tag_snapshot,
)
from qserv.answer import answer, explain
from qserv.as_of import WrongAsOf
from qserv.bind.errors import UnknownColumn
from qserv.leases import LeaseSettings, oldest_pins
from qserv.planned import Engine
from qserv.store import Store, StoreSettings
from schema.catalog import Column
from schema.manifest import IngestId, PartKind
from schema.types import Type
from tests.loaders.skies import SKY, objects, sources_of
from tests.support import diff_sky
from tests.support.agreement import assert_agrees
from tests.support.corpus import Case, every_corpus
from tests.support.postgres import Server
from tests.support.sharded import Oracle, Rows, Sharded, bound, load, rows_of, sharded_store

pytestmark = pytest.mark.postgres
EVERY = 9
"""Of the corpus each so many-th query is asked again."""
SOME = every_corpus()[::EVERY]
COUNT = "SELECT COUNT(*) FROM diff.ForcedSource"


@pytest.fixture(scope="module")
def sharded(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sharded]:
    """Two shards, R = 2, three ingests; then compacted."""
    folder = Path(tmp_path_factory.mktemp("snapshots"))
    ingests = diff_sky.as_ingests(3)
    with sharded_store(server, diff_sky.CATALOG, ingests, shards=2, folder=folder) as made:
        compact(made.store.pools, "diff", made.store.topology)
        yield made


@pytest.fixture(scope="module")
def store(sharded: Sharded) -> Store:
    return sharded.store


def count(store: Store, text: str = COUNT, as_of: str = "") -> object:
    with closing(answer(text, store, as_of=as_of)) as found:
        return next(iter(found.batches)).column(0)[0].as_py()


def test_one_part_is_left_in_each_place(store: Store) -> None:
    manifest = store.pin().manifests["diff"]
    assert manifest.snapshot == 4
    assert not groups_above(diff_sky.CATALOG, manifest, 1)
    kinds = {part.kind for part in manifest.parts if len(part.ingests) > 1}
    assert kinds == {PartKind.ROWS, PartKind.INDEX}


@pytest.mark.parametrize("case", SOME, ids=lambda case: case.name)
def test_a_compacted_store_equals_the_oracle(case: Case, store: Store, the_oracle: Oracle) -> None:
    query = bound(case.text, store, case.language)
    _, found = rows_of(case.text, store, case.language)
    assert_agrees(query, found, the_oracle.rows(query))


def test_older_snapshots_answer_as_they_did(store: Store) -> None:
    thirds = [ingest["ForcedSource"].num_rows for ingest in diff_sky.as_ingests(3)]
    wanted = [sum(thirds[:1]), sum(thirds[:2]), sum(thirds), sum(thirds)]
    assert [count(store, as_of=f"diff@{number}") for number in (1, 2, 3, 4)] == wanted


def test_an_answer_names_the_snapshot_that_it_read(store: Store) -> None:
    with closing(answer(COUNT, store, as_of="DIFF@2")) as found:
        assert dict(found.snapshots) == {"diff": 2}


def test_a_snapshot_that_never_was_is_refused(store: Store) -> None:
    with pytest.raises(UnknownSnapshot, match=r"no snapshot diff@9; there are 4, 3, 2, 1"):
        answer(COUNT, store, as_of="diff@9")
    with pytest.raises(UnknownSnapshot, match=r"no such catalog.*did you mean 'diff'"):
        answer(COUNT, store, as_of="dif@1")
    with pytest.raises(WrongAsOf):
        answer(COUNT, store, as_of="diff")


OBJECTS = objects(400)
SOURCES = sources_of(OBJECTS, 2)
LATE = objects(100, first=1001, seed=5)
SMALL: list[Rows] = [
    {"Object": OBJECTS[:300], "Source": SOURCES},
    {"Object": OBJECTS[300:]},
    {"Object": LATE, "Source": sources_of(LATE, 3, first=5001)},
]
"""The first brings sources of objects that come with the second, and move to them."""
TOLD = (
    "SELECT COUNT(*) FROM Object",
    "SELECT COUNT(*) FROM Source",
    "SELECT COUNT(*) FROM Object JOIN Source USING (objectId)",
    "SELECT COUNT(*) FROM Source WHERE objectId = 350",
)


@pytest.fixture
def small(server: Server, tmp_path: Path) -> Iterator[Sharded]:
    """A store of a test's own: three small ingests, a lease that is renewed often."""
    settings = StoreSettings(lease=LeaseSettings(renew_s=0.1))
    with sharded_store(
        server, SKY, SMALL, shards=2, folder=tmp_path, engines=False, settings=settings
    ) as made:
        yield made


def told(store: Store, as_of: str = "") -> list[object]:
    return [count(store, text, as_of) for text in TOLD]


@pytest.mark.parametrize("is_compacted", [False, True])
def test_retracting_an_ingest_leaves_the_others_rows(small: Sharded, is_compacted: bool) -> None:
    store = small.store
    if is_compacted:
        compact(store.pools, "lab", store.topology)
    assert told(store) == [500, 1100, 1100, 2]
    report = retract(store.pools, "lab", IngestId(2), store.topology)
    assert told(store) == [400, 1100, 900, 2]
    assert told(store, f"lab@{report.snapshot - 1}") == [500, 1100, 1100, 2]


def test_what_was_retracted_is_ingested_again(small: Sharded, tmp_path: Path) -> None:
    store = small.store
    retract(store.pools, "lab", IngestId(2), store.topology)
    load(store.pools, store.topology, "lab", SMALL[1], tmp_path / "again")
    assert told(store) == [500, 1100, 1100, 2]


def test_an_ingest_is_retracted_once(small: Sharded) -> None:
    store = small.store
    retract(store.pools, "lab", IngestId(3), store.topology)
    with pytest.raises(RetractRefused, match="ingest 3 is retracted"):
        retract(store.pools, "lab", IngestId(3), store.topology)
    with pytest.raises(RetractRefused, match="lab has no ingest 77"):
        retract(store.pools, "lab", IngestId(77), store.topology)


def test_dropped_snapshots_free_their_parts_but_what_a_query_reads(small: Sharded) -> None:
    store = small.store
    compact(store.pools, "lab", store.topology)
    reading = answer("SELECT sourceId FROM Source", store, as_of="lab@3")
    with store.pools.coordinator() as connection:
        drop_snapshots(connection, [find_pin(connection, "lab", str(n)) for n in (1, 2, 3)])
        connection.commit()
    with pytest.raises(SnapshotDropped, match=r"snapshot lab@3 was dropped .* there are 4"):
        answer(COUNT, store, as_of="lab@3")
    wait_for_lease(store)
    before = tables(store)
    drop_retired(store.pools, store.topology, grace_s=0.0)
    kept = tables(store)
    assert sum(batch.num_rows for batch in reading.batches) == 1100
    reading.close()
    assert kept < before  # what only older snapshots held is gone
    wait_for_lease(store)
    drop_retired(store.pools, store.topology, grace_s=0.0)
    assert tables(store) < kept
    assert tables(store) == len(store.pin().manifests["lab"].parts) + directors(store)
    assert told(store) == [500, 1100, 1100, 2]


def test_what_an_ingest_was_planned_against_stays_while_it_may_be_tried_again(
    small: Sharded, tmp_path: Path
) -> None:
    store = small.store
    site = Site(store.pools, store.topology, tmp_path / "spool")
    path = tmp_path / "more.parquet"
    pa.parquet.write_table(objects(20, first=9001), path)
    ingest_id = lifecycle.begin(site, "lab")
    lifecycle.add(site, ingest_id, [Contribution("Object", path)])
    lifecycle.commit(site, ingest_id)
    lifecycle.run_ingest(site, ingest_id)
    compact(store.pools, "lab", store.topology)
    with store.pools.coordinator() as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET state = 'failed', finished_at = now() WHERE ingest_id = %s",
            (ingest_id,),
        )
        drop_snapshots(connection, [find_pin(connection, "lab", str(n)) for n in (1, 2, 3)])
        connection.commit()
        before = read_manifest(connection, "lab", 3)
    wait_for_lease(store)
    drop_retired(store.pools, store.topology, grace_s=0.0)
    with store.pools.coordinator() as connection:
        assert read_manifest(connection, "lab", 3) == before
    lifecycle.abort(site, ingest_id)
    assert drop_retired(store.pools, store.topology, grace_s=0.0) > 0


def test_a_tag_keeps_a_snapshot(small: Sharded) -> None:
    store = small.store
    with store.pools.coordinator() as connection:
        tag_snapshot(connection, find_pin(connection, "lab", "2"), "first-light")
        assert keep_snapshots(connection, "lab", 1) == [1]
        connection.commit()
    compact(store.pools, "lab", store.topology)
    drop_retired(store.pools, store.topology, grace_s=0.0)
    assert told(store, "lab@First-Light") == [400, 800, 800, 2]
    with store.pools.coordinator() as connection:
        rows = list_snapshots(connection, "lab")
        assert [row.snapshot for row in rows if row.dropped_at is None] == [2, 4]
        with pytest.raises(SnapshotKept, match="has the tag first-light"):
            drop_snapshots(connection, [find_pin(connection, "lab", "2")])
        with pytest.raises(TagRefused, match="is snapshot 2 of lab"):
            tag_snapshot(connection, find_pin(connection, "lab", "4"), "FIRST-LIGHT")


def test_two_compactions_at_once_end_with_one_refused(small: Sharded) -> None:
    store = small.store
    base = open_base(store.pools, "lab", store.topology)
    compact(store.pools, "lab", store.topology)
    wanted = Rewrite("compaction", tuple(groups_above(base.catalog, base.manifest, 1)))
    before = tables(store)
    with pytest.raises(PublishConflict, match="replaced parts"):
        rewrite(base, wanted)
    assert tables(store) == before
    assert told(store) == [500, 1100, 1100, 2]


def test_what_a_killed_rewrite_left_is_dropped_by_the_next(small: Sharded) -> None:
    store = small.store
    base = open_base(store.pools, "lab", store.topology)
    wanted = Rewrite("compaction", tuple(groups_above(base.catalog, base.manifest, 1)))
    before = tables(store)
    ingest_id, ids = rewrites._begin(base, wanted)
    loading = rewrites._loading(base, ingest_id, Patience())
    rewrites._written(base, wanted, loading, ids, workers=1)
    assert tables(store) > before
    with store.pools.coordinator() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE skyshard.ingest SET lease_until = now() WHERE kind <> 'ingest'")
        connection.commit()
    drop_dead(store.pools, store.topology)
    assert tables(store) == before


def tables(store: Store) -> int:
    """How many part tables the shards hold."""
    found = 0
    for shard in store.topology.shards:
        with store.pools.shard(shard.shard_id) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'parts'")
            found += cursor.fetchone()[0]
    return found


def directors(store: Store) -> int:
    """How many tables of overlap rows belong to the newest snapshot's parts."""
    parts = store.pin().manifests["lab"].parts
    return sum(part.kind is PartKind.ROWS and part.table in {"Object", "Star"} for part in parts)


def wait_for_lease(store: Store) -> None:
    """Return when the czar has told what it reads now."""
    wanted = {str(k): v for k, v in oldest_pins(store.watch.running()).items()}
    deadline = time.monotonic() + 10
    while True:
        with store.pools.coordinator() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pins FROM skyshard.lease")
            if [row[0] for row in cursor.fetchall()] == [wanted]:
                return
        assert time.monotonic() < deadline, "no lease in time"
        time.sleep(0.02)


def test_a_place_never_has_more_parts_than_it_may(small: Sharded, tmp_path: Path) -> None:
    store = small.store
    for k in range(4, 8):
        more = objects(60, first=1000 * k, seed=k)
        rows: Rows = {"Object": more, "Source": sources_of(more, 1, first=10_000 * k)}
        load(store.pools, store.topology, "lab", rows, tmp_path / f"more-{k}")
        manifest = store.pin().manifests["lab"]
        assert not groups_above(SKY, manifest, MOST_PARTS)
    assert manifest.snapshot > 7
    assert told(store) == [740, 1340, 1340, 2]


@pytest.mark.parametrize("engines", [False, True])
def test_an_added_column_is_null_in_older_parts(
    server: Server, tmp_path: Path, engines: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound_ in ("SMALL_ROWS", "SMALL_PAIRS") if engines else ():
        monkeypatch.setattr(f"qserv.plan.fragments.{bound_}", 0)  # so few rows go to twins, too
    with sharded_store(server, SKY, SMALL, shards=2, folder=tmp_path, engines=engines) as made:
        store = made.store
        with store.pools.coordinator() as connection:
            assert add_column(connection, "lab", "object", Column("z", Type.FLOAT)) == 4
            connection.commit()
        assert count(store, "SELECT COUNT(z) FROM Object") == 0
        fresh = objects(50, first=3001, seed=9)
        fresh = fresh.append_column("z", pa.array(np.arange(50), pa.float32()))
        load(store.pools, store.topology, "lab", {"Object": fresh}, tmp_path / "fresh")
        assert are_told_right(store)
        assert count(store, "SELECT COUNT(*) FROM Object", "lab@3") == 500
        with pytest.raises(UnknownColumn):
            answer("SELECT z FROM Object", store, as_of="lab@3")
        assert explain("SELECT SUM(z) FROM Object", store).fragments[0].engine == (
            Engine.SCAN if engines else Engine.POSTGRES
        )
        compact(store.pools, "lab", store.topology)
        assert are_told_right(store)


def are_told_right(store: Store) -> bool:
    """Whether queries over parts with and without the column are answered right."""
    near = "FROM Object a JOIN Object b ON DISTANCE(a.ra, a.dec, b.ra, b.dec) < 0.02"
    assert count(store, "SELECT COUNT(*) FROM Object") == 550
    assert count(store, "SELECT COUNT(z) FROM Object") == 50
    assert count(store, "SELECT SUM(z) FROM Object WHERE ra > 0") == 1225.0
    assert count(store, "SELECT COUNT(*) FROM Object WHERE z IS NULL AND gMag > 0") == 500
    assert count(store, "SELECT objectId FROM Object WHERE z = 7.0") == 3008
    assert count(store, f"SELECT COUNT(a.z) {near} WHERE a.objectId = b.objectId") == 50
    assert count(store, f"SELECT COUNT(b.z) {near} WHERE a.objectId = b.objectId") == 50
    return True
