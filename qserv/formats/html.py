"""HTML for a browser: one table, a row of names over one of units, nothing loaded from elsewhere.

NULL is an empty cell. A document without its `</html>` was cut off by a failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import pyarrow as pa
import pyarrow.compute as pc

from qserv.formats.cells import as_text, bytes_of
from qserv.formats.slices import slices
from qserv.result import Answer, ResultColumn

_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:1.5rem}"
    "table{border-collapse:collapse}"
    "th,td{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:left;white-space:nowrap}"
    "th{position:sticky;top:0;background:#fff}"
    "th small{color:#666;font-weight:400;display:block}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
)
_REFERENCES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))


def write_html(answer: Answer) -> Iterator[bytes]:
    """A page with the rows; warnings, and that a limit cut them, stand below the table."""
    yield _opening(answer).encode()
    for batch in slices(answer):
        cells = [_cells(batch.column(i), column) for i, column in enumerate(answer.columns)]
        yield bytes_of(pc.binary_join_element_wise("<tr>", *cells, "</tr>\n", ""))
    yield _closing(answer).encode()


def _opening(answer: Answer) -> str:
    headings = "".join(map(_heading, answer.columns))
    title = escape(f"Query {answer.query_id}")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n<table>\n<thead><tr>{headings}</tr></thead>\n<tbody>\n"
    )


def _heading(column: ResultColumn) -> str:
    title = f' title="{escape(column.description)}"' if column.description else ""
    unit = f"<small>{escape(column.unit)}</small>" if column.unit else ""
    return f"<th{_class_of(column)}{title}>{escape(column.name)}{unit}</th>"


def _class_of(column: ResultColumn) -> str:
    return ' class="n"' if column.type.is_numeric else ""


def _cells(values: pa.Array, column: ResultColumn) -> pa.StringArray:
    text = pc.fill_null(as_text(values, column.type), "")
    for character, reference in _REFERENCES:
        text = pc.replace_substring(text, character, reference)
    text = pc.replace_substring_regex(text, "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]", "\ufffd")
    return pc.binary_join_element_wise(f"<td{_class_of(column)}>", text, "</td>", "")


def _closing(answer: Answer) -> str:
    notes = [*answer.warnings]
    if answer.overflowed:
        notes.append("A limit cut the rows; there are more.")
    said = "".join(f"<p>{escape(note)}</p>\n" for note in notes)
    return f"</tbody></table>\n{said}</body></html>\n"
