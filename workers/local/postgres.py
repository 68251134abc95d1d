"""One embedded PostgreSQL server: create its data directory, start it, stop it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812  (a class)
from psycopg2.extensions import encrypt_password

from schema.errors import StoreError
from workers.config.servers import DATABASE, ROLE
from workers.local import processes
from workers.local.account import Account, demotion, own_folder
from workers.local.binaries import Binaries
from workers.local.owner import check_owner
from workers.local.ports import PortTaken
from workers.local.processes import Launch, StartFailed
from workers.local.state import Running, Secrets
from workers.local.tuning import as_text

ADMIN = "postgres"
START_TIMEOUT_S = 300.0  # crash recovery included
LOCK_PATIENCE_S = 60.0  # for orphaned backends of a killed server to go
LOCK_FILE = "postmaster.pid"
OTHER_SECRETS = "its password is not the one in secrets.json: restore that file from a backup"
STOP_STEPS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 15.0), (signal.SIGKILL, 10.0))
ORPHAN_STEPS = ((signal.SIGTERM, 5.0), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 10.0))
# The server's parent waits for it: a killed server that an idle process 1 (of a container, say) leaves
# as a zombie would hold its lock file for ever.
_REAPER = '"$@"; exit $?'
_LOCKED = ("shared memory block", "lock file")
_HBA = "host all all 127.0.0.1/32 scram-sha-256\n"


class OtherVersion(StoreError):
    """A data directory was made by another major version of PostgreSQL."""

    code = "POSTGRES_VERSION"

    def __init__(self, folder: Path, made_by: str, found: Binaries) -> None:
        super().__init__(
            f"{folder} was made by PostgreSQL {made_by}, but the binaries in {found.folder} are "
            f"{found.version}; name those of {made_by} with --pg-bin, or upgrade with pg_upgrade"
        )


class StaleLock(StoreError):
    """A killed server's lock file names an id that another process has got since."""

    code = "STALE_LOCK"

    def __init__(self, server: Server, pid: int, name: str) -> None:
        super().__init__(
            f"{server.name} does not start: {server.folder / LOCK_FILE} names process {pid}, which is "
            f"{name!r} now; wait for it to end or end it, then `skyshard up` again"
        )


@dataclass(frozen=True, slots=True)
class Server:
    """One server of the cluster. `folder` is its data directory, `port` is on 127.0.0.1."""

    name: str
    folder: Path
    port: int
    log: Path
    binaries: Binaries
    account: Account | None


