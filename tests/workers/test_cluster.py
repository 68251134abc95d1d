"""The executor over Ray: what it gives, what becomes of lost workers and nodes, what it leaves behind.

`make test` starts one small Ray of its own; clusters of several nodes and processes are `make nightly`'s.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import psutil
import pytest

pytest.importorskip("ray")

from loaders.ingest import IngestOptions
from loaders.tasks import TaskLost
from procedures.pools import ServerUnavailable
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY, objects, sources_of
from tests.support.postgres import Server
from workers.cluster import (
    Cluster,
    ClusterBusy,
    RayExecutor,
    Shares,
    cluster,
    shares,
)

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# ------------------------------------------------------------------ shares


def test_ingests_share_the_slots_as_evenly_as_they_can_use_them() -> None:
    assert shares({"a": 100}, 8) == {"a": 8}
    assert shares({"a": 100, "b": 100}, 8) == {"a": 4, "b": 4}
    assert shares({"a": 100, "b": 2, "c": 100}, 8) == {"a": 3, "b": 2, "c": 3}
    assert shares({"a": 1, "b": 1}, 8) == {"a": 1, "b": 1}


def test_nobody_is_without_a_slot() -> None:
    assert shares(dict.fromkeys("abc", 10), 2) == {"a": 1, "b": 1, "c": 1}


def test_who_leaves_gives_his_share_to_the_others() -> None:
    known = Shares()
    assert known.share("a", 10, 4) == 4
    assert known.share("b", 10, 4) == 2
    assert known.share("a", 10, 4) == 2
    known.leave("b")
    assert known.share("a", 10, 4) == 4


# ------------------------------------------------------------------ one small Ray


@pytest.fixture(scope="module")
def small() -> Iterator[Cluster]:
    """A Ray of this process with two slots; nothing of it is left."""
    before = {process.pid for process in psutil.process_iter()}
    with cluster(None, processors=2) as started:
        yield started
    wait_until(lambda: not rays(before))
    assert not list(Path("/tmp").glob(f"skyshard-ray-{os.getpid()}-*"))


def rays(before: set[int]) -> list[psutil.Process]:
    """Ray's processes below this one that were not there before."""
    found = psutil.Process().children(recursive=True)
    return [one for one in found if one.pid not in before and "ray" in " ".join(_command(one))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.fixture
def executor(small: Cluster) -> Iterator[RayExecutor]:
    with small.executor() as made:
        yield made


def refused(server: str) -> None:
    raise ServerUnavailable(server, "connection refused")


def die_until(folder: Path, lives: int) -> int:
    """Ends its worker by SIGKILL so many times; its own process afterwards."""
    begun = len(list(folder.iterdir()))
    (folder / str(begun)).touch()
    if begun < lives:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def held(folder: Path, number: int) -> int:
    """Says that it runs, and waits to be let go."""
    (folder / f"begun-{number}").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)
    return number


@pytest.mark.slow
def test_tasks_run_in_other_processes_and_give_what_they_give_here(executor: RayExecutor) -> None:
    assert list(executor.map(pow, range(5), [2] * 5)) == [0, 1, 4, 9, 16]
    assert executor.submit(os.getpid).result() != os.getpid()


@pytest.mark.slow
def test_what_a_task_raises_arrives_as_it_was(executor: RayExecutor) -> None:
    with pytest.raises(ServerUnavailable) as caught:
        executor.submit(refused, "shard 7").result()
    assert caught.value.fields() == ServerUnavailable("shard 7", "connection refused").fields()
    assert caught.value.server == "shard 7"
    assert "in refused" in caught.value.__notes__[0]


@pytest.mark.slow
def test_what_cannot_be_sent_is_said(executor: RayExecutor) -> None:
    with pytest.raises(TypeError, match="cannot be sent"):
        executor.submit(threading.Lock).result()


@pytest.mark.slow
def test_few_are_in_flight_and_those_that_wait_can_be_cancelled(
    executor: RayExecutor, tmp_path: Path
) -> None:
    futures = [executor.submit(held, tmp_path, number) for number in range(6)]
    wait_until(lambda: len(list(tmp_path.glob("begun-*"))) == 2)
    assert executor.in_flight == 2
    assert [future.cancel() for future in futures] == [False, False, True, True, True, True]
    (tmp_path / "go").touch()
    assert [future.result() for future in futures[:2]] == [0, 1]
    with pytest.raises(CancelledError):
        futures[2].result()
    assert len(list(tmp_path.glob("begun-*"))) == 2


@pytest.mark.slow
def test_a_task_whose_worker_is_killed_is_done_by_another(
    executor: RayExecutor, tmp_path: Path
) -> None:
    assert executor.submit(die_until, tmp_path, 1).result() != os.getpid()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_a_task_that_kills_every_worker_is_lost(small: Cluster, tmp_path: Path) -> None:
    with small.executor(max_retries=1) as executor, pytest.raises(TaskLost) as caught:
        executor.submit(die_until, tmp_path, 9).result()
    assert (caught.value.code, caught.value.transient) == ("TASK_LOST", True)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_after_the_end_nothing_is_taken(small: Cluster) -> None:
    executor = small.executor()
    executor.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(os.getpid)


@pytest.mark.slow
def test_a_process_uses_one_cluster(small: Cluster) -> None:
    with pytest.raises(ClusterBusy), cluster(None):
        pass


def parts_of(sky: Lab) -> list[tuple[object, ...]]:
    """What a catalog's parts hold, wherever they lie."""
    parts = sky.manifest().parts
    return sorted(
        (p.table, str(p.kind), str(p.pixel), p.bucket or 0, p.rows, p.overlap_rows, p.checksum)
        for p in parts
    )


@pytest.mark.slow
@pytest.mark.postgres
def test_an_ingest_on_ray_is_the_ingest_on_threads_though_workers_are_killed(
    server: Server, tmp_path: Path, executor: RayExecutor
) -> None:
    rows = objects(20_000)
    given = {"Object": rows, "Source": sources_of(rows, 3)}
    with lab(server, SKY, tmp_path) as sky:
        sky.ingest(**given)
        (tmp_path / "ray").mkdir()
        other = sky.with_catalog("onray", tmp_path / "ray")
        killed = threading.Thread(target=kill_workers, args=(2,))
        killed.start()
        report = other.ingest(IngestOptions(workers=2, executor=executor), **given)
        killed.join()
        assert report.rows == {"Object": 20_000, "Source": 60_000}
        assert parts_of(other) == parts_of(sky)
        assert other.part_tables() == sum(
            len(part.replicas) * (2 if part.table == "Object" and str(part.kind) == "rows" else 1)
            for seen in (sky, other)
            for part in seen.manifest().parts
        )


def kill_workers(count: int) -> None:
    """End workers by SIGKILL while they are at a task of ours."""
    for _ in range(count):
        wait_until(lambda: bool(busy := busy_workers()) and not busy[0].kill())
        time.sleep(0.3)


def busy_workers() -> list[psutil.Process]:
    return [one for one in rays(set()) if _command(one)[0].startswith("ray::_run_packed")]
