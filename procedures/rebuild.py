"""The coordinator's books written anew from the shards' own: catalogs, tilings, snapshots, parts, copies.

Rows of the coordinator went to the shards as JSON and come back by `jsonb_populate_record`, so that
columns which a later version adds need no word here. Every call leaves the transaction to its caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extras import execute_values

from schema.topology import ShardId

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class CatalogBook:
    """A catalog as a shard was told it last; rows as JSON texts."""

    catalog_id: int
    name: str
    snapshot: int
    fields: str
    chunks: str
    snapshots: tuple[tuple[int, str], ...]
    ingests: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class PartBook:
    """A shard's record of a part: its catalog, the coordinator's columns as a JSON text, its snapshots."""

    part_id: int
    catalog: str
    ingest_id: int
    fields: str
    facts: tuple[int, int, str]
    """Rows, overlap rows and checksum, which all copies share."""
    snapshots: tuple[int | None, int | None]


def read_catalog_books(shard: Any) -> list[CatalogBook]:
    """The catalogs that a shard was told of."""
    with shard.cursor() as cursor:
        cursor.execute(
            "SELECT catalog_id, name, snapshot, fields::text, chunks::text FROM skyshard.catalog"
        )
        rows = cursor.fetchall()
        return [_catalog_book(cursor, row) for row in rows]


def _catalog_book(cursor: Any, row: Sequence[Any]) -> CatalogBook:
    catalog_id, name, snapshot, fields, chunks = row
    cursor.execute(
        "SELECT snapshot, fields::text FROM skyshard.snapshot WHERE catalog_id = %s", (catalog_id,)
    )
    snapshots = tuple(cursor.fetchall())
    cursor.execute(
        "SELECT ingest_id, fields::text, contributions::text FROM skyshard.ingest"
        " WHERE catalog_id = %s",
        (catalog_id,),
    )
    return CatalogBook(catalog_id, name, snapshot, fields, chunks, snapshots, tuple(cursor))


def read_part_books(shard: Any) -> list[PartBook]:
    """A shard's records of parts whose tables it has."""
    with shard.cursor() as cursor:
        cursor.execute(_PART_BOOKS)
        return [_part_book(row) for row in cursor]


def _part_book(row: Sequence[Any]) -> PartBook:
    part_id, catalog, ingest_id, fields, rows, overlap_rows, checksum, began, ended = row
    facts = (rows, overlap_rows, checksum)
    return PartBook(part_id, catalog, ingest_id, fields, facts, (began, ended))


def write_catalog(connection: Any, book: CatalogBook) -> None:
    """Write a catalog, its family, tiling, snapshots and ingests; what is there already is kept newer."""
    with connection.cursor() as cursor:
        cursor.execute(_FAMILY, (book.fields, book.fields, book.fields))
        _populate(cursor, "catalog", "catalog_id", book.fields)
        chunks = (book.catalog_id, book.chunks)
        cursor.execute("DELETE FROM skyshard.chunk WHERE catalog_id = %s", chunks[:1])
        cursor.execute(_CHUNKS, chunks)
        for _, fields, contributions in book.ingests:
            _populate(cursor, "ingest", "ingest_id", fields)
            _populate_all(cursor, "contribution", "ingest_id, number", contributions)
        for _, fields in book.snapshots:
            _populate(cursor, "snapshot", "catalog_id, snapshot", fields)


def write_parts(
    connection: Any, catalog_id: int, parts: Sequence[PartBook], *, ended: dict[int, int | None]
) -> None:
    """Write published parts; `ended`: the first snapshot without each, None where it is still there."""
    with connection.cursor() as cursor:
        for part in parts:
            cursor.execute(_PART, (part.fields, catalog_id, part.snapshots[0], ended[part.part_id]))


