"""Manifests on the coordinator: what a snapshot holds, and how an ingest becomes one.

Every call takes an open psycopg2 connection to the coordinator and leaves the transaction to its
caller: a publish is several of these calls and one commit.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extras import execute_values

from procedures.live_parts import manifest_parts
from procedures.snapshots import drop_surplus
from schema.healpix import Pixel
from schema.manifest import IngestId, Manifest, Part, PartId, PartKind, Replica
from schema.topology import ShardId

_PAGE = 1000


def current_snapshots(connection: Connection) -> dict[str, int]:
    """The newest snapshot of every catalog; 0 for one that holds nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, snapshot FROM skyshard.catalog")
        return {row[0]: row[1] for row in cursor}


def read_manifest(connection: Connection, catalog_name: str, snapshot: int) -> Manifest:
    """One snapshot of a catalog (named as its model spells it); empty where it holds nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_CHUNKS, (catalog_name,))
        chunks = tuple(Pixel(order, number) for order, number in cursor)
        cursor.execute(_PARTS, (catalog_name, snapshot, snapshot))
        placed: dict[tuple[object, ...], tuple[Replica, ...]] = {}
        parts = tuple([to_part(row, placed) for row in cursor])
    live = () if parts else manifest_parts(connection, catalog_name, snapshot)
    return Manifest(catalog_name, snapshot, chunks, parts or live)


_CHUNKS = """
SELECT chunk.pixel_order, chunk.pixel
FROM skyshard.chunk
JOIN skyshard.catalog USING (catalog_id)
WHERE catalog.name = %s
ORDER BY chunk.pixel << (2 * (29 - chunk.pixel_order))
"""

PART_COLUMNS = """
part.part_id, part.table_name, part.kind, part.pixel_order, part.pixel, part.bucket,
part.ingest_id, part.rows, part.overlap_rows, part.size_bytes, part.checksum::text,
part.separation_arcsec, part.low_29, part.high_29,
array_agg(replica.shard_id ORDER BY replica.shard_id),
array_agg(replica.has_twin ORDER BY replica.shard_id),
part.statistics::text, part.schema_version, part.merged
"""
"""What `to_part` reads, of parts with their replicas, grouped by the part."""

_PARTS = f"""
SELECT {PART_COLUMNS}
FROM skyshard.part
JOIN skyshard.catalog USING (catalog_id)
LEFT JOIN skyshard.replica USING (part_id)
WHERE catalog.name = %s
  AND part.from_snapshot <= %s
  AND (part.to_snapshot IS NULL OR part.to_snapshot > %s)
GROUP BY part.part_id
ORDER BY part.from_snapshot, part.part_id
"""


_KINDS = {str(kind): kind for kind in PartKind}


def to_part(row: tuple[Any, ...], placed: dict[tuple[object, ...], tuple[Replica, ...]]) -> Part:
    """A row of PART_COLUMNS as a value; parts that lie alike share their replicas (`placed`)."""
    order, pixel = row[3], row[4]
    place = (*row[14], *row[15])
    replicas = placed.get(place)
    if replicas is None:
        pairs = zip(row[14], row[15], strict=True)
        replicas = tuple(
            Replica(ShardId(shard), has_twin) for shard, has_twin in pairs if shard is not None
        )
        placed[place] = replicas
    return Part(
        part_id=PartId(row[0]),
        table=sys.intern(row[1]),
        kind=_KINDS[row[2]],
        pixel=None if pixel is None else Pixel(order, pixel),
        bucket=row[5],
        ingest_id=IngestId(row[6]),
        rows=row[7],
        overlap_rows=row[8],
        size_bytes=row[9],
        checksum=int(row[10]),
        separation_arcsec=row[11],
        low_29=row[12],
        high_29=row[13],
        statistics=row[16] or "",
        replicas=replicas,
        schema_version=row[17],
        merged=tuple(IngestId(one) for one in row[18] or ()),
    )


def allocate_parts(connection: Connection, count: int) -> list[PartId]:
    """New part ids, ascending; ids of parts that are never published stay unused."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('skyshard.part', 'part_id'))"
            " FROM generate_series(1, %s)",
            (count,),
        )
        return sorted(PartId(row[0]) for row in cursor)


def record_parts(connection: Connection, catalog_name: str, parts: Sequence[Part]) -> None:
    """Write down loaded parts and their replicas, not yet published; those that are known stay."""
    with connection.cursor() as cursor:
        catalog_id = _catalog_id(cursor, catalog_name)
        execute_values(
            cursor,
            "INSERT INTO skyshard.part (part_id, catalog_id, ingest_id, table_name, kind,"
            " pixel_order, pixel, bucket, rows, overlap_rows, size_bytes, checksum,"
            " separation_arcsec, low_29, high_29, statistics, schema_version, merged)"
            " OVERRIDING SYSTEM VALUE VALUES %s ON CONFLICT DO NOTHING",
            [_part_row(catalog_id, part) for part in parts],
            page_size=_PAGE,
        )
        execute_values(
            cursor,
            "INSERT INTO skyshard.replica (part_id, shard_id, has_twin) VALUES %s"
            " ON CONFLICT DO NOTHING",
            [(p.part_id, r.shard_id, r.has_twin) for p in parts for r in p.replicas],
            page_size=_PAGE,
        )


