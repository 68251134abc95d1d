"""Loopback ports: choosing free ones, and saying who holds one."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection

import psutil

from schema.errors import SkyshardError

# Below the range that Linux gives to outgoing connections, so that a port stays ours while its
# server is down.
LOWEST, HIGHEST = 20_000, 32_000
ATTEMPTS = 1000


class PortTaken(SkyshardError):
    """A port that the cluster must have is held by another program."""

    code = "PORT_TAKEN"

    def __init__(self, what: str, host: str, port: int) -> None:
        super().__init__(
            f"port {port} on {host}, meant for {what}, is taken{holder(port)}; "
            f"stop that program, or choose another port with --port"
        )
        self.port = port


class NoPort(SkyshardError):
    """The machine has no free port left in our range."""

    code = "NO_PORT"


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(taken: Collection[int], host: str = "127.0.0.1") -> int:
    """A free port that is not among `taken`."""
    for _ in range(ATTEMPTS):
        port = random.randint(LOWEST, HIGHEST)  # noqa: S311  (no secret)
        if port not in taken and is_free(host, port):
            return port
    raise NoPort(f"no free port between {LOWEST} and {HIGHEST} on {host}")


def holder(port: int) -> str:
    """` by process 12 (nginx)`; empty where the system does not tell us."""
    try:
        listeners = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        pids = [c.pid for c in listeners if c.laddr and c.laddr.port == port and c.pid]
        return f" by process {pids[0]} ({psutil.Process(pids[0]).name()})" if pids else ""
    except psutil.Error:
        return ""
