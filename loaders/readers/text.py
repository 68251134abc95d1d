r"""Delimited text: CSV, TSV, ECSV and databases' dumps, streamed; every cell is read as text.

NULL is `\N`, or an empty cell without quotes; a quoted empty cell is an empty text. In dumps
(`*.outfile`) backslashes escape, nothing is quoted, and an empty cell is an empty text. A form may say
otherwise of each. Without a header the columns are those of the table, in its order.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv

from loaders.readers.dump import DELIMITER, needs_translation
from loaders.readers.encoding import as_latin1, back, checked, column_back
from loaders.readers.form import Form, FormRefused, Piece
from loaders.readers.head import Head, plain_stream, read_head
from loaders.readers.source import BATCH_BYTES, BadLine, SourceBatch, UnreadableFile
from schema.catalog import Table
from schema.types import Type

_EMPTY = ("\\N", "")
_NO_EMPTY = ("\\N",)


@dataclass(frozen=True, slots=True)
class TextSource:
    """A delimited text file, of whose form everything is known; `skip` lines stand before the rows."""

    path: Path
    names: tuple[str, ...]
    form: Form
    skip: int
    raw: frozenset[str] = frozenset()
    """Columns whose bytes need not be text."""
    piece: Piece | None = None

    def batches(self, wanted: Sequence[str]) -> Iterator[SourceBatch]:
        """The rows as text; a line with another number of fields becomes a BadLine.

        A column of a batch that is not all UTF-8 comes as bytes.
        """
        last = 0
        try:
            for batch in self._read(wanted, is_utf8=True):
                last = max(last, *batch.numbers[-1:].tolist(), *(line.number for line in batch.bad))
                yield batch
        except UnicodeDecodeError as error:
            if error.encoding != "utf-8":
                raise UnreadableFile(self.path, f"it is not {error.encoding}: {error}") from error
            # Arrow's reader would give up at a bad line that is not UTF-8. What is read already is not
            # given again.
            for batch in self._read(wanted, is_utf8=False):
                rest = _after(batch, last)
                if len(rest.numbers) or rest.bad:
                    yield rest

    def _read(self, wanted: Sequence[str], *, is_utf8: bool) -> Iterator[SourceBatch]:
        bad: list[BadLine] = []
        first = 1 + (self.piece.rows_before if self.piece else 0)
        start = first - 1
        try:
            with plain_stream(self.path, self.form, self.piece) as stream:
                for rows in _open(stream, self, wanted, bad=bad, is_utf8=is_utf8):
                    batch = _numbered(rows, first, _moved(bad, start))
                    first += rows.num_rows + len(bad)
                    bad.clear()
                    yield batch if is_utf8 else _meant(batch)
        except (pa.ArrowException, OSError, EOFError) as error:
            if not (isinstance(error, pa.ArrowInvalid) and "Empty CSV" in str(error)):
                raise UnreadableFile(self.path, str(error)) from error
        if bad:
            rows = pa.RecordBatch.from_pylist([], pa.schema([(n, pa.string()) for n in wanted]))
            batch = _numbered(rows, first, _moved(bad, start))
            yield batch if is_utf8 else _meant(batch)


def _moved(bad: Sequence[BadLine], rows: int) -> tuple[BadLine, ...]:
    """Bad lines of a piece, numbered as in the file."""
    return tuple(replace(line, number=line.number + rows) for line in bad)


def _after(batch: SourceBatch, last: int) -> SourceBatch:
    """The rows and bad lines of a batch beyond a number."""
    skipped = int(np.searchsorted(batch.numbers, last, "right"))
    bad = tuple(line for line in batch.bad if line.number > last)
    return SourceBatch(batch.rows.slice(skipped), batch.numbers[skipped:], bad)


def _meant(batch: SourceBatch) -> SourceBatch:
    """A batch that was read as if it were Latin-1."""
    columns = [column_back(column) for column in batch.rows.columns]
    rows = pa.RecordBatch.from_arrays(columns, batch.rows.schema.names)
    bad = tuple(BadLine(line.number, line.reason, back(line.text)) for line in batch.bad)
    return SourceBatch(rows, batch.numbers, bad)


def _open(
    stream: IO[bytes],
    source: TextSource,
    wanted: Sequence[str],
    *,
    bad: list[BadLine],
    is_utf8: bool,
) -> pc_csv.CSVStreamingReader:
    def keep_bad(row: pc_csv.InvalidRow) -> str:
        number = -1 if row.number is None else row.number - source.skip
        reason = f"{row.actual_columns} fields, {row.expected_columns} expected"
        bad.append(BadLine(number, reason, row.text or ""))
        return "skip"

    form = source.form
    if not is_utf8:
        stream = as_latin1(stream)
    elif not source.raw:
        stream = checked(stream)
    return pc_csv.open_csv(
        stream,
        read_options=pc_csv.ReadOptions(
            column_names=list(source.names),
            skip_rows=source.skip,
            block_size=BATCH_BYTES // 4,
            use_threads=False,
        ),
        parse_options=pc_csv.ParseOptions(
            delimiter=form.delimiter if len(form.delimiter.encode()) == 1 else DELIMITER,
            quote_char=form.quote or False,
            escape_char="\\" if needs_translation(form) else False,
            invalid_row_handler=keep_bad,
            newlines_in_values=True,
        ),
        convert_options=pc_csv.ConvertOptions(
            include_columns=list(wanted),
            column_types={n: pa.binary() if n in source.raw else pa.string() for n in wanted},
            null_values=list(form.nulls or ()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _numbered(rows: pa.RecordBatch, first: int, bad: tuple[BadLine, ...]) -> SourceBatch:
    """Rows numbered around the bad lines that were skipped among them."""
    numbers = np.arange(first, first + rows.num_rows + len(bad), dtype=np.int64)
    skipped = np.array([line.number for line in bad], dtype=np.int64)
    numbers = numbers[~np.isin(numbers, skipped)]
    return SourceBatch(rows, numbers[: rows.num_rows], bad)


def open_text(path: Path, table: Table, form: Form, piece: Piece | None = None) -> TextSource:
    """Open a delimited text file; `form.format` says which.

    Where it has no header its columns are `form.columns`, else the table's. Fields after the last column
    of the table are named `field <n>`.
    """
    form = _settled(form)
    head = read_head(path, form)
    form = replace(form, delimiter=head.delimiter)
    fields = _fields(head, form)
    has_header = form.header
    if has_header is None:
        is_dump = form.format == "outfile"
        has_header = not form.columns and not is_dump and _is_header(fields, table)
    names = list(form.columns) or [column.name for column in table.columns]
    if has_header and not form.columns:
        names = fields
    elif 0 < len(fields) < len(names):
        raise UnreadableFile(path, _too_few(fields, names, table, form))
    names += [f"field {n}" for n in range(len(names) + 1, len(fields) + 1)]
    if len(set(names)) < len(names):
        raise UnreadableFile(path, "two of its columns have one name")
    skip = head.skip + bool(has_header)
    if piece is not None and piece.first:
        skip = 0
    return TextSource(path, tuple(names), form, skip, _raw(names, table, form), piece)


def _settled(form: Form) -> Form:
    """The form with everything that its format says of quotes, escapes and NULL."""
    is_dump = form.format == "outfile"
    escape = form.escape if form.escape is not None else "\\" if is_dump else ""
    quote = form.quote if form.quote is not None else "" if is_dump else '"'
    if form.quote is None and (len(form.delimiter) > 1 or form.has_own_line_end):
        quote = ""
    nulls = form.nulls if form.nulls is not None else _NO_EMPTY if is_dump else _EMPTY
    try:
        return replace(form, escape=escape, quote=quote, nulls=nulls)
    except FormRefused as error:
        raise FormRefused(f"{error} (a {form.format} file)") from None


def _raw(names: Sequence[str], table: Table, form: Form) -> frozenset[str]:
    """Columns of bytes, where escapes can write any."""
    if not form.escape:
        return frozenset()
    found = ((name, table.column(name)) for name in names)
    return frozenset(name for name, c in found if c is not None and c.type is Type.BINARY)


def _too_few(fields: Sequence[str], names: Sequence[str], table: Table, form: Form) -> str:
    if form.format == "outfile":
        return f"it has {len(fields)} fields a record; {table.name} has {len(names)} columns"
    is_dump = any("\\" in field for field in fields)
    dump = "; a dump whose backslashes escape is named *.outfile" if is_dump else ""
    return f"it has no header and {len(fields)} fields a line; {table.name} has {len(names)} columns{dump}"


def _fields(head: Head, form: Form) -> list[str]:
    """The fields of the first line; none of an empty file."""
    if not head.line:
        return []
    sign = form.delimiter if len(form.delimiter.encode()) == 1 else DELIMITER
    line = head.line.rstrip("\r\n")
    if needs_translation(form):
        line = re.sub(r"\\(.)", _unescaped, line, flags=re.DOTALL)
    if "\n" in line:
        found = line.split(sign)
    else:
        try:
            (found,) = csv.reader(
                [line],
                delimiter=sign,
                quotechar=form.quote or None,
                quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
            )
        except (csv.Error, ValueError):
            found = line.split(sign)
    return [field.strip().strip(form.quote or " ") for field in found]


def _unescaped(found: re.Match[str]) -> str:
    """A character behind a backslash, unless it would part fields."""
    return found[1] if found[1].isalnum() else ""


def _is_header(fields: Sequence[str], table: Table) -> bool:
    """Whether a first line names columns: those that must be there, or any, and holds no number."""
    named = {column.name for field in fields if (column := table.column(field)) is not None}
    needed = {column.name for column in table.columns if not column.nullable}
    if needed and needed <= named:
        return True
    return bool(named) and not any(_is_number(field) for field in fields)


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
