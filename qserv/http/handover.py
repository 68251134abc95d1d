"""A query that is asked at once and takes too long goes on as a job, and its client is told where.

Its thread never stops for that: whoever comes first, its first bytes or the end of its time, decides
where they go. Where it cannot go on (it is still being planned, or this czar has enough of such jobs) a new
job asks it again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace

from starlette.responses import Response
from typing_extensions import override

from procedures.jobs import Result
from qserv.formats.registry import Format
from qserv.http.failures import failure
from qserv.http.jobs import JobAccess
from qserv.jobs.attempt import Attempt, write
from qserv.limits import Limits
from qserv.result import Answer
from qserv.rights.caller import Caller
from qserv.running import QueryTimeout, Running
from qserv.tap_query import TapQuery
from qserv.trace import Trace
from schema.errors import LimitExceeded, SkyshardError

_log = logging.getLogger(__name__)
JOB_S = 60.0
"""How long making the job may take; the coordinator answers, or is known to be away, well before."""


class GoesOnAsJob(LimitExceeded):
    """The query takes longer than it may at once; a job goes on with it."""

    code = "QUERY_GOES_ON"

    def __init__(self, limit_s: float, url: str) -> None:
        super().__init__(
            f"the query did not end within {limit_s:g} s; it goes on as the job {url}:"
            " look there for its phase and, once that is COMPLETED, its result"
        )
        self.url = url

    @override
    def fields(self) -> dict[str, object]:
        return {**super().fields(), "job": self.url}


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that is asked at once: whose, and where its job would be (`url` of the list of jobs)."""

    query: TapQuery
    caller: Caller
    jobs_url: str
    limit_s: float


class Handover:
    """One query's way, to its client or into a job. Thread-safe."""

    def __init__(self, access: JobAccess, asked: Asked) -> None:
        self._access, self.asked = access, asked
        self._lock = threading.Lock()
        self._way: str | None = None
        self._running: Running | None = None
        self._attempt: Future[Attempt | None] = Future()

    def limits(self, limits: Limits) -> Limits:
        """The limits for the query: it may run as long as a job."""
        most = float(self._access.desk.settings.execution_s)
        return replace(limits, timeout_s=max(most, self.asked.limit_s))

    # ---------------------------------------------------------------- the query's thread

    def started(self, answer: Answer) -> None:
        """The query is planned; it can go on as a job from now on."""
        running = self._access.runner.query(answer.query_id)
        if running is not None:
            running.trace = running.trace or Trace()
            self._running = running
        if self._attempt.done() and self._attempt.result() is None:
            self.stop()

    def goes_to_client(self) -> bool:
        """Whether the first bytes, which are there, may be sent; else they are the job's."""
        return self._goes("client")

    def finish(
        self, answer: Answer, chunks: Iterator[bytes], counted: Callable[[Attempt], None]
    ) -> None:
        """Write all into the job's result, and end both; `counted` notes rows and failures so far."""
        try:
            attempt = self._attempt.result(JOB_S)
            if attempt is None:
                return
            passed = _noted(chunks, attempt, counted)
            files, query = self._access.desk.files, self.asked.query
            self._access.runner.finish(
                attempt, lambda: write(attempt, query, answer, passed, files)
            )
        finally:
            answer.close()

    def failed(self, error: Exception, answer: Answer | None) -> None:
        """The query ended before it had any bytes, and after it became a job."""
        attempt = self._attempt.result(JOB_S)
        if attempt is not None:
            self._access.runner.finish(attempt, _raiser(error))
        if answer is not None:
            answer.close()

    # ---------------------------------------------------------------- when its time is over

    def goes_to_job(self) -> bool:
        """Whether no bytes were there in time: `begin` must follow."""
        return self._goes("job")

    def stop(self) -> None:
        """End a query whose rows the client reads already."""
        if self._running is not None:
            self._running.stop(QueryTimeout(self.asked.limit_s))

    def begin(self) -> Response:
        """Make the job, and the response that names it; where that fails the query is stopped."""
        attempt: Attempt | None = None
        try:
            job_id, attempt = self._job()
            url = f"{self.asked.jobs_url}/{job_id}"
            response = failure(GoesOnAsJob(self.asked.limit_s, url))
            response.headers["Location"] = url
        except SkyshardError as error:
            _log.warning("a query cannot go on as a job", extra={"reason": str(error)})
            response = failure(QueryTimeout(self.asked.limit_s))
        finally:
            self._attempt.set_result(attempt)
            if attempt is None:
                self.stop()
        return response

    def _job(self) -> tuple[str, Attempt | None]:
        """The id of the job that goes on, and its attempt; or of one that begins anew, and None."""
        desk, caller = self._access.desk, self.asked.caller
        parameters = _parameters(self.asked.query)
        if self._running is not None:
            new = desk.new_job(caller, parameters, is_estimated=False)
            attempt = self._access.runner.adopt(new, self._running)
            if attempt is not None:
                return new.job_id, attempt
        return desk.create(caller, parameters, run=True).job_id, None

    def _goes(self, way: str) -> bool:
        with self._lock:
            self._way = self._way or way
            return self._way == way


def _parameters(query: TapQuery) -> dict[str, str]:
    """TAP's parameters of a query."""
    form: Format = query.form
    given = {
        "QUERY": query.text,
        "LANG": query.language,
        "RESPONSEFORMAT": form.mime,
        "MAXREC": None if query.max_rows is None else str(query.max_rows),
        "RUNID": query.run_id,
        "SNAPSHOT": ",".join(query.as_of) or None,
        "UPLOAD": ";".join(map(",".join, query.uploads)) or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _noted(
    chunks: Iterator[bytes], attempt: Attempt, counted: Callable[[Attempt], None]
) -> Iterator[bytes]:
    for chunk in chunks:
        counted(attempt)
        yield chunk
    counted(attempt)


def _raiser(error: Exception) -> Callable[[], Result]:
    def work() -> Result:
        raise error

    return work
