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
    """What the work with a connection to each shard gives.

    All have ended when it returns; the first error is raised then, one that is the caller's fault
    before one of a server.
    """
    wanted = list(dict.fromkeys(shards))
    if len(wanted) == 1:
        return {wanted[0]: on_shard(pools, wanted[0], work)}
    if not wanted:
        return {}
    with ThreadPoolExecutor(min(MOST_THREADS, len(wanted)), "live") as threads:
        futures = {one: threads.submit(on_shard, pools, one, work) for one in wanted}
        wait(futures.values())
    faults = [fault for future in futures.values() if (fault := future.exception()) is not None]
    faults.sort(key=lambda fault: isinstance(fault, ServerUnavailable))
    if faults:
        raise faults[0]
    return {one: future.result() for one, future in futures.items()}


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
