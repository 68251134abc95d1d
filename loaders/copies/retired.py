"""Retired parts dropped from the shards, with their twins, once nobody can read them any more.

What a shard that is away still holds stays on the list, and goes when it is back. A part that some
statement reads at this moment is left for the next time.
"""

from __future__ import annotations

import logging

import psycopg2
from psycopg2.errors import LockNotAvailable

from loaders.copies.replicas import AWAY
from loaders.fail_points import reach
from loaders.parts.twin import drop_twins
from procedures.catalogs import DROP_BATCH, drop_parts
from procedures.pools import Pools
from procedures.retired import condemn, forget_copies
from schema.manifest import PartId
from schema.topology import Shard, Topology

GRACE_S = 60.0
"""How long a dropped snapshot's parts stay: longer than a czar takes to write a lease."""
LOCK_WAIT = "2s"
_log = logging.getLogger(__name__)


def drop_retired(pools: Pools, topology: Topology, *, grace_s: float = GRACE_S) -> int:
    """Drop what no snapshot, no lease and no open ingest needs; how many copies went."""
    with pools.coordinator() as connection:
        condemned = condemn(connection, grace_s=grace_s)
        connection.commit()
    reach("collect.condemned")
    dropped = 0
    for shard in topology.shards:
        part_ids = condemned.get(shard.shard_id, [])
        for start in range(0, len(part_ids), DROP_BATCH):
            batch = part_ids[start : start + DROP_BATCH]
            if not _drop(pools, shard, batch):
                break
            dropped += len(batch)
    return dropped


def _drop(pools: Pools, shard: Shard, batch: list[PartId]) -> bool:
    """Drop some parts on one shard; False where it is away, or they are being read."""
    try:
        with pools.shard(shard.shard_id) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", (LOCK_WAIT,))
            connection.commit()
            try:
                drop_parts(connection, batch)
            finally:
                _reset(connection)
        drop_twins(shard.twins, batch)
        reach("collect.dropped")
        with pools.coordinator() as connection:
            forget_copies(connection, shard.shard_id, batch)
            connection.commit()
    except (*AWAY, LockNotAvailable, OSError) as error:
        fields = {"shard": shard.shard_id, "parts": len(batch), "reason": str(error)}
        _log.info("retired parts stay for now", extra=fields)
        return False
    return True


def _reset(connection: psycopg2.extensions.connection) -> None:
    """The connection goes back to its pool as it came."""
    if not connection.closed:
        connection.rollback()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
        connection.commit()
