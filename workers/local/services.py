"""The Python processes of a cluster, as one table: a scan engine per shard, and the czar."""

from __future__ import annotations

import hashlib
import http.client
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from workers.config import Settings
from workers.config.keys import KEYS
from workers.local import processes
from workers.local.ports import PortTaken, is_free
from workers.local.processes import Launch, StartFailed
from workers.local.state import ClusterState, Kind, Running

START_TIMEOUT_S = 60.0
STOP_STEPS = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 10.0))
PROBE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Service:
    """One Python process: `skyshard <arguments>`, answering at `host`:`port`.

    `told` is a digest of everything it learns at its start: if that changes, it must be restarted.
    """

    name: str
    kind: Kind
    arguments: tuple[str, ...]
    host: str
    port: int
    told: str
    answers: Callable[[str, int], bool]

    @property
    def argv(self) -> tuple[str, ...]:
        """The command line; no secret stands in it. `-P`: no modules from the folder it runs in."""
        return (sys.executable, "-P", "-m", "workers.cli.main", *self.arguments)


def services(settings: Settings, state: ClusterState) -> tuple[Service, ...]:
    """The table of Python processes, in the order of their start."""
    facts = (
        sorted(state.ports.items()),
        settings.servers,
        settings.coordinator_dsn,
        settings.scan_token,
    )
    limits = (version("skyshard"), settings.limits, settings.anonymous, settings.log_level)
    access = [
        (key.path, settings.value(key.path))
        for key in KEYS
        if key.path.startswith(("access.", "quotas.", "log."))
    ]
    repairs = (
        settings.repair_enabled,
        settings.repair_interval_s,
        settings.repair_bytes_per_s,
    )
    ingests = (settings.ingest_token_sha256, settings.ingest_folders)
    home = ("--home", str(settings.home))
    engines = tuple(
        Service(
            name=f"scan-{number}",
            kind=Kind.SCAN,
            arguments=("scan", "--shard", str(number), *home),
            host="127.0.0.1",
            port=state.ports.get(f"scan-{number}", 0),
            told=_digest(
                version("skyshard"), state.ports.get(f"scan-{number}", 0), settings.log_level
            ),
            answers=accepts,
        )
        for number in range(1, state.shards + 1)
    )
    czar = Service(
        name="czar",
        kind=Kind.CZAR,
        arguments=("serve", "--host", state.host, "--port", str(state.port), *home),
        host=state.host,
        port=state.port,
        told=_digest(facts, limits, access, repairs, ingests, state.host, state.port),
        answers=is_healthy,
    )
    return (*engines, czar)


def _digest(*facts: object) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def reachable_host(host: str) -> str:
    """The address to ask where a server listens on every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104


def accepts(host: str, port: int) -> bool:
    """Whether something takes connections there."""
    try:
        socket.create_connection((reachable_host(host), port), PROBE_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def is_healthy(host: str, port: int) -> bool:
    """Whether an HTTP server there answers /health, with whatever status below 500."""
    asked = http.client.HTTPConnection(reachable_host(host), port, timeout=PROBE_TIMEOUT_S)
    try:
        asked.request("GET", "/health")
        return asked.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()


def running(service: Service, noted: Running | None) -> Running | None:
    """The service's process if it runs: the noted one, or one whose start was not noted."""
    if noted is not None and processes.is_alive(noted):
        return noted
    return processes.with_arguments(service.argv)


def launch(service: Service, home: Path) -> Running:
    """Start the service without waiting for it; PortTaken where its port is held."""
    if not is_free(service.host, service.port):
        raise PortTaken(service.name, service.host, service.port)
    command = Launch(argv=service.argv, log=log_file(home, service.name), folder=home)
    return processes.spawn(command, service.told)


def wait_ready(service: Service, started: Running, home: Path) -> None:
    """Wait until the service answers; StartFailed with the end of its log if it does not."""
    deadline = time.monotonic() + START_TIMEOUT_S
    log = log_file(home, service.name)
    while not service.answers(service.host, service.port):
        if not processes.is_alive(started):
            raise StartFailed(service.name, log, "it ended")
        if time.monotonic() > deadline:
            raise StartFailed(service.name, log, f"silent for {START_TIMEOUT_S:.0f} s")
        time.sleep(0.05)


def log_file(home: Path, name: str) -> Path:
    """Where the output of a process of that name goes."""
    return home / "logs" / f"{name}.log"
