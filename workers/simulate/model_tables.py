"""Columns by name -> an Arrow table with exactly the columns of a catalog's table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schema.catalog import Column, Table
from schema.types import SPELLINGS, Type

Values: TypeAlias = npt.NDArray[Any] | pa.Array


def model_table(table: Table, rows: int, columns: Mapping[str, Values]) -> pa.Table:
    """The table in the model's order and types; NaN becomes NULL.

    A nullable column that `columns` leaves out is FALSE where it is a flag, else NULL.
    """
    unknown = set(columns) - {column.name for column in table.columns}
    assert not unknown, f"{table.name} has no {sorted(unknown)}"
    arrays = [_array(column, rows, columns.get(column.name)) for column in table.columns]
    fields = [
        pa.field(column.name, array.type, nullable=column.nullable)
        for column, array in zip(table.columns, arrays, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _array(column: Column, rows: int, values: Values | None) -> pa.Array:
    kind = SPELLINGS[column.type].arrow
    if values is None:
        assert column.nullable, f"{column.name} may not be NULL"
        if column.type is Type.BOOLEAN:
            return pa.array(np.zeros(rows, dtype=bool))
        return pa.nulls(rows, kind)
    if isinstance(values, pa.Array):
        return values.cast(kind)
    if values.dtype.kind == "f":
        wide = values.astype(kind.to_pandas_dtype(), copy=False)
        return pa.array(wide, type=kind, from_pandas=True)
    return pa.array(values).cast(kind)


def words(codes: npt.NDArray[np.integer], vocabulary: tuple[str, ...]) -> pa.Array:
    """Texts by their number in a vocabulary."""
    return pa.array(vocabulary, pa.string()).take(pa.array(codes.astype(np.int64)))
