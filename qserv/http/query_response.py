"""A query's life on the wire: opened and encoded in a thread, sent as it comes, closed at last.

A client that goes away, or stops reading, cancels the query. Until `prefetch_bytes` have been made
nothing is sent, so that most failures are honest HTTP errors; after that a VOTable ends with
QUERY_STATUS=ERROR, and any other format is cut off without its final chunk. A query whose time is over
before the first byte goes on as a job, where there are jobs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TypeVar

import anyio
import pyarrow as pa
from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from qserv.formats.compressed import Coding, accepted_coding, compress
from qserv.http.failures import TooManyQueries, failure, outcome_of, unexpected
from qserv.http.handover import Handover
from qserv.http.metrics import QueryMetrics
from qserv.http.places import Places
from qserv.http.service import Service
from qserv.jobs.attempt import Attempt
from qserv.result import Answer
from qserv.rights.caller import Caller
from qserv.rights.errors import TooManyOfYours
from qserv.tap_query import TapQuery
from schema.errors import SkyshardError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Course:
    """What came of one query so far; the only mutable state here."""

    started: float = field(default_factory=time.perf_counter)
    answer: Answer | None = None
    chunks: Iterator[bytes] | None = None
    coding: Coding | None = None
    rows: int = 0
    sent_bytes: int = 0
    outcome: str = "cancelled"
    failure: SkyshardError | None = None
    is_abandoned: bool = False


SMALLEST_CODED = 1024
"""What is shorter is sent as it is, bytes."""

T = TypeVar("T")


class Desk:
    """Where queries are admitted and counted, and the threads that they run in."""

    def __init__(self, max_running: int, metrics: QueryMetrics, queue_s: float) -> None:
        self.metrics = metrics
        self.places = Places(queue_s)
        self._max_running = max_running
        self._running = 0
        self._threads: anyio.CapacityLimiter | None = None

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Holds a place among the running queries; raises TooManyQueries where there is none."""
        if self._running >= self._max_running:
            raise TooManyQueries(self._max_running)
        self._running += 1
        try:
            with self.metrics.running.track_inprogress():
                yield
        finally:
            self._running -= 1

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Runs `work`; where the wait is cancelled its thread is left to find out by itself."""
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(2 * self._max_running)
        return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)


async def _cancel_when_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _begun(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches, the first of them (or its failure) already here."""
    first = list(islice(batches, 1))
    return chain(first, batches)


def _first(chunks: Iterator[bytes], enough: int) -> tuple[bytes, bool]:
    """The first bytes, at least `enough` of them, and whether they are all."""
    first = bytearray()
    for chunk in chunks:
        first += chunk
        if len(first) >= enough:
            return bytes(first), False
    return bytes(first), True