def _part_row(catalog_id: int, part: Part) -> tuple[object, ...]:
    pixel = part.pixel
    return (
        part.part_id,
        catalog_id,
        part.ingest_id,
        part.table,
        str(part.kind),
        None if pixel is None else pixel.order,
        None if pixel is None else pixel.number,
        part.bucket,
        part.rows,
        part.overlap_rows,
        part.size_bytes,
        part.checksum,
        part.separation_arcsec,
        part.low_29,
        part.high_29,
        part.statistics or None,
        part.schema_version,
        list(part.merged) or None,
    )


def unpublished_parts(connection: Connection, ingest_id: IngestId) -> tuple[Part, ...]:
    """The parts of an ingest that are written down and not published."""
    with connection.cursor() as cursor:
        cursor.execute(_UNPUBLISHED, (ingest_id,))
        placed: dict[tuple[object, ...], tuple[Replica, ...]] = {}
        return tuple([to_part(row, placed) for row in cursor])


_UNPUBLISHED = f"""
SELECT {PART_COLUMNS}
FROM skyshard.part
LEFT JOIN skyshard.replica USING (part_id)
WHERE part.ingest_id = %s AND part.from_snapshot IS NULL
GROUP BY part.part_id
ORDER BY part.part_id
"""


def lock_catalog(connection: Connection, catalog_name: str) -> int:
    """Keep other publishers of this catalog out until the transaction ends; its newest snapshot."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT snapshot FROM skyshard.catalog WHERE name = %s FOR NO KEY UPDATE",
            (catalog_name,),
        )
        row = cursor.fetchone()
        assert row is not None, f"catalog {catalog_name} vanished"
        return int(row[0])


def write_tiling(connection: Connection, catalog_name: str, chunks: Sequence[Pixel]) -> None:
    """Store a catalog's tiling; the caller holds its lock and knows that it has none."""
    with connection.cursor() as cursor:
        catalog_id = _catalog_id(cursor, catalog_name)
        execute_values(
            cursor,
            "INSERT INTO skyshard.chunk (catalog_id, pixel_order, pixel) VALUES %s",
            [(catalog_id, chunk.order, chunk.number) for chunk in chunks],
            page_size=_PAGE,
        )


def split_chunk(
    connection: Connection, catalog_name: str, chunk: Pixel, finer: Sequence[Pixel]
) -> None:
    """Put finer chunks in the place of one; the caller holds the catalog's lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM skyshard.chunk WHERE catalog_id = %s AND pixel_order = %s AND pixel = %s",
            (_catalog_id(cursor, catalog_name), chunk.order, chunk.number),
        )
        assert cursor.rowcount == 1, f"chunk {chunk} vanished"
    write_tiling(connection, catalog_name, finer)


def publish_ingest(
    connection: Connection, catalog_name: str, ingest_id: IngestId, retired: Sequence[PartId] = ()
) -> int:
    """Make an ingest's parts visible, and those it replaces invisible, as a new snapshot.

    The caller holds the catalog's lock; readers see nothing before it commits.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.catalog SET snapshot = snapshot + 1 WHERE name = %s"
            " RETURNING catalog_id, snapshot",
            (catalog_name,),
        )
        row = cursor.fetchone()
        assert row is not None, f"catalog {catalog_name} vanished"
        catalog_id, snapshot = row
        cursor.execute(
            "INSERT INTO skyshard.snapshot (catalog_id, snapshot, ingest_id, kind, version)"
            " SELECT catalog_id, catalog.snapshot, ingest_id, kind, version"
            " FROM skyshard.catalog JOIN skyshard.ingest USING (catalog_id) WHERE ingest_id = %s",
            (ingest_id,),
        )
        cursor.execute(
            "UPDATE skyshard.part SET from_snapshot = %s"
            " WHERE ingest_id = %s AND catalog_id = %s AND from_snapshot IS NULL",
            (snapshot, ingest_id, catalog_id),
        )
        cursor.execute(
            "UPDATE skyshard.part SET to_snapshot = %s WHERE part_id = ANY(%s)",
            (snapshot, list(retired)),
        )
        drop_surplus(cursor, catalog_id)
        return int(snapshot)


def register_shards(connection: Connection, weights: Mapping[ShardId, float]) -> None:
    """Write down the shards of the topology, so that replicas can name them."""
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO skyshard.shard (shard_id, weight) VALUES %s"
            " ON CONFLICT (shard_id) DO UPDATE SET weight = excluded.weight"
            " WHERE shard.weight <> excluded.weight",
            list(weights.items()),
        )


def _catalog_id(cursor: Any, catalog_name: str) -> int:
    cursor.execute("SELECT catalog_id FROM skyshard.catalog WHERE name = %s", (catalog_name,))
    row = cursor.fetchone()
    assert row is not None, f"catalog {catalog_name} vanished"
    return int(row[0])
