"""VOTables are read back by astropy as they were written."""

from __future__ import annotations

import base64
import io
import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from astropy.io.votable import parse, validate
from hypothesis import given, settings

from qserv.formats import binary2
from qserv.formats.votable import write_binary, write_binary2, write_tabledata
from qserv.formats.votable_frame import error_document
from qserv.result import Answer, ResultColumn
from schema.errors import StoreError
from schema.types import Type
from tests.qserv.formats.answers import XML_TEXT, answer_of, columns_and_rows, example

Write = Callable[[Answer], Iterator[bytes]]


def read_back(document: bytes) -> list[list[object]]:
    """The cells of a VOTable's first table; None where masked."""
    table = parse(io.BytesIO(document)).get_first_table()
    # By columns: numpy cannot walk a masked row that holds arrays.
    columns = [[_plain(value) for value in table.array[name]] for name in table.array.dtype.names]
    return [list(row) for row in zip(*columns, strict=True)]


def _plain(value: object) -> object:
    """A masked scalar as None; arrays as lists, for VOTable has no NULL among them."""
    if np.ma.is_masked(value) and np.ndim(value) == 0:  # type: ignore[call-overload]
        return None
    return value.tolist() if hasattr(value, "tolist") else value


def expected(columns: tuple[ResultColumn, ...], rows: list[list[object]]) -> list[list[object]]:
    """What astropy makes of the cells: no NULL texts, timestamps as texts, bytes as numbers."""
    return [[_as_votable(c.type, v) for c, v in zip(columns, row, strict=True)] for row in rows]


def _as_votable(kind: Type, value: object) -> object:
    match kind, value:
        case (Type.TEXT | Type.TIMESTAMP | Type.TEXTS, None):
            return ""
        case (Type.POINT | Type.CIRCLE | Type.INTERVAL, None):
            return [None] * (3 if kind is Type.CIRCLE else 2)
        case Type.TEXTS, list():
            return json.dumps(value)
        case Type.TIMESTAMP, datetime():
            return value.isoformat(timespec="microseconds")
        case Type.BINARY, bytes():
            return list(value)
        case _:
            return value


@pytest.mark.parametrize("write", [write_binary2, write_binary, write_tabledata])
@given(made=columns_and_rows(XML_TEXT.filter(lambda text: text == text.strip())))
@settings(max_examples=50, deadline=None)
def test_every_type_comes_back(
    write: Write, made: tuple[tuple[ResultColumn, ...], list[list[object]]]
) -> None:
    columns, rows = made
    document = b"".join(write(answer_of(columns, rows)))
    assert _comparable(read_back(document)) == _comparable(expected(columns, rows))


def _comparable(rows: list[list[object]]) -> list[list[object]]:
    """`char` as text; an empty array like NULL; -0.0 and 0.0 told apart by their sign."""
    return [[_text_of(cell) for cell in row] for row in rows]


def _text_of(cell: object) -> object:
    if isinstance(cell, bytes):
        return cell.decode()
    if cell == []:
        return None
    if isinstance(cell, list):
        return repr(cell)
    if isinstance(cell, float):
        return (cell, math.copysign(1.0, cell))
    return cell


COLUMNS = (
    ResultColumn("ra", Type.DOUBLE, unit="deg", ucd="pos.eq.ra", utype="a:b", description="1 < 2"),
    ResultColumn("ra", Type.TEXT),
)


@pytest.mark.parametrize("write", [write_binary2, write_binary, write_tabledata])
def test_columns_say_what_they_are(write: Write) -> None:
    table = parse(io.BytesIO(b"".join(write(answer_of(COLUMNS, []))))).get_first_table()
    field = table.fields[0]
    assert (field.name, str(field.unit), field.ucd) == ("ra", "deg", "pos.eq.ra")
    assert table.fields[1].name == "ra_2"
    assert (field.utype, field.description) == ("a:b", "1 < 2")
    assert (table.fields[1].datatype, table.fields[1].arraysize) == ("unicodeChar", "*")


def test_timestamps_are_marked_as_such() -> None:
    stamp = answer_of(
        (ResultColumn("t", Type.TIMESTAMP),),
        [[datetime.fromisoformat("2026-01-02T03:04:05.000006")]],
    )
    document = b"".join(write_tabledata(stamp))
    assert b'datatype="char" arraysize="*" xtype="timestamp"' in document
    assert b"<TD>2026-01-02T03:04:05.000006</TD>" in document


