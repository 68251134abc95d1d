"""Czars in this process: a store, its runner of jobs and an HTTP server, over a small sky."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg2
import pyarrow as pa

from loaders.staging.download import Remote
from procedures.jobs import Job, Phase
from procedures.pools import Pools
from qserv.http.jobs import JobAccess
from qserv.http.service import HttpLimits, Service
from qserv.jobs.desk import JobDesk
from qserv.jobs.results import ResultFiles
from qserv.jobs.runner import Runner
from qserv.jobs.settings import JobSettings
from qserv.limits import Limits
from qserv.rights.caller import ANONYMOUS_CALLER
from qserv.store import Store, StoreSettings
from qserv.tap_query import answer_tap
from qserv.uploads.files import NO_ADDRESSES
from tests.loaders.lab import Lab
from tests.qserv.http.conftest import served

OBJECTS = 600
QUERY = "SELECT objectId, ra, dec FROM lab.Object"
SETTINGS = JobSettings(max_running=3, max_running_per_user=3, lease_s=2.0, renew_s=0.2)


@dataclass(frozen=True, slots=True)
class Czar:
    """One czar, and a client of it."""

    store: Store
    runner: Runner
    desk: JobDesk
    url: str
    client: httpx.Client

    def submit(self, query: str = QUERY, *, run: bool = True, **more: str) -> str:
        """A new job; its id."""
        given = {"QUERY": query, "LANG": "ADQL", **({"PHASE": "RUN"} if run else {}), **more}
        response = self.client.post("/async", data=given)
        assert response.status_code == 303, response.text
        return response.headers["location"].rpartition("/")[2]

    def job(self, job_id: str) -> Job:
        return self.desk.read(ANONYMOUS_CALLER, job_id)

    def facts(self, job_id: str, **query: str) -> dict[str, Any]:
        """The job as JSON."""
        accept = {"Accept": "application/json"}
        found: dict[str, Any] = self.client.get(
            f"/async/{job_id}", headers=accept, params=query
        ).json()
        return found

    def ended(self, job_id: str, timeout_s: float = 20.0) -> Job:
        """The job once it has ended."""
        wait_for(lambda: not self.job(job_id).phase.is_active, timeout_s)
        return self.job(job_id)

    def phase(self, job_id: str) -> Phase:
        return self.job(job_id).phase


@contextmanager
def czar(
    sky: Lab,
    name: str,
    settings: JobSettings = SETTINGS,
    *,
    limits: Limits | None = None,
    http: HttpLimits | None = None,
    remote: Remote = NO_ADDRESSES,
) -> Iterator[Czar]:
    """A czar that shares the folder of results with all others of this sky."""
    bounds = limits or Limits(timeout_s=60.0)
    pools = Pools(sky.topology, size=12, application_name=f"test czar {name}")
    job_pools = Pools(sky.topology, size=8, application_name=f"test jobs {name}")
    store = Store(sky.topology, pools, spool=sky.folder / f"spool-{name}", settings=StoreSettings())
    files = ResultFiles(sky.folder / "jobs", remote)
    runner = Runner(store, job_pools, files, lambda _: bounds, settings)
    desk = JobDesk(job_pools, files, settings, store=store, limits_of=lambda _: bounds)
    service = Service(
        answer=lambda query, most, caller: answer_tap(
            query, store, files.uploads, limits=most, caller=caller
        ),
        catalogs=store.catalogs,
        examples=store.examples,
        check=store.check,
        limits=bounds,
        http=http or HttpLimits(),
        jobs=JobAccess(desk, runner),
        uploads=files.uploads,
    )
    try:
        with served(service) as url, httpx.Client(base_url=url, timeout=30) as client:
            yield Czar(store, runner, desk, url, client)
    finally:
        runner.close()
        store.close()
        pools.close()
        job_pools.close()


@contextmanager
def held(sky: Lab) -> Iterator[Callable[[], int]]:
    """While inside no statement on a part ends; gives how many wait for that."""
    shard = sky.topology.shards[0]
    connection = psycopg2.connect(shard.dsn)
    watcher = psycopg2.connect(shard.dsn)
    watcher.autocommit = True
    try:
        with connection.cursor() as cursor, watcher.cursor() as eye:
            cursor.execute(
                "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'parts'"
            )
            tables = ", ".join(f"parts.{name}" for (name,) in cursor.fetchall())
            cursor.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")

            def waiting() -> int:
                eye.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND wait_event_type = 'Lock' AND application_name LIKE 'test czar%'"
                )
                return int(eye.fetchone()[0])

            yield waiting
    finally:
        connection.close()
        watcher.close()


def objects(count: int = OBJECTS) -> pa.Table:
    """Objects all over the sky."""
    random = np.random.default_rng(5)
    return pa.table(
        {
            "objectId": np.arange(1, count + 1),
            "ra": random.uniform(0, 360, count),
            "dec": np.degrees(np.arcsin(random.uniform(-1, 1, count))),
            "gMag": random.uniform(15, 25, count).astype("float32"),
        }
    )


def wait_for(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Returns once `condition` holds; fails where it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def result_folder(sky: Lab) -> Path:
    return sky.folder / "jobs"


def other(settings: JobSettings, **changes: Any) -> JobSettings:
    return replace(settings, **changes)