def create(server: Server, secrets: Secrets) -> None:
    """Make the data directory, unless there is one; a crash leaves none."""
    check_owner(server.folder, server.account.uid if server.account else None)
    made_by = server.folder / "PG_VERSION"
    if made_by.exists():
        major = made_by.read_text(encoding="ascii").strip()
        if major != str(server.binaries.major):
            raise OtherVersion(server.folder, major, server.binaries)
        return
    draft = server.folder.with_name(f"{server.folder.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    own_folder(draft, server.account)
    password = draft.with_name(f".{server.folder.name}.password")
    _write_for(password, secrets.admin, server.account)
    try:
        _initdb(server, draft, password)
    finally:
        password.unlink()
    with (draft / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write("include 'skyshard.conf'\n")
    draft.rename(server.folder)


def _initdb(server: Server, folder: Path, password: Path) -> None:
    command = [
        str(server.binaries.folder / "initdb"),
        f"--pgdata={folder}",
        f"--username={ADMIN}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
    ]
    made = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=_environment(),
        **demotion(server.account),
    )
    if made.returncode != 0:
        with server.log.open("a", encoding="utf-8") as log:
            log.write(made.stdout + made.stderr)
        raise StartFailed(server.name, server.log, "initdb failed")


def _write_for(path: Path, text: str, account: Account | None) -> None:
    """Write a file that only `account` reads."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    if account is not None:
        os.chown(path, account.uid, account.gid)


def configure(server: Server, settings: dict[str, str]) -> None:
    """Write the settings and the access rule: passwords, over loopback TCP only."""
    written = {
        **settings,
        "listen_addresses": "127.0.0.1",
        "port": str(server.port),
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "cluster_name": f"skyshard {server.name}",
    }
    _write_for(server.folder / "skyshard.conf", as_text(written), server.account)
    # Asked with the file in place: postgresql.conf includes it.
    if server.binaries.major >= 15 and _takes(server, "wal_compression", "lz4"):
        written["wal_compression"] = "lz4"
        _write_for(server.folder / "skyshard.conf", as_text(written), server.account)
    _write_for(server.folder / "pg_hba.conf", _HBA, server.account)


def _takes(server: Server, name: str, value: str) -> bool:
    """Whether these binaries know a value of a setting (wal_compression depends on the build)."""
    command = [str(server.binaries.folder / "postgres"), "-C", name, "-c", f"{name}={value}"]
    asked = subprocess.run(
        [*command, "-D", str(server.folder)],
        capture_output=True,
        check=False,
        cwd="/",
        **demotion(server.account),
    )
    return asked.returncode == 0


def running(server: Server, noted: Running | None) -> Running | None:
    """The server's postmaster if it runs: the noted one, or one whose start was not noted."""
    if noted is not None and processes.is_alive(noted):
        return noted
    pid = _lock_line(server, 0)
    found = processes.in_folder(server.folder, "postgres")
    return next((process for process in found if process.pid == pid), None)


def port_of_running(server: Server) -> int | None:
    """The port that a running server listens on, by its own notes; None where there are none."""
    return _lock_line(server, 3)


def _lock_line(server: Server, line: int) -> int | None:
    """A number of PostgreSQL's lock file: the process id (0) or the port (3)."""
    try:
        lines = (server.folder / LOCK_FILE).read_text(encoding="utf-8").splitlines()
        return int(lines[line])
    except (OSError, ValueError, IndexError):
        return None


def _environment() -> dict[str, str]:
    """Ours without what steers libpq, PostgreSQL or Skyshard, secrets among it."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PG", "SKYSHARD_", "LC_"))}


def start(server: Server, secrets: Secrets) -> Running:
    """Start the server and wait until it answers.

    After `kill -9` PostgreSQL refuses to start while backends of the killed server live: those
    are asked to end, and the start is repeated. `postmaster.pid` is PostgreSQL's own to judge.
    """
    program = str(server.binaries.folder / "postgres")
    launch = Launch(
        argv=("/bin/sh", "-c", _REAPER, "skyshard", program, "-D", str(server.folder)),
        log=server.log,
        folder=server.folder,
        account=server.account,
        environment=_environment(),
    )
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while True:
        begin = server.log.stat().st_size if server.log.exists() else 0
        parent = processes.spawn(launch)
        if _wait_ready(server, parent, secrets):
            started = running(server, None)
            if started is not None:
                return started
        told = processes.tail(server.log, begin)
        if "could not bind" in told or "could not create any TCP" in told:
            raise PortTaken(server.name, "127.0.0.1", server.port)
        if not any(word in told for word in _LOCKED) or time.monotonic() > deadline:
            raise StartFailed(server.name, server.log, "PostgreSQL ended")
        _refuse_stranger(server)
        end_orphans(server)
        time.sleep(0.2)


def _refuse_stranger(server: Server) -> None:
    """Raise where the lock file names a process that has its id by chance, after a reboot say.

    PostgreSQL takes any live process of its account for the old server, and would for ever.
    """
    pid = _lock_line(server, 0)
    if pid is None or pid in [process.pid for process in processes.in_folder(server.folder, "")]:
        return
    name = processes.name_of(pid)
    if name:
        raise StaleLock(server, pid, name)


def _wait_ready(server: Server, parent: Running, secrets: Secrets) -> bool:
    """Whether the server came to answer; False if its process ended first."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while processes.is_alive(parent):
        try:
            connect(server.port, ADMIN, secrets.admin, "postgres").close()
        except psycopg2.OperationalError as error:
            if "password authentication failed" in str(error):
                raise StartFailed(server.name, server.log, OTHER_SECRETS) from error
            time.sleep(0.05)
        else:
            return True
        if time.monotonic() > deadline:
            raise StartFailed(server.name, server.log, f"silent for {START_TIMEOUT_S:.0f} s")
    return False


def connect(port: int, role: str, password: str, database: str) -> Connection:
    """Connect to an embedded server."""
    return psycopg2.connect(
        host="127.0.0.1",
        port=port,
        user=role,
        password=password,
        dbname=database,
        connect_timeout=2,
        application_name="skyshard up",
    )


def prepare(server: Server, secrets: Secrets) -> None:
    """Create Skyshard's role and its database, unless they exist; nobody else may connect."""
    admin = connect(server.port, ADMIN, secrets.admin, "postgres")
    try:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,))
            if not cursor.fetchone():
                hashed = encrypt_password(secrets.role, ROLE, admin, "scram-sha-256")
                create_role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                cursor.execute(create_role.format(sql.Identifier(ROLE), sql.Literal(hashed)))
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if not cursor.fetchone():
                create = sql.SQL("CREATE DATABASE {} OWNER {}")
                cursor.execute(create.format(sql.Identifier(DATABASE), sql.Identifier(ROLE)))
            # Each time: a start that was cut short here must not leave the database open.
            revoke = sql.SQL("REVOKE ALL ON DATABASE {}, postgres, template1 FROM PUBLIC")
            cursor.execute(revoke.format(sql.Identifier(DATABASE)))
    finally:
        admin.close()


def stop(server: Server, noted: Running | None) -> None:
    """Stop the server (fast shutdown) and whatever a killed one left behind."""
    found = running(server, noted)
    if found is not None:
        processes.end(found, STOP_STEPS)
    end_orphans(server)


def end_orphans(server: Server) -> None:
    """End backends that outlived their killed postmaster; none while it runs."""
    if running(server, None) is not None:
        return
    for orphan in processes.in_folder(server.folder, "postgres"):
        processes.end(orphan, ORPHAN_STEPS)
