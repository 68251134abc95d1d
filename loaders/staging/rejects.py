"""The reject file: CSV of table, source, row (from 1), reason, and the row as JSON."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from loaders.staging.spool import make_private
from schema.errors import InputError

HEADER = ("table", "source", "row", "reason", "text")
KEPT_REJECTS = 1000
"""An ingest that fails by its rejects still writes down this many of each file, and of its keys."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken, and why."""

    number: int
    """Its row in the file, from 1."""
    reason: str
    text: str


class TooManyRejects(InputError):
    """More rows were rejected than allowed; nothing was changed."""

    code = "TOO_MANY_REJECTS"

    def __init__(self, count: int, limit: int, path: Path, first: Sequence[str]) -> None:
        super().__init__(
            f"{count} rows rejected, {limit} allowed; nothing was changed. First: "
            + "; ".join(first)
            + f". Their reasons: {path}"
        )
        self.count, self.limit, self.path = count, limit, path


class RejectFile:
    """Rejects of one contribution, appended to a CSV file that exists only if there are any."""

    def __init__(self, path: Path, table: str, source: str) -> None:
        self.path, self.table, self.source = path, table, source
        self.count = 0
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)

    def write(self, rejects: Iterable[Reject]) -> None:
        """Append rejects."""
        for reject in rejects:
            self._writer.writerow(
                (self.table, self.source, reject.number, reject.reason, reject.text)
            )
            self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def join_rejects(parts: Iterable[Path], path: Path) -> Path | None:
    """One reject file of many, with a header; None where there are no rejects."""
    filled = [part for part in parts if part.exists() and part.stat().st_size]
    if not filled:
        return None
    make_private(path.parent)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(HEADER)
    with path.open("ab") as target:
        for part in filled:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, target)
    return path


def first_reasons(path: Path) -> list[str]:
    """The first rejects of a joined file, for a message."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        return [
            f"{Path(row['source']).name} row {row['row']}: {row['reason']}"
            for row, _ in zip(rows, range(_SHOWN), strict=False)
        ]
