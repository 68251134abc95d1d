"""VOTable: BINARY2 for programs, BINARY for old ones, TABLEDATA for eyes.

A failure after the first byte closes the document with QUERY_STATUS=ERROR, so that a client learns
why its table is short (DALI 1.1, section 4.4).
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from qserv.formats import votable_frame
from qserv.formats.binary2 import encode_rows, null_number
from qserv.formats.cells import as_text, bytes_of
from qserv.formats.slices import slices
from qserv.result import Answer, ResultColumn
from schema.errors import SkyshardError
from schema.types import Type


def write_binary2(answer: Answer) -> Iterator[bytes]:
    """A VOTable whose rows are base64 of big-endian records."""
    opening = b'<DATA><BINARY2><STREAM encoding="base64">\n'
    closing = b"</STREAM></BINARY2></DATA>\n"
    return _document(votable_frame.head(answer) + opening, answer, _base64_rows, closing)


def write_binary(answer: Answer) -> Iterator[bytes]:
    """The same without a mask of NULLs: a whole number that is NULL is its type's smallest."""
    opening = (
        votable_frame.head(answer, null_number) + b'<DATA><BINARY><STREAM encoding="base64">\n'
    )
    rows = partial(_base64_rows, with_mask=False)
    return _document(opening, answer, rows, b"</STREAM></BINARY></DATA>\n")


def write_tabledata(answer: Answer) -> Iterator[bytes]:
    """A VOTable whose rows are elements; NULL is an empty one."""
    opening = votable_frame.head(answer) + b"<DATA><TABLEDATA>\n"
    return _document(opening, answer, _element_rows, b"</TABLEDATA></DATA>\n")


def _document(
    opening: bytes, answer: Answer, rows: Callable[[Answer], Iterator[bytes]], closing: bytes
) -> Iterator[bytes]:
    yield opening
    try:
        yield from rows(answer)
    except SkyshardError as error:
        yield closing + votable_frame.failed_tail(str(error))
        return
    yield closing + votable_frame.tail(answer)


def _base64_rows(answer: Answer, *, with_mask: bool = True) -> Iterator[bytes]:
    """Lines of base64; only the last one is padded, where an error or the end follows."""
    rest = b""
    try:
        for batch in slices(answer):
            encoded = rest + encode_rows(batch, answer.columns, with_mask=with_mask)
            whole = len(encoded) - len(encoded) % 3
            rest = encoded[whole:]
            yield binascii.b2a_base64(memoryview(encoded)[:whole])
    except SkyshardError:
        yield binascii.b2a_base64(rest)
        raise
    yield binascii.b2a_base64(rest)


def _element_rows(answer: Answer) -> Iterator[bytes]:
    for batch in slices(answer):
        cells = [_cells(batch.column(i), column) for i, column in enumerate(answer.columns)]
        joined = pc.binary_join_element_wise(*cells, "</TD><TD>")
        yield bytes_of(pc.binary_join_element_wise("<TR><TD>", joined, "</TD></TR>\n", ""))


_REFERENCES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;"))


def _cells(values: pa.Array, column: ResultColumn) -> pa.StringArray:
    text = as_text(values, column.type, infinity="Inf")
    if column.type is Type.BINARY:
        text = _spaced(values)
    if column.type in (Type.TEXT, Type.TEXTS):
        for character, reference in _REFERENCES:
            text = pc.replace_substring(text, character, reference)
        text = pc.replace_substring_regex(
            text, "[\\x{0}-\\x{8}\\x{b}\\x{c}\\x{e}-\\x{1f}\\x{fffe}\\x{ffff}]", "\ufffd"
        )
    return pc.fill_null(text, "")


def _spaced(values: pa.BinaryArray) -> pa.StringArray:
    """An unsignedByte array as TABLEDATA has it: decimal numbers with blanks between."""
    rows = [None if row is None else " ".join(map(str, row)) for row in values.to_pylist()]
    return pa.array(rows, pa.string())
