"""FITS binary tables (FITS 4.0, section 7.3): the whole is spooled, for the header counts the rows.

NULL is NaN for floats, a zero byte for booleans, blank text, and for integers TNULL, the smallest
value of the type. Texts are as wide as the widest one, ASCII (other characters become `?`);
timestamps are ISO texts, binary values hexadecimal. POINT and CIRCLE are vectors of doubles (NaN: NULL);
other arrays are texts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from qserv.formats.cells import as_text, plain_buffers, vectors
from qserv.formats.slices import described_schema, slices, unique_names
from qserv.result import Answer, ResultColumn
from qserv.spool import SpoolUnwritable
from schema.errors import LimitExceeded
from schema.types import Type

BLOCK_BYTES = 2880
MAX_COLUMNS = 999
"""FITS counts fields with three digits."""

_CODES = {Type.SHORT: ("I", ">i2"), Type.INT: ("J", ">i4"), Type.LONG: ("K", ">i8")}
_VECTORS = {Type.POINT: 2, Type.CIRCLE: 3, Type.INTERVAL: 2}
_FLOATS = {Type.FLOAT: ("E", ">f4"), Type.DOUBLE: ("D", ">f8")}


class TooLargeForFits(LimitExceeded):
    """The answer has more columns or bytes than a FITS table may have here."""

    code = "TOO_LARGE_FOR_FITS"


def write_fits(answer: Answer) -> Iterator[bytes]:
    """A primary header without data, then one BINTABLE."""
    if len(answer.columns) > MAX_COLUMNS:
        raise TooLargeForFits(f"{len(answer.columns)} columns; FITS has at most {MAX_COLUMNS}")
    folder = answer.scratch.folder
    try:
        with tempfile.TemporaryFile(prefix="skyshard-fits-", dir=folder) as spool:
            yield from _document(spool, answer)
    except OSError as error:
        raise SpoolUnwritable(folder or Path(tempfile.gettempdir()), error) from error


def _document(spool: IO[bytes], answer: Answer) -> Iterator[bytes]:
    rows, widths = _fill(spool, answer)
    spool.seek(0)
    row_type = np.dtype(
        [(f"f{i}", _code(column.type, widths[i])) for i, column in enumerate(answer.columns)]
    )
    yield _primary_header() + _table_header(answer, rows, row_type, widths)
    with pa.ipc.open_stream(spool) as reader:
        for batch in reader:
            yield _records(batch, answer.columns, row_type).tobytes()
    yield b"\0" * (-rows * row_type.itemsize % BLOCK_BYTES)


def _fill(spool: IO[bytes], answer: Answer) -> tuple[int, list[int]]:
    """Keeps the rows as an Arrow stream; their count, and the widest cell of each text column."""
    schema = described_schema(answer.columns)
    rows, widths, most = 0, [1] * len(answer.columns), answer.scratch.max_bytes
    with pa.ipc.new_stream(spool, schema) as writer:
        for batch in slices(answer):
            columns = [_spelt(batch.column(i), c.type) for i, c in enumerate(answer.columns)]
            for i, column in enumerate(columns):
                if pa.types.is_string(column.type):
                    longest = pc.max(pc.utf8_length(column)).as_py()
                    widths[i] = max(widths[i], longest or 0)
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
            rows += batch.num_rows
            if spool.tell() > most:
                raise TooLargeForFits(
                    f"the rows exceed {most / 2**20:,.0f} MiB (max_spool_bytes), and a FITS table is"
                    " kept until all came; ask for Parquet"
                )
    return rows, widths


def _spelt(values: pa.Array, kind: Type) -> pa.Array:
    """Columns that FITS has as text, as text; others as they are."""
    return as_text(values, kind) if _is_text(kind) else values


def _is_text(kind: Type) -> bool:
    is_other_array = kind.element is not None and kind not in _VECTORS
    return kind in (Type.TEXT, Type.TIMESTAMP, Type.BINARY) or is_other_array


def _code(kind: Type, width: int) -> str:
    if kind is Type.BOOLEAN:
        return "u1"
    if kind in _VECTORS:
        return f"{_VECTORS[kind]}>f8"
    return f"S{width}" if _is_text(kind) else (_CODES | _FLOATS)[kind][1]


def _records(
    batch: pa.RecordBatch, columns: Sequence[ResultColumn], row_type: np.dtype[np.void]
) -> npt.NDArray[np.void]:
    records = np.zeros(batch.num_rows, dtype=row_type)
    for i, column in enumerate(columns):
        records[f"f{i}"] = _cells(batch.column(i), column.type, row_type[i].itemsize)
    return records


def _cells(values: pa.Array, kind: Type, width: int) -> npt.NDArray[np.generic]:
    if kind in _VECTORS:
        return vectors(values, _VECTORS[kind])
    if _is_text(kind):
        return _padded(_spelt(values, kind), width)
    if kind is Type.BOOLEAN:
        known = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
        letters = np.where(known, np.uint8(ord("T")), np.uint8(ord("F")))
        return np.where(pc.is_null(values).to_numpy(zero_copy_only=False), np.uint8(0), letters)
    if values.null_count:
        values = pc.fill_null(values, float("nan") if kind.is_floating else _null_value(kind))
    return values.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _null_value(kind: Type) -> int:
    return int(np.iinfo(_CODES[kind][1]).min)


def _padded(text: pa.StringArray, width: int) -> npt.NDArray[np.bytes_]:
    """Texts side by side, each `width` bytes, filled with zeros."""
    ascii_text = pc.replace_substring_regex(text, r"[^\x00-\x7f]", "?")
    offsets, data = plain_buffers(ascii_text)
    lengths = np.diff(offsets)
    cells = np.zeros((len(lengths), width), dtype=np.uint8)
    cells[np.arange(width) < lengths[:, None]] = data
    return cells.view(f"S{width}").ravel()


def _primary_header() -> bytes:
    from astropy.io import fits

    header = fits.Header()
    header["SIMPLE"], header["BITPIX"], header["NAXIS"], header["EXTEND"] = True, 8, 0, True
    return header.tostring().encode("ascii")  # type: ignore[no-any-return]


def _table_header(
    answer: Answer, rows: int, row_type: np.dtype[np.void], widths: Sequence[int]
) -> bytes:
    from astropy.io import fits

    header = fits.Header()
    layout = {
        "XTENSION": "BINTABLE",
        "BITPIX": 8,
        "NAXIS": 2,
        "NAXIS1": row_type.itemsize,
        "NAXIS2": rows,
        "PCOUNT": 0,
        "GCOUNT": 1,
        "TFIELDS": len(answer.columns),
    }
    header.update(layout)
    names = unique_names(answer.columns)
    for number, (column, name) in enumerate(zip(answer.columns, names, strict=True), start=1):
        header.update(_field_cards(column, name, number, widths[number - 1]))
    header["OVERFLOW"] = (answer.overflowed, "a limit cut the rows")
    header["QUERYID"] = answer.query_id
    return header.tostring().encode("ascii")  # type: ignore[no-any-return]


def _field_cards(column: ResultColumn, name: str, number: int, width: int) -> dict[str, str | int]:
    code = "L" if column.type is Type.BOOLEAN else f"{width}A"
    code = f"{_VECTORS[column.type]}D" if column.type in _VECTORS else code
    cards: dict[str, str | int] = {f"TTYPE{number}": _ascii(name)}
    cards[f"TFORM{number}"] = (
        code if column.type not in _CODES | _FLOATS else (_CODES | _FLOATS)[column.type][0]
    )
    if column.unit:
        cards[f"TUNIT{number}"] = _ascii(column.unit)
    if column.ucd:
        cards[f"TUCD{number}"] = _ascii(column.ucd)
    if column.description:
        cards[f"TCOMM{number}"] = _ascii(column.description)
    if column.type in _CODES:
        cards[f"TNULL{number}"] = _null_value(column.type)
    return cards


def _ascii(text: str) -> str:
    """What a header card may hold: printable ASCII."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)
