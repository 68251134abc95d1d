"""One running query: its id, its deadline, and how to stop what it has started.

Whoever waits for a database registers how to end that wait; a deadline, a user's cancel and the first
error of any fragment all end a query the same way: `Running.stop`. Each wait is ended in a thread of
its own, so that no server that hangs delays the end of others, and told so again until it is over:
databases forget an interrupt that comes just before the statement starts.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from qserv.rights.caller import OPERATOR, Caller
from qserv.trace import Trace
from schema.errors import LimitExceeded, SkyshardError

WATCH_INTERVAL_S = 0.1
"""How late a deadline may be noticed."""
REPEAT_S = 0.05
"""How soon a wait that goes on is ended once more; twice as late each time."""
MAX_REPEAT_S = 2.0
CLOSE_TIMEOUT_S = 4.0
"""How long closing waits until every server was told."""


class QueryTimeout(LimitExceeded):
    """The query ran longer than it may."""

    code = "QUERY_TIMEOUT"

    def __init__(self, timeout_s: float | None) -> None:
        within = "its deadline" if timeout_s is None else f"{timeout_s:g} s (timeout_s)"
        super().__init__(
            f"the query did not end within {within};"
            " narrow the region, aggregate on the shards, or ask for a longer limit"
        )


class QueryCancelled(SkyshardError):
    """Someone cancelled the query, or its reader went away."""

    code = "QUERY_CANCELLED"

    def __init__(self, query_id: str) -> None:
        super().__init__(f"query {query_id} was cancelled")


@dataclass(eq=False, slots=True)
class _Wait:
    """Something that a query waits for. Over once left, even where the query is being stopped now.

    Else a connection that another query already uses might be told to cancel.
    """

    end: Callable[[], None]
    is_told: threading.Event = field(default_factory=threading.Event)
    is_over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """End it, in a thread of its own."""
        threading.Thread(target=self._until_over, name="end-wait", daemon=True).start()

    def leave(self) -> None:
        self.is_over.set()
        with self.lock:  # `end` may be at work
            pass

    def _until_over(self) -> None:
        """End it again and again; one that cannot be ended meets its deadline."""
        pause = REPEAT_S
        while True:
            with self.lock:
                if self.is_over.is_set():
                    self.is_told.set()
                    return
                with suppress(Exception):
                    self.end()
            self.is_told.set()
            if self.is_over.wait(pause):
                return
            pause = min(2 * pause, MAX_REPEAT_S)


@dataclass(eq=False, slots=True)
class Running:
    """A query between its start and its end. Thread-safe.

    `deadline` is a time of the monotonic clock, seconds; None for no bound.
    """

    query_id: str
    timeout_s: float | None = None
    deadline: float | None = None
    error: SkyshardError | None = None
    trace: Trace | None = None
    """Kept of EXPLAIN ANALYZE and of jobs."""
    text: str = ""
    """The query as its user wrote it."""
    caller: Caller = OPERATOR
    began: float = field(default_factory=time.monotonic)
    """When, by the monotonic clock, seconds."""
    pins: Mapping[int, int] = field(default_factory=dict)
    """The snapshot of each catalog id that it may read."""
    all_chunks: int | None = None
    """How many chunks its fragments are to read; None until it is planned."""
    _waits: list[_Wait] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def remaining_s(self) -> float | None:
        """Seconds to the deadline, at least a millisecond; None for no bound."""
        if self.deadline is None:
            return None
        return max(self.deadline - time.monotonic(), 0.001)

    def is_late(self) -> bool:
        """Whether the deadline has passed, or is about to."""
        return self.deadline is not None and time.monotonic() > self.deadline - WATCH_INTERVAL_S

    def check(self) -> None:
        """Raise what stopped the query, if anything did."""
        if self.error is not None:
            raise self.error.with_traceback(
                None
            )  # else each thread's frames, and rows, live on in it

    def stop(self, error: SkyshardError) -> None:
        """End every wait of the query, soon; the first error given is the one it ends with."""
        with self._lock:
            if self.error is not None:
                return
            self.error = error
            waits = list(self._waits)
        for wait in waits:
            wait.stop()

    def await_told(self, timeout_s: float) -> None:
        """Wait until everything that the stopped query waits for was told to end."""
        until = time.monotonic() + timeout_s
        with self._lock:
            waits = list(self._waits)
        for wait in waits:
            wait.is_told.wait(max(0.0, until - time.monotonic()))

    def cancel(self) -> None:
        """End the query because nobody wants its answer any more."""
        self.stop(QueryCancelled(self.query_id))

    @contextmanager
    def stoppable(self, end_wait: Callable[[], None]) -> Iterator[None]:
        """While inside, stopping the query calls `end_wait`, from another thread, until it works."""
        wait = _Wait(end_wait)
        with self._lock:
            self.check()
            self._waits.append(wait)
        try:
            yield
        finally:
            with self._lock:
                self._waits.remove(wait)
            wait.leave()


class Watch:
    """All running queries of a czar; stops those past their deadline."""

    def __init__(self) -> None:
        self._running: dict[str, Running] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="query-watch", daemon=True)
        self._thread.start()

    def begin(
        self, timeout_s: float | None, query_id: str | None = None, *, caller: Caller = OPERATOR
    ) -> Running:
        """Start the clock of a query; `end` must follow."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        running = Running(query_id or new_query_id(), timeout_s, deadline, caller=caller)
        with self._lock:
            self._running[running.query_id] = running
        return running

    def end(self, running: Running) -> None:
        """Forget a query. Idempotent."""
        with self._lock:
            self._running.pop(running.query_id, None)

    def cancel(self, query_id: str) -> bool:
        """Stop a query; False where none of that id runs."""
        with self._lock:
            running = self._running.get(query_id)
        if running is None:
            return False
        running.cancel()
        return True

    def find(self, query_id: str) -> Running | None:
        """A query that runs now; None where none of that id does."""
        with self._lock:
            return self._running.get(query_id)

    def __len__(self) -> int:
        return len(self._running)

    def running(self, seen_by: Caller = OPERATOR) -> list[Running]:
        """The queries that run now: a caller's own, or for an administrator all."""
        with self._lock:
            found = list(self._running.values())
        if seen_by.is_admin:
            return found
        return [one for one in found if one.caller.account == seen_by.account]

    def close(self) -> None:
        """Cancel everything and end the watch."""
        self._closed.set()
        with self._lock:
            running = list(self._running.values())
        until = time.monotonic() + CLOSE_TIMEOUT_S
        for query in running:
            query.cancel()
        for query in running:
            query.await_told(until - time.monotonic())
        self._thread.join()

    def _watch(self) -> None:
        while not self._closed.wait(WATCH_INTERVAL_S):
            now = time.monotonic()
            with self._lock:
                late = [r for r in self._running.values() if r.deadline and r.deadline < now]
            for running in late:
                running.stop(QueryTimeout(running.timeout_s))


def new_query_id() -> str:
    """An id that sorts by time: a UUID of version 7 (RFC 9562, section 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = (milliseconds & (1 << 48) - 1) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
