"""What must hold when all is up again and the work was repeated: rows, copies, twins, books, disks."""

from __future__ import annotations

from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq

from loaders.copies.verify import Depth, VerifyOptions, verify
from loaders.lease import is_gone
from loaders.parts.twin import drop_twins, twin_path
from procedures.book import forget
from procedures.catalogs import drop_catalog, drop_parts, parts_of_catalog
from procedures.inventory import take_inventory
from procedures.parts import part_columns, read_part
from procedures.repairs import kept_parts
from schema.checksum import checksum
from schema.ddl import part_tables
from schema.manifest import Manifest, Part, PartKind
from schema.topology import ShardId
from tests.faults.arena import Arena
from tests.faults.works import manifest_of
from tests.faults.worlds import Rows
from tests.loaders.skies import SKY


def assert_rows(arena: Arena, catalog: str, world: Rows) -> None:
    """Every replica, and every twin, of each table holds the rows of a state, by checksum."""
    manifest = manifest_of(arena, catalog)
    for name, given in world.items():
        wanted = given.num_rows, checksum(given, given.column_names)
        copies = max((len(part.replicas) for part in _parts(manifest, name)), default=1)
        for replica in range(copies):
            found = _rows(arena, manifest, name, replica)
            assert (found.num_rows, _checksum(found, given)) == wanted, f"{name}, copy {replica}"
            twins = _twins(arena, manifest, name, replica)
            assert (twins.num_rows, _checksum(twins, given)) == wanted, f"{name}, twin {replica}"


def _checksum(found: pa.Table, given: pa.Table) -> int:
    return checksum(found.select(given.column_names).cast(given.schema), given.column_names)


def _parts(manifest: Manifest, name: str) -> tuple[Part, ...]:
    kinds = (PartKind.ROWS, PartKind.WHOLE)
    return tuple(part for kind in kinds for part in manifest.parts_of(name, kind))


def _shard(part: Part, replica: int) -> ShardId:
    return part.replicas[min(replica, len(part.replicas) - 1)].shard_id


def _columns(part: Part, name: str) -> list[str]:
    table = SKY.table(name)
    assert table is not None
    return part_columns(part, table)


def _rows(arena: Arena, manifest: Manifest, name: str, replica: int) -> pa.Table:
    found = []
    for part in _parts(manifest, name):
        with arena.pools.arrow(_shard(part, replica)) as connection:
            found.append(read_part(connection, part.own_name, _columns(part, name)))
    return pa.concat_tables(found)


def _twins(arena: Arena, manifest: Manifest, name: str, replica: int) -> pa.Table:
    found = []
    for part in _parts(manifest, name):
        folder = arena.topology.shard(_shard(part, replica)).twins
        assert folder is not None
        found.append(pq.read_table(twin_path(folder, part.own_name)))
    return pa.concat_tables(found)


def assert_verified(arena: Arena) -> None:
    """`skyshard verify` finds nothing, however new it is."""
    found = verify(
        arena.pools, arena.topology, options=VerifyOptions(Depth.DEEP, workers=1, grace_s=0.0)
    )
    assert found.is_clean, "\n".join(map(str, found.findings))


def assert_nothing_else(arena: Arena, catalog: str) -> None:
    """The shards hold the tables and files of the manifest's parts and no others; no spool is left."""
    with arena.pools.coordinator() as connection:
        parts = kept_parts(connection, catalog)
    for shard in arena.topology.shards:
        names: set[str] = set()
        files: set[str] = set()
        for part in parts:
            table = SKY.table(part.table)
            assert table is not None
            replica = next((r for r in part.replicas if r.shard_id == shard.shard_id), None)
            if replica is not None:
                names |= set(part_tables(part, table))
                if replica.has_twin:
                    files |= {f"{name}.parquet" for name in part_tables(part, table)}
        with arena.pools.shard(shard.shard_id) as connection:
            assert take_inventory(connection).tables == names, f"tables of shard {shard.shard_id}"
        assert shard.twins is not None
        assert {path.name for path in shard.twins.iterdir()} == files, f"twins {shard.shard_id}"
    assert not list((arena.home / "spool").glob("ingest-*"))


_LEDGER = """
SELECT ingest_id, kind, state, finished_at IS NOT NULL, lease_owner, lease_until > clock_timestamp(),
       (SELECT count(*) FROM skyshard.planned_part AS p WHERE p.ingest_id = ingest.ingest_id),
       (SELECT count(*) FROM skyshard.part AS p
        WHERE p.ingest_id = ingest.ingest_id AND p.from_snapshot IS NULL)
FROM skyshard.ingest JOIN skyshard.catalog USING (catalog_id) WHERE catalog.name = %s
"""


def assert_ledger(arena: Arena, catalog: str) -> None:
    """Every ingest has ended, nobody works, nothing is planned, queued or half recorded."""
    with arena.pools.coordinator() as connection, connection.cursor() as cursor:
        cursor.execute(_LEDGER, (catalog,))
        for number, kind, state, is_finished, owner, is_held, planned, unpublished in cursor:
            told = f"{kind} {number} is {state}"
            # An ingest in one call that met an error has failed; its repetition is another one.
            assert state in {"published", "retracted", "aborted", "failed"}, told
            assert is_finished, told
            assert not (owner and is_held and not is_gone(owner)), f"{told}, at work: {owner}"
            assert (planned, unpublished) == (0, 0), f"{told}: {planned} planned, {unpublished}"
        cursor.execute("SELECT count(*) FROM skyshard.repair")
        assert cursor.fetchone() == (0,), "copies wait to be mended"


def sweep(arena: Arena, catalog: str) -> None:
    """Drop the catalog; the shards are as empty as before."""
    with suppress(LookupError), arena.pools.coordinator() as connection:
        drop_catalog(connection, catalog)
        connection.commit()
    for shard in arena.topology.shards:
        with arena.pools.shard(shard.shard_id) as connection:
            parts = parts_of_catalog(connection, catalog)
            connection.commit()
            drop_parts(connection, parts)
            forget(connection, catalog)
            connection.commit()
        drop_twins(shard.twins, parts)
