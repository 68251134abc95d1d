"""Rows for a person at a terminal: a table, or where it would not fit a block of lines a row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from qserv.formats.slices import slices
from qserv.result import Answer, ResultColumn
from schema.types import Type

_GAP = 2
"""Blanks between columns."""


def render_table(answer: Answer, console: Console) -> int:
    """Prints the answer's rows, all of which are held; how many there were.

    The unit stands under a column's name. Doubles are shown with 10 digits, floats with 6: other
    formats have all of them. NULL is shown as a dim dash.
    """
    rows = [row for batch in slices(answer) for row in _rows(answer.columns, batch.columns)]
    console.print(_laid_out(answer.columns, rows, console.width))
    return len(rows)


def _rows(columns: Sequence[ResultColumn], arrays: Sequence[object]) -> list[tuple[Text, ...]]:
    shown = [
        [_cell(value, column.type) for value in array.to_pylist()]  # type: ignore[attr-defined]
        for column, array in zip(columns, arrays, strict=True)
    ]
    return list(zip(*shown, strict=True))


def _cell(value: object, kind: Type) -> Text:
    match value:
        case None:
            return Text("-", style="dim")
        case bool():
            return Text("true" if value else "false")
        case float():
            return Text(f"{value:.10g}" if kind is Type.DOUBLE else f"{value:.6g}")
        case bytes():
            return Text(value.hex())
        case list():
            shown = " ".join("NULL" if item is None else _shown(item) for item in value)
            return Text(f"[{shown}]")
        case datetime():
            return Text(value.isoformat())
        case _:
            return Text(_printable(str(value)))


def _shown(item: object) -> str:
    """An element of an array."""
    return f"{item:.10g}" if isinstance(item, float) else _printable(str(item))


def _printable(text: str) -> str:
    """Text that cannot move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _laid_out(
    columns: Sequence[ResultColumn], rows: Sequence[tuple[Text, ...]], width: int
) -> RenderableType:
    widths = [
        max([len(column.name), len(column.unit or ""), *(row[i].cell_len for row in rows)])
        for i, column in enumerate(columns)
    ]
    if sum(widths) + _GAP * (len(widths) - 1) <= width:
        return _table(columns, rows)
    return _blocks(columns, rows)


def _table(columns: Sequence[ResultColumn], rows: Sequence[tuple[Text, ...]]) -> Table:
    has_units = any(column.unit for column in columns)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for column in columns:
        heading = Text(_printable(column.name))
        if has_units:
            heading.append(f"\n{_printable(column.unit or '')}", style="dim not bold")
        table.add_column(
            heading, justify="right" if column.type.is_numeric else "left", no_wrap=True
        )
    for row in rows:
        table.add_row(*row)
    return table


def _blocks(columns: Sequence[ResultColumn], rows: Sequence[tuple[Text, ...]]) -> Group:
    """Name, value and unit a line, an empty line after each row."""
    blocks: list[RenderableType] = []
    for row in rows:
        block = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=False)
        block.add_column(style="bold", no_wrap=True)
        block.add_column(overflow="fold")
        block.add_column(style="dim", no_wrap=True)
        for column, cell in zip(columns, row, strict=True):
            block.add_row(_printable(column.name), cell, _printable(column.unit or ""))
        blocks += [block, Text("")]
    return Group(*blocks)
