"""Rows of a file against the table's model: pure; a bad cell rejects its row and says why.

Floating NaN is NULL. A director's row needs a key that is
not a sentinel and a position: ra in [0, 360] (360 stays as written), dec in [-90, 90], degrees.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from loaders.readers.source import I64, SourceBatch
from loaders.staging.convert import Converted, WrongType, arrow_type, convert
from loaders.staging.expressions import Evaluator, ExpressionInvalid, check_texts
from loaders.staging.mapping import MappingInvalid, default_of, unit_converter
from loaders.staging.matching import Matching
from loaders.staging.rejects import Reject
from schema.catalog import Column, Role, Table

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Conformed:
    """The good rows of a batch in the table's own columns, and the rejects."""

    rows: pa.Table
    numbers: I64
    rejects: tuple[Reject, ...]


class Conformer:
    """Makes a table's rows of a file's, batch by batch."""

    def __init__(self, table: Table, matching: Matching) -> None:
        self.table, self.matching = table, matching
        said = matching.mapping.columns
        self._computed = Evaluator({name: c.compute for name, c in said if c.compute is not None})
        self._checks = Evaluator(check_texts(table))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._computed.close()
        self._checks.close()

    def conform(self, batch: SourceBatch) -> Conformed:
        """Convert a batch to the table's columns; rows with a fault become rejects."""
        table, count = self.table, batch.rows.num_rows
        faults: dict[int, str] = {}
        rows = self._converted(batch.rows, faults)
        _note(faults, key_faults(rows, table))
        _note(faults, position_faults(rows, table))
        _note(faults, self._check_faults(rows))
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

    def _converted(self, given: pa.RecordBatch, faults: dict[int, str]) -> pa.Table:
        """All columns of the table, whole; what is wrong is noted."""
        computed = self._compute(given, faults)
        arrays = []
        for column, name in zip(self.table.columns, self.matching.names, strict=True):
            found = computed.get(column.name)
            if found is None and name is not None:
                found = given.column(name)
            try:
                converted = self._filled(column, found, given.num_rows)
            except WrongType as error:
                raise error.within(self.matching.file) from None
            _note(faults, converted.faults)
            if not column.nullable and converted.array.null_count:
                nulls = pc.is_null(converted.array)
                _note(faults, _where(nulls, f"column {column.name!r} is NULL"))
            arrays.append(converted.array)
        return pa.Table.from_arrays(arrays, names=[column.name for column in self.table.columns])

    def _compute(self, given: pa.RecordBatch, faults: dict[int, str]) -> dict[str, pa.Array]:
        """The values of the mapping's expressions; a row for which one has none is at fault."""
        if not any(said.compute for _, said in self.matching.mapping.columns):
            return {}
        columns = {}
        for name, own in self.matching.used.items():
            array = given.column(own)
            if (kind := self.matching.types.get(name)) is not None:
                converted = convert(array, Column(own, kind))
                _note(faults, converted.faults)
                array = converted.array
            columns[name] = array
        # One that names no column has a row for each all the same.
        columns = columns or {"_": pa.nulls(given.num_rows)}
        rows = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
        try:
            values, bad = self._computed.evaluate(rows)
        except ExpressionInvalid as error:
            raise MappingInvalid(f"for {self.matching.file}: {error.reason}") from error
        _note(faults, bad)
        return values

    def _filled(self, column: Column, given: pa.Array | None, count: int) -> Converted:
        """A column in its type: from the file, in its unit, with a default for what is NULL."""
        said = self.matching.mapping.of(column.name)
        if given is None:
            converted = Converted(pa.nulls(count, arrow_type(column)), {})
        elif said is not None and said.unit is not None:
            numbers, faults = unit_converter(column, said.unit)(given)
            converted = convert(numbers, column)
            converted = Converted(converted.array, converted.faults | faults)
        else:
            converted = convert(given, column)
        if said is None or said.default is None:
            return converted
        filled = pc.fill_null(converted.array, default_of(column, said.default))
        return Converted(filled, converted.faults)

    def _check_faults(self, rows: pa.Table) -> dict[int, str]:
        """Rows for which a condition of the schema is false (NULL is as good as true, as in SQL)."""
        checks = check_texts(self.table)
        if not checks or not rows.num_rows:
            return {}
        values, faults = self._checks.evaluate(rows.combine_chunks().to_batches()[0])
        by_name = {check.name: check.expression for check in self.table.checks}
        for name, held in values.items():
            if pa.types.is_boolean(held.type):
                reason = f"check {name!r} does not hold: {by_name[name]}"
                _note(faults, _where(pc.invert(held), reason))
        return faults


def conform(batch: SourceBatch, matching: Matching, table: Table) -> Conformed:
    """One batch converted to the table's columns."""
    with Conformer(table, matching) as conformer:
        return conformer.conform(batch)


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
