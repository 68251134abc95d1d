"""FITS binary tables, in slices of a memory map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.io import fits

from loaders.source import SourceBatch, UnreadableFile, numbered, rows_per_batch


@dataclass(frozen=True, slots=True)
class FitsSource:
    """The first binary table of a FITS file."""

    path: Path
    extension: int
    names: tuple[str, ...]

    def batches(self, wanted: Sequence[str]) -> Iterator[SourceBatch]:
        """The rows in slices; TNULL is NULL, an undefined logical too."""
        try:
            with fits.open(self.path, memmap=True, lazy_load_hdus=True) as file:
                table = file[self.extension]
                step = rows_per_batch(len(wanted))
                for first in range(0, len(table.data), step):
                    last = min(first + step, len(table.data))
                    arrays = [_array(self.path, table, name, first, last) for name in wanted]
                    yield numbered(pa.RecordBatch.from_arrays(arrays, list(wanted)), first + 1)
        except (OSError, ValueError, TypeError) as error:
            raise UnreadableFile(self.path, str(error)) from error


def _array(path: Path, table: Any, name: str, first: int, last: int) -> pa.Array:
    """One column of some rows in Arrow."""
    column = table.columns[name]
    values = np.asarray(table.data[first:last].field(name))
    if values.ndim != 1 or values.dtype.kind == "O":
        raise UnreadableFile(path, f"column {name!r} holds arrays ({column.format})")
    if values.dtype.kind in "US":
        text = values if values.dtype.kind == "U" else np.char.decode(values, "ascii", "replace")
        return pa.array(np.char.rstrip(text).tolist(), pa.string())
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    return pa.array(values, mask=_undefined(table, column, first, last, values))


def _undefined(
    table: Any, column: Any, first: int, last: int, values: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any] | None:
    """Which values are NULL: integers equal to TNULL (before TZERO), logicals that are 0 bytes."""
    if column.null is not None and values.dtype.kind in "iu":
        return np.asarray(values == int(column.null) + int(column.bzero or 0))
    if values.dtype.kind == "b":
        raw = table.data[first:last].view(np.ndarray)[column.name]
        return np.asarray(np.asarray(raw).view(np.int8) == 0)
    return None


def open_fits(path: Path) -> FitsSource:
    """Find the first binary table of a FITS file."""
    try:
        with fits.open(path, memmap=True, lazy_load_hdus=True) as file:
            for number, extension in enumerate(file):
                if isinstance(extension, fits.BinTableHDU):
                    return FitsSource(path, number, tuple(extension.columns.names))
    except (OSError, ValueError, TypeError) as error:
        raise UnreadableFile(path, str(error)) from error
    raise UnreadableFile(path, "it has no binary table")
