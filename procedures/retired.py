"""Parts that no snapshot needs any more, and the czars' leases that keep some a while longer.

A part goes when every snapshot that holds it was dropped long enough ago, no czar's lease says that a
query reads one of them, and no ingest that is open, or may be tried again, was planned against one. Every
call takes an open psycopg2 connection to the coordinator and leaves the transaction to its caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg2.extras import Json

from schema.manifest import PartId
from schema.topology import ShardId


def write_lease(
    connection: Any, czar_id: UUID, host: str, pins: Mapping[int, int], *, seconds: float
) -> None:
    """Say which snapshots a czar's queries read: by catalog id the oldest."""
    with connection.cursor() as cursor:
        named = Json({str(catalog_id): snapshot for catalog_id, snapshot in pins.items()})
        cursor.execute(_WRITE_LEASE, (str(czar_id), host, seconds, named))


def end_lease(connection: Any, czar_id: UUID) -> None:
    """A czar ends, and reads nothing more; leases that have long lapsed go, too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM skyshard.lease"
            " WHERE czar_id = %s OR lease_until < clock_timestamp() - interval '1 day'",
            (str(czar_id),),
        )


def condemn(connection: Any, *, grace_s: float) -> dict[ShardId, list[PartId]]:
    """Give up the parts that nobody needs; the copies of all such parts that are still there, by shard.

    `grace_s` is how long after a snapshot was dropped a query may still read it without a lease.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CONDEMN, (grace_s,))
        cursor.execute(
            "SELECT replica.shard_id, replica.part_id"
            " FROM skyshard.replica JOIN skyshard.part USING (part_id)"
            " WHERE part.dropped_at IS NOT NULL ORDER BY 1, 2"
        )
        found: dict[ShardId, list[PartId]] = {}
        for shard_id, part_id in cursor:
            found.setdefault(ShardId(shard_id), []).append(PartId(part_id))
        return found


def forget_copies(connection: Any, shard_id: ShardId, part_ids: Sequence[PartId]) -> None:
    """A shard has dropped its copies of condemned parts; a part without copies is forgotten."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM skyshard.replica USING skyshard.part"
            " WHERE part.part_id = replica.part_id AND part.dropped_at IS NOT NULL"
            " AND replica.shard_id = %s AND replica.part_id = ANY(%s)",
            (shard_id, list(part_ids)),
        )
        cursor.execute(
            "DELETE FROM skyshard.part WHERE dropped_at IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM skyshard.replica WHERE replica.part_id = part.part_id)"
        )


_WRITE_LEASE = """
INSERT INTO skyshard.lease (czar_id, host, lease_until, pins)
VALUES (%s, %s, clock_timestamp() + %s * interval '1 second', %s)
ON CONFLICT (czar_id) DO UPDATE
SET lease_until = excluded.lease_until, pins = excluded.pins
"""

_CONDEMN = """
UPDATE skyshard.part
SET dropped_at = clock_timestamp()
WHERE part.dropped_at IS NULL
  AND part.to_snapshot IS NOT NULL
  AND NOT EXISTS (
    SELECT 1 FROM skyshard.snapshot
    WHERE snapshot.catalog_id = part.catalog_id
      AND snapshot.snapshot >= part.from_snapshot AND snapshot.snapshot < part.to_snapshot
      AND (snapshot.dropped_at IS NULL
           OR snapshot.dropped_at > clock_timestamp() - %s * interval '1 second'))
  AND NOT EXISTS (
    SELECT 1 FROM skyshard.lease
    WHERE lease.lease_until > clock_timestamp()
      AND (lease.pins ->> part.catalog_id::text)::integer < part.to_snapshot)
  AND NOT EXISTS (
    SELECT 1 FROM skyshard.ingest
    WHERE ingest.catalog_id = part.catalog_id
      AND ingest.state NOT IN ('published', 'retracted', 'aborted')
      AND ingest.snapshot < part.to_snapshot)
"""
