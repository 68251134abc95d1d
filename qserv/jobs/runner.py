"""A czar's threads for jobs: one claims, one keeps the leases, one listens; and one for each attempt.

All of them bear a coordinator that is away: leases are kept, and ends are written, once it is back.
"""

from __future__ import annotations

import logging
import select
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg2

from procedures import job_queue, jobs
from procedures.job_queue import Claim
from procedures.jobs import CHANNEL, Job, NewJob
from procedures.pools import Pools
from qserv.jobs.attempt import Attempt, LimitsOf, caller_of, run
from qserv.jobs.changes import Changes
from qserv.jobs.errors import CzarsLost, JobAborted
from qserv.jobs.results import Kept, ResultFiles
from qserv.jobs.settings import JobSettings
from qserv.rights.caller import Caller
from qserv.running import QueryCancelled, Running
from qserv.store import Store
from qserv.trace import Trace
from schema.errors import SkyshardError, Unavailable

_log = logging.getLogger(__name__)
_AWAY = (Unavailable, psycopg2.Error)
POLL_S = 1.0
"""How late a czar learns of a job, or of a lapsed lease, where nothing is told."""
RETRY_S = 0.5
CLOSE_S = 5.0
"""How long closing waits for attempts to end."""


class Runner:
    """Runs jobs of the shared queue until it is closed. Thread-safe."""

    def __init__(
        self,
        store: Store,
        pools: Pools,
        files: ResultFiles,
        limits_of: LimitsOf,
        settings: JobSettings | None = None,
    ) -> None:
        """`pools` need three connections to the coordinator, and one more for each attempt that ends."""
        self.settings = settings or JobSettings()
        self.czar_id = str(uuid.uuid4())
        self.changes = Changes()
        self._store, self._pools, self._files, self._limits_of = store, pools, files, limits_of
        self._attempts: dict[Claim, Attempt] = {}
        self._workers: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._closed, self._wake, self._beat = (threading.Event() for _ in range(3))
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in (
                (self._claim_all, "job-claims"),
                (self._keep, "job-leases"),
                (self._listen, "job-notices"),
            )
        ]
        for thread in self._threads:
            thread.start()

    # ---------------------------------------------------------------- for others

    def running(self) -> int:
        """How many attempts this czar is at."""
        return len(self._attempts)

    def query(self, query_id: str) -> Running | None:
        """A query that runs in this czar."""
        return self._store.watch.find(query_id)

    def adopt(self, new: NewJob, running: Running) -> Attempt | None:
        """Keep a query that runs here already as a job; None where this czar runs enough.

        Raises Unavailable where the coordinator is away.
        """
        if self._closed.is_set() or self.running() >= 2 * self.settings.max_running:
            return None
        with self._pools.coordinator() as connection:
            lease_s = self.settings.lease_s
            claim = job_queue.adopt_job(connection, new, self.czar_id, lease_s=lease_s)
            room = self._room(connection, new.owner)
            connection.commit()
        return self._begun(claim, running, room, new.estimate_s)

    def finish(self, attempt: Attempt, work: Callable[[], jobs.Result]) -> None:
        """Do the rest of an attempt in the caller's thread, and write down how it ends."""
        try:
            result = work()
        except SkyshardError as error:
            self._fail(attempt, error)
        except Exception:  # noqa: BLE001  (a thread's outermost call)
            _log.exception("job failed unexpectedly", extra={"job_id": attempt.claim.job_id})
            told = {"code": "INTERNAL_ERROR", "message": "Internal error; the server's log has it."}
            self._end(attempt, lambda c: job_queue.fail_job(c, attempt.claim, told, _kept(attempt)))
        else:
            self._complete(attempt, result)
        finally:
            self._store.watch.end(attempt.running)
            with self._lock:
                self._attempts.pop(attempt.claim, None)
            self._wake.set()

    def close(self) -> None:
        """Give what runs back to the queue, and end all threads. Call it before the store closes."""
        self._closed.set()
        self._wake.set()
        self._beat.set()
        for thread in self._threads:
            thread.join()
        with suppress(*_AWAY), self._pools.coordinator() as connection:
            job_queue.give_back(connection, self.czar_id)
            connection.commit()
        with self._lock:
            attempts, workers = list(self._attempts.values()), list(self._workers)
        for attempt in attempts:
            attempt.lose()
        until = time.monotonic() + CLOSE_S
        for worker in workers:
            worker.join(max(0.0, until - time.monotonic()))

    # ---------------------------------------------------------------- claims

    def _claim_all(self) -> None:
        swept = 0.0
        while not self._closed.is_set():
            try:
                self._requeue()
                while self.running() < self.settings.max_running and self._claim():
                    pass
                if time.monotonic() - swept > self.settings.sweep_s:
                    swept = time.monotonic()
                    self._sweep()
            except _AWAY as error:
                _log.warning("no jobs can be claimed", extra={"reason": str(error)})
            except OSError as error:
                _log.warning("results cannot be swept", extra={"reason": str(error)})
            self._wake.wait(POLL_S)
            self._wake.clear()

    def _claim(self) -> bool:
        """Begin the job whose turn it is; False where there is none."""
        settings = self.settings
        with self._pools.coordinator() as connection:
            job = job_queue.claim_job(
                connection,
                self.czar_id,
                lease_s=settings.lease_s,
                most_per_owner=settings.max_running_per_user,
            )
            if job is None or self._closed.is_set():
                return False
            room = self._room(connection, job.owner)
            connection.commit()
        caller = caller_of(job.caller)
        running = self._store.watch.begin(float(job.execution_s), caller=caller)
        claim = Claim(job.job_id, job.attempt, self.czar_id)
        attempt = self._begun(claim, running, room, job.estimate_s)
        worker = threading.Thread(
            target=self._work, args=(attempt, job, caller), name="job", daemon=True
        )
        with self._lock:
            self._workers.add(worker)
        worker.start()
        return True

    def _begun(
        self, claim: Claim, running: Running, room: int, expected_s: float | None
    ) -> Attempt:
        running.trace = running.trace or Trace()
        quota = self.settings.max_result_bytes_per_user
        attempt = Attempt(claim, running, room, quota, expected_s)
        with self._lock:
            self._attempts[claim] = attempt
        return attempt

    def _room(self, connection: Any, owner: str) -> int:
        """How many bytes an owner's next result may have."""
        used = jobs.result_bytes(connection, owner)
        return max(0, self.settings.max_result_bytes_per_user - used)

    def _work(self, attempt: Attempt, job: Job, caller: Caller) -> None:
        """An attempt's thread."""
        extra = {"job_id": job.job_id, "attempt": job.attempt}
        _log.info("job begun", extra={**extra, "query_id": attempt.running.query_id})
        limits = self._limits_of(caller)
        self.finish(attempt, lambda: run(attempt, job, self._store, limits, self._files))
        with self._lock:
            self._workers.discard(threading.current_thread())

    def _requeue(self) -> None:
        most = self.settings.max_attempts
        error = CzarsLost(most).fields()
        with self._pools.coordinator() as connection:
            again, ended = job_queue.requeue_lapsed(connection, most_attempts=most, error=error)
            connection.commit()
        for job_id in again:
            _log.warning("job of a lost czar queued again", extra={"job_id": job_id})
        for job_id in ended:
            _log.error("job given up", extra={"job_id": job_id, "attempts": most})

    def _sweep(self) -> None:
        """Archive what is due, and remove files that nobody reads again."""
        with self._pools.coordinator() as connection:
            due = job_queue.destroy_due(connection, archive_s=self.settings.archive_s)
            connection.commit()
            known = job_queue.files_wanted(connection, sorted(self._files.job_ids()))
            uploads = job_queue.uploads_wanted(connection)
        for job_id in due:
            self._files.remove(job_id)
            _log.info("job archived", extra={"job_id": job_id})
        self._files.sweep({job_id: Kept(*facts) for job_id, facts in known.items()})
        self._files.uploads.sweep(uploads)

    # ---------------------------------------------------------------- leases and notices

    def _keep(self) -> None:
        """Say every second which jobs are alive, and stop those that are no longer ours."""
        while not self._closed.is_set():
            with self._lock:
                attempts = list(self._attempts.values())
            if attempts:
                try:
                    self._renew(attempts)
                except _AWAY as error:
                    _log.warning("jobs' leases not renewed", extra={"reason": str(error)})
            self._beat.wait(self.settings.renew_s)
            self._beat.clear()

    def _renew(self, attempts: list[Attempt]) -> None:
        progress = {one.claim.job_id: _kept(one) for one in attempts}
        with self._pools.coordinator() as connection:
            lease_s = self.settings.lease_s
            ours = job_queue.renew_claims(connection, self.czar_id, progress, lease_s=lease_s)
            connection.commit()
        for attempt in attempts:
            if (attempt.claim.job_id, attempt.claim.attempt) not in ours:
                attempt.lose()

    def _listen(self) -> None:
        """Wait for notices; without a connection everybody asks the coordinator instead."""
        while not self._closed.is_set():
            try:
                with self._pools.coordinator() as connection:
                    self._hear(connection)
            except (*_AWAY, OSError) as error:
                _log.warning("no notices of jobs", extra={"reason": str(error)})
                self.changes.tell_all()
                self._closed.wait(RETRY_S)

    def _hear(self, connection: Any) -> None:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
            try:
                while not self._closed.is_set():
                    if select.select([connection], [], [], POLL_S / 4)[0]:
                        connection.poll()
                    while connection.notifies:
                        self._heard(connection.notifies.pop(0).payload)
            finally:
                if not connection.closed:
                    cursor.execute(f"UNLISTEN {CHANNEL}")

    def _heard(self, job_id: str) -> None:
        self.changes.tell(job_id)
        self._wake.set()
        with self._lock:
            is_ours = any(claim.job_id == job_id for claim in self._attempts)
        if is_ours:
            self._beat.set()

    # ---------------------------------------------------------------- ends

    def _complete(self, attempt: Attempt, result: jobs.Result) -> None:
        kept = _kept(attempt)
        is_ours = self._end(
            attempt, lambda c: job_queue.complete_job(c, attempt.claim, result, kept)
        )
        if not is_ours:
            self._files.path(result.file).unlink(missing_ok=True)

    def _fail(self, attempt: Attempt, error: SkyshardError) -> None:
        if attempt.is_lost:
            _log.info("attempt lost", extra={"job_id": attempt.claim.job_id})
            return
        if isinstance(error, QueryCancelled):
            reason = JobAborted("whoever cancelled its query").fields()
            self._end(attempt, lambda c: jobs.abort_job(c, attempt.claim.job_id, reason))
            return
        told = error.fields()
        self._end(attempt, lambda c: job_queue.fail_job(c, attempt.claim, told, _kept(attempt)))

    def _end(self, attempt: Attempt, write: Callable[[Any], bool]) -> bool:
        """Write an end down, however long the coordinator is away; False where it does not count."""
        while True:
            try:
                with self._pools.coordinator() as connection:
                    is_ours = write(connection)
                    connection.commit()
            except _AWAY as error:
                _log.warning("a job's end is not written yet", extra={"reason": str(error)})
                if self._closed.wait(RETRY_S):
                    return False
                continue
            facts = {"job_id": attempt.claim.job_id, "counts": is_ours, **_kept(attempt)}
            _log.info("job ended", extra=facts)
            return is_ours


def _kept(attempt: Attempt) -> dict[str, Any]:
    return attempt.progress().to_json()
