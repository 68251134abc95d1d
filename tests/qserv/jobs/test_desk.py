"""Whose jobs they are, what one user may have, and when results go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from procedures.jobs import Phase
from qserv.jobs.errors import JobForbidden, JobState, TooManyJobs, UnknownJob
from qserv.rights.caller import ANONYMOUS_CALLER, OPERATOR, Caller, Scope
from tests.loaders.lab import Lab
from tests.qserv.jobs.czars import (
    OBJECTS,
    QUERY,
    SETTINGS,
    Czar,
    czar,
    other,
    result_folder,
    wait_for,
)
from workers.cli import job as commands

pytestmark = pytest.mark.postgres
ADA, BOB, EVE, TOM, ZOE = (
    Caller(name, scopes=frozenset({Scope.READ_TAP})) for name in ("ada", "bob", "eve", "tom", "zoe")
)
CSV = {"QUERY": QUERY, "RESPONSEFORMAT": "csv"}


@pytest.fixture(scope="module")
def strict(sky: Lab) -> Iterator[Czar]:
    """A czar where a user may have 3 waiting jobs, and 40 kB of results."""
    settings = other(
        SETTINGS, max_waiting_per_user=3, max_result_bytes_per_user=40_000, sweep_s=0.2
    )
    with czar(sky, "strict", settings) as made:
        yield made


def wait(one: Czar, job_id: str) -> Phase:
    wait_for(lambda: not one.desk.read(OPERATOR, job_id).phase.is_active)
    return one.desk.read(OPERATOR, job_id).phase


def test_a_user_s_jobs_are_hers_alone(strict: Czar) -> None:
    desk = strict.desk
    job_id = desk.create(ADA, CSV, run=False).job_id
    assert [job.job_id for job in desk.listed(ADA)] == [job_id]
    assert desk.listed(BOB) == desk.listed(BOB, is_all=True) == []
    assert job_id in [job.job_id for job in desk.listed(OPERATOR, is_all=True)]
    for caller in (BOB, ANONYMOUS_CALLER):
        for call in (desk.view, desk.run, desk.abort, desk.delete, desk.archive):
            with pytest.raises(JobForbidden):
                call(caller, job_id)
    assert strict.client.get(f"/async/{job_id}").status_code == 403
    with pytest.raises(JobState, match="abort it first"):
        desk.archive(ADA, job_id)
    desk.delete(ADA, job_id)
    with pytest.raises(UnknownJob):
        desk.view(ADA, job_id)


def test_so_many_jobs_of_one_user_may_wait(strict: Czar) -> None:
    for _ in range(3):
        strict.desk.create(EVE, CSV, run=False)
    with pytest.raises(TooManyJobs) as refused:
        strict.desk.create(EVE, CSV, run=True)
    assert refused.value.retry_s > 0
    assert len(strict.desk.listed(EVE)) == 3
    strict.desk.create(BOB, CSV, run=False)


def test_results_take_no_more_than_the_quota(sky: Lab, strict: Czar) -> None:
    first = strict.desk.create(TOM, CSV, run=True).job_id
    assert wait(strict, first) is Phase.COMPLETED
    second = strict.desk.create(TOM, CSV, run=True).job_id
    assert wait(strict, second) is Phase.ERROR
    error = strict.desk.read(TOM, second).error
    assert error is not None
    assert error["code"] == "RESULT_QUOTA"
    assert not list(result_folder(sky).glob(f"{second}*"))
    strict.desk.archive(TOM, first)
    third = strict.desk.create(TOM, CSV, run=True).job_id
    assert wait(strict, third) is Phase.COMPLETED


def test_a_result_goes_when_its_time_is_over(sky: Lab, strict: Czar) -> None:
    job_id = strict.desk.create(BOB, CSV, run=True).job_id
    assert wait(strict, job_id) is Phase.COMPLETED
    assert len(list(result_folder(sky).glob(f"{job_id}*"))) == 1
    strict.desk.set_destruction(BOB, job_id, datetime.now(UTC) - timedelta(seconds=1))
    wait_for(lambda: strict.desk.read(BOB, job_id).phase is Phase.ARCHIVED)
    wait_for(lambda: not list(result_folder(sky).glob(f"{job_id}*")))


def test_the_command_line_sees_everybody_s_jobs(sky: Lab, strict: Czar, tmp_path: Path) -> None:
    shards = "".join(f'[[shards]]\ndsn = "{shard.dsn}"\n' for shard in sky.topology.shards)
    (tmp_path / "skyshard.toml").write_text(
        f'[coordinator]\ndsn = "{sky.topology.coordinator}"\n'
        f'[jobs]\nfolder = "{result_folder(sky)}"\n{shards}'
    )
    done = strict.desk.create(TOM, {**CSV, "RUNID": "by hand"}, run=False).job_id
    home = ["--home", str(tmp_path)]

    def run(*words: str) -> str:
        called = CliRunner().invoke(commands.app, [*words, *home], catch_exceptions=False)
        assert called.exit_code == 0, called.output
        return called.stdout

    listed = json.loads(run("list", "--phase", "pending", "--json"))
    assert (done, "by hand") in [(line["job"], line["run id"]) for line in listed]
    assert QUERY in json.loads(run("show", done, "--json"))["QUERY"]
    run("cancel", done)
    assert strict.desk.read(TOM, done).phase is Phase.ABORTED
    rows = strict.desk.create(ZOE, {**CSV, "MAXREC": "5"}, run=True).job_id
    assert wait(strict, rows) is Phase.COMPLETED
    assert len(run("result", rows).splitlines()) == 6 < OBJECTS
    run("delete", done)
    assert done not in run("list")
