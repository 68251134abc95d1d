"""COPY BINARY as PostgreSQL's manual, section "COPY", describes it."""

from __future__ import annotations

import struct

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.parts.encode import CopyStream
from schema.types import SPELLINGS, Type

EPOCH_US = 946_684_800_000_000
"""2000-01-01, PostgreSQL's epoch, in microseconds from 1970."""
VALUES: dict[Type, st.SearchStrategy[object]] = {
    Type.BOOLEAN: st.booleans(),
    Type.SHORT: st.integers(-(2**15), 2**15 - 1),
    Type.INT: st.integers(-(2**31), 2**31 - 1),
    Type.LONG: st.integers(-(2**63), 2**63 - 1),
    Type.FLOAT: st.floats(width=32, allow_nan=False),
    Type.DOUBLE: st.floats(allow_nan=False),
    Type.TEXT: st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20),
    Type.BINARY: st.binary(max_size=20),
    Type.TIMESTAMP: st.integers(-(10**17), 10**17),
}
FORMATS = {
    Type.BOOLEAN: "?",
    Type.SHORT: "h",
    Type.INT: "i",
    Type.LONG: "q",
    Type.FLOAT: "f",
    Type.DOUBLE: "d",
}
VALUES |= {
    kind: st.lists(st.none() | VALUES[kind.element], max_size=3) for kind in Type if kind.element
}
ROWS = st.lists(st.tuples(*(st.none() | VALUES[kind] for kind in Type)), max_size=20)


def table(rows: list[tuple[object, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(Type)
    arrays = [
        pa.array(values, pa.int64()).cast(pa.timestamp("us"))
        if kind is Type.TIMESTAMP
        else pa.array(values, SPELLINGS[kind].arrow)
        for kind, values in zip(Type, columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, names=list(Type))


def decoded(stream: bytes) -> list[tuple[object, ...]]:
    """The rows of a COPY BINARY stream whose columns are of each Type in turn."""
    assert stream[:19] == b"PGCOPY\n\xff\r\n\0" + bytes(8)
    at, rows = 19, []
    while (count := struct.unpack_from(">h", stream, at)[0]) != -1:
        assert count == len(Type)
        at += 2
        row: list[object] = []
        for kind in Type:
            size = struct.unpack_from(">i", stream, at)[0]
            at += 4
            row.append(None if size < 0 else field(kind, stream[at : at + size]))
            at += max(size, 0)
        rows.append(tuple(row))
    assert stream[at:] == b"\xff\xff"
    return rows


def array(kind: Type, content: bytes) -> list[object]:
    """The elements of an array of one dimension (PostgreSQL's `array_send`)."""
    dimensions, _, _ = struct.unpack_from(">iii", content)
    if not dimensions:
        return []
    assert dimensions == 1
    (count,), at, found = struct.unpack_from(">i", content, 12), 20, []
    for _ in range(count):
        (size,) = struct.unpack_from(">i", content, at)
        found.append(None if size < 0 else field(kind, content[at + 4 : at + 4 + size]))
        at += 4 + max(size, 0)
    return found


def field(kind: Type, content: bytes) -> object:
    if kind.element is not None:
        return array(kind.element, content)
    if kind is Type.TEXT:
        return content.decode()
    if kind is Type.BINARY:
        return content
    if kind is Type.TIMESTAMP:
        return struct.unpack(">q", content)[0] + EPOCH_US
    return struct.unpack(">" + FORMATS[kind], content)[0]


def drained(stream: CopyStream, size: int) -> bytes:
    return b"".join(iter(lambda: stream.read(size), b""))


@settings(deadline=None)
@given(ROWS, st.integers(1, 100))
def test_every_value_of_every_type_is_encoded(rows: list[tuple[object, ...]], size: int) -> None:
    assert decoded(drained(CopyStream(table(rows)), size)) == rows


def test_empty_pieces_do_not_end_the_stream() -> None:
    arrays = [["a"] if kind is Type.TEXTS else [1] for kind in Type if kind.element]
    row = (True, 1, 2, 3, 0.5, 0.25, "a", b"b", 5, *arrays)
    one = table([row])
    pieces = pa.concat_tables([one, one.slice(0, 0), one.slice(1), one])
    assert decoded(drained(CopyStream(pieces), 1 << 20)) == [row, row]
