"""The engine itself: statements over one shard's twins, bounded, interruptible. No network here.

A statement waits for a place in its lane (interactive or scan), runs on a cursor of its own and
streams. A watch interrupts what is cancelled or past its deadline, again and again until it ends,
because an interrupt that comes just before the execution is lost.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from procedures.install import install_macros
from qserv.duckdb_instance import (
    DATA_ERRORS,
    INTERRUPTED,
    IO,
    OUT_OF_MEMORY,
    InstanceLimits,
    first_line,
    kind_of,
    open_instance,
)
from qserv.leftovers import own_folder, remove_leftovers
from qserv.scan.messages import Fault, ScanRequest
from schema.errors import SkyshardError

ROWS_PER_BATCH = 65_536
_TEMP = ".scan-temp"
WATCH_INTERVAL_S = 0.05
CLOSE_TIMEOUT_S = 5.0
"""How long closing waits for interrupted statements."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """One shard's engine: its files and its bounds. Sizes in bytes."""

    shard_id: int
    twins: Path
    memory_bytes: int
    threads: int
    temp_bytes: int = 64 * 2**30
    interactive_places: int = 4
    scan_places: int = 4
    max_waiting: int = 256


class ScanFault(SkyshardError):
    """A request failed; `fault` says what the czar can do about it."""

    code = "SCAN_FAULT"

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(eq=False, slots=True)
class _Statement:
    """One request from arrival to end; `deadline` by the monotonic clock."""

    request: ScanRequest
    deadline: float | None
    cursor: duckdb.DuckDBPyConnection | None = None
    ended_by: Fault | None = None

    def check(self) -> None:
        if self.ended_by is not None:
            raise ScanFault(self.ended_by, f"query {self.request.query_id}: {self.ended_by}")


