"""The shards told what the coordinator decided, so that its books can be written anew from theirs.

After each publish, by whoever published; what a shard missed, or a loader that was killed left undone,
the czar's loop tells later. Nobody waits for a shard that is away.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from loaders.copies.replicas import AWAY
from loaders.fail_points import reach
from procedures.book import CatalogNews, catalog_news, digests, tell, told
from procedures.pools import Pools
from schema.topology import ShardId, Topology

_AT_ONCE = 8


def tell_shards(pools: Pools, topology: Topology) -> tuple[ShardId, ...]:
    """Tell every shard what it does not know yet; the shards that do not answer."""
    with pools.coordinator() as connection:
        newest = digests(connection)
    ids = [shard.shard_id for shard in topology.shards]
    with ThreadPoolExecutor(min(_AT_ONCE, len(ids)), thread_name_prefix="tell") as threads:
        has_heard = list(threads.map(lambda shard_id: _tell(pools, shard_id, newest), ids))
    return tuple(shard_id for shard_id, heard in zip(ids, has_heard, strict=True) if not heard)


def _tell(pools: Pools, shard_id: ShardId, newest: dict[int, str]) -> bool:
    """Tell one shard; False where it is away."""
    try:
        with pools.shard(shard_id) as connection:
            known = told(connection)
            for catalog_id, digest in newest.items():
                before, since = known.get(catalog_id, ("", 0))
                if before == digest:
                    continue
                news = _news(pools, catalog_id, since)
                if news is not None and news.snapshot >= since:
                    tell(connection, news)
                    connection.commit()
                    reach("tell.told")
    except AWAY:
        return False
    return True


def _news(pools: Pools, catalog_id: int, since: int) -> CatalogNews | None:
    with pools.coordinator() as connection:
        connection.set_session(isolation_level="REPEATABLE READ")
        try:
            return catalog_news(connection, catalog_id, since)
        finally:
            connection.rollback()
            connection.set_session(isolation_level="DEFAULT")
