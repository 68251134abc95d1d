"""Some work on several shards at once; a shard that does not answer is Unavailable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

import adbc_driver_manager
import psycopg2

from procedures.pools import Pools, ServerUnavailable
from schema.topology import ShardId

_Made = TypeVar("_Made")
MOST_THREADS = 16


def on_shards(
    pools: Pools, shards: Iterable[ShardId], work: Callable[[ShardId, Any], _Made]
) -> dict[ShardId, _Made]:
    """What the work with a connection to each shard gives; as `on_connections`."""

    def one(key: tuple[ShardId, str], connection: Any) -> _Made:
        return work(key[0], connection)

    done = on_connections(pools, [(shard_id, "") for shard_id in shards], one)
    return {key[0]: made for key, made in done.items()}


def on_connections(
    pools: Pools,
    wanted: Iterable[tuple[ShardId, str]],
    work: Callable[[tuple[ShardId, str], Any], _Made],
) -> dict[tuple[ShardId, str], _Made]:
    """What the work with a connection of its own gives for each (shard, what).

    All have ended when it returns; the first error is raised then, one that is the caller's fault
    before one of a server.
    """
    keys = list(dict.fromkeys(wanted))
    if not keys:
        return {}
    with ThreadPoolExecutor(min(MOST_THREADS, len(keys)), "live") as threads:
        futures = {key: threads.submit(_on_one, pools, key, work) for key in keys}
        wait(futures.values())
    faults = [fault for future in futures.values() if (fault := future.exception()) is not None]
    faults.sort(key=lambda fault: isinstance(fault, ServerUnavailable))
    if faults:
        raise faults[0]
    return {key: future.result() for key, future in futures.items()}


def _on_one(
    pools: Pools,
    key: tuple[ShardId, str],
    work: Callable[[tuple[ShardId, str], Any], _Made],
) -> _Made:
    return on_shard(pools, key[0], lambda _, connection: work(key, connection))


def on_shard(pools: Pools, shard_id: ShardId, work: Callable[[ShardId, Any], _Made]) -> _Made:
    """What the work with a connection to one shard gives."""
    try:
        with pools.shard(shard_id) as connection:
            return work(shard_id, connection)
    except (
        psycopg2.OperationalError,
        psycopg2.InterfaceError,
        adbc_driver_manager.Error,
    ) as error:
        raise ServerUnavailable(f"shard {shard_id}", str(error) or type(error).__name__) from error
