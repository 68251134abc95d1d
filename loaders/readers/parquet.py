"""Parquet files, row group by row group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from loaders.readers.source import SourceBatch, UnreadableFile, numbered, rows_per_batch


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """A Parquet file."""

    path: Path
    names: tuple[str, ...]

    def batches(self, wanted: Sequence[str]) -> Iterator[SourceBatch]:
        """The rows, streamed; only the wanted columns are read."""
        first = 1
        try:
            with pq.ParquetFile(self.path) as file:
                size = rows_per_batch(len(wanted))
                for rows in file.iter_batches(batch_size=size, columns=list(wanted)):
                    yield numbered(rows, first)
                    first += rows.num_rows
        except (pa.ArrowException, OSError) as error:
            raise UnreadableFile(self.path, str(error)) from error


def open_parquet(path: Path) -> ParquetSource:
    """Open a Parquet file by reading its footer."""
    try:
        names = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(path, str(error)) from error
    return ParquetSource(path, tuple(names))
