"""Where the rows of a query's fragments wait: in memory up to a bound, then on disk.

Rows are written under (fragment, attempt) and count only once that attempt is complete, so that an
attempt that fails half way leaves nothing (law: a retry never doubles rows). Files are uncompressed
Arrow IPC, mapped back when read: a table over them costs page cache, not memory.
"""

from __future__ import annotations

import shutil
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from schema.errors import LimitExceeded, StoreError


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """Bounds of one query's spool: bytes in memory, bytes in all, rows of one fragment."""

    memory_bytes: int
    max_bytes: int
    max_fragment_rows: int


class SpoolFull(LimitExceeded):
    """The shards' rows for one query take more space than it may use."""

    code = "SPOOL_FULL"

    def __init__(self, max_bytes: int) -> None:
        super().__init__(
            f"the shards' rows for this query exceed {max_bytes / 2**20:,.0f} MiB (max_spool_bytes);"
            " select fewer columns, narrow the region, or aggregate"
        )


class FragmentTooLong(LimitExceeded):
    """One fragment gave more rows than it may."""

    code = "FRAGMENT_TOO_LONG"

    def __init__(self, max_rows: int) -> None:
        super().__init__(
            f"the shards gave more than {max_rows:,} rows for one part of this query"
            " (max_fragment_rows); add a TOP, narrow the region, or aggregate"
        )


class SpoolUnwritable(StoreError):
    """The spool folder takes no more: its disk is full, or it is gone."""

    code = "SPOOL_UNWRITABLE"

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(f"cannot write the spool {folder}: {error}")


class SpoolMemory:
    """The memory that all spools of a czar share, bytes. Thread-safe."""

    def __init__(self, total_bytes: int) -> None:
        self._free = total_bytes
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Reserve memory; False where there is not enough (write to disk then)."""
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
            return True

    def give(self, size: int) -> None:
        with self._lock:
            self._free += size


@dataclass(frozen=True, slots=True)
class Rows:
    """The complete rows of one attempt, in the order in which they came."""

    fragment: str
    schema: pa.Schema
    held: tuple[pa.RecordBatch, ...]
    path: Path | None
    num_rows: int
    held_bytes: int = 0
    total_bytes: int = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Once more from the start at each call; valid until the spool closes."""
        yield from self.held
        if self.path is not None:
            with pa.memory_map(str(self.path)) as file:
                reader = pa.ipc.open_file(file)
                for number in range(reader.num_record_batches):
                    yield reader.get_batch(number)


class Spool:
    """The spool of one query. Thread-safe; `close` frees it."""

    def __init__(
        self, folder: Path, limits: SpoolLimits, memory: SpoolMemory | None = None
    ) -> None:
        """`folder` is made, mode 0700, when the first row goes to disk."""
        self.folder, self.limits = folder, limits
        self._shared = memory or SpoolMemory(limits.memory_bytes)
        self._lock = threading.Lock()
        self._held_bytes = 0
        self._total_bytes = 0
        self._fragment_rows: dict[str, int] = defaultdict(int)
        self._files = 0
        self._is_closed = False

    @property
    def total_bytes(self) -> int:
        """What the query's rows take, in memory and on disk."""
        return self._total_bytes

    def writer(self, fragment: str, schema: pa.Schema) -> SpoolWriter:
        """Where one attempt of one batch of chunks writes."""
        return SpoolWriter(self, fragment, schema)

    def release(self, rows: Rows) -> None:
        """Free complete rows that nobody reads again; they still count as the fragment's."""
        if rows.path is not None:
            rows.path.unlink(missing_ok=True)
        self._forget(rows.fragment, 0, held=rows.held_bytes, size=rows.total_bytes)

    def close(self) -> None:
        """Free memory and remove the files. Idempotent; writers that go on get ValueError."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            held, self._held_bytes = self._held_bytes, 0
        self._shared.give(held)
        if self._files:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---------------------------------------------------------------- for writers

    def _admit(self, fragment: str, rows: int, size: int, *, may_hold: bool) -> bool:
        """Count a batch; True where it stays in memory."""
        with self._lock:
            if self._is_closed:
                raise ValueError("the spool is closed")
            if self._total_bytes + size > self.limits.max_bytes:
                raise SpoolFull(self.limits.max_bytes)
            total = self._fragment_rows[fragment] + rows
            if total > self.limits.max_fragment_rows:
                raise FragmentTooLong(self.limits.max_fragment_rows)
            self._fragment_rows[fragment] = total
            self._total_bytes += size
            fits = may_hold and self._held_bytes + size <= self.limits.memory_bytes
            is_held = fits and self._shared.take(size)
            if is_held:
                self._held_bytes += size
            return is_held

    def _forget(self, fragment: str, rows: int, *, held: int, size: int) -> None:
        """Take back what a discarded attempt counted."""
        with self._lock:
            if self._is_closed:
                return
            self._fragment_rows[fragment] -= rows
            self._total_bytes -= size
            self._held_bytes -= held
        self._shared.give(held)

    def _new_file(self) -> Path:
        with self._lock:
            if self._is_closed:
                raise ValueError("the spool is closed")
            self._files += 1
            number = self._files
            if number == 1:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder / f"{number}.arrow"


@dataclass(eq=False, slots=True)
class SpoolWriter:
    """The rows of one attempt while they come; `complete` or `discard` ends it."""

    spool: Spool
    fragment: str
    schema: pa.Schema
    _held: list[pa.RecordBatch] = field(default_factory=list)
    _held_bytes: int = 0
    _bytes: int = 0
    _rows: int = 0
    _path: Path | None = None
    _file: pa.ipc.RecordBatchFileWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Keep a batch; raises SpoolFull or FragmentTooLong."""
        if not batch.num_rows:
            return
        size = batch.nbytes
        # Once on disk always on disk: the order of the rows stays.
        is_held = self.spool._admit(  # noqa: SLF001
            self.fragment, batch.num_rows, size, may_hold=self._file is None
        )
        self._rows += batch.num_rows
        self._bytes += size
        if is_held:
            self._held_bytes += size
            self._held.append(batch)
        else:
            self._to_disk(batch)

    def complete(self) -> Rows:
        """The attempt's rows, now that all of them came."""
        if self._file is not None:
            self._file.close()
        return Rows(
            self.fragment,
            self.schema,
            tuple(self._held),
            self._path,
            self._rows,
            self._held_bytes,
            self._bytes,
        )

    def discard(self) -> None:
        """Forget the attempt. Idempotent."""
        if self._file is not None:
            with suppress(OSError, pa.ArrowException):
                self._file.close()
            self._file = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self.spool._forget(  # noqa: SLF001
            self.fragment, self._rows, held=self._held_bytes, size=self._bytes
        )
        self._held.clear()
        self._rows = self._bytes = self._held_bytes = 0

    def _to_disk(self, batch: pa.RecordBatch) -> None:
        try:
            if self._file is None:
                self._path = self.spool._new_file()  # noqa: SLF001
                self._file = pa.ipc.new_file(self._path, self.schema)
            self._file.write_batch(batch)
        except OSError as error:
            raise SpoolUnwritable(self.spool.folder, error) from error


def table_of(rows: list[Rows], schema: pa.Schema) -> pa.Table:
    """Complete rows as one table, its disk part mapped; valid until the spool closes."""
    batches: list[pa.RecordBatch] = []
    for attempt in rows:
        batches += attempt.held
        if attempt.path is not None:
            reader = pa.ipc.open_file(pa.memory_map(str(attempt.path)))
            batches += [reader.get_batch(n) for n in range(reader.num_record_batches)]
    return pa.Table.from_batches(batches, schema)
