"""Columns as text, one Arrow string a row: what the text formats join into lines."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schema.types import Type


def as_text(values: pa.Array, kind: Type, *, infinity: str = "inf") -> pa.StringArray:
    """The shortest text that reads back as the same value; NULL stays NULL.

    Timestamps are DALI's `YYYY-MM-DDThh:mm:ss.ffffff`, binary values are lower-case hexadecimal
    digits, booleans `true` and `false`; infinities are `infinity` and `-infinity`. Arrays are DALI's
    numbers with blanks between, arrays of texts JSON.
    """
    if kind is Type.TEXT:
        return values
    if kind is Type.BINARY:
        return hexadecimal(values)
    if kind is Type.TIMESTAMP:
        return timestamp_text(values)
    if kind is Type.TEXTS:
        return json_texts(values)
    if kind.element is not None:
        return numbers_text(values, kind.element, infinity=infinity)
    text = pc.cast(values, pa.string())
    if kind.is_floating and infinity != "inf":
        return _spell_infinity(text, values, infinity)
    return text


def elements(values: pa.ListArray) -> tuple[npt.NDArray[np.int64], pa.Array]:
    """Offsets (n + 1, from 0) and elements of a column of arrays; NULL has none."""
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]), values.flatten()


def vectors(values: pa.ListArray, size: int) -> npt.NDArray[np.float64]:
    """Arrays of `size` doubles, shape (n, size); NaN where NULL (DALI 1.1, section 3.3)."""
    vectors = np.full((len(values), size), np.nan)
    flat = elements(values)[1].to_numpy(zero_copy_only=False)
    vectors[pc.is_valid(values).to_numpy(zero_copy_only=False)] = flat.reshape(-1, size)
    return vectors


def null_elements(kind: Type) -> float | int:
    """What stands for NULL inside an array in formats that know none: NaN, the smallest LONG."""
    return float("nan") if kind.is_floating else int(np.iinfo(np.int64).min)


def numbers_text(
    values: pa.ListArray,
    kind: Type,
    *,
    separator: str = " ",
    infinity: str = "inf",
    nan: str = "NaN",
) -> pa.StringArray:
    """Each array's numbers, of type `kind`, in one text; NULL stays NULL."""
    offsets, numbers = elements(values)
    texts = pc.fill_null(as_text(numbers, kind, infinity=infinity), nan)
    if kind.is_floating:
        texts = pc.if_else(pc.fill_null(pc.is_nan(numbers), True), nan, texts)
    rows = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), texts, mask=pc.is_null(values))
    return pc.binary_join(rows, separator)


def json_texts(values: pa.ListArray) -> pa.StringArray:
    """Each array of texts as JSON; NULL stays NULL."""
    rows = [
        None if row is None else json.dumps(row, ensure_ascii=False) for row in values.to_pylist()
    ]
    return pa.array(rows, pa.string())


def _spell_infinity(text: pa.StringArray, values: pa.Array, infinity: str) -> pa.StringArray:
    infinite = pc.is_inf(values)
    if not pc.any(infinite).as_py():
        return text
    spelt = pc.if_else(pc.greater(values, 0.0), infinity, f"-{infinity}")
    return pc.if_else(infinite, spelt, text)


def timestamp_text(values: pa.TimestampArray) -> pa.StringArray:
    """DALI timestamps (section 3.3.3), microseconds; NULL stays NULL."""
    text = pc.cast(values, pa.string())
    valid, offsets, data = _buffers(text)
    data = np.where(data == ord(" "), np.uint8(ord("T")), data)
    return pa.Array.from_buffers(
        pa.string(), len(text), [valid, pa.py_buffer(offsets), pa.py_buffer(data)]
    )


_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def hexadecimal(values: pa.BinaryArray) -> pa.StringArray:
    """Two hexadecimal digits a byte; NULL stays NULL."""
    valid, offsets, data = _buffers(values)
    digits = np.stack([_DIGITS[data >> 4], _DIGITS[data & 15]], axis=1)
    return pa.Array.from_buffers(
        pa.string(), len(values), [valid, pa.py_buffer(offsets * 2), pa.py_buffer(digits.ravel())]
    )


def plain_buffers(
    values: pa.StringArray | pa.BinaryArray,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Offsets (n + 1, from 0) and bytes of a column of text or bytes; NULL has no bytes."""
    if values.null_count:
        values = pc.fill_null(values, b"" if pa.types.is_binary(values.type) else "")
    _, offsets, data = _buffers(values)
    return offsets, data


def _buffers(
    values: pa.StringArray | pa.BinaryArray,
) -> tuple[pa.Buffer | None, npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Validity, offsets from 0 and bytes of just these rows, whatever they are a slice of."""
    if values.offset:
        values = pa.concat_arrays([values.slice(0, 0), values])
    assert values.offset == 0
    valid, offset_buffer, data_buffer = values.buffers()
    if not len(values):
        return None, np.zeros(1, dtype=np.int32), np.zeros(0, dtype=np.uint8)
    offsets = np.frombuffer(offset_buffer, dtype=np.int32, count=len(values) + 1)
    if data_buffer is None:
        return valid, offsets, np.zeros(0, dtype=np.uint8)
    data = np.frombuffer(data_buffer, dtype=np.uint8)[offsets[0] : offsets[-1]]
    return valid, offsets - offsets[0], data


def bytes_of(lines: pa.StringArray | pa.BinaryArray) -> bytes:
    """The rows' bytes one after the other."""
    _, data = plain_buffers(lines)
    return data.tobytes()
