"""Rows for a live table: held to its model, with their own pixels and slices of time. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from loaders.readers.source import SourceBatch
from loaders.staging.matching import match_columns
from loaders.staging.validate import Conformer
from procedures.live_tables import RowsRefused
from schema.catalog import DIRECTOR_29, HEALPIX_29, Role, Table
from schema.healpix import MAX_ORDER, centers, pixels_29, separation_arcsec
from schema.live_parts import DAY_US, MJD_OF_1970
from schema.units import FROM_UNIT, TO_UNIT, UnitId

I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
NO_SLICE = -(2**31)
"""Stands for the slice of rows that have no time."""
_CENTRE_ARCSEC = 0.001
"""A position lies nearer than that to the centre of its order-29 pixel."""
_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """The rows' own order-29 pixels; 0 where `has` is false."""

    pixels: I64
    has: Bools


def fitted(table: Table, rows: pa.Table | pa.RecordBatch) -> tuple[pa.Table, tuple[str, ...]]:
    """The rows with the model's columns and types, and the columns that the table has not.

    Raises RowsRefused where a row cannot be taken, MissingColumn.
    """
    matching = match_columns(table, rows.column_names, "the rows given")
    batch = SourceBatch(_whole(rows), np.arange(1, rows.num_rows + 1), ())
    with Conformer(table, matching) as conformer:
        found = conformer.conform(batch)
    if found.rejects:
        said = "; ".join(f"row {r.number}: {r.reason}" for r in found.rejects[:_SHOWN])
        more = f" and {len(found.rejects) - _SHOWN} more" if len(found.rejects) > _SHOWN else ""
        raise RowsRefused(f"table {table.name}: {said}{more}; nothing was changed")
    return found.rows, matching.unknown


def key_rows(table: Table, keys: pa.Table | pa.RecordBatch) -> pa.Table:
    """Primary keys in the model's types. Raises RowsRefused."""
    if not table.primary_key:
        raise RowsRefused(f"table {table.name} has no primary key: delete by a condition")
    columns = tuple(c for c in table.columns if c.name in table.primary_key)
    bare = Table(table.name, columns, Role.REPLICATED, primary_key=table.primary_key)
    return fitted(bare, keys)[0].select(list(table.primary_key))


def _whole(rows: pa.Table | pa.RecordBatch) -> pa.RecordBatch:
    """The rows as one batch."""
    if isinstance(rows, pa.RecordBatch):
        return rows
    whole = rows.combine_chunks()
    columns = [pa.concat_arrays(column.chunks) for column in whole.columns] if rows.num_rows else []
    if not rows.num_rows:
        return pa.RecordBatch.from_pylist([], schema=rows.schema)
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)


def positions(table: Table, rows: pa.Table) -> Positions:
    """Where the rows lie by their own columns."""
    if table.ra is None or table.dec is None:
        return Positions(np.zeros(rows.num_rows, np.int64), np.zeros(rows.num_rows, np.bool_))
    ra, dec = (_doubles(rows.column(name)) for name in (table.ra, table.dec))
    has = np.isfinite(ra) & np.isfinite(dec)
    pixels = np.zeros(len(ra), np.int64)
    pixels[has] = pixels_29(ra[has], dec[has])
    return Positions(pixels, has)


def integers(column: pa.ChunkedArray, sentinels: tuple[int, ...] = ()) -> tuple[I64, Bools]:
    """A column of integers, and where it has a value that is none of the sentinels."""
    has = np.asarray(column.is_valid(), np.bool_)
    values = np.asarray(pc.fill_null(column, 0), np.int64)
    return values, has & ~np.isin(values, np.array(sentinels, np.int64))


def slices(table: Table, rows: pa.Table) -> I64:
    """The slice of time of each row; NO_SLICE where it has no time, or the table no slices."""
    found = np.full(rows.num_rows, NO_SLICE, np.int64)
    if table.time is None:
        return found
    column = rows.column(table.time)
    has = np.asarray(column.is_valid(), np.bool_)
    if pa.types.is_timestamp(column.type):
        microseconds = np.asarray(pc.fill_null(column.cast(pa.int64()), 0), np.float64)
        days = microseconds / DAY_US + MJD_OF_1970
    else:
        days = _doubles(column)
        has &= np.isfinite(days)
    days = np.where(has, days, 0.0)
    if np.abs(days).max(initial=0.0) / table.slice_days >= 2**31 - 1:
        raise RowsRefused(f"table {table.name}: {table.time} is out of range; nothing was changed")
    numbers = np.floor(days / table.slice_days).astype(np.int64)
    return np.asarray(np.where(has, numbers, found))


def stored(table: Table, rows: pa.Table, own: Positions, homes: I64, unit: UnitId) -> pa.Table:
    """The rows with their hidden columns, as a live part stores them."""
    count = rows.num_rows
    hidden = {
        HEALPIX_29: pa.array(own.pixels, mask=~own.has),
        DIRECTOR_29: pa.array(homes),
        FROM_UNIT: pa.array(np.full(count, unit, np.int64)),
        TO_UNIT: pa.nulls(count, pa.int64()),
    }
    names = [column.name for column in table.stored_columns()]
    columns = [hidden[name] if name in hidden else rows.column(name) for name in names]
    return pa.Table.from_arrays(columns, names=names)


def farthest_arcsec(own: Positions, homes: I64) -> float:
    """The largest distance of a row from its home, a little more than it is; 0 without positions."""
    apart = own.has & (own.pixels != homes)
    if not apart.any():
        return 0.0
    here = centers(MAX_ORDER, own.pixels[apart])
    there = centers(MAX_ORDER, homes[apart])
    return float(separation_arcsec(*here, *there).max()) + 2 * _CENTRE_ARCSEC


def _doubles(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Numbers, NaN where NULL."""
    return np.asarray(pc.fill_null(column.cast(pa.float64()), float("nan")), np.float64)
