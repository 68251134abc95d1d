"""A small live catalog: versioned objects, their sources and forced sources by time, notes, a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from loaders.live.unit import open_unit
from procedures.catalogs import create_catalog, drop_catalog
from procedures.live_tables import count_live, drop_live, parts_of_live_catalog
from qserv.answer import answer
from qserv.store import Store
from schema.catalog import Catalog
from schema.felis import read_catalog
from tests.loaders.lab import Lab, lab
from tests.support.postgres import Server

SCHEMA = """
name: night
tables:
- name: Object
  primaryKey: ["#Object.objectId", "#Object.start"]
  columns:
  - {name: objectId, datatype: long, nullable: false}
  - {name: start, datatype: double, nullable: false}
  - {name: ra, datatype: double, nullable: false, ivoa:ucd: pos.eq.ra;meta.main}
  - {name: dec, datatype: double, nullable: false, ivoa:ucd: pos.eq.dec;meta.main}
  - {name: n, datatype: int}
- name: Source
  primaryKey: "#Source.sourceId"
  columns:
  - {name: sourceId, datatype: long, nullable: false}
  - {name: objectId, datatype: long}
  - {name: visit, datatype: long, nullable: false}
  - {name: ra, datatype: double, ivoa:ucd: pos.eq.ra;meta.main}
  - {name: dec, datatype: double, ivoa:ucd: pos.eq.dec;meta.main}
  - {name: mjd, datatype: double}
  - {name: flux, datatype: float}
- name: Forced
  primaryKey: ["#Forced.objectId", "#Forced.visit"]
  columns:
  - {name: objectId, datatype: long, nullable: false}
  - {name: visit, datatype: long, nullable: false}
  - {name: mjd, datatype: double}
  - {name: flux, datatype: float}
- name: Note
  columns:
  - {name: sourceId, datatype: long, nullable: false}
  - {name: text, datatype: string, length: 20}
- name: Visit
  primaryKey: "#Visit.visit"
  columns:
  - {name: visit, datatype: long, nullable: false}
  - {name: band, datatype: char, length: 1}
"""
LAYOUT = """
kind: live
replicas: {replicas}
chunk_order: 3
keep_units: {keep_units}
tables:
  Object: {{role: director, key: objectId, ra: ra, dec: dec}}
  Source:
    {{role: child, parent: Object, key: objectId, ra: ra, dec: dec, sentinels: [0],
     time: mjd, slice_days: 30, retention_days: 365}}
  Forced: {{role: child, parent: Object, key: objectId, time: mjd, slice_days: 30}}
  Note: {{role: child, parent: Source, key: sourceId}}
  Visit: {{role: replicated}}
"""


def night(folder: Path, *, replicas: int = 1, keep_units: int = 1000) -> Catalog:
    """The catalog, read from its files."""
    schema, layout = folder / "night.yaml", folder / "night-layout.yaml"
    schema.write_text(SCHEMA)
    layout.write_text(LAYOUT.format(replicas=replicas, keep_units=keep_units))
    return read_catalog("night", schema, layout)


@dataclass(frozen=True, slots=True)
class LiveLab:
    """A cluster with the catalog, and a store that answers."""

    lab: Lab
    store: Store

    def write(self, label: str = "", **tables: Mapping[str, Sequence[object]] | pa.Table) -> int:
        """One unit that upserts tables; the snapshot that it made."""
        with open_unit(self.lab.pools, self.lab.topology, "night", label=label) as unit:
            for name, rows in tables.items():
                unit.upsert(name, rows if isinstance(rows, pa.Table) else pa.table(dict(rows)))
        assert unit.snapshot is not None
        return unit.snapshot

    def rows(self, text: str, as_of: str = "") -> list[tuple[object, ...]]:
        """The rows of an answer, sorted."""
        with closing(answer(text, self.store, as_of=as_of)) as found:
            batches = list(found.batches)
            table = pa.Table.from_batches(batches, found.arrow_schema())
        columns = [column.to_pylist() for column in table.columns]
        return sorted(zip(*columns, strict=True), key=repr)

    def value(self, text: str, as_of: str = "") -> object:
        """The only value of an answer."""
        ((value,),) = self.rows(text, as_of)
        return value

    def renew(self) -> None:
        """The catalog anew, empty."""
        with self.lab.pools.coordinator() as connection:
            drop_catalog(connection, "night")
            connection.commit()
        for shard in self.lab.topology.shards:
            with self.lab.pools.shard(shard.shard_id) as connection:
                drop_live(connection, parts_of_live_catalog(connection, "night"))
        with self.lab.pools.coordinator() as connection:
            create_catalog(connection, self.lab.catalog)
            connection.commit()

    def stored(self) -> list[tuple[int, int]]:
        """Versions and bytes of each copy of each live part."""
        found = []
        for shard in self.lab.topology.shards:
            with self.lab.pools.shard(shard.shard_id) as connection:
                parts = parts_of_live_catalog(connection, "night")
                found += list(count_live(connection, parts).values())
        return found


@contextmanager
def live_lab(
    server: Server,
    folder: Path,
    *,
    replicas: int = 1,
    keep_units: int = 1000,
    coordinator_on: Server | None = None,
    last_on: Server | None = None,
) -> Iterator[LiveLab]:
    """A cluster of two shards with the catalog, empty; `lab` says where its servers lie."""
    catalog = night(folder, replicas=replicas, keep_units=keep_units)
    with lab(server, catalog, folder, coordinator_on=coordinator_on, last_on=last_on) as made:
        store = Store(made.topology, made.pools, spool=folder / "spool")
        try:
            yield LiveLab(made, store)
        finally:
            store.close()
