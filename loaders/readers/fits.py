"""FITS binary tables, some rows at a time, packed or not: what a row is stays astropy's to say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from astropy.io import fits
from astropy.io.fits.verify import VerifyError

from loaders.readers.compressed import open_bytes, packing
from loaders.readers.form import Piece
from loaders.readers.source import SourceBatch, UnreadableFile, numbered, rows_per_batch

_BLOCK = 2880
_SKIPPED_BYTES = 2**20
_MOST_HEADER = 2**24
"""Bytes of headers before the table; more are refused."""
_MOST_ROW = 2**26
_BAD = (OSError, ValueError, TypeError, KeyError, EOFError, VerifyError, MemoryError)


@dataclass(frozen=True, slots=True)
class FitsSource:
    """The first binary table of a FITS file. Its rows are pieces, where it is not packed."""

    path: Path
    header: Any
    """astropy's header of the table."""
    start: int
    """Where its rows begin, bytes."""
    piece: Piece | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(_columns(self.header).names)

    @property
    def rows(self) -> int:
        return int(self.header["NAXIS2"])

    def batches(self, wanted: Sequence[str]) -> Iterator[SourceBatch]:
        """The rows; TNULL is NULL, an undefined logical too."""
        width = int(self.header["NAXIS1"])
        piece = self.piece or Piece(0, max(self.rows, 1))
        end = min(piece.end, self.rows)
        # All columns of a row are read, few may be wanted.
        step = max(1, min(rows_per_batch(len(wanted)), rows_per_batch(max(1, width // 8))))
        try:
            with open_bytes(self.path) as stream:
                _skip(stream, self.start + piece.first * width, is_seekable=not packing(self.path))
                for first in range(piece.first, end, step):
                    count = min(step, end - first)
                    table = _table(self.header, _read(stream, count * width), count)
                    arrays = [_array(self.path, table, name) for name in wanted]
                    yield numbered(pa.RecordBatch.from_arrays(arrays, list(wanted)), first + 1)
        except _BAD as error:
            raise UnreadableFile(self.path, str(error)) from error


def open_fits(path: Path, piece: Piece | None = None) -> FitsSource:
    """Find the first binary table of a FITS file."""
    if piece is not None and packing(path) is not None:
        raise UnreadableFile(path, "only FITS files that are not packed have pieces")
    try:
        with open_bytes(path) as stream:
            place = 0
            while header := _header(stream):
                place += len(header.tostring())
                if header.get("XTENSION") == "BINTABLE" and not header.get("ZIMAGE"):
                    source = FitsSource(path, header, place, piece)
                    return _checked(source)
                size = _data_bytes(header)
                _skip(stream, size, is_seekable=packing(path) is None)
                place += size
    except _BAD as error:
        raise UnreadableFile(path, str(error)) from error
    raise UnreadableFile(path, "it has no binary table")


def _header(stream: IO[bytes]) -> Any:
    """The next header; None at the end. Raises OSError where there is none, but something else."""
    text = b""
    while not any(text[at : at + 80].rstrip() == b"END" for at in range(0, len(text), 80)):
        block = stream.read(_BLOCK)
        if not block and not text:
            return None
        if len(block) < _BLOCK or len(text) > _MOST_HEADER:
            raise OSError("a header has no end")
        if not text and not block.startswith((b"SIMPLE  =", b"XTENSION=")):
            raise OSError("it is no FITS file, or something else follows its tables")
        text += block
    return fits.Header.fromstring(text.decode("ascii", "replace"))


def _data_bytes(header: Any) -> int:
    """How many bytes follow a header, with what fills the last block."""
    axes = [int(header[f"NAXIS{n + 1}"]) for n in range(int(header.get("NAXIS", 0)))]
    if header.get("GROUPS") and axes and axes[0] == 0:
        axes = axes[1:]
    values = math.prod(axes) if axes else 0
    count = int(header.get("GCOUNT", 1)) * (int(header.get("PCOUNT", 0)) + values)
    size = abs(int(header["BITPIX"])) // 8 * count
    if size < 0 or min(axes, default=0) < 0:
        raise OSError("a header says that less than nothing follows it")
    return -(-size // _BLOCK) * _BLOCK


def _checked(source: FitsSource) -> FitsSource:
    """A table whose header can be true. Raises UnreadableFile, or what astropy raises."""
    width = int(source.header["NAXIS1"])
    if not 0 < width <= _MOST_ROW or source.rows < 0:
        raise UnreadableFile(source.path, f"{source.rows} rows of {width} bytes")
    columns = _columns(source.header)
    if columns.dtype.itemsize != width:
        raise UnreadableFile(source.path, f"its columns are not the {width} bytes of a row")
    if len(set(columns.names)) < len(columns.names):
        raise UnreadableFile(source.path, "two of its columns have one name")
    return source


def _columns(header: Any) -> Any:
    """The columns of a table without rows."""
    return _table(header, b"", 0).columns


def _table(header: Any, rows: bytes, count: int) -> Any:
    """Some rows as a table of their own, which astropy reads."""
    alone = header.copy()
    alone["NAXIS2"], alone["PCOUNT"] = count, 0
    alone.remove("THEAP", ignore_missing=True)
    filling = b"\0" * (-len(rows) % _BLOCK)
    text = alone.tostring().encode("ascii", "replace")
    return fits.BinTableHDU.fromstring(text + rows + filling, uint=True)


def _read(stream: IO[bytes], size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise OSError("it ends within its table")
    return found


def _skip(stream: IO[bytes], size: int, *, is_seekable: bool) -> None:
    """Go on by so many bytes."""
    if is_seekable:
        stream.seek(stream.tell() + size)
        return
    while size:
        size -= len(_read(stream, min(size, _SKIPPED_BYTES)))


def _array(path: Path, table: Any, name: str) -> pa.Array:
    """One column in Arrow."""
    column, rows = table.columns[name], table.data
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