@dataclass(eq=False, slots=True)
class _Lane:
    """Places of one class of statements; whoever finds none waits in line."""

    places: threading.Semaphore
    waiting: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class ScanEngine:
    """One DuckDB over one shard's twins; `run` is safe to call from many threads."""

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        settings.twins.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_leftovers(settings.twins.parent, _TEMP)
        self._temp = own_folder(settings.twins.parent, _TEMP)
        limits = InstanceLimits(settings.memory_bytes, settings.temp_bytes, settings.threads)
        self._database = open_instance(limits, temp=self._temp, folders=[settings.twins])
        install_macros(self._database)
        self._lanes = {
            True: _Lane(threading.Semaphore(settings.interactive_places)),
            False: _Lane(threading.Semaphore(settings.scan_places)),
        }
        self._statements: set[_Statement] = set()
        self._changed = threading.Condition()
        self._is_closed = False
        self._is_ended = False
        self._watch = threading.Thread(target=self._interrupt_ended, name="watch", daemon=True)
        self._watch.start()

    def run(self, request: ScanRequest) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Execute a statement; gives its columns and then its rows.

        The iterator must be exhausted or closed: it holds the statement's place. Raises ScanFault,
        here or while streaming.
        """
        stream = self._stream(request)
        schema = next(stream)
        assert isinstance(schema, pa.Schema)
        return schema, stream

    def cancel(self, query_id: str) -> int:
        """End all statements of a query, waiting ones too; gives how many there were."""
        with self._changed:
            found = [s for s in self._statements if s.request.query_id == query_id]
            for statement in found:
                statement.ended_by = statement.ended_by or Fault.CANCELLED
        return len(found)

    def status(self) -> dict[str, int]:
        """Facts for whoever asks whether the engine lives."""
        with self._changed:
            running = sum(statement.cursor is not None for statement in self._statements)
            waiting = len(self._statements) - running
        return {"shard_id": self.settings.shard_id, "running": running, "waiting": waiting}

    def close(self) -> None:
        """End what runs and free everything. Idempotent."""
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            for statement in self._statements:
                statement.ended_by = statement.ended_by or Fault.CANCELLED
            self._changed.wait_for(lambda: not self._statements, CLOSE_TIMEOUT_S)
            self._is_ended = True
        self._watch.join()
        with suppress(duckdb.Error):  # a statement that could not be ended dies with the process
            self._database.close()
        shutil.rmtree(self._temp, ignore_errors=True)

    # ---------------------------------------------------------------- one statement

    def _stream(self, request: ScanRequest) -> Iterator[pa.Schema | pa.RecordBatch]:
        """The columns, then the batches, of one statement."""
        with self._registered(request) as statement, self._place(statement):
            with self._changed:  # DuckDB refuses two calls on one connection at once
                cursor = statement.cursor = self._database.cursor()
            try:
                statement.check()
                reader = _execute(cursor, request.sql)
                yield reader.schema
                for batch in reader:
                    statement.check()
                    yield batch
            except (duckdb.Error, OSError) as error:
                statement.check()
                raise _fault(error) from error
            finally:
                with self._changed:
                    statement.cursor = None
                cursor.close()

    @contextmanager
    def _registered(self, request: ScanRequest) -> Iterator[_Statement]:
        seconds = request.deadline_s
        statement = _Statement(request, None if seconds is None else time.monotonic() + seconds)
        with self._changed:
            if self._is_closed:
                raise ScanFault(Fault.CANCELLED, "the scan engine is going down")
            self._statements.add(statement)
        try:
            yield statement
        finally:
            with self._changed:
                self._statements.discard(statement)
                self._changed.notify_all()

    @contextmanager
    def _place(self, statement: _Statement) -> Iterator[None]:
        """Wait for a place in the statement's lane."""
        lane = self._lanes[statement.request.is_interactive]
        with lane.lock:
            if lane.waiting >= self.settings.max_waiting:
                raise ScanFault(
                    Fault.LIMIT,
                    f"{lane.waiting} statements wait for this scan engine already (max_waiting);"
                    " try again later",
                )
            lane.waiting += 1
        try:
            while not lane.places.acquire(timeout=WATCH_INTERVAL_S):
                statement.check()
        finally:
            with lane.lock:
                lane.waiting -= 1
        try:
            yield
        finally:
            lane.places.release()

    def _interrupt_ended(self) -> None:
        """Interrupt what is cancelled or late; the watch's thread."""
        while not self._is_ended:
            time.sleep(WATCH_INTERVAL_S)
            now = time.monotonic()
            with self._changed:
                for statement in self._statements:
                    if statement.deadline is not None and statement.deadline < now:
                        statement.ended_by = statement.ended_by or Fault.TIMEOUT
                    if statement.ended_by is not None and statement.cursor is not None:
                        statement.cursor.interrupt()


def _execute(cursor: duckdb.DuckDBPyConnection, sql: str) -> pa.RecordBatchReader:
    """Start the one SELECT that a text holds; twins can be read, never written."""
    statements = cursor.extract_statements(sql)
    if len(statements) != 1 or statements[0].type is not duckdb.StatementType.SELECT:
        raise ScanFault(Fault.STORE, "a scan engine runs one SELECT at a time and nothing else")
    return cursor.sql(sql).to_arrow_reader(ROWS_PER_BATCH)


def _fault(error: BaseException) -> ScanFault:
    """What a DuckDB error means to the czar."""
    kind = kind_of(error)
    if kind == INTERRUPTED:
        return ScanFault(Fault.CANCELLED, "interrupted")
    if kind == OUT_OF_MEMORY:
        return ScanFault(
            Fault.LIMIT,
            f"the scan engine's memory or temporary space is full ({first_line(error)});"
            " narrow the region or aggregate",
        )
    if kind == IO:
        return ScanFault(Fault.NO_TWIN, first_line(error))
    fault = Fault.QUERY if kind in DATA_ERRORS else Fault.STORE
    return ScanFault(fault, first_line(error))
