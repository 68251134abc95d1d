"""What a question's answer is to those who write it out: columns, then batches of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from qserv.limits import Limits
from schema.types import Type


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One column as users see it. `length` is a text's largest length where it is known."""

    name: str
    type: Type
    length: int | None = None
    unit: str | None = None
    ucd: str | None = None
    utype: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Scratch:
    """Where a writer that must know all rows first keeps them: a folder (None: the system's), bytes."""

    folder: Path | None = None
    max_bytes: int = Limits().max_spool_bytes


@dataclass(slots=True)
class Answer:
    """The rows of one query, once.

    `batches` yields record batches whose columns are in the order and of the Arrow types of
    `columns` (duplicate names allowed; read by position); it raises a SkyshardError where the rest
    cannot be had. `overflowed` is final when `batches` ends: True where a row limit cut the rows.
    `close` frees what the query holds, and cancels it where it still runs.
    """

    query_id: str
    columns: tuple[ResultColumn, ...]
    batches: Iterator[pa.RecordBatch]
    snapshots: tuple[tuple[str, int], ...] = ()
    overflowed: bool = False
    warnings: list[str] = field(default_factory=list)
    scratch: Scratch = Scratch()
    chunks: int = 0
    """That the shards are asked for."""
    on_close: list[Callable[[], None]] = field(default_factory=list, repr=False)

    def arrow_schema(self) -> pa.Schema:
        """Column names and Arrow types of the batches."""
        from schema.types import SPELLINGS

        return pa.schema([(c.name, SPELLINGS[c.type].arrow) for c in self.columns])

    def close(self) -> None:
        """Call all of `on_close`, the last first, whichever fails; then raise what failed. Once."""
        with ExitStack() as stack:
            for callback in self.on_close:
                stack.callback(callback)
            self.on_close.clear()
