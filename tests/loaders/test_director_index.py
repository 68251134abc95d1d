"""Keys looked up over the shards."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest

from procedures.director_index import lookup
from procedures.pools import Pools
from schema.catalog import HEALPIX_29
from schema.ddl import qualified
from schema.errors import Unavailable
from schema.manifest import PartKind
from schema.topology import Topology
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY, objects
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres
NOWHERE = "host=127.0.0.1 port=1"


@pytest.fixture(scope="module")
def sky(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    catalog = dataclasses.replace(SKY, replicas=2)
    with lab(server, catalog, tmp_path_factory.mktemp("index"), shards=3) as made:
        made.ingest(Object=objects(20_000))
        yield made


def without(sky: Lab, *numbers: int) -> Topology:
    """The cluster with some shards away."""
    shards = tuple(
        dataclasses.replace(shard, dsn=NOWHERE) if shard.shard_id in numbers else shard
        for shard in sky.topology.shards
    )
    return dataclasses.replace(sky.topology, shards=shards)


@pytest.mark.parametrize("count", [1, 10, 150, 20_000])
def test_few_keys_and_many_are_found(count: int, sky: Lab) -> None:
    rows = sky.rows("Object").slice(0, count)
    keys = np.asarray(rows["objectId"])
    found = lookup(sky.pools, sky.manifest(), "Object", keys)
    pixels, is_known = found.find(keys)
    assert is_known.all()
    assert pixels.tolist() == rows[HEALPIX_29].to_pylist()


def test_unknown_keys_and_tables_are_left_out(sky: Lab) -> None:
    unknown = np.array([-5, 0, 10**18])
    assert len(lookup(sky.pools, sky.manifest(), "Object", unknown)) == 0
    assert len(lookup(sky.pools, sky.manifest(), "Star", np.array([1]))) == 0


@pytest.mark.parametrize("away", [1, 2, 3])
def test_any_one_shard_may_be_away(away: int, sky: Lab) -> None:
    pools = Pools(without(sky, away))
    keys = np.arange(1, 2001)
    assert len(lookup(pools, sky.manifest(), "Object", keys)) == 2000
    pools.close()


def test_a_look_up_that_waits_can_be_stopped(sky: Lab) -> None:
    @contextmanager
    def soon(end: Callable[[], None]) -> Iterator[None]:
        threading.Timer(0.2, end).start()
        yield

    parts = sky.manifest().parts_of("Object", PartKind.INDEX)
    with ExitStack() as locks:
        for shard_id in {r.shard_id for part in parts for r in part.replicas}:
            held = [p for p in parts if shard_id in {r.shard_id for r in p.replicas}]
            cursor = locks.enter_context(sky.pools.shard(shard_id)).cursor()
            cursor.execute(f"LOCK TABLE {', '.join(qualified(p.own_name) for p in held)}")
        with pytest.raises(Unavailable, match="user request"):
            lookup(sky.pools, sky.manifest(), "Object", np.array([1]), stoppable=soon)


def test_without_any_replica_it_is_unavailable(sky: Lab) -> None:
    pools = Pools(without(sky, 1, 2, 3))
    with pytest.raises(Unavailable, match="no shard answers for the director index"):
        lookup(pools, sky.manifest(), "Object", np.array([1]))
    pools.close()
