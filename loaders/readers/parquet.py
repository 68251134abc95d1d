"""Parquet files, row group by row group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from loaders.readers.compressed import packing
from loaders.readers.form import Piece
from loaders.readers.source import SourceBatch, UnreadableFile, numbered, rows_per_batch

_BAD = (pa.ArrowException, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """A Parquet file. Its row groups are pieces."""

    path: Path
    names: tuple[str, ...]
    piece: Piece | None = None

    def batches(self, wanted: Sequence[str]) -> Iterator[SourceBatch]:
        """The rows, streamed; only the wanted columns are read."""
        try:
            with pq.ParquetFile(self.path, pre_buffer=False) as file:
                groups = range(file.num_row_groups)
                if self.piece is not None:
                    groups = groups[self.piece.first : self.piece.end]
                before = range(groups.start)
                first = 1 + sum(file.metadata.row_group(n).num_rows for n in before)
                size = rows_per_batch(len(wanted))
                for rows in file.iter_batches(
                    batch_size=size, row_groups=list(groups), columns=list(wanted)
                ):
                    rows.validate(full=True)
                    yield numbered(rows, first)
                    first += rows.num_rows
        except _BAD as error:
            raise UnreadableFile(self.path, str(error)) from error


def open_parquet(path: Path, piece: Piece | None = None) -> ParquetSource:
    """Open a Parquet file by reading its footer."""
    if packing(path) is not None:
        raise UnreadableFile(
            path, "Parquet is read here and there, so a file of it is not packed: unpack it first"
        )
    try:
        names = tuple(pq.read_schema(path).names)
    except _BAD as error:
        raise UnreadableFile(path, str(error)) from error
    if len(set(names)) < len(names):
        raise UnreadableFile(path, "two of its columns have one name")
    return ParquetSource(path, names, piece)


def group_bytes(path: Path) -> list[int]:
    """The bytes of each row group of a Parquet file."""
    try:
        facts = pq.read_metadata(path)
    except _BAD as error:
        raise UnreadableFile(path, str(error)) from error
    return [facts.row_group(n).total_byte_size for n in range(facts.num_row_groups)]
