"""Pinning what queries read, from a real coordinator."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest

from procedures.ingests import begin_ingest
from procedures.manifests import publish_ingest
from procedures.pools import Pools
from qserv.pinned import Pinner
from schema.topology import Shard, ShardId, Topology

pytestmark = pytest.mark.postgres


@pytest.fixture
def pinner(own_coordinator_dsn: str) -> Iterator[Pinner]:
    shards = (Shard(ShardId(1), own_coordinator_dsn),)
    with closing(Pools(Topology(own_coordinator_dsn, shards, "token"), size=4)) as pools:
        yield Pinner(pools)


def publish_nothing(dsn: str) -> None:
    """A further snapshot with the same parts."""
    connection = psycopg2.connect(dsn)
    with connection:
        ingest_id = begin_ingest(connection, "tiny", "published")
        publish_ingest(connection, "tiny", ingest_id)
    connection.close()


def test_what_is_pinned_is_read_once(pinner: Pinner) -> None:
    assert pinner.pin() is pinner.pin()


def test_queries_that_meet_a_new_snapshot_together_read_it_once(
    pinner: Pinner, own_coordinator_dsn: str
) -> None:
    before = pinner.pin()
    publish_nothing(own_coordinator_dsn)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: pinner.pin(), range(16)))
    assert all(pinned is found[0] for pinned in found)
    assert found[0].parts["tiny"].manifest.snapshot == 2
    assert before.parts["tiny"].manifest.snapshot == 1


def test_parts_that_lie_alike_share_their_replicas(pinner: Pinner) -> None:
    one, other, *_ = pinner.pin().parts["tiny"].manifest.parts
    assert one.replicas is other.replicas
    assert [replica.shard_id for replica in one.replicas] == [1, 2]
