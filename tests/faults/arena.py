"""A cluster of real servers whose every process can be killed: coordinator, three shards, czar, commands.

Each server is a PostgreSQL of its own with what a crash needs to leave nothing behind: synchronous
commits. (`fsync` is off: a killed process loses no write that the kernel has, a machine does.)
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2

from loaders.options import Site
from migrations.upgrade import upgrade
from procedures.manifests import register_shards
from procedures.pools import Pools
from schema.topology import Shard, ShardId, Topology
from tests.faults.processes import Nursery, Run, nursery
from tests.support.postgres import Server, binaries, free_port, unprivileged_user

SETTINGS = {"synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "16MB"}
SHARDS = 3
COORDINATOR = "coordinator"
UP_S = 30.0


@dataclass(slots=True, eq=False)
class Arena:
    """The cluster. `servers` by name: `coordinator`, `shard-1`..."""

    home: Path
    servers: dict[str, Server]
    topology: Topology
    pools: Pools
    children: Nursery
    port: int
    czar: Run | None = None

    @property
    def site(self) -> Site:
        return Site(self.pools, self.topology, self.home / "spool")

    def command(
        self, *words: str, fail: str = "", environment: Mapping[str, str] | None = None
    ) -> Run:
        """`skyshard WORDS` on this cluster, as a process."""
        return self.children.start(words, fail=fail, environment=environment)

    def done(self, *words: str, timeout_s: float = 60.0) -> Run:
        """`skyshard WORDS`, once it has ended."""
        run = self.command(*words)
        run.wait(timeout_s)
        return run

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_czar(self) -> None:
        """Start the czar and wait until it answers."""
        self.czar = self.command("serve")
        until = time.monotonic() + UP_S
        while time.monotonic() < until:
            assert not self.czar.ended.is_set(), self.czar.said
            with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                urllib.request.urlopen(f"{self.url}/health", timeout=5).close()
                return
            time.sleep(0.02)
        raise AssertionError(f"no czar after {UP_S} s:\n{self.czar.said}")

    def crash(self, name: str, way: str) -> None:
        """Kill a server: its `postmaster`, `all` its processes at once, or a `backend` of it.

        After a backend's death PostgreSQL ends all others and recovers by itself.
        """
        if name == "czar":
            assert self.czar is not None
            self.czar.kill()
            return
        server = self.servers[name]
        assert server.pid is not None
        processes = psutil.Process(server.pid).children(recursive=True)
        if way == "backend":
            for process in processes:
                if "127.0.0.1" in " ".join(process.cmdline()):
                    process.kill()
                    return
            way = "all"
        if way == "all":
            os.kill(server.pid, signal.SIGKILL)
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        server.stop(signal.SIGKILL)

    def restore(self) -> None:
        """Start again what does not run; all answer then, also who recovers by itself."""
        for server in self.servers.values():
            if server.pid is None:
                server.start()
        for name, server in self.servers.items():
            _await(name, server)
        if self.czar is None or self.czar.ended.is_set():
            self.start_czar()


def _await(name: str, server: Server) -> None:
    """Wait until a server accepts connections: it refuses them while it recovers."""
    until = time.monotonic() + UP_S
    while time.monotonic() < until:
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(server.dsn()).close()
            return
        time.sleep(0.02)
    raise AssertionError(f"{name} does not accept connections after {UP_S} s:\n{server.log}")


@contextmanager
def arena() -> Iterator[Arena]:
    """A cluster of SHARDS shards with an empty coordinator, everything up."""
    folder = Path(tempfile.mkdtemp(prefix="skyshard-faults-", dir="/tmp"))
    folder.chmod(0o711)
    servers: dict[str, Server] = {}
    try:
        servers.update(_servers(folder / "pg"))
        topology = _topology(folder, servers)
        port = free_port()
        _configure(folder / "home", topology, port)
        (folder / "log").mkdir()
        environment = {"SKYSHARD_HOME": str(folder / "home")}
        pools = Pools(topology)
        with nursery(folder / "log", environment) as children:
            with pools.coordinator() as connection:
                register_shards(connection, {one.shard_id: 1.0 for one in topology.shards})
                connection.commit()
            made = Arena(folder / "home", servers, topology, pools, children, port)
            made.start_czar()
            yield made
        pools.close()
    finally:
        for server in servers.values():
            server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


def _servers(folder: Path) -> dict[str, Server]:
    """All servers, running; one is made and upgraded, the others are copies of it."""
    folder.mkdir(mode=0o755)
    names = [COORDINATOR, *(f"shard-{number}" for number in range(1, SHARDS + 1))]
    user = unprivileged_user()
    made: dict[str, Server] = {}
    first = _server(folder / names[0], user)
    first.initialise()
    first.start()
    for name in ("coordinator", "shard"):
        upgrade(first.new_database(name), name)  # coordinator_0, shard_1
    first.stop(signal.SIGINT)
    for name in names:
        if name == names[0]:
            made[name] = first
            continue
        subprocess.run(["cp", "-a", folder / names[0], folder / name], check=True)
        made[name] = _server(folder / name, user, first.password)
    for server in made.values():
        server.start()
    return made


def _server(folder: Path, user: str | None, password: str = "") -> Server:
    server = Server(folder, binaries(), user, settings=SETTINGS)
    if password:
        server.password = password
    else:
        folder.mkdir()
        if user:
            shutil.chown(folder, user)
    return server


def _topology(folder: Path, servers: Mapping[str, Server]) -> Topology:
    shards = []
    for number in range(1, SHARDS + 1):
        twins = folder / "home" / "twins" / f"shard-{number}"
        twins.mkdir(parents=True, mode=0o700)
        dsn = servers[f"shard-{number}"].dsn("shard_1")
        shards.append(Shard(ShardId(number), dsn, twins=twins))
    return Topology(servers[COORDINATOR].dsn("coordinator_0"), tuple(shards))


def _configure(home: Path, topology: Topology, port: int) -> None:
    lines = [f"port = {port}", "[coordinator]", f'dsn = "{topology.coordinator}"']
    lines += ["[repair]", "interval_s = 3.0", "[ingest]", "wait_s = 30.0"]
    for shard in topology.shards:
        lines += ["[[shards]]", f'dsn = "{shard.dsn}"', f'twins = "{shard.twins}"']
    (home / "skyshard.toml").write_text("\n".join(lines) + "\n")
    (home / "skyshard.toml").chmod(0o600)
