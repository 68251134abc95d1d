"""A query that is asked at once and takes too long goes on as a job."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from procedures.jobs import Phase
from qserv.limits import Limits
from tests.loaders.lab import Lab
from tests.qserv.jobs.czars import OBJECTS, QUERY, SETTINGS, Czar, czar, held, other, wait_for

pytestmark = pytest.mark.postgres
HASTY = Limits(timeout_s=2.0)


@pytest.fixture(scope="module")
def hasty(sky: Lab) -> Iterator[Czar]:
    """A czar whose synchronous queries may take a second."""
    with czar(sky, "hasty", other(SETTINGS, max_running_per_user=2), limits=HASTY) as made:
        ask(made, "csv")  # what is imported and connected first takes its time
        yield made


def ask(one: Czar, form: str, query: str = QUERY) -> httpx.Response:
    given = {"QUERY": query, "LANG": "ADQL", "RESPONSEFORMAT": form, "RUNID": "at once"}
    return one.client.get("/sync", params=given)


def job_of(told: httpx.Response) -> str:
    """The id of the job that an answer names."""
    return told.headers["location"].rpartition("/")[2]


@pytest.mark.parametrize("form", ["csv", "fits", "votable"])
def test_it_goes_on_where_it_was(sky: Lab, hasty: Czar, form: str) -> None:
    with held(sky) as waiting:
        told = ask(hasty, form)
        assert (told.status_code, "QUERY_GOES_ON" in told.text) == (413, True)
        url = told.headers["location"]
        assert url in told.text
        assert waiting() > 0
        job_id = url.rpartition("/")[2]
        assert hasty.phase(job_id) is Phase.EXECUTING
    job = hasty.ended(job_id)
    assert (job.phase, job.attempt, job.run_id) == (Phase.COMPLETED, 1, "at once")
    assert job.result is not None
    assert job.result.rows == OBJECTS
    assert job.progress["chunks"] == job.progress["all_chunks"]
    at_once = ask(hasty, form).content
    result = httpx.get(f"{url}/results/result").content
    assert abs(len(result) - len(at_once)) < 100
    assert hasty.store.watch.running() == []


def test_such_a_job_can_be_aborted(sky: Lab, hasty: Czar) -> None:
    with held(sky) as waiting:
        job_id = ask(hasty, "csv").headers["location"].rpartition("/")[2]
        hasty.client.post(f"/async/{job_id}/phase", data={"PHASE": "ABORT"})
        wait_for(lambda: waiting() == 0, 2.0)
    assert hasty.phase(job_id) is Phase.ABORTED
    wait_for(lambda: hasty.runner.running() == 0)


def test_beyond_what_a_czar_goes_on_with_a_new_job_asks_again(sky: Lab) -> None:
    settings = other(SETTINGS, max_running=1, max_running_per_user=1)
    with czar(sky, "full", settings, limits=HASTY) as full:
        ask(full, "csv")
        with held(sky) as waiting:
            placed = [job_of(ask(full, "csv")) for _ in range(2)]
            wait_for(lambda: waiting() == 2)
            placed.append(job_of(ask(full, "csv")))
            wait_for(lambda: len(full.store.watch.running()) == 2)
            wait_for(lambda: waiting() == 2)
            assert [full.phase(job_id) for job_id in placed] == [
                Phase.EXECUTING,
                Phase.EXECUTING,
                Phase.QUEUED,
            ]
        assert {full.ended(job_id).phase for job_id in placed} == {Phase.COMPLETED}


def test_what_is_quick_is_no_job(hasty: Czar) -> None:
    before = hasty.desk.counts()
    assert ask(hasty, "csv").status_code == 200
    time.sleep(2.2)
    assert hasty.desk.counts() == before


def test_a_wrong_query_is_told_at_once(hasty: Czar) -> None:
    assert ask(hasty, "csv", "SELECT nothing FROM nowhere").status_code == 400
