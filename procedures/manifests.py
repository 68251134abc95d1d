"""Manifests on the coordinator: what a snapshot holds, and how an ingest becomes one.

Every call takes an open psycopg2 connection to the coordinator and leaves the transaction to its
caller: a publish is several of these calls and one commit.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extras import execute_values

from procedures.snapshots import drop_surplus
from schema.healpix import Pixel
from schema.manifest import IngestId, Manifest, Part, PartId, PartKind, Replica
from schema.topology import ShardId

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class ContributionRow:
    """What the coordinator keeps of one input file; counts are None until it is staged."""

    number: int
    table: str
    source: str
    sha256: str | None = None
    rows: int | None = None
    rejects: int | None = None


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
    return Manifest(catalog_name, snapshot, chunks, parts)


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


def begin_ingest(
    connection: Connection, catalog_name: str, state: str, sources: Sequence[ContributionRow]
) -> IngestId:
    """Write down an ingest and its contributions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO skyshard.ingest (catalog_id, state)"
            " SELECT catalog_id, %s FROM skyshard.catalog WHERE name = %s RETURNING ingest_id",
            (state, catalog_name),
        )
        row = cursor.fetchone()
        assert row is not None, f"catalog {catalog_name} vanished"
        ingest_id = IngestId(row[0])
        execute_values(
            cursor,
            "INSERT INTO skyshard.contribution (ingest_id, number, table_name, source) VALUES %s",
            [(ingest_id, s.number, s.table, s.source) for s in sources],
            page_size=_PAGE,
        )
    return ingest_id


def record_contributions(
    connection: Connection, ingest_id: IngestId, staged: Sequence[ContributionRow]
) -> None:
    """Write down what staging found in each contribution."""
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            "UPDATE skyshard.contribution AS c SET sha256 = v.sha256, rows = v.rows,"
            " rejects = v.rejects FROM (VALUES %s) AS v (number, sha256, rows, rejects)"
            f" WHERE c.ingest_id = {int(ingest_id)} AND c.number = v.number",
            [(s.number, s.sha256, s.rows, s.rejects) for s in staged],
            template="(%s::integer, %s::text, %s::bigint, %s::bigint)",
            page_size=_PAGE,
        )


def set_ingest_state(connection: Connection, ingest_id: IngestId, state: str) -> None:
    """Write down how far an ingest has come."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET state = %s WHERE ingest_id = %s", (state, ingest_id)
        )


def end_ingest(
    connection: Connection,
    ingest_id: IngestId,
    state: str,
    *,
    counts: tuple[int, int],
) -> None:
    """Close the row of an ingest that ends well; `counts` are its published and its rejected rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET state = %s, rows = %s, rejects = %s,"
            " finished_at = clock_timestamp() WHERE ingest_id = %s",
            (state, *counts, ingest_id),
        )


def fail_ingest(connection: Connection, ingest_id: IngestId, state: str, error: str) -> bool:
    """Close an ingest's row as failed; False, and nothing changes, where it is published.

    Waits for a publish of it whose commit is under way.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET state = %s, error = %s, finished_at = clock_timestamp()"
            " WHERE ingest_id = %s AND state <> 'published'",
            (state, error, ingest_id),
        )
        if cursor.rowcount:
            return True
        cursor.execute("SELECT 1 FROM skyshard.ingest WHERE ingest_id = %s", (ingest_id,))
        return cursor.fetchone() is None


def published_snapshot(connection: Connection, ingest_id: IngestId) -> int | None:
    """The snapshot that an ingest made; None where it is not published."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT snapshot FROM skyshard.snapshot WHERE ingest_id = %s", (ingest_id,))
        row = cursor.fetchone()
        return None if row is None else int(row[0])


@dataclass(frozen=True, slots=True)
class Repeated:
    """A contribution whose content was given before, by an ingest that is published or the same one."""

    source: str
    table: str
    before: str
    """The file that brought the same content."""
    ingest_id: IngestId


def find_repeated(connection: Connection, ingest_id: IngestId) -> Repeated | None:
    """The first contribution of an ingest that its table holds already, or that it has twice."""
    with connection.cursor() as cursor:
        cursor.execute(_REPEATED, (ingest_id,))
        row = cursor.fetchone()
        return None if row is None else Repeated(row[0], row[1], row[2], IngestId(row[3]))


_REPEATED = """
SELECT mine.source, mine.table_name, other.source, other.ingest_id
FROM skyshard.contribution AS mine
JOIN skyshard.ingest AS my_ingest USING (ingest_id)
JOIN skyshard.contribution AS other
  ON other.sha256 = mine.sha256 AND other.table_name = mine.table_name
JOIN skyshard.ingest AS other_ingest ON other_ingest.ingest_id = other.ingest_id
WHERE mine.ingest_id = %s
  AND mine.rows > 0
  AND other_ingest.catalog_id = my_ingest.catalog_id
  AND (other_ingest.state = 'published' AND other.ingest_id <> mine.ingest_id
       OR other.ingest_id = mine.ingest_id AND other.number < mine.number)
ORDER BY mine.number, other.ingest_id, other.number
LIMIT 1
"""


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
