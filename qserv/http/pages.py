"""The page at `/`: how to connect."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from schema.catalog import Catalog

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Skyshard</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }}
pre {{ background: #f3f3f3; padding: 1rem; overflow-x: auto; white-space: pre-wrap; }}
</style></head>
<body>
<h1>Skyshard</h1>
<p>A catalog store of sky surveys. It speaks TAP 1.1 (ADQL) at <code>{base}</code>.</p>
<h2>TOPCAT</h2>
<p>VO &rarr; Table Access Protocol (TAP) Query, TAP URL <code>{base}</code>, Use Service,
mode Synchronous; Asynchronous for what takes minutes.</p>
<h2>Python</h2>
<pre>import pyvo
service = pyvo.dal.TAPService("{base}")
rows = service.search("{query}")</pre>
<h2>Shell</h2>
<pre>curl {base}/sync -d LANG=ADQL -d RESPONSEFORMAT=csv --data-urlencode "QUERY={query}"</pre>
<h2>Catalogs</h2>
<ul>{catalogs}</ul>
<p><a href="tap/tables">tables</a> &middot; <a href="tap/examples">examples</a> &middot;
<a href="tap/capabilities">capabilities</a> &middot;
<a href="tap/availability">availability</a> &middot; <a href="health">health</a> &middot;
<a href="metrics">metrics</a></p>
</body></html>
"""


def front_page(base_url: str, catalogs: Sequence[Catalog]) -> str:
    """How to connect with TOPCAT, pyvo and curl, and what there is to ask for."""
    items = "".join(
        f"<li><b>{escape(catalog.name)}</b>: "
        f"{', '.join(escape(table.name) for table in catalog.tables)}</li>"
        for catalog in catalogs
    )
    query = "SELECT TOP 10 table_name, description FROM tap_schema.tables"
    return _PAGE.format(base=escape(base_url), query=escape(query), catalogs=items)