@pytest.mark.parametrize("write", [write_binary2, write_binary, write_tabledata])
def test_documents_are_valid(write: Write) -> None:
    made = answer_of(COLUMNS, [[1.5, "a&b"], [None, "<"]])
    made.overflowed = True
    made.warnings.append("the coordinator is away")
    report = io.StringIO()
    assert validate(io.BytesIO(b"".join(write(made))), output=report, xmllint=False), (
        report.getvalue()
    )


def statuses(document: bytes) -> list[str]:
    return re.findall('name="QUERY_STATUS" value="([A-Z]+)"', document.decode())


def test_an_overflow_is_told_after_the_table() -> None:
    made = answer_of(COLUMNS, [[1.0, "x"]])
    made.overflowed = True
    document = b"".join(write_binary2(made))
    assert statuses(document) == ["OK", "OVERFLOW"]
    assert document.index(b"OVERFLOW") > document.index(b"</TABLE>")


@pytest.mark.parametrize("write", [write_binary2, write_binary, write_tabledata])
def test_a_failure_ends_the_document_with_error(write: Write) -> None:
    def failing() -> Iterator[pa.RecordBatch]:
        yield from answer_of(COLUMNS, [[1.0, "x"]]).batches
        raise StoreError("part 7 <is> gone")

    document = b"".join(write(Answer("q", COLUMNS, failing())))
    infos = parse(io.BytesIO(document)).resources[0].infos
    assert statuses(document) == ["OK", "ERROR"]
    assert infos[-1].content == "part 7 <is> gone"
    assert read_back(document) == [[1.0, "x"]]


def test_an_error_document_tells_its_facts() -> None:
    infos = (
        parse(io.BytesIO(error_document("no & yes", {"line": 3, "column": None})))
        .resources[0]
        .infos
    )
    assert [(info.name, info.value) for info in infos] == [("QUERY_STATUS", "ERROR"), ("line", "3")]


def test_the_pinned_snapshots_are_told() -> None:
    made = answer_of(COLUMNS, [])
    made.snapshots = (("dp1", 3), ("users", 12))
    assert b'name="SNAPSHOT" value="dp1@3 users@12"' in b"".join(write_binary2(made))


def test_base64_is_padded_at_the_end_only() -> None:
    made = answer_of((ResultColumn("n", Type.SHORT),), [[n] for n in range(7)], cut=1)
    document = b"".join(write_binary2(made))
    stream = document.split(b'encoding="base64">')[1].split(b"</STREAM>")[0]
    rows = base64.b64decode(stream.replace(b"\n", b""), validate=True)
    assert rows == b"".join(b"\0" + n.to_bytes(2, "big") for n in range(7))


def test_a_row_is_mask_then_cells() -> None:
    columns = (
        ResultColumn("a", Type.INT),
        ResultColumn("b", Type.TEXT),
        ResultColumn("c", Type.BOOLEAN),
    )
    made = example(*columns, rows=[[None, "é\U0001d11e", True]])
    (batch,) = [batch for batch in made.batches if batch.num_rows]
    assert binary2.encode_rows(batch, columns) == (
        b"\x80" + b"\x80\0\0\0" + b"\0\0\0\3" + "é\U0001d11e".encode("utf-16-be") + b"T"
    )


def test_characters_that_xml_cannot_hold_are_replaced() -> None:
    made = answer_of((ResultColumn("t", Type.TEXT),), [["a\x01b\rc"]])
    assert read_back(b"".join(write_tabledata(made))) == [["a\ufffdb\rc"]]


def test_binary_declares_the_number_that_is_null() -> None:
    columns = (ResultColumn("a", Type.SHORT), ResultColumn("x", Type.FLOAT))
    document = b"".join(write_binary(answer_of(columns, [[None, None], [3, 1.5]])))
    assert document.count(b"<VALUES") == 1
    assert b'datatype="short"><VALUES null="-32768"/></FIELD>' in document
    rows = read_back(document)
    assert rows[1] == [3, 1.5]
    assert rows[0][0] is None
