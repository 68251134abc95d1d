"""CSV and TSV: a line of names, then a line a row.

NULL is an empty field and an empty text is `""`; fields are quoted where they must be (RFC 4180).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pyarrow as pa
from pyarrow import csv as arrow_csv

from qserv.formats.cells import hexadecimal, timestamp_text
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
    options = arrow_csv.WriteOptions(include_header=False, delimiter=delimiter)
    kinds = [column.type for column in answer.columns]
    for batch in slices(answer):
        sink = io.BytesIO()
        columns = [_printable(batch.column(i), kind) for i, kind in enumerate(kinds)]
        named = pa.table(columns, names=[f"c{i}" for i in range(len(columns))])
        arrow_csv.write_csv(named, sink, options)
        yield sink.getvalue()


def _printable(values: pa.Array, kind: Type) -> pa.Array:
    if kind is Type.TIMESTAMP:
        return timestamp_text(values)
    return hexadecimal(values) if kind is Type.BINARY else values
