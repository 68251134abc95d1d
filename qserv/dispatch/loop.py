"""The loop of a dispatch: keep the lanes filled, take what is complete, ask again elsewhere.

A batch's rows go to the spool and are given on only when all of them came. A way that does not answer
is avoided for a while and its chunks are asked on other replicas, a bounded number of times; any
other error stops the query everywhere. What a stream's reader has not taken yet bounds how much more is
asked.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from functools import partial
from itertools import count
from queue import SimpleQueue

import pyarrow as pa

from qserv.dispatch.assign import (
    SCAN_CHUNKS,
    STREAM_CHUNKS,
    Batch,
    assign,
    is_interactive,
)
from qserv.dispatch.feeding import Find, Waiting
from qserv.dispatch.postgres import OutOfRange
from qserv.dispatch.shards import Shards
from qserv.dispatch.statement import statement
from qserv.parts import PartIndex
from qserv.planned import Fragment, Plan
from qserv.running import Running
from qserv.scan.client import TwinMissing
from qserv.spool import Rows, Spool
from qserv.trace import Asking
from schema.errors import SkyshardError, Unavailable
from schema.topology import ShardId
from schema.types import SPELLINGS

MAX_ATTEMPTS = 6
"""How often one chunk is asked for, over all replicas and engines."""

STREAM_BYTES = 64 * 2**20
"""What statements of a stream may bring together before its reader takes it; a shard reads one at least."""

_Lane = tuple[ShardId, bool]


def dispatch(
    plan: Plan,
    parts: Mapping[str, PartIndex],
    shards: Shards,
    running: Running,
    spool: Spool,
    *,
    find: Find,
    held: Sequence[Rows] = (),
) -> Iterator[Rows]:
    """Ask the shards for all fragments of a plan; gives each batch's rows once they are complete.

    A fragment that others feed is asked when they are complete; `find` looks keys up for it.
    `held` are the rows of uploaded tables, which are here.

    Raises what ends the query: QueryError, LimitExceeded, Unavailable (no replica left), or what
    stopped it.
    """
    chunks = STREAM_CHUNKS if plan.is_concatenation else SCAN_CHUNKS
    batches = [
        batch
        for fragment in plan.fragments
        if not fragment.feeds
        for batch in assign(fragment, parts, shards.ways(), scan_chunks=chunks)
    ]
    loop = _Loop(parts, shards, running, spool, Waiting(plan, find, held))
    loop.is_stream = plan.is_concatenation
    is_fed = any(fragment.feeds for fragment in plan.fragments)
    if len(batches) == 1 and not is_fed and is_interactive(batches[0].fragment):
        loop.inline = threading.current_thread() is not threading.main_thread()
    return loop.rows(batches)


def fragment_schema(fragment: Fragment) -> pa.Schema:
    """The columns c0, c1... of a fragment's rows."""
    return pa.schema([(f"c{i}", SPELLINGS[type_].arrow) for i, type_ in enumerate(fragment.types)])


