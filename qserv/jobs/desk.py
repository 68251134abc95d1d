"""What a caller asks of her jobs, and changes: the calls behind UWS and the command line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from procedures import job_queue, jobs
from procedures.jobs import Job, NewJob, Phase
from procedures.pools import Pools
from qserv.answer import explain
from qserv.jobs.attempt import LimitsOf, kept_caller
from qserv.jobs.errors import JobAborted, JobForbidden, JobState, KeyReused, TooManyJobs, UnknownJob
from qserv.jobs.estimate import seconds_of
from qserv.jobs.progress import eta_of
from qserv.jobs.results import ResultFiles
from qserv.jobs.settings import JobSettings
from qserv.rights.caller import Caller
from qserv.running import new_query_id
from qserv.store import Store
from qserv.tap_query import MAX_RUN_ID, tap_query
from schema.errors import SkyshardError

MAX_KEY = 255


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as its owner sees it. `ahead`: queued jobs that have waited longer; None: it is not queued.

    `quote`: when it may be complete; None: nobody knows, or it has ended.
    """

    job: Job
    quote: datetime | None = None
    ahead: int | None = None


class JobDesk:
    """The calls of owners; each is one transaction. Thread-safe."""

    def __init__(
        self,
        pools: Pools,
        files: ResultFiles,
        settings: JobSettings,
        *,
        store: Store | None = None,
        limits_of: LimitsOf | None = None,
    ) -> None:
        """With a store and limits, what a pending job may take is estimated."""
        self.files, self.settings = files, settings
        self._pools, self._store, self._limits_of = pools, store, limits_of

    # ---------------------------------------------------------------- create

    def create(
        self, caller: Caller, parameters: Mapping[str, str], *, key: str | None = None, run: bool
    ) -> Job:
        """A new job, or the one that the same Idempotency-Key made; with `run` it is queued at once.

        Raises KeyReused, TooManyJobs.
        """
        new = self.new_job(caller, parameters, key=key, is_estimated=not run)
        with self._pools.coordinator() as connection:
            waiting = jobs.count_waiting(connection, caller.account)
            job, is_new = jobs.create_job(connection, new)
            if not is_new and job.request_sha256 != new.request_sha256:
                raise KeyReused(key or "", job.job_id)
            if is_new and waiting >= self.settings.max_waiting_per_user:
                raise TooManyJobs(self.settings.max_waiting_per_user)
            if run:
                jobs.queue_job(connection, job.job_id)
            connection.commit()
        return job

    def new_job(
        self,
        caller: Caller,
        parameters: Mapping[str, str],
        *,
        key: str | None = None,
        is_estimated: bool,
    ) -> NewJob:
        """What `create` keeps."""
        return NewJob(
            job_id=new_query_id(),
            owner=caller.account,
            caller=kept_caller(caller),
            parameters=parameters,
            execution_s=self.settings.execution_s,
            keep_s=self.settings.keep_s,
            run_id=_run_id(parameters),
            estimate_s=self._estimate(caller, parameters) if is_estimated else None,
            idempotency_key=key[:MAX_KEY] if key else None,
            request_sha256=_digest(parameters),
        )

    def _estimate(self, caller: Caller, parameters: Mapping[str, str]) -> float | None:
        """What its query may take, seconds; None where it cannot be planned: running it says why."""
        if self._store is None or self._limits_of is None:
            return None
        try:
            query = tap_query(parameters)
            planned = explain(
                query.text,
                self._store,
                limits=self._limits_of(caller),
                language=query.language,
                as_of=query.as_of,
                caller=caller,
                uploads=self.files.uploads.read(query.uploads),
            )
        except SkyshardError:
            return None
        return seconds_of(planned)

    # ---------------------------------------------------------------- look

    def read(self, caller: Caller, job_id: str) -> Job:
        """A job of the caller's; raises UnknownJob, JobForbidden."""
        with self._pools.coordinator() as connection:
            return _found(connection, caller, job_id)

    def view(self, caller: Caller, job_id: str) -> JobView:
        """A job with its place in the queue and when it may be complete."""
        with self._pools.coordinator() as connection:
            job = _found(connection, caller, job_id)
            if not job.phase.is_active:
                return JobView(job)
            ahead = job_queue.jobs_ahead(connection, job) if job.phase is Phase.QUEUED else None
            return JobView(job, self._quote(connection, job, ahead or 0), ahead)

    def _quote(self, connection: Any, job: Job, ahead: int) -> datetime | None:
        """Now, and the wait of those ahead, and the job itself."""
        if job.phase is Phase.EXECUTING:
            eta = eta_of(job.progress)
            return None if eta is None else datetime.now(UTC) + timedelta(seconds=eta)
        if job.estimate_s is None:
            return None
        ratio, usual_s = job_queue.recent_speed(connection)
        seconds = job.estimate_s * ratio + usual_s * ahead / self.settings.max_running
        return datetime.now(UTC) + timedelta(seconds=min(seconds, 10.0 * self.settings.max_keep_s))

    def listed(
        self,
        caller: Caller,
        *,
        phases: Sequence[Phase] = (),
        after: datetime | None = None,
        last: int | None = None,
        is_all: bool = False,
    ) -> list[Job]:
        """The caller's newest jobs, the newest first; with `is_all`, and as an administrator, everybody's."""
        bound = min(last if last is not None else self.settings.max_list, self.settings.max_list)
        owner = None if is_all and caller.is_admin else caller.account
        with self._pools.coordinator() as connection:
            return jobs.list_jobs(connection, owner, phases=phases, after=after, last=bound)

    def counts(self) -> dict[str, int]:
        """How many jobs are in each phase."""
        with self._pools.coordinator() as connection:
            return job_queue.count_phases(connection)

    # ---------------------------------------------------------------- change

    def add_parameters(self, caller: Caller, job_id: str, more: Mapping[str, str]) -> None:
        """Add to a pending job's parameters, or replace them; raises JobState once it was run."""
        job = self.read(caller, job_id)
        parameters = {**job.parameters, **more}
        estimate = self._estimate(caller, parameters)
        with self._pools.coordinator() as connection:
            is_changed = jobs.change_parameters(
                connection, job_id, parameters, run_id=_run_id(parameters), estimate_s=estimate
            )
            if not is_changed:
                raise JobState(job_id, job.phase, "its parameters are frozen")
            connection.commit()

    def set_execution(self, caller: Caller, job_id: str, seconds: int) -> None:
        """How long it may run; 0 means as long as the server allows, and so does more than that."""
        most = self.settings.max_execution_s
        with self._pools.coordinator() as connection:
            job = _found(connection, caller, job_id)
            if not jobs.change_execution(
                connection, job_id, min(seconds, most) if seconds else most
            ):
                raise JobState(job_id, job.phase, "how long it may run is settled")
            connection.commit()

    def set_destruction(self, caller: Caller, job_id: str, at: datetime) -> None:
        """When it goes; later than the server allows is the latest that it does."""
        latest = datetime.now(UTC) + timedelta(seconds=self.settings.max_keep_s)
        with self._pools.coordinator() as connection:
            job = _found(connection, caller, job_id)
            if not jobs.change_destruction(connection, job_id, min(at, latest)):
                raise JobState(job_id, job.phase, "it has no result any more")
            connection.commit()

    def run(self, caller: Caller, job_id: str) -> None:
        """Queue it; nothing happens where it is queued, or runs, already."""
        with self._pools.coordinator() as connection:
            job = _found(connection, caller, job_id)
            if not jobs.queue_job(connection, job_id) and not _is_under_way(connection, job_id):
                raise JobState(job_id, job.phase, "it cannot be run again")
            connection.commit()

    def abort(self, caller: Caller, job_id: str) -> None:
        """End it; nothing happens where it has ended."""
        reason = JobAborted(caller.name).fields()
        with self._pools.coordinator() as connection:
            _found(connection, caller, job_id)
            jobs.abort_job(connection, job_id, reason)
            connection.commit()

    def archive(self, caller: Caller, job_id: str) -> None:
        """Give up its result, keep what is known of it; raises JobState where it has not ended."""
        with self._pools.coordinator() as connection:
            job = _found(connection, caller, job_id)
            if not jobs.archive_job(connection, job_id) and job.phase is not Phase.ARCHIVED:
                raise JobState(job_id, job.phase, "abort it first")
            connection.commit()
        self.files.remove(job_id)

    def delete(self, caller: Caller, job_id: str) -> None:
        """Forget it, its result too; what runs of it is stopped."""
        with self._pools.coordinator() as connection:
            _found(connection, caller, job_id)
            jobs.delete_job(connection, job_id)
            connection.commit()
        self.files.remove(job_id)


def _found(connection: Any, caller: Caller, job_id: str) -> Job:
    """A job that the caller may see. Who did not log in needs to know the id, which nobody can guess."""
    try:
        job = jobs.read_job(connection, str(UUID(job_id)))
    except ValueError:
        job = None
    if job is None:
        raise UnknownJob(job_id)
    is_nobodys = caller.is_anonymous and bool(job.caller.get("is_anonymous"))
    if not (caller.is_admin or job.owner == caller.account or is_nobodys):
        raise JobForbidden(job_id)
    return job


def _is_under_way(connection: Any, job_id: str) -> bool:
    job = jobs.read_job(connection, job_id)
    return job is not None and job.phase in (Phase.QUEUED, Phase.EXECUTING)


def _run_id(parameters: Mapping[str, str]) -> str | None:
    return parameters.get("RUNID", "")[:MAX_RUN_ID] or None


def _digest(parameters: Mapping[str, str]) -> str:
    """What tells two requests apart."""
    return hashlib.sha256(json.dumps(dict(parameters), sort_keys=True).encode()).hexdigest()
