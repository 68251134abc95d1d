"""Rows as people see them at a terminal."""

from __future__ import annotations

import io
from datetime import datetime

from rich.console import Console

from qserv.formats.terminal import render_table
from qserv.result import ResultColumn
from schema.types import Type
from tests.qserv.formats.answers import answer_of

COLUMNS = (
    ResultColumn("objectId", Type.LONG),
    ResultColumn("ra", Type.DOUBLE, unit="deg"),
    ResultColumn("name", Type.TEXT),
)


def shown(columns: tuple[ResultColumn, ...], rows: list[list[object]], width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as captured:
        assert render_table(answer_of(columns, rows), console) == len(rows)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_table_has_names_units_and_rows() -> None:
    assert shown(COLUMNS, [[1, 10 / 3, "a"], [None, None, None]], 80) == [
        "objectId           ra  name",
        "                  deg",
        "       1  3.333333333  a",
        "       -            -  -",
    ]


def test_rows_too_wide_are_shown_a_line_a_column() -> None:
    assert shown(COLUMNS, [[1, 0.5, "abc"]], 18) == [
        "objectId  1",
        "ra        0.5  deg",
        "name      abc",
        "",
    ]


def test_every_type_has_a_look() -> None:
    when = datetime.fromisoformat("2026-01-02T03:04:05")
    columns = tuple(ResultColumn(f"c{i}", kind) for i, kind in enumerate(list(Type)[:9]))
    row = [True, 1, 2, 3, 0.1, 0.25, "t", b"\x0f", when]
    text = shown(columns, [row], 120)[-1].split()
    assert text == ["true", "1", "2", "3", "0.1", "0.25", "t", "0f", "2026-01-02T03:04:05"]


def test_text_cannot_move_the_cursor() -> None:
    (_, line) = shown((ResultColumn("t", Type.TEXT),), [["a\x1b[2Jb"]], 40)
    assert line == "a\ufffd[2Jb"


def test_arrays_are_shown_in_brackets() -> None:
    columns = (ResultColumn("p", Type.POINT), ResultColumn("t", Type.TEXTS))
    assert shown(columns, [[[10.5, -3.0], ["a", None]]], 40)[-1].split("  ") == [
        "[10.5 -3]",
        "[a NULL]",
    ]
