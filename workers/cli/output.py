"""Data to stdout, messages to stderr; colours and moving lines only on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 200


def message(text: str) -> None:
    """Say something to a person, on stderr."""
    typer.echo(text, err=True)


def emit_json(document: Mapping[str, object] | Sequence[object]) -> None:
    """Print facts as one JSON document."""
    typer.echo(json.dumps(document, indent=2, default=str))


def emit_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print facts as a table; None is shown as a dash, numbers stand on the right."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for position, heading in enumerate(headings):
        is_number = any(isinstance(row[position], int | float) for row in rows)
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("-" if cell is None else _shown(cell)) for cell in row))
    console().print(table)


def _shown(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)


def console(*, is_for_messages: bool = False) -> Console:
    """A rich console on stdout, or on stderr for messages; rich honours NO_COLOR."""
    from rich.console import Console

    stream = sys.stderr if is_for_messages else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=not stream.isatty())


def size_in_words(size: int | None) -> str | None:
    """Bytes as people write them: 1.5 GiB; None stays None."""
    if size is None:
        return None
    amount, units = float(size), iter(("B", "KiB", "MiB", "GiB", "TiB"))
    unit = next(units)
    while amount >= 1024 and unit != "TiB":
        amount, unit = amount / 1024, next(units)
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
