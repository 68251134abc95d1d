"""What a czar that was taken for dead may still do: nothing. On the books alone, no czar runs here."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from procedures import job_queue, jobs
from procedures.job_queue import Claim
from procedures.jobs import NewJob, Phase, Result
from qserv.jobs.attempt import kept_caller
from qserv.jobs.errors import CzarsLost
from qserv.jobs.results import Kept, ResultFiles
from qserv.rights.caller import ANONYMOUS_CALLER
from qserv.running import new_query_id
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY
from tests.qserv.jobs.czars import QUERY
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def sky(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A coordinator that no czar knows."""
    with lab(server, SKY, tmp_path_factory.mktemp("fencing"), shards=1) as made:
        yield made


def queued(sky: Lab, czar_id: str, *, lease_s: float = 30.0) -> Claim:
    """A job that a czar has claimed."""
    new = NewJob(
        new_query_id(), new_query_id(), kept_caller(ANONYMOUS_CALLER), {"QUERY": QUERY}, 60, 3600.0
    )
    with sky.pools.coordinator() as connection:
        claim = job_queue.adopt_job(connection, new, czar_id, lease_s=lease_s)
        connection.commit()
    return claim


DEAD, ALIVE = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


def test_a_czar_taken_for_dead_writes_no_result(sky: Lab) -> None:
    old = queued(sky, DEAD, lease_s=-1.0)
    result = Result("x.1.csv", "text/csv", 3, 1)
    with sky.pools.coordinator() as connection:
        again, _ = job_queue.requeue_lapsed(connection, most_attempts=5, error={})
        assert old.job_id in again
        assert not job_queue.complete_job(connection, old, result, {})
        assert not job_queue.fail_job(connection, old, {}, {})
        told = {old.job_id: {"rows": 1}}
        assert job_queue.renew_claims(connection, DEAD, told, lease_s=9) == set()
        claimed = job_queue.claim_job(connection, ALIVE, lease_s=30, most_per_owner=9)
        assert claimed is not None
        assert (claimed.job_id, claimed.attempt) == (old.job_id, 2)
        assert not job_queue.complete_job(connection, old, result, {})
        new = Claim(old.job_id, 2, ALIVE)
        assert job_queue.renew_claims(connection, ALIVE, {}, lease_s=9) == set()
        assert job_queue.renew_claims(connection, ALIVE, told, lease_s=9) == {(old.job_id, 2)}
        assert job_queue.complete_job(connection, new, result, {})
        assert job_queue.complete_job(connection, new, result, {})
        jobs.delete_job(connection, old.job_id)
        connection.commit()


def test_a_job_whose_czars_are_lost_again_and_again_is_given_up(sky: Lab) -> None:
    old = queued(sky, DEAD, lease_s=-1.0)
    error = CzarsLost(1).fields()
    with sky.pools.coordinator() as connection:
        again, ended = job_queue.requeue_lapsed(connection, most_attempts=1, error=error)
        assert (old.job_id in again, old.job_id in ended) == (False, True)
        job = jobs.read_job(connection, old.job_id)
        connection.rollback()
    assert job is not None
    assert job.error is not None
    assert (job.phase, job.error["code"]) == (Phase.ERROR, "CZARS_LOST")


def test_turns_go_to_who_runs_the_fewest_then_to_who_waits_longest(sky: Lab) -> None:
    with sky.pools.coordinator() as connection:
        for owner in ("ada", "ada", "ada", "bob", "ada"):
            job_id = new_query_id()
            caller = kept_caller(ANONYMOUS_CALLER)
            jobs.create_job(connection, NewJob(job_id, owner, caller, {}, 60, 3600.0))
            jobs.queue_job(connection, job_id)
        taken = [
            job_queue.claim_job(connection, ALIVE, lease_s=30, most_per_owner=2) for _ in range(4)
        ]
        waiting = jobs.list_jobs(connection, None, phases=[Phase.QUEUED], last=9)
        ahead = [job_queue.jobs_ahead(connection, job) for job in waiting]
        assert job_queue.give_back(connection, ALIVE) == 3
        connection.rollback()
    assert [job and job.owner for job in taken] == ["ada", "bob", "ada", None]
    assert ahead == [1, 0]


def test_files_that_nobody_wants_are_swept(tmp_path: Path) -> None:
    files = ResultFiles(tmp_path / "jobs")
    long_ago = time.time() - 3600
    names = ["a-1.1.csv", "a-1.2.csv", "a-1.3.csv.part", "b-1.1.csv", "c-1.1.csv.part"]
    for name in names:
        (files.folder / name).write_text("x")
        os.utime(files.folder / name, (long_ago, long_ago))
    (files.folder / "d-1.1.csv").write_text("young")
    known = {"a-1": Kept("COMPLETED", 2, "a-1.2.csv"), "c-1": Kept("EXECUTING", 1, None)}
    assert files.job_ids() == {"a-1", "b-1", "c-1", "d-1"}
    assert files.sweep(known) == 3
    assert sorted(p.name for p in files.folder.iterdir()) == [
        "a-1.2.csv",
        "c-1.1.csv.part",
        "d-1.1.csv",
    ]
