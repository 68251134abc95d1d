"""CSV, TSV, JSON, Parquet, Arrow and FITS are read back as they were written."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from qserv.formats.arrow_files import write_arrow, write_parquet
from qserv.formats.delimited import write_csv, write_tsv
from qserv.formats.fits import TooLargeForFits, write_fits
from qserv.formats.json_rows import write_json
from qserv.formats.registry import FORMATS, UnknownFormat, find_format, format_of_file
from qserv.formats.slices import SLICE_ROWS, slices, unique_names
from qserv.result import Answer, ResultColumn, Scratch
from qserv.spool import SpoolUnwritable
from schema.types import SPELLINGS, Type
from tests.qserv.formats.answers import answer_of, columns_and_rows, example

Made = tuple[tuple[ResultColumn, ...], list[list[object]]]


@given(made=columns_and_rows())
@settings(max_examples=40, deadline=None)
def test_json_comes_back(made: Made) -> None:
    columns, rows = made
    document = json.loads(b"".join(write_json(answer_of(columns, rows))))
    assert [c["datatype"] for c in document["metadata"]] == [str(c.type) for c in columns]
    assert document["data"] == [
        [_as_json(c.type, v) for c, v in zip(columns, row, strict=True)] for row in rows
    ]
    assert document["status"] == "OK"


def _as_json(kind: Type, value: object) -> object:
    match value:
        case bytes():
            return value.hex()
        case datetime():
            return value.isoformat(timespec="microseconds")
        case list():
            return [_as_json(Type.DOUBLE, item) for item in value]
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case float() if kind is Type.FLOAT:
            return float(str(np.float32(value)))
        case _:
            return value


@pytest.mark.parametrize(("write", "delimiter"), [(write_csv, ","), (write_tsv, "\t")])
@given(made=columns_and_rows())
@settings(max_examples=40, deadline=None)
def test_delimited_text_comes_back(write: object, delimiter: str, made: Made) -> None:
    columns, rows = made
    assert callable(write)
    text = b"".join(write(answer_of(columns, rows))).decode()
    header, *lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    assert header == [column.name for column in columns]
    assert [
        [_of_text(c.type, cell) for c, cell in zip(columns, line, strict=True)] for line in lines
    ] == [[_unknown(v) for v in row] for row in rows]


def _unknown(value: object) -> object:
    """CSV readers that do not look at quotes cannot tell NULL from an empty text."""
    return None if value in ("", b"") else value


def _of_text(kind: Type, cell: str) -> object:
    if cell == "":
        return None
    match kind:
        case Type.BOOLEAN:
            return cell == "true"
        case Type.SHORT | Type.INT | Type.LONG:
            return int(cell)
        case Type.FLOAT:
            return float(np.float32(cell))
        case Type.DOUBLE:
            return float(cell)
        case Type.TEXT:
            return cell
        case Type.BINARY:
            return bytes.fromhex(cell)
        case Type.TIMESTAMP:
            return datetime.fromisoformat(cell)
        case Type.TEXTS:
            return json.loads(cell)
        case _:
            return [_of_text(kind.element, item) for item in cell.split(" ")]


def test_csv_tells_null_from_an_empty_text() -> None:
    columns = (ResultColumn("a", Type.TEXT), ResultColumn("b", Type.INT))
    text = b"".join(write_csv(example(*columns, rows=[["", 1], [None, 2], ['x,"y"', None]])))
    assert text == b'a,b\n"",1\n,2\n"x,""y""",\n'


@given(made=columns_and_rows())
@settings(max_examples=40, deadline=None)
def test_arrow_and_parquet_come_back(made: Made) -> None:
    columns, rows = made
    expected = [list(row) for row in rows]
    stream = pa.ipc.open_stream(b"".join(write_arrow(answer_of(columns, rows)))).read_all()
    file = pq.read_table(io.BytesIO(b"".join(write_parquet(answer_of(columns, rows)))))
    for table in (stream, file):
        assert table.schema.types == [SPELLINGS[c.type].arrow for c in columns]
        assert [list(row.values()) for row in table.to_pylist()] == expected


def test_parquet_carries_units_and_a_votable() -> None:
    made = example(ResultColumn("ra", Type.DOUBLE, unit="deg"), rows=[[1.0]])
    schema = pq.read_schema(io.BytesIO(b"".join(write_parquet(made))))
    assert schema.field("ra").metadata[b"unit"] == b"deg"
    assert b'<FIELD name="ra"' in schema.metadata[b"IVOA.VOTable-Parquet.content"]


@given(made=columns_and_rows(text=st.text("abc XYZ~", max_size=9).map(str.strip)))
@settings(max_examples=40, deadline=None)
def test_fits_comes_back(made: Made) -> None:
    columns, rows = made
    document = b"".join(write_fits(answer_of(columns, rows)))
    assert len(document) % 2880 == 0
    with fits.open(io.BytesIO(document), logical_as_bytes=True) as hdus:
        hdus.verify("exception")
        found, header = hdus[1].data, hdus[1].header
        for number, column in enumerate(columns):
            cells = [] if found is None else found.field(number).tolist()
            written = [_as_fits(column.type, row[number]) for row in rows]
            assert _no_nan(cells) == _no_nan(written), header[f"TFORM{number + 1}"]


