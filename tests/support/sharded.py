"""A whole store over databases of one server, and the oracle: the same rows unsharded.

`sharded_store` migrates a coordinator and n shards, starts a scan engine each, ingests the rows and
gives a Store; `oracle` fills one plain PostgreSQL and answers bound queries from it.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import psycopg2
import psycopg2.errors
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from loaders.ingest import Contribution, ingest
from migrations.upgrade import upgrade
from procedures.catalogs import create_catalog
from procedures.install import install
from procedures.pools import Pools
from qserv.answer import answer
from qserv.bind import bind
from qserv.bound import BaseTable, Query
from qserv.languages import LANGUAGES
from qserv.limits import Limits
from qserv.render import Dialect, render
from qserv.scan.engine import EngineSettings
from qserv.scan.server import ScanServer
from qserv.store import Store, StoreSettings
from qserv.traverse import base_relations
from qserv.uploads.tables import NO_UPLOADS, Uploads
from schema.catalog import Catalog
from schema.ddl import quote
from schema.topology import Shard, ShardId, Topology
from schema.types import SPELLINGS, Type
from tests.support.postgres import Server

TOKEN = "a token for tests"
NOW = datetime(2026, 11, 22, 12)  # noqa: DTZ001
Rows = Mapping[str, pa.Table]


@dataclass(frozen=True, slots=True)
class Sharded:
    """A store, and the engines that may be stopped."""

    store: Store
    engines: tuple[ScanServer, ...]


@contextmanager
def sharded_store(
    server: Server,
    catalog: Catalog,
    ingests: Sequence[Rows | Sequence[Contribution]],
    *,
    shards: int,
    folder: Path,
    engines: bool = True,
    last_on: Server | None = None,
    settings: StoreSettings | None = None,
) -> Iterator[Sharded]:
    """The catalog's rows over `shards` databases, brought by one ingest after another.

    The last shard lies on the server `last_on`, where one is given, so that it can be stopped.
    """
    coordinator = server.new_database("coordinator")
    upgrade(coordinator, "coordinator")
    running: list[ScanServer] = []
    places = []
    for k in range(shards):
        twins = folder / f"twins-{k}"
        twins.mkdir(mode=0o700, parents=True)
        home = last_on if last_on is not None and k == shards - 1 else server
        dsn = home.new_database("shard", prepare=_upgraded_shard)
        if engines:
            engine = EngineSettings(k + 1, twins, 512 * 2**20, 2)
            running.append(ScanServer(engine, token=TOKEN))
            threading.Thread(target=running[-1].serve, daemon=True).start()
        scan = running[-1].address if engines else None
        places.append(Shard(ShardId(k + 1), dsn, scan, twins if engines else None))
    topology = Topology(coordinator, tuple(places), TOKEN)
    pools = Pools(topology)
    try:
        _register(pools, topology, catalog)
        for number, rows in enumerate(ingests):
            load(pools, topology, catalog.name, rows, folder / f"ingest-{number}")
        store = Store(topology, pools, spool=folder / "spool", settings=settings)
        try:
            yield Sharded(store, tuple(running))
        finally:
            store.close()
    finally:
        pools.close()
        for engine in running:
            engine.shutdown()


def load(
    pools: Pools,
    topology: Topology,
    catalog: str,
    rows: Rows | Sequence[Contribution],
    folder: Path,
) -> None:
    """One ingest of some tables' rows, or of files as they are."""
    folder.mkdir(parents=True)
    contributions = _written(rows, folder) if isinstance(rows, Mapping) else rows
    ingest(catalog, contributions, pools=pools, topology=topology, spool=folder / "spool")


def _written(rows: Rows, folder: Path) -> list[Contribution]:
    """Tables as Parquet files."""
    contributions = []
    for name, table in rows.items():
        path = folder / f"{name}.parquet"
        pyarrow.parquet.write_table(table, path)
        contributions.append(Contribution(name, path))
    return contributions


def rows_of(
    text: str, store: Store, language: str = "ADQL", uploads: Uploads = NO_UPLOADS
) -> tuple[list[str], list[tuple[object, ...]]]:
    """The answer of the sharded store: names and rows."""
    found = answer(text, store, language=language, uploads=uploads)
    try:
        batches = list(found.batches)
    finally:
        found.close()
    names = [column.name for column in found.columns]
    return names, _tuples(pa.Table.from_batches(batches, found.arrow_schema()))


