"""`/tap/tables` for a browser: every table and its columns on one page, found by the browser's search."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from schema.catalog import Catalog, Column, Table
from schema.tap_schema import adql_name, table_name

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Tables</title>
<meta name="viewport" content="width=device-width">
<style>
body {{ font: 15px/1.5 sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; font-size: 14px; }}
th, td {{ text-align: left; vertical-align: top; padding: .15rem .8rem .15rem 0;
  border-bottom: 1px solid #e4e4e4; }}
summary {{ cursor: pointer; padding: .3rem 0; }}
code {{ white-space: nowrap; }}
</style></head>
<body>
<h1>Tables</h1>
<p>Open a table for its columns. Programs get VODataService XML here, by
<code>Accept: application/xml</code>; <a href="examples">examples</a> of queries.</p>
{catalogs}</body></html>
"""


def tables_page(catalogs: Sequence[Catalog]) -> str:
    """All catalogs that a caller sees."""
    return _PAGE.format(catalogs="".join(map(_catalog, catalogs)))


def _catalog(catalog: Catalog) -> str:
    tables = "".join(_table(catalog, table) for table in catalog.tables)
    said = f"<p>{escape(catalog.description)}</p>" if catalog.description else ""
    return f"<h2>{escape(catalog.name)}</h2>\n{said}\n{tables}"


def _table(catalog: Catalog, table: Table) -> str:
    name = escape(table_name(catalog, table))
    said = escape(table.description)
    rows = "".join(map(_column, table.columns))
    return (
        f'<details id="{name}"><summary><code>{name}</code> {said}</summary>\n'
        "<table><tr><th>column<th>type<th>unit<th>UCD<th>description</tr>\n"
        f"{rows}</table></details>\n"
    )


def _column(column: Column) -> str:
    cells = (column.type, column.unit or "", column.ucd or "", column.description)
    shown = "".join(f"<td>{escape(str(cell))}" for cell in cells)
    return f"<tr><td><code>{escape(adql_name(column.name))}</code>{shown}</tr>\n"
