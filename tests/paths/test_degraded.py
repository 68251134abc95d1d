"""A shard is lost, rows are loaded without it, it comes back empty-handed or empty: readers never notice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2
import pytest

from loaders.copies.repair import repair
from loaders.copies.repair_loop import RepairLoop, RepairPace
from loaders.copies.verify import Depth, VerifyOptions, verify
from loaders.ingest import Contribution, IngestOptions, IngestReport, ingest
from loaders.parts.degraded import Degraded, Patience
from loaders.rewrites.compact import MOST_PARTS, compact, place_of
from migrations.upgrade import upgrade
from procedures.manifests import current_snapshots, read_manifest
from procedures.repairs import due_repairs, free_czar_lock, try_czar_lock
from schema.errors import Unavailable
from schema.manifest import Manifest
from schema.topology import ShardId
from tests.loaders.skies import SKY, objects, sources_of, write
from tests.support.postgres import Server, running_server
from tests.support.sharded import Sharded, rows_of, sharded_store

pytestmark = pytest.mark.postgres
TWICE = replace(SKY, replicas=2)
QUESTIONS = (
    "SELECT COUNT(*), MIN(gMag), MAX(gMag) FROM Object",
    (
        "SELECT o.objectId, COUNT(*) FROM Object AS o JOIN Source AS s ON o.objectId = s.objectId"
        " WHERE o.objectId < 40 GROUP BY o.objectId ORDER BY o.objectId"
    ),
    "SELECT objectId, ra FROM Object WHERE objectId IN (3, 9005) ORDER BY objectId",
    "SELECT f.name FROM Filter AS f ORDER BY f.name",
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Three shards, the last of them on a server of its own."""

    sharded: Sharded
    last: Server
    folder: Path

    def ingest(self, policy: Degraded, first: int, wait_s: float = 30.0) -> IngestReport:
        """200 more objects with sources, and a filter, under a policy."""
        given = objects(200, first=first, seed=first)
        files = {
            "Object": given,
            "Source": sources_of(given, 1, first=first * 10),
        }
        folder = self.folder / f"given-{first}"
        folder.mkdir()
        sources = []
        for name, rows in files.items():
            columns = dict(zip(rows.column_names, rows.columns, strict=True))
            sources.append(Contribution(name, write(folder / f"{name}.parquet", **columns)))
        filters = write(folder / "Filter.parquet", filterId=[first % 30_011], name=[f"f{first}"])
        sources.append(Contribution("Filter", filters))
        return ingest(
            "lab",
            sources,
            pools=self.sharded.store.pools,
            topology=self.sharded.store.topology,
            spool=folder / "spool",
            options=IngestOptions(degraded=policy, wait_s=wait_s),
        )

    def answers(self) -> list[list[tuple[object, ...]]]:
        return [rows_of(text, self.sharded.store)[1] for text in QUESTIONS]

    def manifest(self) -> Manifest:
        with self.sharded.store.pools.coordinator() as connection:
            snapshot = current_snapshots(connection)["lab"]
            return read_manifest(connection, "lab", snapshot)

    def queued(self) -> int:
        with self.sharded.store.pools.coordinator() as connection:
            return len(due_repairs(connection))

    def is_clean(self) -> bool:
        store = self.sharded.store
        return verify(store.pools, store.topology, options=VerifyOptions(Depth.DEEP)).is_clean


