"""What is measured: an embedded cluster of four shards, as `skyshard up` starts it, and its peers.

All PostgreSQL servers run with the cluster's own settings (`fsync` on); the plain one gets the memory of
a server that is alone.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pyarrow as pa
import pyarrow.parquet

from loaders.parts.encode import CopyStream
from procedures.catalogs import create_catalog
from qserv.store import Store
from schema.catalog import HEALPIX_29
from schema.ddl import quote
from schema.types import SPELLINGS
from tests.bench.rows import OBJECT, catalog
from workers.cli.serve import opened_store
from workers.config import Settings, load, topology
from workers.config.keys import FILE_NAME
from workers.config.servers import DATABASE, ROLE
from workers.local import cluster, postgres
from workers.local.account import server_account
from workers.local.binaries import find_binaries
from workers.local.ports import free_port
from workers.local.servers import this_machine
from workers.local.state import make_secrets, read_state
from workers.local.tuning import postgres_settings

PEER_WORKERS = 2
"""Parallel workers of the plain PostgreSQL's scans, as the design measured them."""

MAX_ROWS = 100_000_000
"""Of one answer by HTTP: more than there are."""


@dataclass(frozen=True, slots=True)
class Peers:
    """One plain PostgreSQL (an open psycopg2 connection) and DuckDB over one Parquet file."""

    postgres: Any
    connect: Callable[[], Any]
    """Another connection to the plain PostgreSQL."""
    duck: duckdb.DuckDBPyConnection
    parquet: Path


@dataclass(frozen=True, slots=True)
class Bench:
    """The cluster, a czar of this process over it, and the peers."""

    folder: Path
    settings: Settings
    store: Store
    peers: Peers

    @property
    def tap(self) -> tuple[str, int]:
        """Host and port of the running HTTP server."""
        return self.settings.host, self.settings.port

    def czar_pid(self) -> int:
        """The process of the HTTP server."""
        state = read_state(self.settings.home)
        assert state is not None
        return state.running["czar"].pid

    def register(self, name: str) -> None:
        """A new, empty catalog of the one table."""
        with self.store.pools.coordinator() as connection:
            create_catalog(connection, catalog(name))
            connection.commit()


@contextmanager
def running_bench(shards: int = 4) -> Iterator[Bench]:
    """Everything started; stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="skyshard-bench-", dir="/tmp"))
    folder.chmod(0o711)  # the servers' own user passes through, where we are root
    home = folder / "home"
    home.mkdir()
    (home / FILE_NAME).write_text(
        f"port = {free_port(())}\nshards = {shards}\n"
        f"[repair]\nenabled = false\n[limits.anonymous]\nmax_rows = {MAX_ROWS}\n"
    )
    try:
        settings = load(home, environ={})
        try:
            cluster.up(settings, lambda _: None)
            settings = load(home, environ={})
            with (
                opened_store(settings, topology(settings)) as store,
                _plain_postgres(folder, home) as connect,
                closing(connect()) as connection,
                closing(_duckdb()) as duck,
            ):
                connection.autocommit = True
                peers = Peers(connection, connect, duck, folder / "object.parquet")
                yield Bench(folder, settings, store, peers)
        finally:
            cluster.down(settings, lambda _: None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _duckdb() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET parquet_metadata_cache = true")
    return connection


@contextmanager
def _plain_postgres(folder: Path, home: Path) -> Iterator[Callable[[], Any]]:
    """Opens connections to a server of its own."""
    account = server_account()
    server = postgres.Server(
        name="plain",
        folder=folder / "plain" / "data",
        port=free_port(()),
        log=folder / "plain.log",
        binaries=find_binaries(None, account, folder),
        account=account,
    )
    server.folder.parent.mkdir()
    server.folder.parent.chmod(0o711)
    secrets = make_secrets(home)
    machine = this_machine(folder)
    postgres.create(server, secrets)
    postgres.configure(server, postgres_settings(machine, 1, major=server.binaries.major))
    started = postgres.start(server, secrets)
    try:
        postgres.prepare(server, secrets)
        _with_q3c(server, secrets.admin)

        def connect() -> Any:
            connection = postgres.connect(server.port, ROLE, secrets.role, DATABASE)
            with connection, connection.cursor() as cursor:
                cursor.execute(f"SET max_parallel_workers_per_gather = {PEER_WORKERS}")
            return connection

        yield connect
    finally:
        postgres.stop(server, started)


def _with_q3c(server: postgres.Server, password: str) -> None:
    """Q3C in the peer, where it is installed (Debian's postgresql-15-q3c)."""
    with closing(postgres.connect(server.port, postgres.ADMIN, password, DATABASE)) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor, suppress(psycopg2.Error):
            cursor.execute("CREATE EXTENSION q3c")


def copy_plain(connection: Any, name: str, ordered: pa.Table) -> None:
    """The peer of an ingest: sorted rows by COPY BINARY into one new table, and its indexes.

    As fast as it can be done: one transaction, frozen rows, indexes afterwards.
    """
    columns = [f"{quote(c.name)} {SPELLINGS[c.type].postgres}" for c in OBJECT.columns]
    columns.append(f"{quote(HEALPIX_29)} bigint")
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        copy = f"COPY {name} FROM STDIN (FORMAT BINARY, FREEZE)"
        names = [*(c.name for c in OBJECT.columns), HEALPIX_29]
        cursor.copy_expert(copy, CopyStream(ordered.select(names)), 1 << 20)
        cursor.execute(f"CREATE INDEX ON {name} ({quote(HEALPIX_29)})")
        cursor.execute(f"CREATE UNIQUE INDEX ON {name} ({quote(OBJECT.key or '')})")
        cursor.execute("COMMIT")


def finish_peers(peers: Peers, ordered: pa.Table) -> None:
    """Statistics for PostgreSQL, the one sorted Parquet file for DuckDB."""
    with peers.postgres.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE object")
    pyarrow.parquet.write_table(ordered, peers.parquet, compression="zstd", row_group_size=122_880)