def _is_nan(cell: object) -> bool:
    return isinstance(cell, float) and math.isnan(cell)


def _no_nan(cells: list[object]) -> list[object]:
    return [
        _no_nan(cell) if isinstance(cell, list) else None if _is_nan(cell) else cell
        for cell in cells
    ]


def _as_fits(kind: Type, value: object) -> object:
    match kind, value:
        case (Type.POINT | Type.CIRCLE | Type.INTERVAL, None):
            return [math.nan] * (3 if kind is Type.CIRCLE else 2)
        case (Type.POINT | Type.CIRCLE | Type.INTERVAL, _):
            return value
        case (_, None) if kind.element is not None:
            return ""
        case (Type.TEXT | Type.TIMESTAMP | Type.BINARY, None):
            return ""
        case Type.TEXTS, list():
            return json.dumps(value)
        case _, list():
            return " ".join(pa.array(value).cast(pa.string()).to_pylist())
        case (Type.SHORT | Type.INT | Type.LONG, None):
            return -(2 ** {Type.SHORT: 15, Type.INT: 31, Type.LONG: 63}[kind])
        case (Type.FLOAT | Type.DOUBLE, None):
            return math.nan
        case Type.BOOLEAN, _:
            return {None: b"", True: b"T", False: b"F"}[bool(value) if value is not None else None]
        case Type.TIMESTAMP, datetime():
            return value.isoformat(timespec="microseconds")
        case Type.BINARY, bytes():
            return value.hex()
        case _:
            return value


def test_fits_says_units_and_nulls() -> None:
    columns = (ResultColumn("n", Type.LONG), ResultColumn("ra", Type.DOUBLE, unit="deg"))
    with fits.open(io.BytesIO(b"".join(write_fits(example(*columns, rows=[[1, 2.0]]))))) as hdus:
        header = hdus[1].header
    assert (header["TNULL1"], header["TUNIT2"], header["NAXIS2"]) == (-(2**63), "deg", 1)


def test_fits_refuses_more_columns_than_it_can_count() -> None:
    columns = tuple(ResultColumn(f"c{i}", Type.INT) for i in range(1000))
    with pytest.raises(TooLargeForFits, match="at most 999"):
        next(write_fits(Answer("q", columns, iter(()))))


def test_fits_keeps_no_more_than_the_query_may() -> None:
    made = example(ResultColumn("n", Type.LONG), rows=[[1]] * 2000)
    made.scratch = Scratch(max_bytes=10_000)
    with pytest.raises(TooLargeForFits, match="max_spool_bytes"):
        list(write_fits(made))


def test_fits_says_where_it_cannot_keep_rows(tmp_path: Path) -> None:
    made = example(ResultColumn("n", Type.LONG), rows=[[1]])
    made.scratch = Scratch(tmp_path / "gone")
    with pytest.raises(SpoolUnwritable, match="gone"):
        list(write_fits(made))


@pytest.mark.parametrize("form", list(FORMATS))
def test_no_rows_make_a_whole_document(form: str) -> None:
    made = example(ResultColumn("n", Type.LONG), rows=[])
    assert b"".join(FORMATS[form].write(made))


@pytest.mark.parametrize("form", sorted(set(FORMATS) - {"fits"}))
def test_rows_leave_before_the_last_ones_come(form: str) -> None:
    column = ResultColumn("n", Type.LONG)
    taken = 0

    def endless() -> Iterator[pa.RecordBatch]:
        nonlocal taken
        while taken < 100:
            taken += 1
            yield pa.RecordBatch.from_arrays([pa.array(np.arange(SLICE_ROWS))], names=["n"])

    chunks = FORMATS[form].write(Answer("q", (column,), endless()))
    size = 0
    while size < 10_000:
        size += len(next(chunks))
    assert taken <= 5


def test_big_batches_are_cut() -> None:
    batch = pa.RecordBatch.from_arrays([pa.array(np.arange(3 * SLICE_ROWS + 1))], names=["n"])
    made = Answer("q", (ResultColumn("n", Type.LONG),), iter([batch]))
    assert [piece.num_rows for piece in slices(made)] == [SLICE_ROWS] * 3 + [1]


def test_names_that_repeat_are_numbered() -> None:
    columns = [ResultColumn(name, Type.INT) for name in ("ra", "RA", "ra_2", "ra")]
    assert unique_names(columns) == ("ra", "RA_3", "ra_2", "ra_4")


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("VOTable", "votable"),
        ("application/x-votable+xml; serialization=TABLEDATA", "votable-td"),
        ("text/csv", "csv"),
        ("application/vnd.apache.parquet", "parquet"),
    ],
)
def test_formats_are_found_by_name_and_mime_type(asked: str, name: str) -> None:
    assert find_format(asked).name == name


def test_a_format_that_is_none_names_the_nearest() -> None:
    with pytest.raises(UnknownFormat, match="did you mean 'fits'"):
        find_format("fist")


def test_a_file_s_ending_names_a_format() -> None:
    from pathlib import PurePath

    found = format_of_file(PurePath("a/cone.parquet"))
    assert found is not None
    assert found.name == "parquet"
    assert format_of_file(PurePath("cone")) is None
