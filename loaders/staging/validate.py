"""Rows of a file against the table's model: pure; a bad cell rejects its row and says why.

Columns are matched by name in any case. Floating NaN is NULL. A director's row needs a key that is
not a sentinel and a position: ra in [0, 360] (360 stays as written), dec in [-90, 90], degrees.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from loaders.readers.source import I64, SourceBatch
from loaders.staging.convert import WrongType, arrow_type, convert
from schema.catalog import Role, Table
from schema.errors import InputError
from schema.names import hint

Bools = npt.NDArray[np.bool_]


class MissingColumn(InputError):
    """A file lacks a column that may not be NULL."""

    code = "MISSING_COLUMN"

    def __init__(self, table: str, column: str, names: Sequence[str], file: str) -> None:
        super().__init__(
            f"{file} has no column {column!r}, which {table} needs{hint(column, names)}"
        )
        self.table, self.column = table, column


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken, and why."""

    number: int
    """Its row in the file, from 1."""
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Matching:
    """Which column of a file fills each column of a table (None: NULL), and those left over."""

    names: tuple[str | None, ...]
    unknown: tuple[str, ...]
    file: str

    @property
    def wanted(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in self.names if name is not None))


@dataclass(frozen=True, slots=True)
class Conformed:
    """The good rows of a batch in the table's own columns, and the rejects."""

    rows: pa.Table
    numbers: I64
    rejects: tuple[Reject, ...]


def match_columns(table: Table, names: Sequence[str], file: str = "the file") -> Matching:
    """Match a file's columns to a table's; an exact match wins over one that differs in case.

    `file` is what messages call it. Raises MissingColumn.
    """
    folded: dict[str, str] = {}
    for given in names:
        folded.setdefault(given.casefold(), given)
    found: list[str | None] = []
    for column in table.columns:
        name = column.name if column.name in names else folded.get(column.name.casefold())
        if name is None and (not column.nullable or column.name in _required(table)):
            raise MissingColumn(table.name, column.name, names, file)
        found.append(name)
    used = set(found)
    return Matching(tuple(found), tuple(name for name in names if name not in used), file)


def _required(table: Table) -> set[str | None]:
    """Columns without which no row can be placed."""
    return {table.key, table.ra, table.dec} if table.role is Role.DIRECTOR else set()


def conform(batch: SourceBatch, matching: Matching, table: Table) -> Conformed:
    """Convert a batch to the table's columns; rows with a fault become rejects."""
    count = batch.rows.num_rows
    faults: dict[int, str] = {}
    arrays = []
    for column, name in zip(table.columns, matching.names, strict=True):
        if name is None:
            arrays.append(pa.nulls(count, arrow_type(column)))
            continue
        try:
            converted = convert(batch.rows.column(name), column)
        except WrongType as error:
            raise error.within(matching.file) from None
        _note(faults, converted.faults)
        if not column.nullable and converted.array.null_count:
            _note(faults, _where(pc.is_null(converted.array), f"column {column.name!r} is NULL"))
        arrays.append(converted.array)
    rows = pa.Table.from_arrays(arrays, names=[column.name for column in table.columns])
    _note(faults, key_faults(rows, table))
    _note(faults, position_faults(rows, table))
    rejects = [
        Reject(int(batch.numbers[row]), reason, row_text(batch.rows, row))
        for row, reason in sorted(faults.items())
    ]
    rejects += [Reject(line.number, line.reason, line.text) for line in batch.bad]
    if not faults:
        return Conformed(rows, batch.numbers, tuple(rejects))
    good = np.ones(count, dtype=np.bool_)
    good[list(faults)] = False
    return Conformed(rows.filter(pa.array(good)), batch.numbers[good], tuple(rejects))


def key_faults(rows: pa.Table, table: Table) -> dict[int, str]:
    """Rows of a director whose key is NULL or a sentinel."""
    if table.role is not Role.DIRECTOR or table.key is None:
        return {}
    keys = rows.column(table.key)
    faults: dict[int, str] = {}
    if keys.null_count:
        _note(faults, _where(pc.is_null(keys), f"key {table.key!r} is NULL"))
    if table.sentinels:
        hit = pc.is_in(keys, value_set=pa.array(table.sentinels, keys.type))
        _note(faults, _where(hit, f"key {table.key!r} is a value that means no row"))
    return faults


def position_faults(rows: pa.Table, table: Table) -> dict[int, str]:
    """Rows without a position (directors only) or with one outside the sky."""
    if table.ra is None or table.dec is None:
        return {}
    faults: dict[int, str] = {}
    for name, low, high in ((table.ra, 0.0, 360.0), (table.dec, -90.0, 90.0)):
        values = rows.column(name)
        if table.role is Role.DIRECTOR and values.null_count:
            _note(faults, _where(pc.is_null(values), f"position {name!r} is NULL or NaN"))
        outside = pc.or_(pc.less(values, low), pc.greater(values, high))
        if pc.any(outside).as_py():
            reason = f"position {name!r} is outside {low:g}..{high:g} degrees"
            _note(faults, _where(outside, reason))
    return faults


def row_text(rows: pa.RecordBatch | pa.Table, row: int) -> str:
    """A row as JSON, for the reject file."""
    values = {name: rows.column(name)[row].as_py() for name in rows.schema.names}
    return json.dumps(values, default=str)


def _where(mask: pa.Array | pa.ChunkedArray, reason: str) -> dict[int, str]:
    """The same reason for every row where the mask is true."""
    flags: Bools = np.asarray(pc.fill_null(mask, fill_value=False), dtype=np.bool_)
    return dict.fromkeys(np.flatnonzero(flags).tolist(), reason)


def _note(faults: dict[int, str], more: Mapping[int, str]) -> None:
    """Keep the first fault of each row."""
    for row, reason in more.items():
        faults.setdefault(row, reason)
