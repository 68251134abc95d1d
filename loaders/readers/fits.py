"""FITS binary tables, in slices of a memory map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.io import fits

from loaders.readers.source import SourceBatch, UnreadableFile, numbered, rows_per_batch


@dataclass(frozen=True, slots=True)
class FitsSource:
    """The first binary table of a FITS file."""

    path: Path
    extension: int
    names: tuple[str, ...]

    def batches(self, wanted: Sequence[str]) -> Iterator[SourceBatch]:
        """The rows in slices; TNULL is NULL, an undefined logical too."""
        try:
            with fits.open(self.path, memmap=True) as file:
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
    rows = table.data[first:last]
    if column.format in ("L", "1L"):
        # The raw bytes: astropy makes an undefined logical (0) False.
        raw = rows.view(np.ndarray)[name].view(np.int8)
        return pa.array(raw == ord("T"), mask=raw == 0)
    values = np.asarray(rows.field(name))
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and values.dtype.kind in "iuf":
        flat = pa.array(np.ascontiguousarray(values, values.dtype.newbyteorder("=")).ravel())
        return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    if values.ndim != 1 or values.dtype.kind == "O":
        raise UnreadableFile(path, f"column {name!r} holds arrays ({column.format})")
    if values.dtype.kind in "US":
        text = values if values.dtype.kind == "U" else np.char.decode(values, "ascii", "replace")
        return pa.array(np.char.rstrip(text).tolist(), pa.string())
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    mask = None
    if column.null is not None and column.format.format in "BIJK":
        # TNULL is meant of the stored integers, without TSCAL and TZERO.
        mask = rows.view(np.ndarray)[name].reshape(len(rows)) == int(column.null)
    return pa.array(values, mask=mask)


def open_fits(path: Path) -> FitsSource:
    """Find the first binary table of a FITS file."""
    try:
        with fits.open(path, memmap=True) as file:
            for number, extension in enumerate(file):
                if isinstance(extension, fits.BinTableHDU):
                    return FitsSource(path, number, tuple(extension.columns.names))
    except (OSError, ValueError, TypeError) as error:
        raise UnreadableFile(path, str(error)) from error
    raise UnreadableFile(path, "it has no binary table")
