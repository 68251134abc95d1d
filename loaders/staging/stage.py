"""A contribution as sorted runs on disk: read, validate, place on the sky, count by pixel.

One call works on one file and can run in any process: what it returns are facts (counts and paths).
A run is an Arrow file of the table's own columns, `_healpix_29` where the table has a position, and
the row's number in its input; its rows are sorted by their own position, those without it last.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.readers.form import Form, Piece
from loaders.readers.read import AS_FOUND, open_source
from loaders.readers.rows import ascending, reordered
from loaders.readers.source import BATCH_BYTES, I64
from loaders.staging.download import NOWHERE, Remote, fetch
from loaders.staging.mapping import TableMapping
from loaders.staging.matching import match_columns
from loaders.staging.rejects import RejectFile
from loaders.staging.validate import Conformed, Conformer
from schema.catalog import HEALPIX_29, Role, Table
from schema.healpix import pixels_29
from schema.partition import DENSITY_ORDER

ROW_NUMBER = "_row"
"""The run's column of row numbers; never stored on a shard."""
RUN_BYTES = BATCH_BYTES * 3 // 4
"""A run is closed when it is at least this large in memory: mostly it is one batch.

Larger runs are no faster to merge, and sorting them costs cache misses.
"""
_SHIFT = 2 * (29 - DENSITY_ORDER)
_MANY_PIXELS = 1_000_000


@dataclass(frozen=True, slots=True)
class Contribution:
    """One input file of an ingest, or a piece of one. `form` says how it is written.

    With a `url` it is fetched from there; `path` is only its name then.
    """

    table: str
    path: Path
    form: Form = AS_FOUND
    piece: Piece | None = None
    mapping: TableMapping | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class StageTask:
    """What staging one contribution needs; can be sent to another process."""

    number: int
    table: Table
    path: Path
    form: Form
    spool: Path
    reject_limit: int
    """Reading ends after this many rejects."""
    piece: Piece | None = None
    mapping: TableMapping | None = None
    url: str | None = None
    remote: Remote = NOWHERE

    @property
    def source(self) -> str:
        """What messages call the file."""
        return self.url or str(self.path)


@dataclass(frozen=True, slots=True)
class Run:
    """Some rows of a contribution, in one Arrow file."""

    path: Path
    rows: int
    size_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class Staged:
    """A contribution that was read. `pixels` and `counts`: rows by pixel of DENSITY_ORDER."""

    task: StageTask
    runs: tuple[Run, ...]
    rows: int
    rejects: int
    unknown: tuple[str, ...]
    sha256: str
    pixels: I64
    counts: I64


def stage(task: StageTask) -> Staged:
    """Read one contribution into runs in the task's spool folder."""
    fetched = task.spool.parent / f"download-{task.number}"
    path = task.path if task.url is None else fetch(task.url, fetched, task.remote)
    source = open_source(path, task.table, task.form, task.piece)
    matching = match_columns(task.table, source.names, task.source, task.mapping)
    runs: list[Run] = []
    density = _Density()
    with (
        RejectFile(reject_path(task), task.table.name, task.source) as rejects,
        Conformer(task.table, matching) as conformer,
    ):
        batches = map(conformer.conform, source.batches(matching.wanted))
        for rows in _gather(batches, rejects, task.reject_limit):
            placed = place_rows(rows, task.table)
            density.add(placed)
            place = task.spool / f"run-{task.number}-{len(runs)}.arrow"
            runs.append(_write_run(place, placed))
        count = rejects.count
    digest = _digest(path) if task.piece is None else _shared_digest(path, task.spool.parent)
    if task.url is not None:
        shutil.rmtree(fetched)
    pixels, counts = density.found()
    return Staged(
        task=task,
        runs=tuple(runs),
        rows=sum(run.rows for run in runs),
        rejects=count,
        unknown=matching.unknown,
        sha256=digest,
        pixels=pixels,
        counts=counts,
    )


def reject_path(task: StageTask) -> Path:
    """Where a contribution's rejects are written while it is staged."""
    return task.spool / f"rejects-{task.number}.csv"


