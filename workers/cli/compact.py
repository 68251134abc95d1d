"""`skyshard compact`: the parts of many ingests become few."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.options import Home, Json
from workers.cli.output import emit_json, message


def compact(
    catalog: Annotated[str, typer.Argument(metavar="CATALOG", help="The catalog's name.")],
    most: Annotated[
        int, typer.Option("--most", min=1, help="Leave places with so many parts as they are.")
    ] = 1,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Parts that are written at a time.")
    ] = 2,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Merge a catalog's parts: those of one table in one chunk become one.

    Answers stay what they were; older snapshots keep the old parts until they are dropped. An ingest
    that would make more than four parts somewhere compacts there by itself.

    \b
    Example:
      skyshard compact dp1
    """
    from contextlib import closing

    from loaders.rewrites.compact import compact as run
    from procedures.catalogs import get_catalog
    from procedures.pools import Pools
    from workers.cli.rewritten import renew_view, tell
    from workers.config import load, topology

    settings = load(home)
    servers = topology(settings)
    with closing(Pools(servers)) as pools:
        with pools.coordinator() as connection:
            name = get_catalog(connection, catalog).name
        report = run(pools, name, servers, most=most, workers=workers)
        if report is not None:
            renew_view(settings, pools, name, report.snapshot)
    if report is not None:
        tell(name, report, is_json=is_json)
    elif is_json:
        emit_json({"catalog": name, "parts_before": 0, "parts_after": 0})
    else:
        message(f"{name} has nothing to compact")
