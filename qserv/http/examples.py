"""`/tap/examples`: queries to begin with, as DALI 1.1 (section 2.3) marks them up; clients list them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from qserv.examples import Example

MIME = "application/xhtml+xml"
_PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en">
<head><meta charset="utf-8"/><title>Examples</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }}
pre {{ background: #f3f3f3; padding: 1rem; overflow-x: auto; }}
</style></head>
<body>
<h1>Examples</h1>
<p>Queries in ADQL that run as they stand.</p>
<div vocab="http://www.ivoa.net/rdf/examples#">
{examples}</div>
</body></html>
"""
_EXAMPLE = """<div typeof="example" id="{anchor}" resource="#{anchor}">
<h2 property="name">{name}</h2>
<p>{why} Tables: {tables}.</p>
<pre property="query">{text}</pre>
</div>
"""


def examples_page(examples: Sequence[Example]) -> bytes:
    """The document, XHTML with RDFa."""
    return _PAGE.format(examples="".join(map(_marked_up, examples))).encode()


def _marked_up(example: Example) -> str:
    tables = ", ".join(f'<code property="table">{escape(table)}</code>' for table in example.tables)
    return _EXAMPLE.format(
        anchor=escape(example.anchor),
        name=escape(example.name),
        why=escape(example.why),
        tables=tables,
        text=escape(example.text, quote=False),
    )
