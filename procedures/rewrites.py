"""Compactions and retractions on the coordinator: ingests of their own, which bring no rows.

Their parts take the place of others. Each has a row in `skyshard.ingest` with its `kind` and a lease;
what a crash leaves is told by a lease that has lapsed, or whose owner has ended. Every call takes an open
psycopg2 connection to the coordinator and leaves the transaction to its caller.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg2.extras import Json

from schema.errors import CatalogError
from schema.manifest import IngestId

LEASE_S = 300.0
"""A rewrite that does not say for so long that it is alive is dead."""


class RetractRefused(CatalogError):
    """An ingest cannot be taken out of a catalog."""

    code = "RETRACT_REFUSED"


def begin_rewrite(
    connection: Any, catalog_name: str, kind: str, facts: dict[str, object], *, owner: str
) -> IngestId:
    """Write down a compaction or a retraction, at work; `owner` is the process that does it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO skyshard.ingest (catalog_id, state, kind, options, lease_owner, lease_until)"
            " SELECT catalog_id, 'committed', %s, %s, %s,"
            " clock_timestamp() + %s * interval '1 second'"
            " FROM skyshard.catalog WHERE name = %s RETURNING ingest_id",
            (kind, Json(facts), owner, LEASE_S, catalog_name),
        )
        row = cursor.fetchone()
        assert row is not None, f"catalog {catalog_name} vanished"
        return IngestId(row[0])


def renew_rewrite(connection: Any, ingest_id: IngestId) -> bool:
    """Say that a rewrite is alive; False where somebody took it for dead."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET lease_until = clock_timestamp() + %s * interval '1 second'"
            " WHERE ingest_id = %s AND finished_at IS NULL",
            (LEASE_S, ingest_id),
        )
        return bool(cursor.rowcount)


def end_rewrite(connection: Any, ingest_id: IngestId, rows: int) -> None:
    """Close the row of a rewrite that is published by the same transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET state = 'published', rows = %s, rejects = 0,"
            " lease_owner = NULL, finished_at = clock_timestamp() WHERE ingest_id = %s",
            (rows, ingest_id),
        )


def abort_rewrite(connection: Any, ingest_id: IngestId, reason: str) -> bool:
    """Close the row of a rewrite that failed; False, and nothing changes, where it is published."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET state = 'aborted', error = %s, lease_owner = NULL,"
            " finished_at = clock_timestamp() WHERE ingest_id = %s AND state <> 'published'",
            (reason, ingest_id),
        )
        return bool(cursor.rowcount)


def dead_rewrites(connection: Any, is_gone: Callable[[str], bool]) -> list[IngestId]:
    """The rewrites whose process died; closed by that.

    Dead is one whose lease has lapsed, or whose owner `is_gone`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ingest_id, lease_owner, lease_until < clock_timestamp() FROM skyshard.ingest"
            " WHERE kind <> 'ingest' AND finished_at IS NULL"
        )
        dead = [row[0] for row in cursor if row[2] or is_gone(row[1])]
        cursor.execute(
            "UPDATE skyshard.ingest SET state = 'aborted', error = 'its process ended',"
            " lease_owner = NULL, finished_at = clock_timestamp()"
            " WHERE ingest_id = ANY(%s) AND finished_at IS NULL RETURNING ingest_id",
            (dead,),
        )
        return [IngestId(row[0]) for row in cursor]


def check_retractable(connection: Any, catalog_name: str, ingest_id: IngestId) -> None:
    """Raise RetractRefused unless it is a published ingest of that catalog. Locks its row."""
    with connection.cursor() as cursor:
        cursor.execute(_INGEST, (ingest_id, catalog_name))
        row = cursor.fetchone()
    if row is None:
        raise RetractRefused(
            f"{catalog_name} has no ingest {ingest_id}; see `skyshard ingest list`"
        )
    state, kind = row
    if kind != "ingest":
        raise RetractRefused(
            f"{ingest_id} is a {kind}, which brought no rows: it cannot be retracted"
        )
    if state != "published":
        raise RetractRefused(f"ingest {ingest_id} is {state}: only published ones are retracted")


def mark_retracted(connection: Any, ingest_id: IngestId) -> None:
    """Say that an ingest's rows are in no later snapshot; its files may be ingested again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET state = 'retracted'"
            " WHERE ingest_id = %s AND state = 'published'",
            (ingest_id,),
        )
        if not cursor.rowcount:
            raise RetractRefused(f"ingest {ingest_id} was retracted meanwhile")


def parts_of_ingest(shard: Any, ingest_id: IngestId) -> list[int]:
    """What a shard holds of an ingest's parts, by its own books."""
    with shard.cursor() as cursor:
        cursor.execute("SELECT part_id FROM skyshard.part WHERE ingest_id = %s", (ingest_id,))
        return [row[0] for row in cursor]


def is_crowded(connection: Any, ingest_id: IngestId, most: int) -> bool:
    """Whether a place that an ingest was just published into has more than so many parts now."""
    with connection.cursor() as cursor:
        cursor.execute(_CROWDED, (ingest_id, most))
        return cursor.fetchone() is not None


_CROWDED = """
SELECT 1
FROM skyshard.part
JOIN (SELECT DISTINCT catalog_id, table_name, kind, pixel_order, pixel, bucket
      FROM skyshard.part WHERE ingest_id = %s) AS mine USING (catalog_id, table_name, kind)
WHERE part.from_snapshot IS NOT NULL AND part.to_snapshot IS NULL
  AND (part.pixel_order, part.pixel, part.bucket)
      IS NOT DISTINCT FROM (mine.pixel_order, mine.pixel, mine.bucket)
GROUP BY part.table_name, part.kind, part.pixel_order, part.pixel, part.bucket
HAVING count(*) > %s
LIMIT 1
"""

_INGEST = """
SELECT ingest.state, ingest.kind
FROM skyshard.ingest
JOIN skyshard.catalog USING (catalog_id)
WHERE ingest.ingest_id = %s AND catalog.name = %s
FOR NO KEY UPDATE OF ingest
"""
