"""Text and HTML: what a person reads, and what a text's own characters cannot do to it."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from typing_extensions import override

from qserv.formats.html import write_html
from qserv.formats.plain import write_text
from qserv.formats.registry import FORMATS, find_format
from qserv.result import Answer, ResultColumn
from schema.types import Type
from tests.qserv.formats.answers import XML_TEXT, answer_of, columns_and_rows

COLUMNS = (
    ResultColumn("objectId", Type.LONG),
    ResultColumn("ra", Type.DOUBLE, unit="deg", description="Right ascension <ICRS>"),
    ResultColumn("note", Type.TEXT),
)
ROWS = [[7, 150.25, "a"], [123456, None, "two\nlines"], [-1, 0.5, None]]


def test_text_stands_in_columns() -> None:
    text = b"".join(write_text(answer_of(COLUMNS, ROWS, cut=3))).decode()
    assert text.splitlines() == [
        "objectId      ra  note",
        "             deg",
        "--------  ------  ----------",
        "       7  150.25  a",
        "  123456       -  two\\nlines",
        "      -1     0.5  -",
    ]


def test_text_says_where_it_was_cut() -> None:
    made = answer_of(COLUMNS, ROWS)
    made.overflowed = True
    assert b"".join(write_text(made)).decode().splitlines()[-1].startswith("# A limit")


def test_an_empty_answer_has_its_heading() -> None:
    assert b"".join(write_text(answer_of(COLUMNS, []))).startswith(b"objectId")


class Cells(HTMLParser):
    """The texts of a table's cells, row by row, as a browser sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag == "td":
            self.rows[-1].append("")

    @override
    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and self.get_starttag_text() == self._cell():
            self.rows[-1][-1] += data

    def _cell(self) -> str:
        text = self.get_starttag_text() or ""
        return text if text.startswith("<td") else "<td>"


@given(made=columns_and_rows(XML_TEXT))
@settings(max_examples=40, deadline=None)
def test_no_text_becomes_html(made: tuple[tuple[ResultColumn, ...], list[list[object]]]) -> None:
    columns, rows = made
    page = Cells()
    page.feed(b"".join(write_html(answer_of(columns, rows))).decode())
    assert page.tags <= {
        *("html", "head", "meta", "title", "style", "body"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    shown = [row for row in page.rows if row]
    assert [len(row) for row in shown] == [len(columns)] * len(rows)
    for i, column in enumerate(columns):
        if column.type is Type.TEXT:
            assert [row[i].strip() for row in shown] == [str(r[i] or "").strip() for r in rows]


def test_html_names_units_and_escapes_them() -> None:
    column = ResultColumn("a<b", Type.DOUBLE, unit="<m>", description='"x"')
    page = b"".join(write_html(Answer("q<1>", (column,), iter([])))).decode()
    assert '<th class="n" title="&quot;x&quot;">a&lt;b<small>&lt;m&gt;</small></th>' in page
    assert unescape(re.findall("<title>(.*)</title>", page)[0]) == "Query q<1>"
    assert page.endswith("</html>\n")


@pytest.mark.parametrize("asked", ["text/xml", "image/fits", "application/x-parquet", "text/csv"])
def test_a_media_type_that_was_asked_for_is_served(asked: str) -> None:
    assert find_format(asked).mime == asked
    assert FORMATS[find_format(asked).name].mime != asked
