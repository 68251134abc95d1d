"""Start and stop a cluster: `up` and `down`.

`up` looks at each process, starts what does not run and leaves alone what does; every start is
noted before the next, so that a crash of `up` itself loses no process.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from schema.errors import ConfigError
from workers.config import Settings, topology
from workers.local import places, processes, services
from workers.local.lock import locked
from workers.local.ports import PortTaken, is_free
from workers.local.servers import move_port, servers_down, servers_up
from workers.local.services import Service
from workers.local.state import ClusterState, Kind, Notes, read_state

Report = Callable[[str], None]


class ShardCount(ConfigError):
    """An existing cluster is asked for another number of shards."""

    code = "SHARD_COUNT"


def up(settings: Settings, report: Report) -> None:
    """Bring every process of the cluster up and every database to this program's schema."""
    from workers.local.migrate import migrate

    places.make_home(settings.home)
    with locked(settings.home):
        notes = Notes(settings.home, _asked(settings))
        _check_port(settings, notes.state)
        notes.change()
        if settings.is_embedded:
            servers_up(settings, notes, report)
        migrate(topology(settings), report)
        services_up(settings, notes, report)
    _collect(settings, report)


def _collect(settings: Settings, report: Report) -> None:
    """Drop what crashes left of failed and aborted ingests; what is not dropped is met again."""
    from loaders.lease import is_gone
    from procedures.ingest_plans import plans_to_collect
    from procedures.pools import Pools

    servers = topology(settings)
    with closing(Pools(servers)) as pools:
        with pools.coordinator() as connection:
            waiting = plans_to_collect(connection, is_gone)
        if waiting:
            from loaders.discard import collect
            from loaders.options import Site

            found = collect(Site(pools, servers, settings.spool))
            report(f"dropped what was left of {len(found)} of {len(waiting)} ended ingests")


def down(settings: Settings, report: Report) -> None:
    """Stop every process of the cluster, last started first; fine if none runs."""
    if read_state(settings.home) is None:
        report(f"no cluster at {settings.home}: nothing to stop")
        return
    with locked(settings.home):
        state = read_state(settings.home)
        assert state is not None
        notes = Notes(settings.home, state)
        for service in reversed(services.services(settings, state)):
            _stop(service, notes, report)
        servers_down(settings.home, notes, report)


def services_up(settings: Settings, notes: Notes, report: Report) -> None:
    """Start the Python processes that do not run, or that were told something else."""
    _free_their_ports(settings, notes, report)
    waiting = []
    for service in services.services(settings, notes.state):
        found = services.running(service, notes.state.running.get(service.name))
        if found is not None and found.told == service.told:
            continue
        _stop(service, notes, report)
        report(f"starting {service.name} on port {service.port}")
        started = services.launch(service, settings.home)
        notes.started(service.name, started)
        waiting.append((service, started))
    for service, started in waiting:
        services.wait_ready(service, started, settings.home)


def _asked(settings: Settings) -> ClusterState:
    """The state to start from: the remembered one with what is asked for now."""
    found = read_state(settings.home)
    shards = settings.shards if settings.is_embedded else 0
    there = (
        len(list((settings.home / "data").glob("shard-*[0-9]"))) if found is None else found.shards
    )
    if (found is not None or there) and there != shards:
        raise ShardCount(
            f"the cluster at {settings.home} has {_count(there)} and is asked for "
            f"{_count(shards)} ({settings.origins['shards']}); a cluster keeps its shards: name "
            "another --home, or ask for the same number"
        )
    if found is None:
        return ClusterState(shards=shards, host=settings.host, port=settings.port)
    return replace(found, host=settings.host, port=settings.port)


def _count(shards: int) -> str:
    return f"{shards} shards" if shards else "shards given by DSN"


def _check_port(settings: Settings, state: ClusterState) -> None:
    """Refuse a taken HTTP port before anything is started."""
    czar = services.services(settings, state)[-1]
    old = read_state(settings.home)
    is_same = old is not None and (old.host, old.port) == (state.host, state.port)
    if is_same and services.running(czar, state.running.get(czar.name)) is not None:
        return
    if not is_free(state.host, state.port):
        raise PortTaken("the HTTP server", state.host, state.port)


def _free_their_ports(settings: Settings, notes: Notes, report: Report) -> None:
    """Give scan engines that do not run and whose remembered port was taken another one."""
    for service in services.services(settings, notes.state):
        if service.kind is not Kind.SCAN:
            continue
        found = services.running(service, notes.state.running.get(service.name))
        if found is None and not is_free(service.host, service.port):
            move_port(service.name, notes, report)


def _stop(service: Service, notes: Notes, report: Report) -> None:
    """Stop a service if it runs."""
    found = services.running(service, notes.state.running.get(service.name))
    if found is not None:
        report(f"stopping {service.name}")
        processes.end(found, services.STOP_STEPS)
    notes.stopped(service.name)
