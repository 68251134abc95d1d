"""`skyshard up`, `status`, `down`, `migrate`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.options import DEGRADED, Home, Json
from workers.cli.output import emit_json, emit_table, message, size_in_words

if TYPE_CHECKING:
    from workers.local.status import ClusterStatus


def up(  # noqa: PLR0917  (typer calls it by names)
    home: Home = None,
    shards: Annotated[
        int | None, typer.Option("--shards", help="How many shards; fixed once created. [4]")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Port of the HTTP server. [8080]")
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", help="Address of the HTTP server. [127.0.0.1]")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Folder of the databases.")
    ] = None,
    pg_bin: Annotated[
        Path | None, typer.Option("--pg-bin", metavar="DIR", help="PostgreSQL binaries to use.")
    ] = None,
    is_json: Json = False,
) -> None:
    """Start a cluster, or what is missing of it, and upgrade its databases.

    Does nothing to what runs already, so it is safe to repeat, also after a crash. Servers given
    by DSN in skyshard.toml are not started, only checked and upgraded.

    \b
    Examples:
      skyshard up
      skyshard up --home /data/sky --shards 8 --port 8090
    """
    from workers.config import load
    from workers.local.cluster import up as start
    from workers.local.status import status as ask

    flags = {"shards": shards, "port": port, "host": host, "data": data, "pg_bin": pg_bin}
    start(load(home, flags), message)
    found = ask(load(home))
    _tell(found, is_json=is_json)


def status(home: Home = None, is_json: Json = False) -> None:
    """Say how each process of the cluster does and how much the shards hold.

    Exit code 3 if any process is not up.

    \b
    Example:
      skyshard status --json | jq .condition
    """
    from workers.config import load
    from workers.local.status import status as ask

    _tell(ask(load(home)), is_json=is_json)


def down(home: Home = None) -> None:
    """Stop every process of the cluster; its data stay for the next `up`.

    \b
    Example:
      skyshard down --home /data/sky
    """
    from workers.config import load
    from workers.local.cluster import down as stop

    stop(load(home), message)


def migrate(home: Home = None) -> None:
    """Bring the coordinator and all shards to this program's schema (`up` does it too).

    Refuses, changing nothing, if a database has a newer schema than this program knows.
    """
    from workers.config import load, topology
    from workers.local.lock import locked
    from workers.local.migrate import migrate as upgrade

    settings = load(home)
    servers = topology(settings)
    settings.home.mkdir(parents=True, exist_ok=True)
    with locked(settings.home):
        upgrade(servers, message)


def _tell(found: ClusterStatus, *, is_json: bool) -> None:
    """Print a cluster's status; exit with 3 unless all of it is up."""
    from workers.local.status import Condition

    if is_json:
        emit_json(asdict(found))
    else:
        emit_table(
            ("process", "address", "pid", "condition", "database", "twins"),
            [
                (
                    member.name,
                    member.address,
                    None if member.pid is None else str(member.pid),
                    member.condition.value,
                    size_in_words(member.size_bytes),
                    size_in_words(member.twins_bytes),
                )
                for member in found.members
            ],
        )
        message(f"cluster at {found.home} is {found.condition}: {found.url}")
    if found.condition is not Condition.UP:
        raise typer.Exit(DEGRADED)