def write_replicas(connection: Any, rows: Sequence[tuple[int, ShardId, bool]]) -> None:
    """Write (part, shard, has a twin)."""
    if not rows:
        return
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO skyshard.replica (part_id, shard_id, has_twin) VALUES %s"
            " ON CONFLICT (part_id, shard_id) DO UPDATE SET has_twin = excluded.has_twin",
            rows,
            page_size=_PAGE,
        )


def raise_catalog_ids(connection: Any) -> None:
    """Let no catalog get an id that another one has or had."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('skyshard.catalog', 'catalog_id'),"
            " greatest(max(catalog_id), 1), max(catalog_id) IS NOT NULL) FROM skyshard.catalog"
        )


def known_snapshots(connection: Any) -> dict[str, tuple[int, int]]:
    """Id and newest snapshot of the catalogs that the coordinator knows, by name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, catalog_id, snapshot FROM skyshard.catalog FOR UPDATE")
        return {row[0]: (row[1], row[2]) for row in cursor}


def _populate(cursor: Any, table: str, key: str, fields: str) -> None:
    _populate_all(cursor, table, key, f"[{fields}]")


def _populate_all(cursor: Any, table: str, key: str, documents: str) -> None:
    """Write rows from their JSON; what is not in it keeps its default."""
    cursor.execute(_COLUMNS, (f"skyshard.{table}", documents))
    columns = [row[0] for row in cursor.fetchall()]
    if not columns:
        return
    keys = key.split(", ")
    listed = ", ".join(f'"{column}"' for column in columns)
    changed = ", ".join(f'"{c}" = excluded."{c}"' for c in columns if c not in keys)
    cursor.execute(
        f"INSERT INTO skyshard.{table} ({listed}) OVERRIDING SYSTEM VALUE"
        f" SELECT {listed} FROM jsonb_populate_recordset(NULL::skyshard.{table}, %s::jsonb)"
        f" ON CONFLICT ({key}) DO UPDATE SET {changed}",
        (documents,),
    )


_COLUMNS = """
SELECT attname FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
  AND (%s::jsonb -> 0) ? attname
ORDER BY attnum
"""

_FAMILY = """
INSERT INTO skyshard.family (name, placement_order)
SELECT %s::jsonb ->> 'family', (%s::jsonb ->> 'placement_order')::integer
WHERE %s::jsonb ->> 'placement_order' IS NOT NULL
ON CONFLICT (name) DO NOTHING
"""

_CHUNKS = """
INSERT INTO skyshard.chunk (catalog_id, pixel_order, pixel)
SELECT %s, (pair ->> 0)::smallint, (pair ->> 1)::bigint
FROM jsonb_array_elements(%s::jsonb) AS pair
"""

_PART_BOOKS = """
SELECT part_id, catalog, ingest_id,
       row_to_json(part)::text,
       rows, overlap_rows, checksum::text, from_snapshot, to_snapshot
FROM skyshard.part
WHERE to_regclass('parts.p' || part_id) IS NOT NULL
"""

_PART = """
INSERT INTO skyshard.part (part_id, catalog_id, ingest_id, table_name, kind, pixel_order, pixel,
  bucket, rows, overlap_rows, size_bytes, checksum, separation_arcsec, low_29, high_29, statistics,
  schema_version, merged, from_snapshot, to_snapshot)
OVERRIDING SYSTEM VALUE
SELECT told.part_id, v.catalog_id, told.ingest_id, told.table_name, told.kind, told.pixel_order,
  told.pixel, told.bucket, told.rows, told.overlap_rows, told.size_bytes, told.checksum,
  told.separation_arcsec, told.low_29, told.high_29, told.statistics, told.schema_version,
  told.merged, v.began, v.ended
FROM (VALUES (%s::json, %s::integer, %s::integer, %s::integer)) AS v (fields, catalog_id, began, ended)
CROSS JOIN LATERAL json_populate_record(NULL::skyshard.part, v.fields) AS told
ON CONFLICT (part_id) DO UPDATE
SET from_snapshot = excluded.from_snapshot, to_snapshot = excluded.to_snapshot
"""
