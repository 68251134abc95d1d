"""Copies of published parts on the coordinator: added, removed, and the queue of those to be mended.

Every call takes an open psycopg2 connection to the coordinator and leaves the transaction to its
caller. What changes the copies of a part locks its catalog's row first, as a publish does, and says so
in `catalog.placement`, by which czars see that they know old ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extras import execute_values

from procedures.manifests import PART_COLUMNS, to_part
from schema.manifest import Part, PartId, Replica
from schema.placement import Family
from schema.topology import ShardId

_PAGE = 1000
_CZAR_LOCK = 0x5359_5245_5041_4952
"""Key of the advisory lock of whoever mends in the background."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A copy that is to be made or made anew."""

    part_id: PartId
    shard_id: ShardId
    reason: str
    attempts: int = 0
    error: str | None = None


def queue_repairs(connection: Any, wanted: Sequence[tuple[PartId, ShardId, str]]) -> None:
    """Write down copies to be mended, and why; those that wait already keep their attempts."""
    if not wanted:
        return
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO skyshard.repair (part_id, shard_id, reason) VALUES %s"
            " ON CONFLICT (part_id, shard_id) DO UPDATE SET reason = excluded.reason",
            wanted,
            page_size=_PAGE,
        )


def queue_missing(connection: Any, ingest_id: int) -> int:
    """Write down the planned copies of an ingest's loaded parts that were not made; how many."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSING, (ingest_id,))
        return int(cursor.rowcount)


def missing_copies(connection: Any, ingest_id: int) -> int:
    """How many copies of an ingest's parts wait to be made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM skyshard.repair JOIN skyshard.part USING (part_id)"
            " WHERE part.ingest_id = %s",
            (ingest_id,),
        )
        return int(cursor.fetchone()[0])


def due_repairs(
    connection: Any, *, limit: int | None = None, waited_s: float = 0.0
) -> list[Repair]:
    """The copies that wait to be mended, those that failed seldom first.

    Left out are those that failed less than `waited_s` seconds ago, doubled with each attempt.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE, (waited_s, limit))
        return [Repair(*row) for row in cursor]


def remove_repair(connection: Any, part_id: PartId, shard_id: ShardId) -> None:
    """A copy is wanted no more: its part was dropped, or the shard is gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM skyshard.repair WHERE part_id = %s AND shard_id = %s", (part_id, shard_id)
        )


def repair_failed(connection: Any, part_id: PartId, shard_id: ShardId, error: str) -> None:
    """Write down why an attempt failed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.repair SET attempts = attempts + 1, tried_at = clock_timestamp(),"
            " error = %s WHERE part_id = %s AND shard_id = %s",
            (error, part_id, shard_id),
        )


def add_replica(connection: Any, part_id: PartId, replica: Replica) -> None:
    """A complete, verified copy is there: readers may use it, and nobody need mend it."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, ([part_id],))
        cursor.execute(
            "INSERT INTO skyshard.replica (part_id, shard_id, has_twin)"
            " SELECT part_id, %s, %s FROM skyshard.part WHERE part_id = %s"
            " ON CONFLICT (part_id, shard_id) DO UPDATE SET has_twin = excluded.has_twin",
            (replica.shard_id, replica.has_twin, part_id),
        )
        cursor.execute(
            "DELETE FROM skyshard.repair WHERE part_id = %s AND shard_id = %s",
            (part_id, replica.shard_id),
        )


def remove_replica(connection: Any, part_id: PartId, shard_id: ShardId) -> None:
    """Readers shall not use a copy any more."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, ([part_id],))
        cursor.execute(
            "DELETE FROM skyshard.replica WHERE part_id = %s AND shard_id = %s", (part_id, shard_id)
        )


def set_twin(connection: Any, part_id: PartId, shard_id: ShardId, *, has_twin: bool) -> None:
    """Say whether a copy has a twin."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, ([part_id],))
        cursor.execute(
            "UPDATE skyshard.replica SET has_twin = %s WHERE part_id = %s AND shard_id = %s",
            (has_twin, part_id, shard_id),
        )


def kept_parts(connection: Any, catalog_name: str) -> list[Part]:
    """All published parts of a catalog that are not dropped, in every snapshot, by their ids.

    A part without any copy is among them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, (catalog_name,))
        placed: dict[tuple[object, ...], tuple[Replica, ...]] = {}
        return [to_part(row, placed) for row in cursor]


def find_part(connection: Any, part_id: PartId) -> tuple[str, Part] | None:
    """A part and its catalog's name; None where it was dropped."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, (part_id,))
        row = cursor.fetchone()
        return None if row is None else (row[-1], to_part(row, {}))


def snapshots_of(connection: Any, part_id: PartId) -> tuple[int, int | None]:
    """The snapshot that brought a published part, and the first without it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT from_snapshot, to_snapshot FROM skyshard.part WHERE part_id = %s", (part_id,)
        )
        began, ended = cursor.fetchone()
        return began, ended


def ingest_states(connection: Any, ingest_ids: Sequence[int]) -> dict[int, str]:
    """The states of those ingests that the coordinator knows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ingest_id, state FROM skyshard.ingest WHERE ingest_id = ANY(%s)",
            (list(ingest_ids),),
        )
        return dict(cursor.fetchall())


def family_of(connection: Any, name: str) -> Family | None:
    """How a family is placed; None where that is not settled yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT placement_order FROM skyshard.family WHERE name = %s", (name,))
        row = cursor.fetchone()
        return None if row is None else Family(name, row[0])


def try_czar_lock(connection: Any) -> bool:
    """Become the one who mends in the background, until `free_czar_lock` or the connection's end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (_CZAR_LOCK,))
        return bool(cursor.fetchone()[0])


def free_czar_lock(connection: Any) -> None:
    """Let another czar mend."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", (_CZAR_LOCK,))


_MISSING = """
INSERT INTO skyshard.repair (part_id, shard_id, reason)
SELECT planned_part.part_id, wanted.shard_id, 'the shard was away when it was loaded'
FROM skyshard.planned_part, unnest(planned_part.shards) AS wanted (shard_id)
WHERE planned_part.ingest_id = %s
  AND NOT EXISTS (SELECT 1 FROM skyshard.replica
                  WHERE replica.part_id = planned_part.part_id
                    AND replica.shard_id = wanted.shard_id)
ON CONFLICT DO NOTHING
"""

_DUE = """
SELECT part_id, shard_id, reason, attempts, error
FROM skyshard.repair
JOIN skyshard.part USING (part_id)
WHERE part.from_snapshot IS NOT NULL
  AND (tried_at IS NULL
       OR tried_at < clock_timestamp() - make_interval(secs => %s * 2 ^ least(attempts - 1, 6)))
ORDER BY attempts, queued_at, part_id, shard_id
LIMIT %s
"""

_MOVED = """
UPDATE skyshard.catalog
SET placement = placement + 1
WHERE catalog_id IN (SELECT catalog_id FROM skyshard.part WHERE part_id = ANY(%s))
"""

_JOINED = f"""
SELECT {PART_COLUMNS}, max(catalog.name)
FROM skyshard.part
JOIN skyshard.catalog USING (catalog_id)
LEFT JOIN skyshard.replica USING (part_id)
"""

_KEPT = f"""
{_JOINED}
WHERE catalog.name = %s AND part.from_snapshot IS NOT NULL AND part.dropped_at IS NULL
GROUP BY part.part_id
ORDER BY part.part_id
"""

_FIND = f"""
{_JOINED}
WHERE part.part_id = %s AND part.from_snapshot IS NOT NULL AND part.dropped_at IS NULL
GROUP BY part.part_id
"""