@pytest.fixture(scope="module")
def cluster(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = Path(tmp_path_factory.mktemp("degraded"))
    given = objects(300)
    rows = {"Object": given, "Source": sources_of(given, 2)}
    with (
        running_server() as last,
        sharded_store(server, TWICE, [rows], shards=3, folder=folder, last_on=last) as sharded,
    ):
        yield Cluster(sharded, last, folder)


def test_an_ingest_does_without_a_lost_shard_and_repair_brings_its_copies(cluster: Cluster) -> None:
    cluster.last.stop()
    report = cluster.ingest(Degraded.ALLOW, 9000)
    assert report.missing_copies > 0
    assert "copies of parts are missing" in " ".join(report.warnings)
    assert cluster.queued() == report.missing_copies
    store = cluster.sharded.store
    found = verify(store.pools, store.topology)
    assert found.counts().keys() == {"away", "too few"}
    while_away = cluster.answers()
    cluster.last.start()
    assert cluster.answers() == while_away
    done = repair(store.pools, store.topology)
    assert (done.mended, done.left) == (report.missing_copies, ())
    assert cluster.queued() == 0
    assert cluster.is_clean()
    assert cluster.answers() == while_away
    parts = [part for part in cluster.manifest().parts if part.ingest_id == report.ingest_id]
    assert {len(part.replicas) for part in parts} == {2, 3}


def test_a_compaction_without_a_shard_is_refused_and_changes_nothing(cluster: Cluster) -> None:
    cluster.ingest(Degraded.REFUSE, 45000)
    store, before = cluster.sharded.store, cluster.manifest()
    cluster.last.stop()
    try:
        with pytest.raises(Unavailable, match="shard 3 does not answer"):
            compact(store.pools, "lab", store.topology)
    finally:
        cluster.last.start()
    assert cluster.manifest() == before
    assert cluster.is_clean()


def test_a_publish_that_does_without_a_shard_makes_room_all_the_same(cluster: Cluster) -> None:
    cluster.last.stop()
    try:
        for number in range(50, 55):
            cluster.ingest(Degraded.ALLOW, 1001 * number)
    finally:
        cluster.last.start()
    count = Counter(place_of(part) for part in cluster.manifest().parts)
    assert max(count.values()) <= MOST_PARTS
    store = cluster.sharded.store
    assert repair(store.pools, store.topology).left == ()
    assert cluster.queued() == 0
    assert cluster.is_clean()


def test_an_ingest_waits_for_a_shard_that_comes_back(cluster: Cluster) -> None:
    cluster.last.stop()
    back = threading.Timer(1.5, cluster.last.start)
    back.start()
    report = cluster.ingest(Degraded.WAIT, 20000)
    back.join()
    assert report.missing_copies == 0
    assert cluster.is_clean()


@pytest.mark.parametrize("policy", [Degraded.REFUSE, Degraded.WAIT])
def test_an_ingest_that_may_not_do_without_a_shard_changes_nothing(
    cluster: Cluster, policy: Degraded
) -> None:
    before = cluster.manifest()
    cluster.last.stop()
    first = 30000 if policy is Degraded.REFUSE else 40000
    try:
        with pytest.raises(Unavailable):
            cluster.ingest(policy, first, wait_s=0.2)
    finally:
        cluster.last.start()
    assert cluster.manifest() == before


def test_an_emptied_server_is_filled_by_the_czar_s_loop_one_czar_at_a_time(
    cluster: Cluster,
) -> None:
    store, victim = cluster.sharded.store, cluster.sharded.store.topology.shards[-1]
    before, answers = cluster.manifest(), cluster.answers()
    with psycopg2.connect(victim.dsn) as connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA parts CASCADE; DROP SCHEMA skyshard CASCADE")
    connection.close()
    upgrade(victim.dsn, "shard")
    assert cluster.answers() == answers
    with store.pools.coordinator() as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO skyshard.repair (part_id, shard_id, reason)"
            " SELECT part_id, shard_id, 'emptied' FROM skyshard.replica WHERE shard_id = %s",
            (victim.shard_id,),
        )
        connection.commit()
    loop = RepairLoop(store.pools, store.topology, RepairPace(interval_s=0.2))
    with store.pools.coordinator() as other:
        other.autocommit = True
        assert try_czar_lock(other)
        assert loop.once() is None
        free_czar_lock(other)
    loop.start()
    deadline = time.monotonic() + 60
    while cluster.queued() and time.monotonic() < deadline:
        time.sleep(0.2)
    loop.close()
    assert cluster.queued() == 0
    assert cluster.manifest() == before
    assert cluster.is_clean()
    assert cluster.answers() == answers


def test_patience_waits_its_time_and_no_longer() -> None:
    patience = Patience(Degraded.WAIT, wait_s=0.3)
    attempts: list[float] = []

    def attempt() -> None:
        attempts.append(time.monotonic())
        raise Unavailable("away")

    started = time.monotonic()
    with pytest.raises(Unavailable):
        patience.write(ShardId(1), attempt)
    assert 0.3 <= time.monotonic() - started < 5
    assert len(attempts) >= 2


def test_a_shard_that_was_found_away_is_not_asked_again_where_it_may_be() -> None:
    patience = Patience(Degraded.ALLOW)
    asked: list[str] = []

    def attempt() -> int:
        asked.append("once")
        raise Unavailable("away")

    assert patience.write(ShardId(1), attempt) is None
    assert patience.write(ShardId(1), attempt) is None
    assert asked == ["once"]
    assert patience.write(ShardId(2), lambda: 7) == 7
