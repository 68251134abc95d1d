"""Several czars share one queue; what one of them leaves behind, another does. Real processes, kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import httpx
import pytest

from procedures.jobs import Phase
from qserv.rights.caller import ANONYMOUS_CALLER
from tests.loaders.lab import Lab
from tests.qserv.jobs.czars import OBJECTS, QUERY, Czar, czar, held, result_folder, wait_for
from tests.support.postgres import free_port

pytestmark = pytest.mark.postgres
CSV = {"QUERY": QUERY, "LANG": "ADQL", "RESPONSEFORMAT": "csv", "PHASE": "RUN"}


@dataclass(frozen=True, slots=True)
class Process:
    """A czar that is a process of its own."""

    process: subprocess.Popen[bytes]
    url: str

    def submit(self) -> str:
        made = httpx.post(f"{self.url}/async", data=CSV, timeout=30)
        return made.headers["location"].rpartition("/")[2]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


def started(sky: Lab, name: str) -> Process:
    """`skyshard serve` over the sky's servers."""
    home, port = sky.folder / f"home-{name}", free_port()
    home.mkdir(exist_ok=True)
    shards = "".join(f'[[shards]]\ndsn = "{shard.dsn}"\n' for shard in sky.topology.shards)
    (home / "skyshard.toml").write_text(
        f'port = {port}\n[coordinator]\ndsn = "{sky.topology.coordinator}"\n[repair]\n'
        f'enabled = false\n[jobs]\nfolder = "{result_folder(sky)}"\nlease_s = 2\nrenew_s = 0.2\n'
        f"max_running_per_user = 4\n{shards}"
    )
    words = [sys.executable, "-m", "workers.cli.main", "serve", "--home", str(home)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SKYSHARD_")}
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env=clean)
    made = Process(process, f"http://127.0.0.1:{port}/tap")
    wait_for(lambda: _answers(made) or process.poll() is not None, 60.0)
    assert process.poll() is None, (home / "log").read_text()
    return made


def _answers(made: Process) -> bool:
    try:
        return httpx.get(f"{made.url}/availability", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def running(sky: Lab, name: str) -> Iterator[Process]:
    made = started(sky, name)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.kill()


def test_a_czar_that_stops_gives_its_jobs_back(sky: Lab, one: Czar) -> None:
    with czar(sky, "leaving") as leaving, held(sky):
        taken = [leaving.submit(RESPONSEFORMAT="csv") for _ in range(3)]
        wait_for(lambda: all(one.phase(job) is Phase.EXECUTING for job in taken))
        leaving.runner.close()
        owners = {one.job(job).czar_id for job in taken}
        assert leaving.runner.czar_id not in owners
    assert {one.ended(job).phase for job in taken} == {Phase.COMPLETED}
    assert {rows(one, job) for job in taken} == {OBJECTS}


def test_jobs_of_a_killed_czar_are_done_by_another(sky: Lab, one: Czar) -> None:
    many_jobs(sky, one, 30, kills=1)


def test_a_thousand_jobs_and_two_killed_czars_lose_nothing(
    sky: Lab, one: Czar, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--nightly"):
        pytest.skip("it takes minutes: make nightly")
    many_jobs(sky, one, 1000, kills=2)


def many_jobs(sky: Lab, one: Czar, count: int, *, kills: int) -> None:
    """Jobs for two czars, one of which is killed while it runs some; and so again."""
    taken: list[str] = []
    for turn in range(1, kills + 1):
        with running(sky, "victim") as victim:
            with held(sky):
                taken += [one.submit(RESPONSEFORMAT="csv") for _ in range(count // kills)]
                wait_for(partial(has_others, one, taken))
                victim.kill()
            wait_for(partial(is_done, one, taken, count * turn // kills // 2), 20.0 + count)
    ended = [one.ended(job, 60.0 + count) for job in taken]
    assert {job.phase for job in ended} == {Phase.COMPLETED}
    assert {job.attempt for job in ended} == {1, 2}
    assert {job.result.rows for job in ended if job.result} == {OBJECTS}
    assert {rows(one, job) for job in taken[:: max(1, count // 40)]} == {OBJECTS}


def has_others(one: Czar, taken: list[str]) -> bool:
    """Whether other czars run some of the jobs now."""
    busy = one.desk.listed(ANONYMOUS_CALLER, phases=[Phase.EXECUTING])
    return any(job.czar_id != one.runner.czar_id for job in busy if job.job_id in taken)


def is_done(one: Czar, taken: list[str], count: int) -> bool:
    """Whether so many of the jobs are complete."""
    done = one.desk.listed(ANONYMOUS_CALLER, phases=[Phase.COMPLETED])
    return len({job.job_id for job in done} & set(taken)) >= count


def rows(one: Czar, job_id: str) -> int:
    text = one.client.get(f"/async/{job_id}/results/result").text
    keys = [line.split(",")[0] for line in text.splitlines()[1:]]
    assert len(keys) == len(set(keys))
    return len(keys)
