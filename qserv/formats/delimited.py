"""CSV and TSV: a line of names, then a line a row.

NULL is an empty field and an empty text is `""`; a field is quoted where it must be (RFC 4180).
Where there is one column only, its NULL is `""` too: readers skip empty lines.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from qserv.formats.cells import as_text, bytes_of
from qserv.formats.slices import slices
from qserv.result import Answer
from schema.types import Type


def write_csv(answer: Answer) -> Iterator[bytes]:
    """Comma-separated values."""
    return _write(answer, ",")


def write_tsv(answer: Answer) -> Iterator[bytes]:
    """Tab-separated values."""
    return _write(answer, "\t")


def _write(answer: Answer, delimiter: str) -> Iterator[bytes]:
    header = io.StringIO()
    names = [column.name for column in answer.columns]
    csv.writer(header, delimiter=delimiter, lineterminator="\n").writerow(names)
    yield header.getvalue().encode()
    for batch in slices(answer):
        cells = [
            _cells(batch.column(i), column.type, delimiter)
            for i, column in enumerate(answer.columns)
        ]
        filled = [pc.fill_null(column, "") for column in cells]
        if len(filled) == 1:
            filled = [pc.if_else(pc.equal(filled[0], ""), '""', filled[0])]
        joined = pc.binary_join_element_wise(*filled, delimiter)
        yield bytes_of(pc.binary_join_element_wise(joined, "\n", ""))


def _cells(values: pa.Array, kind: Type, delimiter: str) -> pa.StringArray:
    text = as_text(values, kind)
    if kind not in (Type.TEXT, Type.TEXTS):
        return text
    needs_quotes = pc.match_substring_regex(text, f'^$|[{delimiter}"\r\n]|^ | $')
    if not pc.any(needs_quotes).as_py():
        return text
    doubled = pc.replace_substring(text, '"', '""')
    return pc.if_else(needs_quotes, pc.binary_join_element_wise('"', doubled, '"', ""), text)
