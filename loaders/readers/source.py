"""What a reader gives: an opened input file, its column names, and its rows in bounded batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schema.errors import InputError

I64 = npt.NDArray[np.int64]

BATCH_BYTES = 32 * 2**20
"""A reader's batch is about this large in memory."""


class UnreadableFile(InputError):
    """An input file cannot be opened or is not what its name says."""

    code = "UNREADABLE_FILE"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"cannot read {path}: {why}")
        self.path = path


@dataclass(frozen=True, slots=True)
class BadLine:
    """A row that its format's parser could not split into columns."""

    number: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class SourceBatch:
    """Some rows as the file has them: columns by the file's names, `numbers` counting from 1."""

    rows: pa.RecordBatch
    numbers: I64
    bad: tuple[BadLine, ...] = ()


class Source(Protocol):
    """One opened input file."""

    @property
    def names(self) -> tuple[str, ...]:
        """The file's columns, in its order."""
        ...

    def batches(self, wanted: Sequence[str]) -> Iterator[SourceBatch]:
        """The rows with the columns of those names; in order, memory bounded."""
        ...


def rows_per_batch(columns: int) -> int:
    """How many rows of that many columns make about BATCH_BYTES."""
    return max(4096, min(1_000_000, BATCH_BYTES // (8 * max(columns, 1))))


def numbered(rows: pa.RecordBatch, first: int, bad: tuple[BadLine, ...] = ()) -> SourceBatch:
    """A batch whose rows follow each other in the file from number `first`."""
    return SourceBatch(rows, np.arange(first, first + rows.num_rows, dtype=np.int64), bad)
