"""What this machine and this cluster lack, and how to get it. Looks only; changes nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil
import psycopg2
from psycopg2.extensions import make_dsn

from schema.errors import SkyshardError
from schema.topology import Topology
from workers.config import Settings, topology
from workers.config.servers import NoCluster
from workers.config.sources import unknown_variables
from workers.local import services
from workers.local.account import server_account
from workers.local.binaries import (
    OLDEST,
    Binaries,
    find_binaries,
    inspect,
    system_folders,
    wheel_folder,
)
from workers.local.ports import holder, is_free
from workers.local.state import Kind, read_state

GIB = 2**30
LEAST_DISK = 5 * GIB
LEAST_MEMORY = 2 * GIB
LEAST_FILES = 4096
CLOCK_TOLERANCE_S = 2.0
OLDEST_PYTHON = (3, 11)


class Verdict(StrEnum):
    """How a thing was found."""

    OK = "ok"
    WARNING = "warning"  # works, but slower or for less than it could
    MISSING = "missing"  # must be put right


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `remedy` says what to do about it, empty where all is well."""

    subject: str
    verdict: Verdict
    fact: str
    remedy: str = ""


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Look at everything, in the order in which it matters."""
    looks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _python,
        _packages,
        _environment,
        _postgres,
        _memory,
        _disk,
        _files,
        _port,
        _servers,
    )
    return tuple(finding for look in looks for finding in look(settings))


def _python(_: Settings) -> Iterator[Finding]:
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        yield Finding("python", Verdict.MISSING, version, "install Python 3.11 or newer")
    else:
        yield Finding("python", Verdict.OK, f"{version} ({sys.executable})")


def _packages(_: Settings) -> Iterator[Finding]:
    """The packages that the distribution asks for, by its own metadata."""
    missing: list[str] = []
    optional: list[str] = []
    for line in importlib.metadata.requires("skyshard") or []:
        name = re.split(r"[\s<>=!;\[]", line, maxsplit=1)[0]
        if not _is_installed(name):
            (optional if "extra ==" in line else missing).append(name)
    if missing:
        remedy = "install them: pip install skyshard (or make setup in the checkout)"
        yield Finding("packages", Verdict.MISSING, f"missing: {', '.join(missing)}", remedy)
    else:
        version = importlib.metadata.version("skyshard")
        extra = f"; optional ones missing: {', '.join(sorted(set(optional)))}" if optional else ""
        yield Finding("packages", Verdict.OK, f"skyshard {version}, all that it needs{extra}")


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _environment(_: Settings) -> Iterator[Finding]:
    unknown = unknown_variables()
    if unknown:
        yield Finding(
            "environment",
            Verdict.WARNING,
            f"set nothing: {', '.join(unknown)}",
            "check their spelling with `skyshard config show`",
        )
    else:
        yield Finding("environment", Verdict.OK, "no unknown SKYSHARD_* variables")


def _postgres(settings: Settings) -> Iterator[Finding]:
    """The binaries that `up` would take, without copying any."""
    if not settings.is_embedded:
        return
    try:
        found = _binaries(settings)
    except SkyshardError as error:
        yield Finding("postgresql", Verdict.MISSING, str(error), "see the message")
        return
    account = server_account()
    whom = f", run as {account.name}" if account else ""
    fact = f"{found.version} in {found.folder} ({found.source}{whom})"
    yield Finding("postgresql", Verdict.OK, fact)


def _binaries(settings: Settings) -> Binaries:
    account = server_account()
    if settings.pg_bin is not None:
        return find_binaries(settings.pg_bin, account, settings.home)
    for folder in system_folders():
        found = inspect(folder, account, "system")
        if found is not None and found.major >= OLDEST:
            return found
    wheel = wheel_folder()
    found = None if wheel is None else inspect(wheel / "pginstall" / "bin", None, "wheel")
    if found is None:
        return find_binaries(None, account, settings.home)
    return found


def _memory(_: Settings) -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    fact = f"{memory.total / GIB:.1f} GiB, {memory.available / GIB:.1f} GiB free, {os.cpu_count()} cores"
    if memory.available < LEAST_MEMORY:
        yield Finding("memory", Verdict.WARNING, fact, "free some: 2 GiB and more make it quick")
    else:
        yield Finding("memory", Verdict.OK, fact)


def _disk(settings: Settings) -> Iterator[Finding]:
    state = read_state(settings.home)
    folders = {settings.home, Path(state.data) if state and state.data else settings.home}
    for folder in sorted(folders):
        usage = shutil.disk_usage(_existing(folder))
        fact = f"{usage.free / GIB:.1f} GiB free at {folder}"
        if usage.free < LEAST_DISK:
            yield Finding("disk", Verdict.WARNING, fact, "free some, or choose another --home")
        else:
            yield Finding("disk", Verdict.OK, fact)


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def _files(_: Settings) -> Iterator[Finding]:
    """Open files: a server keeps several for each part that a query reads."""
    import resource

    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    allowed = sys.maxsize if allowed == resource.RLIM_INFINITY else allowed
    if allowed < LEAST_FILES:
        remedy = f"raise it: ulimit -Hn {LEAST_FILES}"
        yield Finding("open files", Verdict.WARNING, f"at most {allowed}", remedy)
    else:
        yield Finding("open files", Verdict.OK, f"at most {allowed}")


def _port(settings: Settings) -> Iterator[Finding]:
    """The HTTP port: free, or held by this cluster's czar."""
    place = f"{settings.host}:{settings.port}"
    if is_free(settings.host, settings.port):
        yield Finding("http port", Verdict.OK, f"{place} is free")
        return
    state = read_state(settings.home)
    czar = None if state is None else services.services(settings, state)[-1]
    if state is not None and czar is not None and services.running(czar, state.running.get("czar")):
        yield Finding("http port", Verdict.OK, f"{place} is this cluster's")
    else:
        fact = f"{place} is taken{holder(settings.port)}"
        yield Finding(
            "http port", Verdict.MISSING, fact, "stop that program or `up --port` another"
        )


