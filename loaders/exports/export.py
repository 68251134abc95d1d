"""Rows out in bulk: pieces of a catalog as files, each whole under its name or not there.

A piece is what one file holds: the rows of a chunk as a rule. It is read when its file is written, so
that an export needs memory for the files at work only, whatever the catalog's size.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import BinaryIO

import pyarrow as pa

from loaders.exports.folder import UNFINISHED, ExportFolder, Written
from loaders.fail_points import reach
from loaders.parts.twin import sync
from schema.checksum import checksum, combine
from schema.errors import StoreError
from schema.healpix import Pixel

Batches = Iterator[pa.RecordBatch]


class ExportIncomplete(StoreError):
    """The files hold another number of rows than the snapshot."""

    code = "EXPORT_INCOMPLETE"

    def __init__(self, table: str, found: int, expected: int) -> None:
        super().__init__(
            f"the files of {table} hold {found} rows, the snapshot {expected}: the export is unfinished"
        )
        self.table, self.found, self.expected = table, found, expected


@dataclass(frozen=True, slots=True)
class Piece:
    """One file to be: its path below the folder, how its rows are read and become bytes.

    `columns` are those that the checksum counts; `pixel` is the piece's place in a HATS catalog.
    """

    path: str
    table: str
    columns: tuple[str, ...]
    read: Callable[[], Generator[pa.RecordBatch, None, None]]
    encode: Callable[[Batches], Iterator[bytes]]
    pixel: Pixel | None = None


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """How many of the pieces are written, earlier runs' included, and their rows."""

    pieces: int
    of_pieces: int
    rows: int


def write_pieces(
    folder: ExportFolder,
    pieces: Sequence[Piece],
    *,
    workers: int,
    progress: Callable[[ExportProgress], None],
) -> int:
    """Write the pieces that the folder does not have, `workers` at a time; how many those were."""
    missing = [piece for piece in pieces if not folder.has(piece.path)]
    done, rows = len(pieces) - len(missing), sum(one.rows for one in folder.written.values())
    stopped = Event()
    left, at_work = iter(missing), set[Future[Written]]()
    with ThreadPoolExecutor(max(1, workers), thread_name_prefix="export") as threads:
        try:
            while True:
                progress(ExportProgress(done, len(pieces), rows))
                for piece in left:
                    at_work.add(threads.submit(write_piece, folder, piece, stopped))
                    if len(at_work) >= workers:
                        break
                if not at_work:
                    return len(missing)
                finished, at_work = wait(at_work, return_when=FIRST_COMPLETED)
                for future in finished:
                    done, rows = done + 1, rows + future.result().rows
        finally:
            stopped.set()


def write_piece(folder: ExportFolder, piece: Piece, stopped: Event) -> Written:
    """Write one file: under another name, synced, renamed, recorded."""
    path = folder.path / piece.path
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + UNFINISHED)
    tally = _Tally(piece.columns, stopped)
    with unfinished.open("wb") as file, closing(piece.read()) as rows:
        size, sha256 = _fill(file, piece.encode(tally.through(rows)))
    if tally.rows:
        unfinished.rename(path)
        sync(path.parent)
    else:
        unfinished.unlink()
        path.unlink(missing_ok=True)
        size, sha256 = 0, ""
    reach("export.written")
    written = Written(piece.path, piece.table, tally.rows, size, sha256, tally.checksum)
    folder.record(written)
    reach("export.recorded")
    return written


def record_extra(folder: ExportFolder, path: Path, table: str) -> None:
    """Write down a finished file that holds no rows of its own, by its path."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    name = path.relative_to(folder.path).as_posix()
    folder.record(Written(name, table, 0, path.stat().st_size, digest, 0))


def _fill(file: BinaryIO, chunks: Iterator[bytes]) -> tuple[int, str]:
    """Write and sync all bytes; their number and SHA-256."""
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        file.write(chunk)
        digest.update(chunk)
        size += len(chunk)
    file.flush()
    os.fsync(file.fileno())
    return size, digest.hexdigest()


class _Stopped(Exception):
    """Another piece failed; its error is the one that is told."""


@dataclass(slots=True)
class _Tally:
    """Counts and sums the rows that pass."""

    columns: tuple[str, ...]
    stopped: Event
    rows: int = 0
    checksum: int = field(default=0)

    def through(self, batches: Batches) -> Batches:
        """The batches as they are."""
        for batch in batches:
            if self.stopped.is_set():
                raise _Stopped
            self.rows += batch.num_rows
            summed = checksum(pa.Table.from_batches([batch]), self.columns)
            self.checksum = combine((self.checksum, summed))
            yield batch
