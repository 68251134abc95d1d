"""`skyshard snapshot list|tag|untag|drop|keep|retract|collect`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.options import Home, Json
from workers.cli.output import emit_json, emit_table, message

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

app = typer.Typer(
    help="Older versions of a catalog: list, name, drop them; take an ingest out.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
Catalog = Annotated[str, typer.Argument(metavar="CATALOG", help="The catalog's name.")]
Snapshot = Annotated[
    str, typer.Argument(metavar="SNAPSHOT", help="Its number, or its tag.", show_default=False)
]


@contextmanager
def _coordinator(home: Path | None) -> Iterator[Connection]:
    """The coordinator, in a transaction that is committed at the end."""
    from workers.cli.databases import transaction
    from workers.config import load, topology

    with transaction("the coordinator", topology(load(home)).coordinator) as connection:
        yield connection


@app.command("list")
def list_(
    catalog: Catalog,
    is_all: Annotated[bool, typer.Option("--all", help="Those that were dropped, too.")] = False,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """List a catalog's snapshots: what made each, its tag, what it holds.

    A query reads the newest, or another one with --as-of.

    \b
    Example:
      skyshard snapshot list dp1
      skyshard query --as-of dp1@3 "SELECT COUNT(*) FROM dp1.Object"
    """
    from procedures.catalogs import get_catalog
    from procedures.snapshots import list_snapshots

    with _coordinator(home) as connection:
        found = list_snapshots(connection, get_catalog(connection, catalog).name)
    lines = [
        {
            "snapshot": row.snapshot,
            "published": f"{row.published_at:%F %T}",
            "by": row.kind,
            "ingest": row.ingest_id,
            "tag": row.tag,
            "parts": row.parts,
            "rows": row.rows,
            "dropped": None if row.dropped_at is None else f"{row.dropped_at:%F %T}",
        }
        for row in found
        if is_all or row.dropped_at is None
    ]
    if is_json:
        emit_json(lines)
    else:
        headings = ("snapshot", "published", "by", "ingest", "tag", "parts", "rows", "dropped")
        emit_table(headings, [[line[heading] for heading in headings] for line in lines])


@app.command()
def tag(
    catalog: Catalog,
    snapshot: Snapshot,
    name: Annotated[str, typer.Argument(metavar="TAG", help="The name to give it.")],
    home: Home = None,
) -> None:
    """Name a snapshot. A snapshot with a tag is kept, whatever the policy, until it is untagged.

    \b
    Example:
      skyshard snapshot tag dp1 3 release-1
    """
    from procedures.snapshots import find_pin, tag_snapshot

    with _coordinator(home) as connection:
        pin = find_pin(connection, catalog, snapshot)
        tag_snapshot(connection, pin, name)
    message(f"{pin.name}@{pin.snapshot} has the tag {name}")


@app.command()
def untag(catalog: Catalog, snapshot: Snapshot, home: Home = None) -> None:
    """Take a snapshot's tag away.

    \b
    Example:
      skyshard snapshot untag dp1 release-1
    """
    from procedures.snapshots import find_pin, untag_snapshot

    with _coordinator(home) as connection:
        pin = find_pin(connection, catalog, snapshot)
        untag_snapshot(connection, pin)
    message(f"{pin.name}@{pin.snapshot} has no tag")


@app.command()
def drop(
    catalog: Catalog,
    snapshots: Annotated[
        list[str], typer.Argument(metavar="SNAPSHOT...", help="Their numbers.", show_default=False)
    ],
    home: Home = None,
) -> None:
    """Let no query read these snapshots again; what only they hold is dropped from the shards.

    Queries that read them now go on; their parts go when they end.

    \b
    Example:
      skyshard snapshot drop dp1 1 2
    """
    from procedures.snapshots import drop_snapshots, find_pin

    with _coordinator(home) as connection:
        drop_snapshots(connection, [find_pin(connection, catalog, one) for one in snapshots])
    message(
        f"dropped {len(snapshots)} snapshots of {catalog}; `skyshard snapshot collect` frees disk"
    )


@app.command()
def keep(
    catalog: Catalog,
    count: Annotated[
        int | None,
        typer.Argument(metavar="[N]", min=1, help="How many of the newest; all without a number."),
    ] = None,
    home: Home = None,
) -> None:
    """Keep only the newest N snapshots of a catalog from now on, and those that have a tag.

    \b
    Examples:
      skyshard snapshot keep dp1 3
      skyshard snapshot keep dp1
    """
    from procedures.catalogs import get_catalog
    from procedures.snapshots import keep_snapshots

    with _coordinator(home) as connection:
        name = get_catalog(connection, catalog).name
        dropped = keep_snapshots(connection, name, count)
    kept = "all snapshots" if count is None else f"the newest {count} snapshots and tagged ones"
    told = f"; dropped {', '.join(map(str, dropped))}" if dropped else ""
    message(f"{name} keeps {kept}{told}")


@app.command()
def retract(
    catalog: Catalog,
    ingest: Annotated[int, typer.Argument(metavar="INGEST", help="The ingest's number.")],
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Publish the catalog without the rows that an ingest brought.

    Older snapshots keep them until they are dropped. The ingest's files may be ingested again.

    \b
    Example:
      skyshard snapshot retract dp1 17
    """
    from contextlib import closing

    from loaders.rewrites.retract import retract as run
    from procedures.catalogs import get_catalog
    from procedures.pools import Pools
    from schema.manifest import IngestId
    from workers.cli.rewritten import renew_view, tell
    from workers.config import load, topology

    settings = load(home)
    servers = topology(settings)
    with closing(Pools(servers)) as pools:
        with pools.coordinator() as connection:
            name = get_catalog(connection, catalog).name
        report = run(pools, name, IngestId(ingest), servers)
        renew_view(settings, pools, name, report.snapshot)
    tell(name, report, is_json=is_json)


@app.command()
def collect(
    grace: Annotated[
        float,
        typer.Option("--grace", min=0, help="Seconds that a snapshot was dropped for, at least."),
    ] = 60.0,
    home: Home = None,
) -> None:
    """Drop from the shards what only dropped snapshots hold and no query reads.

    The server does that by itself once a minute.

    \b
    Example:
      skyshard snapshot collect
    """
    from contextlib import closing

    from loaders.copies.retired import drop_retired
    from procedures.pools import Pools
    from workers.config import load, topology

    servers = topology(load(home))
    with closing(Pools(servers)) as pools:
        count = drop_retired(pools, servers, grace_s=grace)
    message(f"dropped {count} copies of parts")
