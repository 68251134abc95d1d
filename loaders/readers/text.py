r"""CSV, TSV and ECSV files, plain or gzipped, streamed; every cell is read as text.

NULL is `\N`, or an empty cell without quotes; a quoted empty cell is an empty text. Without a header
the columns are those of the table, in its order.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv

from loaders.readers.encoding import as_latin1, back, checked, column_back
from loaders.readers.source import BATCH_BYTES, BadLine, SourceBatch, UnreadableFile
from schema.catalog import Table

_HEAD_LINES = 10_000
"""An ECSV header of more lines is refused."""
_ECSV_DELIMITER = re.compile(r"^#\s*-?\s*delimiter:\s*['\"]?(.)['\"]?\s*$")


@dataclass(frozen=True, slots=True)
class TextSource:
    """A delimited text file; `skip` lines stand before the rows."""

    path: Path
    names: tuple[str, ...]
    delimiter: str
    skip: int
    raw: frozenset[str] = frozenset()
    """Columns whose bytes need not be text."""
    unescaped: Callable[[IO[bytes]], IO[bytes]] | None = None
    """Reads a stream whose backslashes escape, and where nothing is quoted (see `loaders.readers.dump`)."""

    def batches(self, wanted: Sequence[str]) -> Iterator[SourceBatch]:
        """The rows as text; a line with another number of fields becomes a BadLine.

        A column of a batch that is not all UTF-8 comes as bytes.
        """
        last = 0
        try:
            for batch in self._read(wanted, is_utf8=True):
                last += len(batch.numbers) + len(batch.bad)
                yield batch
        except UnicodeDecodeError:
            # Arrow's reader would give up at a bad line that is not UTF-8. What is read already is not
            # given again.
            for batch in self._read(wanted, is_utf8=False):
                rest = _after(batch, last)
                if len(rest.numbers) or rest.bad:
                    yield rest

    def _read(self, wanted: Sequence[str], *, is_utf8: bool) -> Iterator[SourceBatch]:
        bad: list[BadLine] = []
        first = 1
        try:
            with pa.input_stream(self.path) as stream:
                reader = _open(stream, self, wanted, bad=bad, is_utf8=is_utf8)
                for rows in reader:
                    batch = _numbered(rows, first, tuple(bad))
                    first += rows.num_rows + len(bad)
                    bad.clear()
                    yield batch if is_utf8 else _meant(batch)
        except (pa.ArrowException, OSError) as error:
            if not (isinstance(error, pa.ArrowInvalid) and "Empty CSV" in str(error)):
                raise UnreadableFile(self.path, str(error)) from error
        if bad:
            rows = pa.RecordBatch.from_pylist([], pa.schema([(n, pa.string()) for n in wanted]))
            batch = _numbered(rows, first, tuple(bad))
            yield batch if is_utf8 else _meant(batch)


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
    stream: pa.NativeFile,
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

    has_escapes = source.unescaped is not None
    plain = source.unescaped(stream) if source.unescaped else stream
    if not is_utf8:
        plain = as_latin1(plain)
    elif not source.raw:
        plain = checked(plain)
    return pc_csv.open_csv(
        plain,
        read_options=pc_csv.ReadOptions(
            column_names=list(source.names),
            skip_rows=source.skip,
            block_size=BATCH_BYTES // 4,
            use_threads=False,
        ),
        parse_options=pc_csv.ParseOptions(
            delimiter=source.delimiter,
            quote_char=False if has_escapes else '"',
            escape_char="\\" if has_escapes else False,
            invalid_row_handler=keep_bad,
            newlines_in_values=True,
        ),
        convert_options=pc_csv.ConvertOptions(
            include_columns=list(wanted),
            column_types={n: pa.binary() if n in source.raw else pa.string() for n in wanted},
            null_values=["\\N"] if has_escapes else ["\\N", ""],
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


def open_text(path: Path, table: Table, columns: Sequence[str] = ()) -> TextSource:
    """Open a delimited text file.

    `columns` names its columns where it has no header and is not in the table's order. Fields after
    the last column of the table are named `field <n>`.
    """
    skip, delimiter, line = _head(path)
    delimiter = delimiter or guess_delimiter(path, line)
    fields = [field.strip().strip('"') for field in line.rstrip("\r\n").split(delimiter)]
    if not columns and _is_header(fields, table):
        return TextSource(path, tuple(fields), delimiter, skip + 1)
    names = list(columns) or [column.name for column in table.columns]
    if line and len(fields) < len(names):
        dump = "; a dump whose backslashes escape is named *.outfile" if "\\" in line else ""
        raise UnreadableFile(
            path,
            f"it has no header and {len(fields)} fields a line; {table.name} has {len(names)}"
            f" columns{dump}",
        )
    names += [f"field {n}" for n in range(len(names) + 1, len(fields) + 1)]
    return TextSource(path, tuple(names), delimiter, skip)


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


def _head(path: Path) -> tuple[int, str | None, str]:
    """How many comment lines stand first, the delimiter they declare, and the line after them."""
    delimiter, skip, line = None, 0, ""
    is_ecsv = ".ecsv" in path.suffixes
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8-sig", errors="replace") as file:
            for line in file:
                if not (is_ecsv and line.startswith("#")) or skip >= _HEAD_LINES:
                    break
                skip += 1
                if declared := _ECSV_DELIMITER.match(line):
                    delimiter = declared[1]
            else:
                line = ""
    except (OSError, EOFError) as error:
        raise UnreadableFile(path, str(error)) from error
    return skip, delimiter or (" " if is_ecsv else None), line


def guess_delimiter(path: Path, line: str) -> str:
    """Tabs in a `.tsv`; else whichever of , tab ; | occurs most in the first line."""
    if ".tsv" in path.suffixes:
        return "\t"
    return max(",\t;|", key=line.count)