class QueryResponse:
    """An ASGI response that runs one query while it sends it."""

    def __init__(
        self,
        query: TapQuery,
        service: Service,
        desk: Desk,
        caller: Caller,
        late: Handover | None = None,
    ) -> None:
        """`late`: how the query may go on as a job."""
        self._query, self._service, self._desk, self._caller = query, service, desk, caller
        self._late = late
        self._course = _Course()
        self._coding: Coding | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer, or the error, or nothing more once the client is gone."""
        accepted = Headers(scope=scope).get("accept-encoding", "")
        self._coding = accepted_coding(accepted, self._query.form.codings)
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_cancel_when_gone, receive, tasks.cancel_scope)
                await self._admitted(scope, receive, send)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._close)

    async def _admitted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs it when it is the caller's turn, and there is a place among all."""
        quota = self._service.quota_of(self._caller)
        try:
            async with self._desk.places.held(self._caller, quota):
                with self._desk.admitted():
                    await self._run(scope, receive, send)
        except (TooManyOfYours, TooManyQueries) as error:
            self._course.outcome = outcome_of(error)
            await failure(error)(scope, receive, send)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Until it is sent, or its time is over and a job goes on with it."""
        async with anyio.create_task_group() as tasks:
            if self._late is not None:
                tasks.start_soon(
                    self._when_late, self._late, tasks.cancel_scope, (scope, receive, send)
                )
            await self._run_in_time(scope, receive, send)
            tasks.cancel_scope.cancel()

    async def _when_late(
        self, late: Handover, tasks: anyio.CancelScope, wire: tuple[Scope, Receive, Send]
    ) -> None:
        await anyio.sleep(late.asked.limit_s)
        if not late.goes_to_job():
            late.stop()
            return
        with anyio.CancelScope(shield=True):
            self._course.outcome = "job"
            response = await to_thread.run_sync(late.begin)
            await response(*wire)
        tasks.cancel()

    async def _run_in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            first, is_whole = await self._desk.in_thread(self._open)
        except SkyshardError as error:
            await self._unless_late()
            self._course.outcome = outcome_of(error)
            self._log_failure(error)
            await failure(error)(scope, receive, send)
            return
        except Exception:
            await self._unless_late()
            self._course.outcome = "failed"
            log.exception("query failed unexpectedly", extra=self._facts())
            await unexpected()(scope, receive, send)
            return
        await self._unless_late()
        if is_whole:
            self._finish()
            await self._head(first)(scope, receive, send)
            return
        await self._stream(first, send)

    async def _unless_late(self) -> None:
        """Returns where the client has no other answer; else it ends with that one."""
        if self._course.outcome == "job":
            await anyio.sleep_forever()

    def _open(self) -> tuple[bytes, bool]:
        """Starts the query; its first bytes, and whether they are all.

        Where it has become a job meanwhile, all its bytes are the job's.
        """
        late, enough = self._late, self._service.http.prefetch_bytes
        try:
            answer = self._answered()
            chunks = self._query.form.write(answer)
            first, is_whole = _first(chunks, enough)
        except Exception as error:
            if late is not None and not late.goes_to_client():
                late.failed(error, self._course.answer)
            raise
        if late is not None and not late.goes_to_client():
            late.finish(answer, chain([first], chunks), self._note)
            return b"", True
        if self._coding is not None and len(first) >= SMALLEST_CODED:
            chunks = compress(chain([first], chunks), self._coding)
            self._course.coding = self._coding
            first, is_whole = _first(chunks, enough)
        self._course.chunks = chunks
        return first, is_whole

    def _answered(self) -> Answer:
        """The answer before its first row."""
        query, late = self._query, self._late
        limits = self._service.limits_of(self._caller)
        if late is not None:
            limits = late.limits(limits)
        answer = self._course.answer = self._service.answer(query, limits, self._caller)
        if self._course.is_abandoned:
            answer.close()
        if late is not None:
            late.started(answer)
        answer.batches = self._counted(_begun(answer.batches))
        return answer

    def _note(self, attempt: Attempt) -> None:
        """Tell the job's attempt what this query has counted."""
        attempt.rows, attempt.failure = self._course.rows, self._course.failure

    def _counted(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The same batches; notes their rows, and a failure, which a VOTable's writer swallows."""
        try:
            for batch in batches:
                self._course.rows += batch.num_rows
                yield batch
        except SkyshardError as error:
            self._course.failure = error
            raise

    def _head(self, body: bytes) -> Response:
        """The response of a whole, small answer."""
        self._course.sent_bytes += len(body)
        return Response(body, 200, self._facts_of_answer(), media_type=self._query.form.mime)

    def _facts_of_answer(self) -> dict[str, str]:
        answer = self._course.answer
        assert answer is not None
        headers = {"X-Skyshard-Query": answer.query_id, "Vary": "Accept-Encoding"}
        if self._course.coding is not None:
            headers["Content-Encoding"] = self._course.coding
        if not self._query.form.ends_with_error:
            name = f"{answer.query_id}.{self._query.form.extension}"
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return headers

    async def _stream(self, first: bytes, send: Send) -> None:
        headers = Response(
            None, 200, self._facts_of_answer(), media_type=self._query.form.mime
        ).raw_headers
        kept = [(name, value) for name, value in headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": kept})
        chunk: bytes | None = first
        try:
            while chunk is not None:
                await self._send(chunk, send)
                chunk = await self._desk.in_thread(self._next)
        except SkyshardError as error:
            self._course.outcome = outcome_of(error)
            self._log_failure(error)
            return
        except TimeoutError:
            log.warning("client does not read", extra=self._facts())
            return
        except Exception:
            self._course.outcome = "failed"
            log.exception("query failed unexpectedly", extra=self._facts())
            return
        self._finish()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, chunk: bytes, send: Send) -> None:
        """Hands a chunk to the client; one that does not read for long is given up."""
        with anyio.fail_after(self._service.http.stall_s):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        self._course.sent_bytes += len(chunk)

    def _next(self) -> bytes | None:
        assert self._course.chunks is not None
        return next(self._course.chunks, None)

    def _finish(self) -> None:
        assert self._course.answer is not None
        if self._course.failure is not None:
            self._course.outcome = outcome_of(self._course.failure)
            self._log_failure(self._course.failure)
        else:
            self._course.outcome = "overflow" if self._course.answer.overflowed else "ok"

    def _close(self) -> None:
        """Frees the query, cancels it where a thread still waits for it, and counts it."""
        course = self._course
        course.is_abandoned = True
        if course.answer is not None and course.outcome != "job":
            course.answer.close()
        metrics = self._desk.metrics
        metrics.queries.labels(course.outcome).inc()
        metrics.seconds.observe(time.perf_counter() - course.started)
        metrics.rows.inc(course.rows)
        metrics.sent_bytes.inc(course.sent_bytes)
        log.info("query answered", extra=self._facts())

    def _log_failure(self, error: SkyshardError) -> None:
        facts = {f"error_{name}": value for name, value in error.fields().items()}
        log.warning("query failed", extra={**self._facts(), **facts})

    def _facts(self) -> dict[str, object]:
        course = self._course
        return {
            "query_id": course.answer.query_id if course.answer else None,
            "run_id": self._query.run_id,
            "outcome": course.outcome,
            "rows": course.rows,
            "sent_bytes": course.sent_bytes,
            "elapsed_s": round(time.perf_counter() - course.started, 6),
        }
