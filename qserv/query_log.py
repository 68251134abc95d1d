"""Every query is logged: begun and ended in memory, written to the coordinator in batches by a thread.

A query pays for a few fields and a place in a queue (microseconds). The thread also tells of queries that
run for longer than a second, so that others see them, and ends those whose end somebody asked for, of
whichever czar; it forgets what is older than the configuration says.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg2
import pyarrow as pa

from procedures.pools import Pools
from procedures.query_log import (
    RUNNING,
    Logged,
    Usage,
    cancels_asked,
    forget_queries,
    read_usage,
    write_entries,
)
from qserv.result import Answer
from qserv.rights.caller import Caller
from qserv.running import QueryCancelled, Watch
from schema.errors import SkyshardError, Unavailable

_log = logging.getLogger(__name__)
_AWAY = (Unavailable, psycopg2.Error)
CLEANING_S = 600.0
"""Between two looks for queries that are old enough to be forgotten."""
CLEANED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How queries are logged; times in seconds."""

    write_s: float = 1.0
    """Between two batches, and until a running query is told of."""
    keep_days: float = 90.0
    max_waiting: int = 20_000
    """Ended queries kept while the coordinator is away; older ones are lost."""
    max_text: int = 10_000
    """Characters of a text that are kept."""
    usage_s: float = 30.0
    """How long a day's usage is counted from what this czar knows before the log is asked again."""


@dataclass(eq=False, slots=True)
class Entry:
    """A query between its beginning and its end; one thread at a time writes to it."""

    caller: Caller
    text: str
    language: str
    began: float
    """Of time.time(), seconds."""
    started: float
    """Of time.perf_counter(), seconds."""
    query_id: str = ""
    chunks: int = 0
    rows: int = 0
    size_bytes: int = 0
    outcome: str = RUNNING
    code: str | None = None
    elapsed_s: float | None = None
    is_complete: bool = False


class QueryLog:
    """Logs the queries of one czar until it is closed. Thread-safe."""

    def __init__(self, pools: Pools, watch: Watch, settings: LogSettings | None = None) -> None:
        self.settings = settings or LogSettings()
        self._pools, self._watch = pools, watch
        self._czar = socket.gethostname()
        self._open: dict[int, Entry] = {}
        self._ended: deque[Entry] = deque(maxlen=self.settings.max_waiting)
        self._usages: dict[tuple[str, str | None], tuple[float, Usage]] = {}
        self._cleaned = time.monotonic()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="query-log", daemon=True)
        self._thread.start()

    # ---------------------------------------------------------------- for a query

    def begin(self, caller: Caller, text: str, language: str) -> Entry:
        """A query has come; `fail` or `follow` must be called."""
        entry = Entry(caller, text, language, time.time(), time.perf_counter())
        self._open[id(entry)] = entry
        return entry

    def fail(self, entry: Entry, query_id: str, error: BaseException) -> None:
        """It ended before its first row."""
        entry.query_id = entry.query_id or query_id
        entry.code = _code(error)
        self._end(entry)

    def follow(self, entry: Entry, answer: Answer) -> Answer:
        """Log what becomes of an answer when it is closed."""
        entry.query_id, entry.chunks = answer.query_id, answer.chunks
        answer.batches = _counted(answer.batches, entry)

        def end() -> None:
            if entry.is_complete:
                entry.outcome = "overflow" if answer.overflowed else "ok"
            elif entry.code is None:
                entry.code = QueryCancelled.code
            self._end(entry)

        answer.on_close.append(end)
        return answer

    def _end(self, entry: Entry) -> None:
        if entry.outcome == RUNNING:
            entry.outcome = "failed"
        entry.elapsed_s = time.perf_counter() - entry.started
        self._open.pop(id(entry), None)
        self._ended.append(entry)
        key = _account(entry.caller)
        known = self._usages.get(key)
        if known is not None:
            read_at, usage = known
            more = Usage(
                usage.rows + entry.rows,
                usage.size_bytes + entry.size_bytes,
                usage.seconds + entry.elapsed_s,
            )
            self._usages[key] = (read_at, more)

    def usage(self, caller: Caller) -> Usage:
        """What the caller's queries of the last 24 hours took, in every czar; half a minute late.

        While the coordinator is away, what is known.
        """
        key, now = _account(caller), time.monotonic()
        known = self._usages.get(key)
        if known is not None and now - known[0] < self.settings.usage_s:
            return known[1]
        try:
            with self._pools.coordinator() as connection:
                found = read_usage(connection, *key)
        except _AWAY:
            return Usage() if known is None else known[1]
        if len(self._usages) >= self.settings.max_waiting:
            self._usages.clear()
        self._usages[key] = (now, found)
        return found

    # ---------------------------------------------------------------- the thread

    def close(self) -> None:
        """Write what waits, and end."""
        self._closed.set()
        self._thread.join()

    def _keep(self) -> None:
        is_over = False
        while not is_over:
            is_over = self._closed.wait(self.settings.write_s)
            try:
                self.write()
            except _AWAY as error:
                _log.warning("queries not logged yet", extra={"reason": str(error)})

    def write(self) -> None:
        """Write what ended and what runs long; end what shall be; forget the old."""
        ended = [self._ended.popleft() for _ in range(len(self._ended))]
        late = time.perf_counter() - self.settings.write_s
        running = [one for one in list(self._open.values()) if one.query_id and one.started < late]
        is_cleaning = time.monotonic() - self._cleaned > CLEANING_S
        if not (ended or running or is_cleaning):
            return
        try:
            with self._pools.coordinator() as connection:
                told = {one.query_id: self._logged(one) for one in (*running, *ended)}
                write_entries(connection, list(told.values()))
                asked = cancels_asked(connection, [one.query_id for one in running])
                if is_cleaning:
                    self._cleaned = time.monotonic()
                    forget_queries(connection, self.settings.keep_days, CLEANED_AT_ONCE)
                connection.commit()
        except _AWAY:
            self._ended.extendleft(reversed(ended))
            raise
        for query_id in asked:
            self._watch.cancel(query_id)

    def _logged(self, entry: Entry) -> Logged:
        caller = entry.caller
        return Logged(
            query_id=entry.query_id,
            user=caller.name,
            address=caller.address,
            language=entry.language,
            text=entry.text[: self.settings.max_text].replace("\0", "\ufffd"),
            began_at=datetime.fromtimestamp(entry.began, UTC),
            outcome=entry.outcome,
            code=entry.code,
            elapsed_s=entry.elapsed_s,
            rows=entry.rows,
            size_bytes=entry.size_bytes,
            chunks=entry.chunks,
            trace_id=caller.trace_id or None,
            czar=self._czar,
        )


def _account(caller: Caller) -> tuple[str, str | None]:
    return caller.name, caller.address if caller.is_anonymous else None


def _code(error: BaseException) -> str:
    return error.code if isinstance(error, SkyshardError) else "INTERNAL_ERROR"


def _counted(batches: Iterator[pa.RecordBatch], entry: Entry) -> Iterator[pa.RecordBatch]:
    """The same batches; their rows and bytes, and how they end, noted."""
    try:
        for batch in batches:
            entry.rows += batch.num_rows
            entry.size_bytes += batch.nbytes
            yield batch
    except GeneratorExit:
        raise
    except BaseException as error:
        entry.code = _code(error)
        raise
    entry.is_complete = True