def _servers(settings: Settings) -> Iterator[Finding]:
    """The databases: version, schema, clock."""
    try:
        servers = topology(settings)
    except NoCluster:
        yield Finding(
            "cluster", Verdict.OK, f"none yet at {settings.home}; `skyshard up` makes one"
        )
        return
    for name, dsn in _databases(servers):
        yield _server(name, dsn)
    yield from _engines(settings, servers)


def _databases(servers: Topology) -> Iterator[tuple[str, str]]:
    yield "coordinator", servers.coordinator
    for shard in servers.shards:
        yield f"shard-{shard.shard_id}", shard.dsn


def _server(name: str, dsn: str) -> Finding:
    """One database's version, schema and clock."""
    from migrations.upgrade import is_current

    remedy = "start it: `skyshard up`"
    try:
        connection = psycopg2.connect(make_dsn(dsn, connect_timeout=3))
    except psycopg2.OperationalError as error:
        return Finding(name, Verdict.MISSING, " ".join(str(error).split()), remedy)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
            row = cursor.fetchone()
    finally:
        connection.close()
    assert row is not None
    skew_s = float(row[0]) - time.time()
    fact = f"PostgreSQL {connection.server_version // 10_000}, clock {skew_s:+.1f} s"
    if abs(skew_s) > CLOCK_TOLERANCE_S:
        return Finding(name, Verdict.WARNING, fact, "set the clocks by NTP: snapshots name times")
    try:
        is_newest = is_current(dsn, "coordinator" if name == "coordinator" else "shard")
    except SkyshardError as error:
        return Finding(name, Verdict.MISSING, f"{fact}: {error}", remedy)
    if not is_newest:
        return Finding(
            name, Verdict.MISSING, f"{fact}, schema is not current", "`skyshard migrate`"
        )
    return Finding(name, Verdict.OK, f"{fact}, schema is current")


def _engines(settings: Settings, servers: Topology) -> Iterator[Finding]:
    """The scan engines; a shard without one answers from PostgreSQL alone."""
    without = [str(shard.shard_id) for shard in servers.shards if shard.scan is None]
    if without:
        yield Finding(
            "scan engines",
            Verdict.WARNING,
            f"none for shard {', '.join(without)}: scans there run in PostgreSQL",
            "run `skyshard scan --shard N` beside it; name it with scan and twins in [[shards]]",
        )
    state = read_state(settings.home)
    for service in services.services(settings, state) if state else ():
        answers = service.answers(service.host, service.port)
        place = f"{service.host}:{service.port}"
        if answers:
            yield Finding(service.name, Verdict.OK, f"answers at {place}")
        elif service.kind in (Kind.SCAN, Kind.CZAR):
            yield Finding(service.name, Verdict.MISSING, f"silent at {place}", "`skyshard up`")
