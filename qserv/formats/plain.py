"""Plain text for reading: columns side by side, numbers to the right, units below the names.

A column is as wide as its name, its unit and the rows of the first slice; a longer cell further on
moves what follows it in its own row. NULL is a `-`; line ends in texts are written as `\\n`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from qserv.formats.cells import as_text, bytes_of
from qserv.formats.slices import slices
from qserv.result import Answer, ResultColumn

_GAP = "  "
_MOST_WIDTH = 60
"""Of a column, characters; longer texts are written whole, but others are not moved for their sake."""


def write_text(answer: Answer) -> Iterator[bytes]:
    """A heading, then a line a row; where a limit cut the rows, a last line says so."""
    columns, widths = answer.columns, None
    for batch in slices(answer):
        cells = [_cells(batch.column(i), column) for i, column in enumerate(columns)]
        if widths is None:
            widths = [_width(*pair) for pair in zip(columns, cells, strict=True)]
            yield _heading(columns, widths)
        padded = [_padded(*three) for three in zip(columns, cells, widths, strict=True)]
        lines = pc.binary_join_element_wise(*padded, _GAP)
        yield bytes_of(pc.binary_join_element_wise(pc.utf8_rtrim_whitespace(lines), "\n", ""))
    if widths is None:
        yield _heading(columns, [_width(column) for column in columns])
    if answer.overflowed:
        yield b"# A limit cut the rows; there are more.\n"


def _cells(values: pa.Array, column: ResultColumn) -> pa.StringArray:
    text = pc.fill_null(as_text(values, column.type), "-")
    for character, shown in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = pc.replace_substring(text, character, shown)
    return pc.replace_substring_regex(text, "[\\x00-\\x1f\\x7f-\\x{9f}]", "\ufffd")


def _width(column: ResultColumn, cells: pa.StringArray | None = None) -> int:
    longest = 0 if cells is None else pc.max(pc.utf8_length(cells)).as_py()
    return max(min(longest, _MOST_WIDTH), len(column.name), len(column.unit or ""))


def _padded(column: ResultColumn, cells: pa.StringArray, width: int) -> pa.StringArray:
    pad = pc.utf8_lpad if column.type.is_numeric else pc.utf8_rpad
    return pad(cells, width)


def _heading(columns: Sequence[ResultColumn], widths: Sequence[int]) -> bytes:
    """Names, units where there are any, a rule."""
    lines = [[column.name for column in columns]]
    if any(column.unit for column in columns):
        lines.append([column.unit or "" for column in columns])
    lines.append(["-" * width for width in widths])
    return b"".join(_line(columns, cells, widths) for cells in lines)


def _line(columns: Sequence[ResultColumn], cells: Sequence[str], widths: Sequence[int]) -> bytes:
    padded = (
        cell.rjust(width) if column.type.is_numeric else cell.ljust(width)
        for column, cell, width in zip(columns, cells, widths, strict=True)
    )
    return f"{_GAP.join(padded).rstrip()}\n".encode()