def place_rows(rows: pa.Table, table: Table) -> pa.Table:
    """Rows with their own order-29 pixel (NULL without position), sorted by it."""
    if table.ra is None or table.dec is None:
        return rows
    ra = rows.column(table.ra).cast(pa.float64())
    dec = rows.column(table.dec).cast(pa.float64())
    has_position = pc.and_(pc.is_valid(ra), pc.is_valid(dec))
    known = np.asarray(has_position, dtype=np.bool_)
    pixels = np.full(rows.num_rows, np.iinfo(np.int64).max, dtype=np.int64)
    pixels[known] = pixels_29(np.asarray(ra)[known], np.asarray(dec)[known])
    column = pa.array(pixels, mask=None if known.all() else ~known)
    return reordered(rows.append_column(HEALPIX_29, column), ascending(pixels))


def _gather(batches: Iterator[Conformed], rejects: RejectFile, limit: int) -> Iterator[pa.Table]:
    """Rows of several batches, about RUN_BYTES at a time, numbered; rejects go to their file."""
    held: list[pa.Table] = []
    size = 0
    for batch in batches:
        rejects.write(batch.rejects)
        rows = batch.rows.append_column(ROW_NUMBER, pa.array(batch.numbers))
        if rows.num_rows:
            held.append(rows)
            size += rows.nbytes
        if size >= RUN_BYTES:
            yield pa.concat_tables(held)
            held, size = [], 0
        if rejects.count >= limit:
            break
    if held:
        yield pa.concat_tables(held)


def _write_run(path: Path, rows: pa.Table) -> Run:
    """One record batch in one Arrow file, so that it is read back without a copy."""
    batch = rows.combine_chunks()
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_table(batch)
    return Run(path, rows.num_rows, path.stat().st_size)


def open_run(run: Run) -> pa.Table:
    """The rows of a run, mapped into memory."""
    with pa.memory_map(str(run.path)) as source:
        return pa.ipc.open_file(source).read_all()


class _Density:
    """Rows by pixel of DENSITY_ORDER: those that have any or, where they are many, all (100 MB)."""

    def __init__(self) -> None:
        self._pixels: I64 = np.empty(0, np.int64)
        self._counts: I64 = np.empty(0, np.int64)
        self._all: I64 | None = None

    def found(self) -> tuple[I64, I64]:
        """The pixels that have rows, ascending, and how many."""
        if self._all is None:
            return self._pixels, self._counts
        pixels = np.flatnonzero(self._all)
        return pixels, self._all[pixels]

    def count(self, pixels: I64, counts: I64) -> None:
        """So many more rows in each of some distinct pixels."""
        if self._all is not None:
            self._all[pixels] += counts
            return
        self._pixels, self._counts = add_counts(
            np.concatenate([self._pixels, pixels]), np.concatenate([self._counts, counts])
        )
        if len(self._pixels) > _MANY_PIXELS:
            self._all = np.zeros(12 << 2 * DENSITY_ORDER, np.int64)
            self._all[self._pixels] = self._counts

    def add(self, rows: pa.Table) -> None:
        if HEALPIX_29 not in rows.schema.names:
            return
        own = np.asarray(rows.column(HEALPIX_29).drop_null(), dtype=np.int64)
        self.count(*np.unique(own >> _SHIFT, return_counts=True))


def count_directors(staged: Sequence[Staged]) -> tuple[I64, I64] | None:
    """Where the directors' rows lie: pixels of DENSITY_ORDER, and rows in each.

    Where there are none, where the others' do by their own positions; None where nothing is
    partitioned.
    """
    placed = [s for s in staged if s.task.table.is_partitioned]
    counted = [s for s in placed if s.task.table.role is Role.DIRECTOR and s.rows] or placed
    if not counted:
        return None
    density = _Density()
    for one in counted:
        density.count(one.pixels, one.counts)
    return density.found()


def add_counts(pixels: I64, counts: I64) -> tuple[I64, I64]:
    """Counts of equal pixels summed; pixels ascending."""
    distinct, inverse = np.unique(pixels, return_inverse=True)
    totals = np.zeros(len(distinct), np.int64)
    np.add.at(totals, inverse, counts)
    return distinct, totals


def _shared_digest(path: Path, folder: Path) -> str:
    """The digest of a file of which many tasks stage a piece: the first reads it, the others wait."""
    facts = path.stat()
    known = hashlib.sha256(f"{path} {facts.st_size} {facts.st_mtime_ns}".encode()).hexdigest()
    with (folder / f"digest-{known[:32]}").open("a+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if not (found := file.read()):
            found = _digest(path)
            file.write(found)
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