@dataclass(frozen=True, slots=True)
class Oracle:
    """The same rows in plain tables of one PostgreSQL."""

    dsn: str
    catalog: Catalog
    known: dict[str, list[tuple[object, ...]]] = field(default_factory=dict, repr=False)
    """What it answered already: its neighbour joins are nested loops and take seconds."""

    def rows(self, query: Query) -> list[tuple[object, ...]]:
        """What PostgreSQL answers to the bound query."""
        names = {
            base.relation: quote(base.table.name)
            for base in base_relations(query)
            if isinstance(base, BaseTable)
        }
        text = render(query, Dialect.POSTGRES, names)
        if text not in self.known:
            try:
                self.known[text] = self._asked(query, text)
            except psycopg2.errors.NumericValueOutOfRange as error:
                if "value out of range" not in str(error):
                    raise
                careful = render(query, Dialect.POSTGRES, names, is_careful=True)
                self.known[text] = self._asked(query, careful)
        return self.known[text]

    def _asked(self, query: Query, text: str) -> list[tuple[object, ...]]:
        with psycopg2.connect(self.dsn) as connection, connection.cursor() as cursor:
            cursor.execute(text)
            found = cursor.fetchall()
        is_real = [output.type is Type.FLOAT for output in query.outputs]
        return [
            tuple(
                float(np.float32(cell)) if real and cell is not None else cell
                for cell, real in zip(row, is_real, strict=True)
            )
            for row in found
        ]


def bound(text: str, store: Store, language: str = "ADQL", uploads: Uploads = NO_UPLOADS) -> Query:
    """The bound query of a text, as `answer` would have it."""
    catalogs = store.pin().with_uploads(uploads).catalogs
    return bind(LANGUAGES[language](text, Limits()), catalogs, now=NOW, random=0.5)


def oracle(server: Server, catalog: Catalog, rows: Rows) -> Oracle:
    """Fill an unsharded PostgreSQL."""
    dsn = server.new_database("oracle")
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            install(connection)
            for table in catalog.tables:
                columns = ", ".join(
                    f"{quote(c.name)} {SPELLINGS[c.type].postgres}"
                    + (' COLLATE "C"' if c.type == "text" else "")
                    for c in table.columns
                )
                cursor.execute(f"CREATE TABLE {quote(table.name)} ({columns})")
                buffer = io.BytesIO()
                pyarrow.csv.write_csv(_without_nan(rows[table.name]), buffer)
                buffer.seek(0)
                cursor.copy_expert(
                    f"COPY {quote(table.name)} FROM STDIN WITH (FORMAT csv, HEADER)", buffer
                )
                if table.key is not None:
                    cursor.execute(f"CREATE INDEX ON {quote(table.name)} ({quote(table.key)})")
            cursor.execute("ANALYZE")
    finally:
        connection.close()
    return Oracle(dsn, catalog)


def _without_nan(table: pa.Table) -> pa.Table:
    """NaN as NULL, what ingest stores; arrays as text."""
    columns = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_floating(column.type):
            column = pa.chunked_array([pa.array(column.to_numpy(), column.type, from_pandas=True)])
        if pa.types.is_list(column.type):
            column = pa.array(_array_text(row) for row in column.to_pylist())
        columns[name] = column
    return pa.table(columns)


def _array_text(row: list[object] | None) -> str | None:
    """An array of numbers as PostgreSQL reads it."""
    return None if row is None else "{" + ",".join(map(repr, row)) + "}"


def _tuples(table: pa.Table) -> list[tuple[object, ...]]:
    columns = [column.to_pylist() for column in table.columns]
    return list(zip(*columns, strict=True)) if columns else []


def _upgraded_shard(dsn: str) -> None:
    upgrade(dsn, "shard")


def _register(pools: Pools, topology: Topology, catalog: Catalog) -> None:
    with pools.coordinator() as connection:
        with connection.cursor() as cursor:
            for shard in topology.shards:
                cursor.execute(
                    "INSERT INTO skyshard.shard (shard_id, weight) VALUES (%s, %s)",
                    (shard.shard_id, shard.weight),
                )
        create_catalog(connection, catalog)
        connection.commit()
