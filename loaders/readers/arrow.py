"""Arrow IPC: files, batch by batch as they lie there, and streams, packed or not.

A batch is held whole, as its writer made it; those of a file that is not packed are mapped, not read.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
from typing_extensions import override

from loaders.readers.compressed import open_bytes, packing
from loaders.readers.form import Piece
from loaders.readers.source import SourceBatch, UnreadableFile, numbered, rows_per_batch

_MAGIC = b"ARROW1\0\0"
_BAD = (pa.ArrowException, OSError, ValueError, KeyError, EOFError)


@dataclass(frozen=True, slots=True)
class ArrowSource:
    """An Arrow IPC file or stream. Only a file that is not packed has pieces: some of its batches."""

    path: Path
    names: tuple[str, ...]
    is_file: bool
    piece: Piece | None = None

    def batches(self, wanted: Sequence[str]) -> Iterator[SourceBatch]:
        """The rows, each batch cut to size; only the wanted columns are looked at."""
        size, first = rows_per_batch(len(wanted)), 1
        try:
            for number, rows in enumerate(self._read(wanted)):
                rows.validate(full=True)
                if not self._is_wanted(number):
                    first += rows.num_rows
                    continue
                chosen = rows.select(list(wanted))
                for start in range(0, rows.num_rows, size):
                    yield numbered(chosen.slice(start, size), first + start)
                first += rows.num_rows
        except _BAD as error:
            raise UnreadableFile(self.path, str(error)) from error

    def _is_wanted(self, number: int) -> bool:
        return self.piece is None or self.piece.first <= number < self.piece.end

    def _read(self, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
        options = pa.ipc.IpcReadOptions(included_fields=[self.names.index(n) for n in wanted])
        if self.is_file:
            with (
                pa.memory_map(str(self.path)) as mapped,
                pa.ipc.open_file(mapped, options=options) as file,
            ):
                end = file.num_record_batches
                for number in range(min(end, self.piece.end) if self.piece else end):
                    yield file.get_batch(number)
        else:
            with open_bytes(self.path) as stream:
                yield from pa.ipc.open_stream(_after_magic(stream), options=options)


def open_arrow(path: Path, piece: Piece | None = None) -> ArrowSource:
    """Read the schema of an Arrow IPC file or stream."""
    try:
        if is_arrow_file(path):
            with pa.memory_map(str(path)) as mapped, pa.ipc.open_file(mapped) as file:
                return ArrowSource(path, _names(path, file.schema), True, piece)
        if piece is not None:
            raise UnreadableFile(path, "only Arrow files that are not packed have pieces")
        with open_bytes(path) as stream, pa.ipc.open_stream(_after_magic(stream)) as reader:
            return ArrowSource(path, _names(path, reader.schema), False)
    except _BAD as error:
        raise UnreadableFile(path, str(error)) from error


def is_arrow_file(path: Path) -> bool:
    """Whether it is an Arrow file (not a stream) whose batches can be looked up."""
    if packing(path) is not None:
        return False
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def count_batches(path: Path) -> int:
    """How many record batches an Arrow file has."""
    try:
        with pa.memory_map(str(path)) as mapped, pa.ipc.open_file(mapped) as file:
            return int(file.num_record_batches)
    except _BAD as error:
        raise UnreadableFile(path, str(error)) from error


def _names(path: Path, schema: pa.Schema) -> tuple[str, ...]:
    names = tuple(schema.names)
    if len(set(names)) < len(names):
        raise UnreadableFile(path, "two of its columns have one name")
    return names


def _after_magic(stream: IO[bytes]) -> IO[bytes]:
    """A stream behind the sign of a file: what follows, up to the footer, is a stream."""
    start = stream.read(len(_MAGIC))
    rest = b"" if start == _MAGIC else start
    return io.BufferedReader(_Joined(rest, stream), 2**20)


class _Joined(io.RawIOBase):
    """Some bytes, then a stream."""

    def __init__(self, start: bytes, stream: IO[bytes]) -> None:
        self._start, self._stream = start, stream

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """As io.RawIOBase has it."""
        given, self._start = self._start[: len(buffer)], self._start[len(buffer) :]
        given = given or self._stream.read(len(buffer))
        buffer[: len(given)] = given
        return len(given)
