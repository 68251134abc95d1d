"""A coordinator and shards (databases of one server) with an empty catalog to ingest into."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from loaders.ingest import Contribution, IngestOptions, IngestReport, ingest
from migrations.upgrade import upgrade
from procedures.catalogs import create_catalog
from procedures.manifests import current_snapshots, read_manifest
from procedures.parts import part_columns, read_part
from procedures.pools import Pools
from schema.catalog import Catalog, Table
from schema.manifest import Manifest, Part, PartKind
from schema.topology import Shard, ShardId, Topology
from tests.support.postgres import Server


@dataclass(frozen=True, slots=True)
class Lab:
    """A small cluster and one catalog."""

    catalog: Catalog
    topology: Topology
    pools: Pools
    folder: Path

    def ingest(
        self, options: IngestOptions | None = None, **given: pa.Table | Mapping[str, object] | Path
    ) -> IngestReport:
        """Ingest tables or files, by the name of the table."""
        sources = [Contribution(name, self._file(name, rows)) for name, rows in given.items()]
        return ingest(
            self.catalog.name,
            sources,
            pools=self.pools,
            topology=self.topology,
            spool=self.folder / "spool",
            options=options or IngestOptions(workers=2),
        )

    def _file(self, name: str, rows: pa.Table | Mapping[str, object] | Path) -> Path:
        if isinstance(rows, Path):
            return rows
        path = self.folder / f"{name}-{len(list(self.folder.iterdir()))}.parquet"
        pq.write_table(rows if isinstance(rows, pa.Table) else pa.table(dict(rows)), path)
        return path

    def with_catalog(self, name: str, folder: Path) -> Lab:
        """The same cluster with another, empty catalog of the same tables."""
        catalog = dataclasses.replace(self.catalog, name=name)
        with self.pools.coordinator() as connection:
            create_catalog(connection, catalog)
            connection.commit()
        return dataclasses.replace(self, catalog=catalog, folder=folder)

    def snapshot(self) -> int:
        with self.pools.coordinator() as connection:
            return current_snapshots(connection)[self.catalog.name]

    def manifest(self, snapshot: int | None = None) -> Manifest:
        number = self.snapshot() if snapshot is None else snapshot
        with self.pools.coordinator() as connection:
            return read_manifest(connection, self.catalog.name, number)

    def table(self, name: str) -> Table:
        table = self.catalog.table(name)
        assert table is not None
        return table

    def own(self, part: Part, replica: int = 0) -> pa.Table:
        """The own rows of a part on one of its shards."""
        return self._read(part, part.own_name, replica)

    def overlap(self, part: Part, replica: int = 0) -> pa.Table:
        """A director's overlap rows."""
        return self._read(part, part.overlap_name, replica)

    def _read(self, part: Part, name: str, replica: int) -> pa.Table:
        with self.pools.arrow(part.replicas[replica].shard_id) as connection:
            return read_part(connection, name, part_columns(part, self.table(part.table)))

    def rows(self, table: str, manifest: Manifest | None = None) -> pa.Table:
        """All rows of a table in a snapshot."""
        seen = manifest or self.manifest()
        kinds = (PartKind.ROWS, PartKind.WHOLE)
        parts = [part for kind in kinds for part in seen.parts_of(table, kind)]
        return pa.concat_tables(self.own(part) for part in parts)

    def column(self, table: str, column: str) -> list[object]:
        """A column of a table, sorted."""
        return sorted(self.rows(table)[column].to_pylist(), key=lambda v: (v is None, v))

    def part_tables(self) -> int:
        """How many part tables there are on all shards, published or not."""
        return sum(
            self.scalar(shard, "SELECT count(*) FROM pg_tables WHERE schemaname = 'parts'")
            for shard in self.topology.shards
        )

    def scalar(self, shard: Shard, statement: str) -> int:
        with self.pools.shard(shard.shard_id) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return int(cursor.fetchone()[0])

    def twin_files(self) -> list[str]:
        return sorted(
            path.name
            for shard in self.topology.shards
            if shard.twins is not None and shard.twins.exists()
            for path in shard.twins.iterdir()
        )


def upgraded_coordinator(dsn: str) -> None:
    upgrade(dsn, "coordinator")


def upgraded_shard(dsn: str) -> None:
    upgrade(dsn, "shard")


@contextmanager
def lab(
    server: Server,
    catalog: Catalog,
    folder: Path,
    *,
    shards: int = 2,
    coordinator_on: Server | None = None,
    last_on: Server | None = None,
) -> Iterator[Lab]:
    """A cluster of some shards that has the catalog, empty.

    The coordinator and the last shard may lie on servers of their own, which can be stopped.
    """
    home = coordinator_on or server
    coordinator = home.new_database("lab", prepare=upgraded_coordinator)
    places = tuple(
        Shard(
            ShardId(number),
            (last_on if last_on is not None and number == shards else server).new_database(
                "lab_shard", prepare=upgraded_shard
            ),
            twins=folder / f"twins-{number}",
        )
        for number in range(1, shards + 1)
    )
    topology = Topology(coordinator, places)
    pools = Pools(topology)
    try:
        with pools.coordinator() as connection:
            create_catalog(connection, catalog)
            connection.commit()
        yield Lab(catalog, topology, pools, folder)
    finally:
        pools.close()
