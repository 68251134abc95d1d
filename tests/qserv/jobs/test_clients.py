"""Stock clients and jobs: pyvo's whole life cycle; documents as the UWS schema has them."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from lxml import etree

from qserv.http.uws import JOB_NAMESPACE
from tests.loaders.lab import Lab
from tests.qserv.jobs.czars import OBJECTS, QUERY, Czar, held, wait_for

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pyvo.dal import DALQueryError, DALServiceError, TAPService

pytestmark = [
    pytest.mark.postgres,
    # pyvo leaves connections to the collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
GRAMMAR = etree.RelaxNG(etree.parse(Path(__file__).with_name("uws.rng")))
DOWN = "SELECT objectId, ra FROM lab.Object WHERE dec < 0 ORDER BY objectId"


@pytest.fixture(scope="module")
def tap(one: Czar) -> TAPService:
    return TAPService(one.url)


def test_pyvo_submits_runs_waits_fetches_and_deletes(tap: TAPService) -> None:
    job = tap.submit_job(DOWN, maxrec=100)
    assert (job.phase, job.query) == ("PENDING", DOWN)
    assert job.quote is not None
    job.execution_duration = 77
    assert job.execution_duration.sec == 77
    later = datetime.now(UTC).replace(microsecond=0, tzinfo=None) + timedelta(days=3)
    job.destruction = later
    assert job.destruction.to_datetime() == later
    job.run().wait(timeout=30)
    assert job.phase == "COMPLETED"
    job.raise_if_error()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = job.fetch_result().to_table()
    assert len(rows) == 100
    assert list(rows["objectId"]) == sorted(rows["objectId"])
    job.delete()
    with pytest.raises(DALServiceError):
        job._update()


def test_pyvo_runs_a_job_in_one_call(tap: TAPService) -> None:
    assert len(tap.run_async(QUERY)) == OBJECTS


def test_pyvo_changes_the_query_and_aborts(sky: Lab, tap: TAPService) -> None:
    job = tap.submit_job("SELECT nonsense")
    job.query = QUERY
    with held(sky) as waiting:
        job.run()
        wait_for(lambda: waiting() > 0)
        job.abort()
        wait_for(lambda: waiting() == 0, 2.0)
    assert job.phase == "ABORTED"
    with pytest.raises(DALQueryError, match="aborted by anonymous"):
        job.raise_if_error()


def test_pyvo_raises_why_a_job_failed(tap: TAPService) -> None:
    job = tap.submit_job("SELECT decl FROM lab.Object").run()
    job.wait(timeout=30)
    with pytest.raises(DALQueryError, match="decl"):
        job.raise_if_error()


def test_pyvo_lists_jobs(tap: TAPService) -> None:
    made = tap.submit_job(QUERY)
    assert made.job_id in [job.jobid for job in tap.get_job_list(last=3)]
    assert [job.jobid for job in tap.get_job_list(phases=["PENDING"], last=1)] == [made.job_id]
    found = tap.get_job(made.job_id)
    assert (found.jobid, found.phase) == (made.job_id, "PENDING")


def test_the_capabilities_say_how_long_jobs_run_and_stay(tap: TAPService) -> None:
    access = tap.get_tap_capability()
    assert (access.executionduration.default, access.executionduration.hard) == (14_400, 86_400)
    assert access.retentionperiod.default == 7 * 86_400


def test_every_document_is_of_the_grammar_of_uws(one: Czar) -> None:
    done, wrong = one.submit(RUNID="a<b"), one.submit("SELECT < FROM & lab.Object")
    for job_id in (done, wrong, one.submit(run=False)):
        one.ended(job_id) if job_id in (done, wrong) else None
        for path in ("", "/parameters", "/results"):
            valid(one.client.get(f"/async/{job_id}{path}"))
    valid(one.client.get("/async?LAST=10"))
    text = one.client.get(f"/async/{done}").text
    assert f'<job:fact name="rows">{OBJECTS}</job:fact>' in text
    assert f'xmlns:job="{JOB_NAMESPACE}"' in text


def test_the_grammar_refuses_what_is_no_uws(one: Czar) -> None:
    document = one.client.get("/async?LAST=1").content
    assert not GRAMMAR.validate(etree.fromstring(document.replace(b"<uws:phase>", b"<uws:phase>X")))


def valid(response: httpx.Response) -> None:
    assert response.headers["content-type"].startswith("text/xml")
    GRAMMAR.assertValid(etree.fromstring(response.content))