class _Loop:
    """One dispatch. `inline` asks in the caller's own thread: no hand-over for a cheap query.

    But never in the main thread, which an interrupt must reach at once. `is_stream`: rows are passed on
    and freed as they come, so that shards need not be ahead of the reader by more than STREAM_BYTES.
    """

    def __init__(
        self,
        parts: Mapping[str, PartIndex],
        shards: Shards,
        running: Running,
        spool: Spool,
        waiting: Waiting,
    ) -> None:
        self._waiting = waiting
        self._parts, self._shards, self._running, self._spool = parts, shards, running, spool
        self._queues: dict[_Lane, deque[Batch]] = defaultdict(deque)
        self._in_flight: dict[int, tuple[Future[Rows], Batch]] = {}
        self._lane_load: dict[_Lane, int] = defaultdict(int)
        self._done: SimpleQueue[int | None] = SimpleQueue()
        self._numbers = count(1)
        self._largest_bytes: int | None = None  # of the statements that are complete
        self._counted: dict[str, int] = defaultdict(int)
        self.inline = self.is_stream = False

    def rows(self, batches: Sequence[Batch]) -> Iterator[Rows]:
        """Each batch's rows, in the order in which they are complete."""
        self._enqueue(batches)
        try:
            with self._running.stoppable(lambda: self._done.put(None)):
                self._fill()
                self._ask_fed()
                while self._in_flight:
                    number = self._done.get()
                    self._running.check()
                    assert number is not None
                    found = self._settle(number)
                    self._ask_fed()
                    self._fill()
                    if found is not None and found.num_rows:
                        yield found
                        del found
        finally:
            # A failed future knows this loop by its traceback: rows would wait for the collector.
            self._in_flight.clear()

    def _ask_fed(self) -> None:
        """Ask the fragments whose feeding ones are complete, and those that they feed."""
        while fed := list(self._waiting.ready()):
            ways = self._shards.ways()
            for fragment in fed:
                self._enqueue(assign(fragment, self._parts, ways))
            self._fill()

    def _settle(self, number: int) -> Rows | None:
        """The rows of a batch that is done; None where its chunks will be asked again."""
        future, batch = self._in_flight.pop(number)
        self._lane_load[_lane(batch)] -= 1
        try:
            found = future.result()
        except Unavailable as error:
            self._again(batch, error)
            self._waiting.done(batch.fragment.name)
            return None
        except SkyshardError as error:
            self._running.stop(error)
            self._running.check()
            raise
        except BaseException:
            self._running.cancel()
            raise
        self._largest_bytes = max(self._largest_bytes or 0, found.total_bytes)
        self._count(batch.fragment, found)
        self._waiting.keep(found)
        self._waiting.done(batch.fragment.name)
        return found

    def _again(self, batch: Batch, error: Unavailable) -> None:
        """Ask a lost batch's chunks elsewhere."""
        if not isinstance(error, TwinMissing):
            self._shards.suspect(batch.way)
        try:
            if batch.attempt >= MAX_ATTEMPTS:
                raise error
            ways = self._shards.ways()
            self._enqueue(
                assign(batch.fragment, self._parts, ways, pixels=batch.pixels, after=batch)
            )
        except Unavailable as last:
            self._running.stop(last)
            raise last from error

    def _count(self, fragment: Fragment, found: Rows) -> None:
        """Leave the rest of a fragment unread where its rows suffice."""
        self._counted[fragment.name] += found.num_rows
        enough = fragment.limit_total
        if enough is not None and self._counted[fragment.name] >= enough:
            for lane, queue in self._queues.items():
                kept = (batch for batch in queue if batch.fragment is not fragment)
                self._queues[lane] = deque(kept)

    def _enqueue(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            self._queues[_lane(batch)].append(batch)
            self._waiting.begun(batch.fragment.name, 1)

    def _fill(self) -> None:
        """Hand out as many batches as the lanes take of one query."""
        for lane, queue in self._queues.items():
            places = self._places(lane)
            while queue and self._lane_load[lane] < places:
                batch, number = queue.popleft(), next(self._numbers)
                self._lane_load[lane] += 1
                future = self._submitted(lane, batch)
                self._in_flight[number] = (future, batch)
                # Told by number: a queue that held futures would keep those that nobody takes.
                future.add_done_callback(partial(_tell, self._done, number))

    def _places(self, lane: _Lane) -> int:
        """How many statements of this query a lane takes now; a stream begins with few."""
        most = self._shards.places(is_interactive=lane[1])
        if not self.is_stream:
            return most
        if self._largest_bytes is None:
            return 1
        together = max(1, self._largest_bytes) * len(self._queues)
        return max(1, min(most, STREAM_BYTES // together))

    def _submitted(self, lane: _Lane, batch: Batch) -> Future[Rows]:
        if self.inline:
            return _here(self._answer, batch)
        executor = self._shards.executor(lane[0], is_interactive=lane[1])
        return executor.submit(self._answer, batch)

    def _answer(self, batch: Batch) -> Rows:
        """Ask one batch, and keep how that went where the query is traced."""
        trace = self._running.trace
        if trace is None:
            return self._read(batch)
        name, chunks = batch.fragment.name, len(batch.pixels)
        asking = Asking(name, batch.shard_id, str(batch.engine), chunks, batch.attempt)
        return trace.ask(asking, lambda: self._read(batch))

    def _read(self, batch: Batch) -> Rows:
        """Ask one batch and spool its rows; a worker thread's task.

        Where PostgreSQL finds a number out of range it is asked again for what gives NULL instead.
        """
        try:
            return self._spooled(batch, is_careful=False)
        except OutOfRange:
            return self._spooled(batch, is_careful=True)

    def _spooled(self, batch: Batch, *, is_careful: bool) -> Rows:
        self._running.check()
        shard = self._shards.shard(batch.shard_id)
        sql = statement(batch, self._parts, shard, is_careful=is_careful)
        schema = fragment_schema(batch.fragment)
        writer = self._spool.writer(batch.fragment.name, schema)
        try:
            stream = self._shards.read(batch, sql, self._running)
            with closing(stream):
                for rows in stream:
                    writer.write(conform(rows, schema))
            return writer.complete()
        except BaseException:
            writer.discard()
            raise


def _tell(done: SimpleQueue[int | None], number: int, _future: Future[Rows]) -> None:
    done.put(number)


def _lane(batch: Batch) -> _Lane:
    return batch.shard_id, is_interactive(batch.fragment)


def _here(task: Callable[[Batch], Rows], batch: Batch) -> Future[Rows]:
    """Run a task at once, as an executor would tell of it."""
    future: Future[Rows] = Future()
    try:
        future.set_result(task(batch))
    except BaseException as error:  # noqa: BLE001 (as every executor does)
        future.set_exception(error)
    return future


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The rows with the schema's names and types, whatever the engine's were."""
    if batch.schema.equals(schema):
        return batch
    columns = [
        column if column.type == wanted.type else _plain(column).cast(wanted.type)
        for column, wanted in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _plain(column: pa.Array) -> pa.Array:
    """The storage of an extension type (ADBC gives PostgreSQL's numeric as one, over text)."""
    return column.storage if isinstance(column.type, pa.BaseExtensionType) else column
