"""What the shards are told of the coordinator's books, so that these can be written anew from theirs.

A shard's row of a part is written with the part. What only the coordinator decides (catalogs, tilings,
snapshots, which parts they hold, the ingests behind them) is told to every shard after each publish;
a digest says whether a shard has missed something. The coordinator's rows go there and back as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extras import execute_values

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class CatalogNews:
    """What a shard should know of a catalog beyond `since`, the newest snapshot that it knows.

    Rows of tables are JSON texts; `parts` are (part id, from, to, schema version).
    """

    catalog_id: int
    name: str
    snapshot: int
    told: str
    fields: str
    chunks: str
    snapshots: tuple[tuple[int, str], ...]
    ingests: tuple[tuple[int, str, str], ...]
    parts: tuple[tuple[int, int | None, int | None, int], ...]
    highs: tuple[int, int]
    """The last ids that were given, of parts and of ingests."""


def digests(coordinator: Any) -> dict[int, str]:
    """A digest of what shards are told of each catalog, by its id."""
    with coordinator.cursor() as cursor:
        cursor.execute(f"SELECT catalog.catalog_id, {_DIGEST} FROM skyshard.catalog")
        return dict(cursor.fetchall())


def told(shard: Any) -> dict[int, tuple[str, int]]:
    """The digest and the newest snapshot that a shard was told, by the catalog's id."""
    with shard.cursor() as cursor:
        cursor.execute("SELECT catalog_id, told, snapshot FROM skyshard.catalog")
        return {row[0]: (row[1], row[2]) for row in cursor}


def catalog_news(coordinator: Any, catalog_id: int, since: int) -> CatalogNews | None:
    """What is to be told of a catalog; None where it was dropped."""
    with coordinator.cursor() as cursor:
        cursor.execute(_CATALOG, (catalog_id,))
        row = cursor.fetchone()
        if row is None:
            return None
        name, snapshot, digest, fields, chunks, *highs = row
        cursor.execute(_SNAPSHOTS, (catalog_id,))
        snapshots = tuple(cursor.fetchall())
        cursor.execute(_INGESTS, (catalog_id, since))
        ingests = tuple(cursor.fetchall())
        cursor.execute(_PARTS, (catalog_id, since, since))
        return CatalogNews(
            catalog_id=catalog_id,
            name=name,
            snapshot=snapshot,
            told=digest,
            fields=fields,
            chunks=chunks,
            snapshots=snapshots,
            ingests=ingests,
            parts=tuple(cursor),
            highs=(highs[0], highs[1]),
        )


def tell(shard: Any, news: CatalogNews) -> None:
    """Write it into a shard's books, in the open transaction; again is nothing."""
    with shard.cursor() as cursor:
        cursor.execute(
            _TELL_CATALOG,
            (news.catalog_id, news.name, news.snapshot, news.told, news.fields, news.chunks),
        )
        cursor.execute(
            "DELETE FROM skyshard.snapshot WHERE catalog_id = %s AND snapshot <> ALL(%s)",
            (news.catalog_id, [number for number, _ in news.snapshots]),
        )
        _write(cursor, _TELL_SNAPSHOTS, [(news.catalog_id, *row) for row in news.snapshots])
        _write(cursor, _TELL_INGESTS, [(row[0], news.catalog_id, *row[1:]) for row in news.ingests])
        _write(cursor, _TELL_PARTS, news.parts)
        cursor.execute(
            "UPDATE skyshard.cluster SET part_high = greatest(part_high, %s),"
            " ingest_high = greatest(ingest_high, %s)",
            news.highs,
        )


def forget(shard: Any, catalog_name: str) -> None:
    """Take a dropped catalog out of a shard's books, in the open transaction."""
    with shard.cursor() as cursor:
        for table in ("snapshot", "ingest"):
            cursor.execute(
                f"DELETE FROM skyshard.{table} WHERE catalog_id IN"
                " (SELECT catalog_id FROM skyshard.catalog WHERE name = %s)",
                (catalog_name,),
            )
        cursor.execute("DELETE FROM skyshard.catalog WHERE name = %s", (catalog_name,))


def _write(cursor: Any, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        execute_values(cursor, statement, rows, page_size=_PAGE)


_DIGEST = """
md5(to_jsonb(catalog)::text || coalesce((
  SELECT string_agg(to_jsonb(told)::text, ',' ORDER BY told.snapshot)
  FROM skyshard.snapshot AS told WHERE told.catalog_id = catalog.catalog_id), ''))
"""

_CATALOG = f"""
SELECT catalog.name, catalog.snapshot, {_DIGEST},
       (to_jsonb(catalog) || jsonb_build_object('placement_order', (
          SELECT family.placement_order FROM skyshard.family WHERE family.name = catalog.family
       )))::text,
       coalesce((SELECT jsonb_agg(jsonb_build_array(chunk.pixel_order, chunk.pixel))::text
                 FROM skyshard.chunk WHERE chunk.catalog_id = catalog.catalog_id), '[]'),
       coalesce(pg_sequence_last_value(
         pg_get_serial_sequence('skyshard.part', 'part_id')::regclass), 0),
       coalesce(pg_sequence_last_value(
         pg_get_serial_sequence('skyshard.ingest', 'ingest_id')::regclass), 0)
FROM skyshard.catalog
WHERE catalog.catalog_id = %s
"""

_SNAPSHOTS = """
SELECT told.snapshot, to_jsonb(told)::text
FROM skyshard.snapshot AS told
WHERE told.catalog_id = %s
"""

_INGESTS = """
SELECT ingest.ingest_id,
       (to_jsonb(ingest) || '{"lease_owner": null, "lease_until": null}')::text,
       coalesce((SELECT jsonb_agg(to_jsonb(contribution))::text FROM skyshard.contribution
                 WHERE contribution.ingest_id = ingest.ingest_id), '[]')
FROM skyshard.ingest
WHERE ingest.ingest_id IN (
  SELECT snapshot.ingest_id FROM skyshard.snapshot
  WHERE snapshot.catalog_id = %s AND snapshot.snapshot > %s)
"""

_PARTS = """
SELECT part.part_id, part.from_snapshot, part.to_snapshot, part.schema_version
FROM skyshard.part
WHERE part.catalog_id = %s AND (part.from_snapshot > %s OR part.to_snapshot > %s)
"""

_TELL_CATALOG = """
INSERT INTO skyshard.catalog (catalog_id, name, snapshot, told, fields, chunks)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (catalog_id) DO UPDATE
SET name = excluded.name, snapshot = excluded.snapshot, told = excluded.told,
    fields = excluded.fields, chunks = excluded.chunks
WHERE catalog.snapshot <= excluded.snapshot
"""

_TELL_SNAPSHOTS = """
INSERT INTO skyshard.snapshot (catalog_id, snapshot, fields) VALUES %s
ON CONFLICT (catalog_id, snapshot) DO UPDATE SET fields = excluded.fields
WHERE snapshot.fields <> excluded.fields
"""

_TELL_INGESTS = """
INSERT INTO skyshard.ingest (ingest_id, catalog_id, fields, contributions) VALUES %s
ON CONFLICT (ingest_id) DO UPDATE
SET fields = excluded.fields, contributions = excluded.contributions
"""

_TELL_PARTS = """
UPDATE skyshard.part
SET from_snapshot = v.began::integer, to_snapshot = v.ended::integer, schema_version = v.version
FROM (VALUES %s) AS v (part_id, began, ended, version)
WHERE part.part_id = v.part_id::bigint
"""
