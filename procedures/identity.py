"""Whose databases they are, and which ids were given: asked before a shard is written to.

A coordinator that was restored from a backup must give no id of a part or an ingest that a shard
knows already; one that was made anew must not write to shards of another cluster at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg2

from procedures.pools import Pools
from schema.errors import StoreError, Unavailable
from schema.topology import ShardId, Topology

_AWAY = (Unavailable, psycopg2.OperationalError, psycopg2.InterfaceError)
_ASKED_AT_ONCE = 16


class ClusterMismatch(StoreError):
    """A shard belongs to another cluster, or is another shard of this one."""

    code = "CLUSTER_MISMATCH"


class CoordinatorBehind(StoreError):
    """A shard knows a later snapshot than the coordinator, which was restored from a backup."""

    code = "COORDINATOR_BEHIND"

    def __init__(self, catalog: str, told: int, newest: int, shard_id: ShardId) -> None:
        super().__init__(
            f"shard {shard_id} was told snapshot {told} of {catalog}, the coordinator knows"
            f" {newest}: it was restored from an old backup; run `skyshard repair --manifest`"
        )
        self.catalog = catalog


@dataclass(frozen=True, slots=True)
class Identity:
    """What a shard knows: whose it is (None: nobody's), the largest ids, and catalogs' snapshots."""

    cluster_id: str | None
    shard_id: int | None
    part_high: int
    ingest_high: int
    snapshots: dict[int, tuple[str, int]]
    """Name and newest snapshot of each catalog id."""


def check_cluster(pools: Pools, topology: Topology) -> tuple[ShardId, ...]:
    """See that all shards are this coordinator's, take those that are nobody's, and mind their ids.

    Gives the shards that do not answer. Raises ClusterMismatch, CoordinatorBehind, Unavailable where
    the coordinator is away.
    """
    with pools.coordinator() as connection:
        cluster_id, newest = cluster_of(connection), _snapshots(connection)
        given = last_given(connection, "catalog")
        connection.rollback()
    shards = [shard.shard_id for shard in topology.shards]
    with ThreadPoolExecutor(min(_ASKED_AT_ONCE, len(shards))) as threads:
        found = list(threads.map(lambda shard_id: _taken(pools, shard_id, cluster_id), shards))
    answers = {
        shard_id: identity for shard_id, identity in zip(shards, found, strict=True) if identity
    }
    for shard_id, identity in answers.items():
        for catalog_id, (name, told) in identity.snapshots.items():
            # An id that was given and is not there any more is a dropped catalog's.
            known = newest.get(catalog_id, told if catalog_id <= given else 0)
            if told > known:
                raise CoordinatorBehind(name, told, known, shard_id)
    with pools.coordinator() as connection:
        raise_ids(connection, answers.values())
        connection.commit()
    return tuple(shard_id for shard_id in shards if shard_id not in answers)


def cluster_of(connection: Any) -> str:
    """The id of the coordinator's cluster."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT cluster_id::text FROM skyshard.cluster")
        row = cursor.fetchone()
        assert row is not None, "the coordinator has no cluster id"
        return str(row[0])


def set_cluster(connection: Any, cluster_id: str) -> None:
    """Make a coordinator that of a cluster which is there already."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE skyshard.cluster SET cluster_id = %s", (cluster_id,))


def identity_of(connection: Any) -> Identity:
    """What a shard knows of its cluster."""
    with connection.cursor() as cursor:
        cursor.execute(_IDENTITY)
        cluster_id, shard_id, part_high, ingest_high = cursor.fetchone()
        cursor.execute("SELECT catalog_id, name, snapshot FROM skyshard.catalog")
        snapshots = {row[0]: (row[1], row[2]) for row in cursor}
    return Identity(cluster_id, shard_id, part_high, ingest_high, snapshots)


def raise_ids(connection: Any, found: Iterable[Identity]) -> None:
    """Move the coordinator's sequences past the largest ids that shards know.

    Locks: a sequence that must move, until the caller's transaction ends: who takes ids at the same
    time must not see it turned back.
    """
    known = list(found)
    highs = {
        "part": max((identity.part_high for identity in known), default=0),
        "ingest": max((identity.ingest_high for identity in known), default=0),
    }
    with connection.cursor() as cursor:
        for table, high in highs.items():
            if last_given(connection, table) < high:
                cursor.execute(
                    "SELECT pg_get_serial_sequence(%s, %s)", (f"skyshard.{table}", f"{table}_id")
                )
                (sequence,) = cursor.fetchone()
                cursor.execute(f"ALTER SEQUENCE {sequence} INCREMENT BY 1")
                if last_given(connection, table) < high:
                    cursor.execute(f"ALTER SEQUENCE {sequence} RESTART WITH {int(high) + 1}")


def last_given(connection: Any, table: str) -> int:
    """The last id that a coordinator's table gave; 0 where it gave none."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_GIVEN, (f"skyshard.{table}", f"{table}_id"))
        return int(cursor.fetchone()[0])


def _taken(pools: Pools, shard_id: ShardId, cluster_id: str) -> Identity | None:
    """What a shard knows, once it is this cluster's; None where it does not answer."""
    try:
        with pools.shard(shard_id) as connection:
            found = identity_of(connection)
            if found.cluster_id is None:
                _take(connection, shard_id, cluster_id)
    except _AWAY:
        return None
    if found.cluster_id not in (None, cluster_id):
        raise ClusterMismatch(
            f"shard {shard_id} belongs to cluster {found.cluster_id}, the coordinator is of"
            f" {cluster_id}: correct its dsn; where the coordinator was lost and made anew, run"
            " `skyshard repair --manifest`"
        )
    if found.shard_id not in (None, shard_id):
        raise ClusterMismatch(
            f"the dsn of shard {shard_id} leads to shard {found.shard_id}: the order of [[shards]]"
            " has changed; put it back"
        )
    return found


def _take(connection: Any, shard_id: ShardId, cluster_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO skyshard.cluster (cluster_id, shard_id) VALUES (%s, %s)"
            " ON CONFLICT DO NOTHING",
            (cluster_id, shard_id),
        )
    connection.commit()


def _snapshots(connection: Any) -> dict[int, int]:
    """The newest snapshot of each catalog id."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT catalog_id, snapshot FROM skyshard.catalog")
        return dict(cursor.fetchall())


_IDENTITY = """
SELECT (SELECT cluster_id::text FROM skyshard.cluster),
       (SELECT shard_id FROM skyshard.cluster),
       greatest((SELECT max(part_id) FROM skyshard.part),
                (SELECT part_high FROM skyshard.cluster), 0),
       greatest((SELECT max(ingest_id) FROM skyshard.part),
                (SELECT ingest_high FROM skyshard.cluster), 0)
"""

_LAST_GIVEN = """
SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(%s, %s)::regclass), 0)
"""
