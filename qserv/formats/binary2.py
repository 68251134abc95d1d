"""Arrow columns as the rows of a VOTable's BINARY or BINARY2 stream (VOTable 1.4, 5.3 and 5.4).

A row is, in BINARY2, its null mask (a bit a column, most significant first), then its cells,
big-endian; text and bytes are preceded by their length. BINARY has no mask: there a whole number
that is NULL is its type's smallest, which its FIELD declares. Where all cells are of fixed width a
batch is one numpy record array. With text, the fixed stretches between variable cells are record
arrays too, and Arrow's element-wise join (a memcpy a cell) interleaves them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from qserv.formats.cells import (
    elements,
    json_texts,
    null_elements,
    plain_buffers,
    timestamp_text,
    vectors,
)
from qserv.result import ResultColumn
from schema.types import SPELLINGS, Type

_FIXED = {
    Type.BOOLEAN: "u1",
    Type.SHORT: ">i2",
    Type.INT: ">i4",
    Type.LONG: ">i8",
    Type.FLOAT: ">f4",
    Type.DOUBLE: ">f8",
}
_TRUE, _FALSE, _UNKNOWN = (np.uint8(ord(letter)) for letter in "TF?")

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Cells of fixed width side by side: (dtype, values) each, in order."""

    cells: list[tuple[str, npt.NDArray[np.generic]]]

    def records(self, rows: int) -> npt.NDArray[np.void]:
        """One packed record a row."""
        fields = [(f"f{i}", code, values.shape[1:]) for i, (code, values) in enumerate(self.cells)]
        packed = np.empty(rows, dtype=fields)
        for i, (_, values) in enumerate(self.cells):
            packed[f"f{i}"] = values
        return packed


def null_number(kind: Type) -> int | None:
    """The number that stands for NULL in BINARY; None for a type that has its own NULL, or none."""
    code = _FIXED.get(kind)
    if code is None or kind is Type.BOOLEAN or kind.is_floating:
        return None
    return int(np.iinfo(code).min)


def encode_rows(
    batch: pa.RecordBatch, columns: Sequence[ResultColumn], *, with_mask: bool = True
) -> bytes:
    """The batch's rows before base64: as BINARY2 has them, `with_mask`, or as BINARY."""
    pieces: list[_Stretch | pa.BinaryArray] = [_Stretch([_null_mask(batch)] if with_mask else [])]
    for i, column in enumerate(columns):
        stretch = pieces[-1]
        assert isinstance(stretch, _Stretch)
        values = batch.column(i)
        size = SPELLINGS[column.type].votable_arraysize
        if column.type in _FIXED:
            stretch.cells.append((_FIXED[column.type], _fixed_cells(values, column.type)))
        elif size is not None and size.isdigit():
            stretch.cells.append((">f8", vectors(values, int(size))))
        else:
            lengths, cells = _variable_cells(values, column.type)
            stretch.cells.append((">u4", lengths))
            pieces += [cells, _Stretch([])]
    if len(pieces) == 1:
        return _records(pieces[0], batch.num_rows).tobytes()
    return _interleaved(pieces, batch.num_rows)


def _records(piece: _Stretch | pa.BinaryArray, rows: int) -> npt.NDArray[np.void]:
    assert isinstance(piece, _Stretch)
    return piece.records(rows)


def _interleaved(pieces: list[_Stretch | pa.BinaryArray], rows: int) -> bytes:
    """Row after row, each the row's bytes of every piece."""
    joined = pc.binary_join_element_wise(
        *(
            _large(piece.records(rows)) if isinstance(piece, _Stretch) else piece
            for piece in pieces
            if not isinstance(piece, _Stretch) or piece.cells
        ),
        pa.scalar(b"", pa.large_binary()),
    )
    offsets = np.frombuffer(joined.buffers()[1], dtype=np.int64, count=rows + 1)
    data = np.frombuffer(joined.buffers()[2], dtype=np.uint8)
    return data[offsets[0] : offsets[-1]].tobytes()


def _large(records: npt.NDArray[np.void]) -> pa.LargeBinaryArray:
    """Records as Arrow values of equal length, without a copy."""
    offsets = np.arange(len(records) + 1, dtype=np.int64) * records.dtype.itemsize
    return _large_binary(offsets, records.view(np.uint8))


def _large_binary(offsets: npt.NDArray[np.integer], data: Bytes) -> pa.LargeBinaryArray:
    return pa.Array.from_buffers(
        pa.large_binary(),
        len(offsets) - 1,
        [None, pa.py_buffer(offsets.astype(np.int64, copy=False)), pa.py_buffer(data)],
    )


def _null_mask(batch: pa.RecordBatch) -> tuple[str, Bytes]:
    """A bit a column, set where NULL, packed into whole bytes."""
    width = -(-batch.num_columns // 8)
    mask = np.zeros((batch.num_rows, width), dtype=np.uint8)
    for i, values in enumerate(batch.columns):
        if values.null_count:
            null = pc.is_null(values).to_numpy(zero_copy_only=False)
            mask[:, i // 8] |= null.astype(np.uint8) << np.uint8(7 - i % 8)
    return "u1", mask


def _fixed_cells(values: pa.Array, kind: Type) -> npt.NDArray[np.generic]:
    """The column as numpy; where NULL a NaN, `?`, or the number that BINARY declares for it."""
    if kind is Type.BOOLEAN:
        known = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
        letters = np.where(known, _TRUE, _FALSE)
        null = pc.is_null(values).to_numpy(zero_copy_only=False)
        return np.where(null, _UNKNOWN, letters)
    if values.null_count:
        values = pc.fill_null(values, float("nan") if kind.is_floating else null_number(kind))
    return values.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _variable_cells(
    values: pa.Array, kind: Type
) -> tuple[npt.NDArray[np.generic], pa.LargeBinaryArray]:
    """Lengths in the datatype's own elements, and the bytes of each cell."""
    if kind is Type.TIMESTAMP:
        offsets, data = plain_buffers(timestamp_text(values))
        return np.diff(offsets), _large_binary(offsets, data)
    if kind.element is not None and kind is not Type.TEXTS:
        return _arrays(values, kind.element)
    offsets, data = plain_buffers(json_texts(values) if kind is Type.TEXTS else values)
    if kind is Type.BINARY:
        return np.diff(offsets), _large_binary(offsets, data)
    units, wide = _utf16(offsets.astype(np.int64), data)
    return np.diff(units), _large_binary(units * 2, wide)


def _arrays(
    values: pa.ListArray, kind: Type
) -> tuple[npt.NDArray[np.generic], pa.LargeBinaryArray]:
    """Arrays of numbers: how many, and their bytes."""
    offsets, numbers = elements(values)
    known = pc.fill_null(numbers, null_elements(kind)).to_numpy(zero_copy_only=False)
    return np.diff(offsets), _large_binary(offsets * 8, known.astype(_FIXED[kind]).view(np.uint8))


def _utf16(offsets: npt.NDArray[np.int64], data: Bytes) -> tuple[npt.NDArray[np.int64], Bytes]:
    """UTF-8 as UTF-16, big-endian: offsets in 16-bit units, and the bytes."""
    if not (data & 0x80).any():
        wide = np.zeros(2 * len(data), dtype=np.uint8)
        wide[1::2] = data
        return offsets, wide
    starts = ((data & 0xC0) != 0x80).astype(np.int64) + (data >= 0xF0)
    units = np.concatenate([[0], np.cumsum(starts)])
    encoded = data.tobytes().decode("utf-8").encode("utf-16-be")
    return units[offsets], np.frombuffer(encoded, dtype=np.uint8)
