"""`skyshard queries list|show|cancel`: the log of queries."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.books import coordinator
from workers.cli.options import Home, Json
from workers.cli.output import emit_json, emit_table, message

app = typer.Typer(
    help="Queries that were asked, and those that run: list, show, end them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
QueryId = Annotated[str, typer.Argument(metavar="QUERY", help="The query's id.")]
TEXT = 60
"""Characters of a text in a list."""


@app.command("list")
def list_(
    user: Annotated[str | None, typer.Option("--user", help="Whose. Default: all.")] = None,
    is_running: Annotated[bool, typer.Option("--running", help="Those that run now.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most.")] = 50,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """List queries, the newest first: a second after they end, or began to take long.

    \b
    Example:
      skyshard queries list --user alice
      skyshard queries list --running
    """
    from procedures.query_log import list_queries

    with coordinator(home) as connection:
        found = list_queries(connection, user, limit=limit, is_running=is_running)
    lines = [
        {
            "query": one.query_id,
            "user": one.user,
            "began": f"{one.began_at:%F %T}",
            "outcome": one.code or one.outcome,
            "seconds": None if one.elapsed_s is None else round(one.elapsed_s, 3),
            "rows": one.rows,
            "bytes": one.size_bytes,
            "chunks": one.chunks,
            "text": " ".join(one.text.split())[:TEXT],
        }
        for one in found
    ]
    if is_json:
        emit_json(lines)
    else:
        headings = tuple(lines[0]) if lines else ("query", "user", "began", "outcome", "text")
        emit_table(headings, [list(line.values()) for line in lines])


@app.command()
def show(query: QueryId, home: Home = None) -> None:
    """Show all that is logged of a query, as JSON.

    \b
    Example:
      skyshard queries show 0196a1f2-7c1b-7d3e-9f00-3a5b1c2d4e5f
    """
    from dataclasses import asdict

    from procedures.query_log import get_query

    with coordinator(home) as connection:
        emit_json(asdict(get_query(connection, query, None)))


@app.command()
def cancel(query: QueryId, home: Home = None) -> None:
    """End a running query, in whichever czar it runs; that takes up to two seconds.

    \b
    Example:
      skyshard queries cancel 0196a1f2-7c1b-7d3e-9f00-3a5b1c2d4e5f
    """
    from procedures.query_log import RUNNING, ask_cancel

    with coordinator(home) as connection:
        found = ask_cancel(connection, query, "operator", None)
    if found.outcome == RUNNING:
        message(f"query {found.query_id} will end")
    else:
        message(f"query {found.query_id} has ended before: {found.code or found.outcome}")
