"""UWS 1.1 by HTTP, on real servers: phases, resources, lists, errors."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from procedures.jobs import Phase
from tests.loaders.lab import Lab
from tests.qserv.jobs.czars import OBJECTS, QUERY, Czar, held, result_folder, wait_for

pytestmark = pytest.mark.postgres


def get(one: Czar, path: str, **headers: str) -> httpx.Response:
    return one.client.get(path, headers=headers)


def test_a_job_is_made_run_and_read(one: Czar) -> None:
    job_id = one.submit(run=False, RESPONSEFORMAT="csv", RUNID="night 12")
    assert get(one, f"/async/{job_id}/phase").text == "PENDING"
    assert get(one, f"/async/{job_id}/quote").text > datetime.now(UTC).isoformat()[:16]
    started = one.client.post(f"/async/{job_id}/phase", data={"phase": "run"})
    assert (started.status_code, started.headers["location"]) == (303, f"{one.url}/async/{job_id}")
    assert one.ended(job_id).phase is Phase.COMPLETED
    result = get(one, f"/async/{job_id}/results/result")
    assert result.headers["content-type"].startswith("text/csv;header=present")
    assert len(result.text.splitlines()) == OBJECTS + 1
    facts = one.facts(job_id)
    assert (facts["runId"], facts["ownerId"]) == ("night 12", None)
    assert facts["progress"]["rows"] == OBJECTS
    assert facts["progress"]["chunksDone"] == facts["progress"]["chunksAll"] > 1
    assert facts["results"][0]["size"] == len(result.content)


def test_parameters_may_change_until_it_is_run(one: Czar) -> None:
    job_id = one.submit("SELECT 1 FROM nowhere", run=False)
    more = {"query": "SELECT TOP 3 objectId FROM lab.Object", "FORMAT": "tsv"}
    assert one.client.post(f"/async/{job_id}/parameters", data=more).status_code == 303
    changed = one.client.put(f"/async/{job_id}/parameters/maxrec", content="2")
    assert changed.status_code == 303
    assert get(one, f"/async/{job_id}/parameters/query").text == more["query"]
    one.client.post(f"/async/{job_id}", data={"PHASE": "RUN"})
    frozen = one.client.post(f"/async/{job_id}/parameters", data={"MAXREC": "1"})
    assert (frozen.status_code, "frozen" in frozen.text) == (403, True)
    job = one.ended(job_id)
    assert job.result is not None
    assert (job.result.rows, job.result.overflowed) == (2, True)
    assert get(one, f"/async/{job_id}/results/result").headers["X-Skyshard-Overflow"] == "true"


def test_multipart_creates_a_job(one: Czar) -> None:
    fields = {"Query": (None, QUERY), "lang": (None, "ADQL"), "phase": (None, "RUN")}
    made = one.client.post("/async", files=fields)
    assert one.ended(made.headers["location"].rpartition("/")[2]).phase is Phase.COMPLETED


def test_a_wrong_query_is_the_same_error_as_at_once(one: Czar) -> None:
    wrong = "SELECT objectID FROM lab.Objekt"
    at_once = httpx.get(f"{one.url}/sync", params={"QUERY": wrong, "LANG": "ADQL"})
    job_id = one.submit(wrong)
    assert one.ended(job_id).phase is Phase.ERROR
    document = get(one, f"/async/{job_id}/error")
    assert document.status_code == 200
    infos = [
        sorted(re.findall("<INFO[^/]*</INFO>", text)) for text in (document.text, at_once.text)
    ]
    assert infos[0] == infos[1] != []
    assert get(one, f"/async/{job_id}/results/result").status_code == 404
    assert '<uws:errorSummary type="fatal" hasDetail="true">' in get(one, f"/async/{job_id}").text


def test_a_missing_query_is_the_job_s_error(one: Czar) -> None:
    made = one.client.post("/async", data={"LANG": "ADQL", "PHASE": "RUN"})
    job_id = made.headers["location"].rpartition("/")[2]
    assert one.ended(job_id).phase is Phase.ERROR
    assert "QUERY is missing" in get(one, f"/async/{job_id}/error").text


def test_a_job_that_is_aborted_leaves_the_shards_at_once(sky: Lab, one: Czar) -> None:
    with held(sky) as waiting:
        job_id = one.submit()
        wait_for(lambda: waiting() > 0)
        began = time.monotonic()
        aborted = one.client.post(f"/async/{job_id}/phase", data={"PHASE": "ABORT"})
        assert aborted.status_code == 303
        wait_for(lambda: waiting() == 0, 2.0)
        assert time.monotonic() - began < 2.0
    assert get(one, f"/async/{job_id}/phase").text == "ABORTED"
    wait_for(lambda: one.runner.running() == 0)
    assert not list(result_folder(sky).glob(f"{job_id}*"))
    again = one.client.post(f"/async/{job_id}/phase", data={"PHASE": "RUN"})
    assert again.status_code == 403


def test_a_job_that_is_deleted_while_it_runs_is_gone(sky: Lab, one: Czar) -> None:
    with held(sky) as waiting:
        job_id = one.submit()
        wait_for(lambda: waiting() > 0)
        deleted = one.client.delete(f"/async/{job_id}")
        assert (deleted.status_code, deleted.headers["location"]) == (303, f"{one.url}/async")
        wait_for(lambda: waiting() == 0, 2.0)
    assert get(one, f"/async/{job_id}").status_code == 404
    assert not list(result_folder(sky).glob(f"{job_id}*"))


def test_waiting_ends_with_the_phase(sky: Lab, one: Czar) -> None:
    with held(sky) as waiting:
        job_id = one.submit()
        wait_for(lambda: waiting() > 0)
        began = time.monotonic()
        assert one.facts(job_id, WAIT="1", PHASE="EXECUTING")["phase"] == "EXECUTING"
        assert 0.9 < time.monotonic() - began < 3.0
        assert one.facts(job_id, WAIT="30", PHASE="QUEUED")["phase"] == "EXECUTING"
    began = time.monotonic()
    assert one.facts(job_id, WAIT="-1")["phase"] == "COMPLETED"
    assert one.facts(job_id, WAIT="30")["phase"] == "COMPLETED"
    assert time.monotonic() - began < 5.0


def test_what_a_job_may_take_is_enforced_in_every_format(sky: Lab, one: Czar) -> None:
    with held(sky) as waiting:
        made = []
        for form in ("votable", "csv", "fits"):
            job_id = one.submit(run=False, RESPONSEFORMAT=form)
            url = f"/async/{job_id}/executionduration"
            one.client.post(url, data={"EXECUTIONDURATION": "1"})
            assert get(one, url).text == "1"
            one.client.post(f"/async/{job_id}/phase", data={"PHASE": "RUN"})
            made.append(job_id)
        ended = [one.ended(job_id, 6.0) for job_id in made]
        wait_for(lambda: waiting() == 0, 2.0)
    assert [(job.phase, job.error and job.error["code"]) for job in ended] == [
        (Phase.ERROR, "QUERY_TIMEOUT")
    ] * 3


def test_jobs_beyond_the_running_ones_queue(sky: Lab, one: Czar) -> None:
    with held(sky):
        made = [one.submit() for _ in range(6)]
        wait_for(lambda: one.runner.running() == 3)
        facts = [one.facts(job_id) for job_id in made]
        assert [job["phase"] for job in facts] == ["EXECUTING"] * 3 + ["QUEUED"] * 3
        assert [job["progress"].get("queuePosition") for job in facts[3:]] == [1, 2, 3]
    assert {one.ended(job_id).phase for job_id in made} == {Phase.COMPLETED}


def test_the_list_is_bounded_and_filtered(one: Czar) -> None:
    first = one.submit(run=False)
    moment = datetime.now(UTC)
    second = one.submit()
    one.ended(second)
    assert get(one, "/async").headers["location"] == f"{one.url}/async?LAST=1000"

    def ids(query: str) -> list[str]:
        found = get(one, f"/async?{query}", Accept="application/json").json()
        return [job["jobId"] for job in found]

    assert ids("LAST=2") == [second, first]
    assert ids("last=5&phase=PENDING")[0] == first
    assert ids(f"AFTER={moment.isoformat().replace('+00:00', 'Z')}") == [second]
    assert ids("PHASE=HELD") == []
    assert get(one, "/async?PHASE=DONE").status_code == 400
    assert get(one, "/async?LAST=-1").status_code == 400


def test_an_idempotency_key_makes_one_job(one: Czar) -> None:
    headers = {"Idempotency-Key": "the key of this test"}
    given = {"QUERY": QUERY, "PHASE": "RUN"}
    places = {
        one.client.post("/async", data=given, headers=headers).headers["location"] for _ in range(3)
    }
    assert len(places) == 1
    other = one.client.post("/async", data={"QUERY": "SELECT 1"}, headers=headers)
    assert (other.status_code, "IDEMPOTENCY_KEY_REUSED" in other.text) == (422, True)


def test_results_come_in_ranges_and_only_when_new(one: Czar) -> None:
    job_id = one.submit(RESPONSEFORMAT="csv")
    one.ended(job_id)
    place = f"/async/{job_id}/results/result"
    whole = get(one, place)
    part = get(one, place, Range="bytes=10-29")
    assert (part.status_code, part.content) == (206, whole.content[10:30])
    last = get(one, place, Range="bytes=-5")
    assert last.content == whole.content[-5:]
    assert get(one, place, Range="bytes=99999999-").status_code == 416
    tag = whole.headers["etag"]
    assert get(one, place, **{"If-None-Match": tag}).status_code == 304
    stale = {"Range": "bytes=0-3", "If-Range": '"another"'}
    assert get(one, place, **stale).status_code == 200
    assert one.client.head(place).headers["content-length"] == str(len(whole.content))


def test_an_archived_job_has_no_result_and_is_still_known(sky: Lab, one: Czar) -> None:
    job_id = one.submit()
    one.ended(job_id)
    assert list(result_folder(sky).glob(f"{job_id}*"))
    one.client.post(f"/async/{job_id}", data={"ACTION": "ARCHIVE"})
    facts = one.facts(job_id)
    assert (facts["phase"], facts["results"]) == ("ARCHIVED", [])
    assert not list(result_folder(sky).glob(f"{job_id}*"))
    listed = get(one, "/async?LAST=999", Accept="application/json").json()
    assert job_id not in [job["jobId"] for job in listed]
    archived = get(one, "/async?PHASE=ARCHIVED", Accept="application/json").json()
    assert job_id in [job["jobId"] for job in archived]


def test_the_time_of_destruction_may_be_moved_within_bounds(one: Czar) -> None:
    job_id = one.submit(run=False)
    url = f"/async/{job_id}/destruction"
    soon = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    one.client.post(url, data={"DESTRUCTION": soon.isoformat().replace("+00:00", "Z")})
    assert get(one, url).text == soon.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    one.client.post(url, data={"DESTRUCTION": "2999-01-01T00:00:00"})
    assert get(one, url).text < (datetime.now(UTC) + timedelta(days=31)).isoformat()
    assert one.client.post(url, data={"DESTRUCTION": "soon"}).status_code == 400


def test_metrics_count_jobs_by_phase(one: Czar) -> None:
    one.ended(one.submit())
    page = httpx.get(f"{one.url.removesuffix('/tap')}/metrics").text
    assert re.search(r'skyshard_jobs\{phase="COMPLETED"\} [1-9]', page)


@pytest.mark.parametrize("job_id", ["nothing", "01930000-0000-7000-8000-000000000000", "a%00b"])
def test_unknown_jobs_are_404(one: Czar, job_id: str) -> None:
    assert get(one, f"/async/{job_id}").status_code == 404
    assert get(one, f"/async/{job_id}/phase").status_code == 404
    assert one.client.delete(f"/async/{job_id}").status_code == 404
