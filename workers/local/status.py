"""What runs of a cluster, and how much it holds."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from schema.topology import Topology
from workers.config import Settings, topology
from workers.config.servers import NoCluster
from workers.local import postgres, services
from workers.local.servers import servers_of
from workers.local.state import ClusterState, Kind, Running, read_state

CONNECT_TIMEOUT_S = 3
_SIZE = "SELECT pg_database_size(current_database())"


class Condition(StrEnum):
    """How a process, or a cluster, does."""

    UP = "up"
    SILENT = "silent"  # its process lives but does not answer
    DOWN = "down"
    DEGRADED = "degraded"  # of a cluster: some of its processes are not up


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """One process. `size_bytes` is what a server's database and its twins take; None if unknown.

    `pid` is None for a process that does not run, or that runs on another machine.
    """

    name: str
    kind: Kind
    address: str
    condition: Condition
    pid: int | None
    size_bytes: int | None = None
    twins_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """A cluster and its processes, in the order of their start."""

    home: Path
    url: str
    condition: Condition
    members: tuple[MemberStatus, ...]


def status(settings: Settings) -> ClusterStatus:
    """Ask every process how it does; raises NoCluster where none was ever started."""
    state = read_state(settings.home)
    if state is None:
        raise NoCluster(settings.home)
    if settings.is_embedded and not state.data:
        members: tuple[MemberStatus, ...] = ()
    else:
        servers = _servers(settings, state)
        members = (*servers, *_services(settings, state))
    host = services.reachable_host(state.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{state.port}"
    return ClusterStatus(settings.home, url, _together(members), members)


def _together(members: Sequence[MemberStatus]) -> Condition:
    conditions = {member.condition for member in members}
    if conditions == {Condition.UP}:
        return Condition.UP
    local = [member for member in members if member.pid is not None]
    return Condition.DEGRADED if local else Condition.DOWN


def _servers(settings: Settings, state: ClusterState) -> tuple[MemberStatus, ...]:
    """The PostgreSQL servers, asked side by side."""
    servers = topology(settings)
    pids = {
        server.name: postgres.running(server, state.running.get(server.name))
        for server in servers_of(settings.home, state)
    }
    dsns = _databases(servers)
    with ThreadPoolExecutor(len(dsns)) as pool:
        sizes = list(pool.map(_database_size, dsns.values()))
    twins = {f"shard-{shard.shard_id}": shard.twins for shard in servers.shards}
    return tuple(
        MemberStatus(
            name=name,
            kind=Kind.COORDINATOR if name == "coordinator" else Kind.SHARD,
            address=_address(dsns[name]),
            condition=_condition(pids.get(name), answers=size is not None),
            pid=_pid(pids.get(name)),
            size_bytes=size,
            twins_bytes=_folder_size(twins.get(name)),
        )
        for name, size in zip(dsns, sizes, strict=True)
    )


def _databases(servers: Topology) -> dict[str, str]:
    shards = {f"shard-{shard.shard_id}": shard.dsn for shard in servers.shards}
    return {"coordinator": servers.coordinator, **shards}


def _services(settings: Settings, state: ClusterState) -> tuple[MemberStatus, ...]:
    found = []
    for service in services.services(settings, state):
        process = services.running(service, state.running.get(service.name))
        answers = process is not None and service.answers(service.host, service.port)
        found.append(
            MemberStatus(
                name=service.name,
                kind=service.kind,
                address=f"{service.host}:{service.port}",
                condition=_condition(process, answers=answers),
                pid=_pid(process),
            )
        )
    return tuple(found)


def _condition(process: Running | None, *, answers: bool) -> Condition:
    if answers:
        return Condition.UP
    return Condition.SILENT if process is not None else Condition.DOWN


def _pid(process: Running | None) -> int | None:
    return None if process is None else process.pid


def _address(dsn: str) -> str:
    """Host and port of a DSN, nothing else of it."""
    parts = parse_dsn(dsn)
    return f"{parts.get('host', 'localhost')}:{parts.get('port', '5432')}"


def _database_size(dsn: str) -> int | None:
    """Bytes of the database; None where the server does not answer."""
    try:
        asked = psycopg2.connect(make_dsn(dsn, connect_timeout=CONNECT_TIMEOUT_S))
    except psycopg2.OperationalError:
        return None
    try:
        with asked.cursor() as cursor:
            cursor.execute(_SIZE)
            row = cursor.fetchone()
            return None if row is None else int(row[0])
    except psycopg2.Error:
        return None
    finally:
        asked.close()


def _folder_size(folder: Path | None) -> int | None:
    """Bytes of the files in a folder; None where there is no folder."""
    if folder is None or not folder.is_dir():
        return None
    size = 0
    for entry in folder.rglob("*"):
        with suppress(FileNotFoundError):  # dropped meanwhile
            size += entry.stat().st_size if entry.is_file() else 0
    return size
