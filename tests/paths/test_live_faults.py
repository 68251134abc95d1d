"""Writers of a live catalog killed at every step, amid readers: a visit is seen whole or not at all."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from loaders.live.recover import recover_units
from procedures.units import list_units
from qserv.answer import answer
from tests.support.live_sky import LiveLab, live_lab
from tests.support.postgres import Server
from tests.support.unit_process import OBJECTS, start, write_visit

pytestmark = pytest.mark.postgres
LOOK = (
    "SELECT 'object' AS what, n AS visit, COUNT(*) AS c FROM night.Object GROUP BY n"
    " UNION ALL SELECT 'source', visit, COUNT(*) FROM night.Source GROUP BY visit"
    " UNION ALL SELECT 'visit', visit, COUNT(*) FROM night.Visit GROUP BY visit"
)
STEPS = (
    *("unit.begun=kill", "unit.noted=kill", "unit.noted=kill@2", "unit.written=kill"),
    *("unit.written=kill@2", "unit.written=kill@3", "unit.written=kill@5", "unit.complete=kill"),
    *("unit.before=kill", "unit.after=kill"),
)
PAUSE_S = 0.05
Sight = tuple[tuple[str, int, int], ...]


@pytest.fixture(scope="module")
def cluster(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveLab]:
    folder = Path(tmp_path_factory.mktemp("killed"))
    with live_lab(server, folder, replicas=2, keep_units=10_000) as made:
        write_visit(made.lab.pools, made.lab.topology, 0)
        yield made


class Reader:
    """Looks at the catalog again and again; every sight is of whole visits, and stays what it was."""

    def __init__(self, night: LiveLab) -> None:
        self.night = night
        self.seen: dict[int, Sight] = {}
        self.fault: BaseException | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def look(self, as_of: str = "") -> tuple[int, Sight]:
        """The snapshot that is seen, and what is in it."""
        with closing(answer(LOOK, self.night.store, as_of=as_of)) as found:
            table = pa.Table.from_batches(list(found.batches), found.arrow_schema())
            snapshot = dict(found.snapshots)["night"]
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        return snapshot, tuple(sorted(rows))

    def _run(self) -> None:
        while not self._is_over.is_set() and self.fault is None:
            try:
                snapshot, sight = self.look()
                assert_whole(sight)
                assert self.seen.setdefault(snapshot, sight) == sight
            except BaseException as error:  # noqa: BLE001 - told to the test
                self.fault = error
            time.sleep(PAUSE_S)


def assert_whole(sight: Sight) -> None:
    """All rows of each visit that is seen, and the objects of the newest."""
    visits = [visit for what, visit, _ in sight if what == "visit"]
    wanted = [("object", max(visits), OBJECTS)]
    wanted += [("source", visit, OBJECTS) for visit in visits]
    wanted += [("visit", visit, 1) for visit in visits]
    assert sight == tuple(sorted(wanted))


@contextmanager
def reading(night: LiveLab) -> Iterator[Reader]:
    """A reader beside what the block does; its faults are the test's."""
    reader = Reader(night)
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()
    if reader.fault is not None:
        raise reader.fault
    for snapshot, sight in list(reader.seen.items())[-3:]:
        assert reader.look(f"night@{snapshot}")[1] == sight


def visits_seen(reader: Reader) -> set[int]:
    return {visit for what, visit, _ in reader.look()[1] if what == "visit"}


def assert_nothing_is_left(night: LiveLab) -> None:
    """No unit is open, and the shards hold no row that nobody will see: each version was committed."""
    with night.lab.pools.coordinator() as connection:
        committed = [row.unit_id for row in list_units(connection) if row.state == "committed"]
        assert not list_units(connection, open_only=True)
    for shard in night.lab.topology.shards:
        with night.lab.pools.shard(shard.shard_id) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT part_id FROM skyshard.live_part")
            for (part_id,) in cursor.fetchall():
                cursor.execute(
                    f"SELECT count(*) FROM live.p{part_id} WHERE _from_unit <> ALL(%s)"
                    " OR _to_unit <> ALL(%s)",
                    (committed, committed),
                )
                assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_visit_is_seen_whole_or_not_at_all(cluster: LiveLab, step: str) -> None:
    with reading(cluster) as reader:
        visit = max(visits_seen(reader)) + 1
        process = start(cluster.lab.topology, [visit], fail=step)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == -9, errors
        recovered = recover_units(cluster.lab.pools)
        is_committed = step.startswith("unit.after")
        assert len(recovered) == (0 if is_committed else 1)
        assert (visit in visits_seen(reader)) == is_committed
        assert_nothing_is_left(cluster)
        if not is_committed:
            write_visit(cluster.lab.pools, cluster.lab.topology, visit)
        assert visit in visits_seen(reader)


@pytest.mark.parametrize("step", ["unit.given_up=kill", "unit.undone=kill"])
def test_a_killed_recovery_is_gone_on_with(cluster: LiveLab, step: str) -> None:
    with reading(cluster) as reader:
        visit = max(visits_seen(reader)) + 1
        start(cluster.lab.topology, [visit], fail="unit.complete=kill").communicate(timeout=120)
        again = start(cluster.lab.topology, [visit], fail=step)
        again.communicate(timeout=120)
        assert again.returncode == -9
        assert visit not in visits_seen(reader)
        write_visit(cluster.lab.pools, cluster.lab.topology, visit)
        assert_nothing_is_left(cluster)
        assert visit in visits_seen(reader)


@pytest.mark.parametrize("seed", range(20))
def test_visits_killed_at_any_moment(cluster: LiveLab, seed: int) -> None:
    chosen = random.Random(seed)
    with reading(cluster) as reader:
        first = max(visits_seen(reader)) + 1
        process = start(cluster.lab.topology, range(first, first + 100))
        assert process.stdout is not None
        told = [int(process.stdout.readline())]
        time.sleep(chosen.uniform(0, 1.0))
        process.kill()
        rest, _ = process.communicate(timeout=60)
        told += [int(line) for line in rest.split("\n") if line.strip()]
        recover_units(cluster.lab.pools)
        seen = visits_seen(reader)
        assert set(told) <= seen
        assert max(seen) <= max(told) + 1
        assert_nothing_is_left(cluster)
