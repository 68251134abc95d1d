"""The coordinator's tables really emptied, and written anew from the shards' own books."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loaders.copies.rebuild import rebuild_manifest
from loaders.copies.repair import repair
from loaders.copies.tell import tell_shards
from loaders.copies.verify import verify
from loaders.parts.publish import AlreadyIngested
from procedures.identity import ClusterMismatch, CoordinatorBehind, check_cluster
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY, objects, sources_of, write
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres


@pytest.fixture
def sky(server: Server, tmp_path: Path) -> Iterator[Lab]:
    """Three shards, two copies, three snapshots of which one brings an orphan home."""
    catalog = dataclasses.replace(SKY, replicas=2)
    with lab(server, catalog, tmp_path, shards=3) as made:
        made.ingest(Object=objects(300), Source=sources_of(objects(300), 2))
        made.ingest(Source=orphan(made, 9001), Filter={"filterId": [1], "name": ["g"]})
        made.ingest(Object=objects(1, first=77777))
        yield made


def orphan(sky: Lab, number: int) -> Path:
    columns = {"sourceId": [number], "objectId": [77777], "ra": [100.0], "dec": [-30.0]}
    return write(sky.folder / f"orphan-{number}.parquet", **columns)


def emptied(sky: Lab) -> None:
    """Lose everything that the coordinator knows, its ids and whose it is too."""
    tell(sky, "TRUNCATE skyshard.shard, skyshard.catalog, skyshard.family RESTART IDENTITY CASCADE")
    tell(sky, "UPDATE skyshard.cluster SET cluster_id = gen_random_uuid()")


def tell(sky: Lab, statement: str) -> list[Any]:
    with sky.pools.coordinator() as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        found = cursor.fetchall() if cursor.description else []
        connection.commit()
    return found


BOOKS = ("catalog", "chunk", "ingest", "contribution", "snapshot", "part", "replica")


def books(sky: Lab) -> dict[str, list[str]]:
    """All rows of the coordinator's tables, as text."""
    found = {
        table: sorted(row[0] for row in tell(sky, f"SELECT t::text FROM skyshard.{table} AS t"))
        for table in BOOKS
    }
    return {**found, "family": tell(sky, "SELECT name, placement_order FROM skyshard.family")}


def test_an_emptied_coordinator_gets_every_row_back(sky: Lab) -> None:
    before, manifests = books(sky), [sky.manifest(number) for number in (1, 2, 3)]
    assert all(before.values())
    emptied(sky)
    assert not books(sky)["part"]
    rebuilt = rebuild_manifest(sky.pools, sky.topology)
    assert (rebuilt.catalogs, rebuilt.unpublished) == ({"lab": 3}, 0)
    assert [sky.manifest(number) for number in (1, 2, 3)] == manifests
    assert books(sky) == before
    assert verify(sky.pools, sky.topology).is_clean


def test_a_rebuilt_store_takes_new_rows_under_new_ids_and_knows_old_files(sky: Lab) -> None:
    highest = max(part.part_id for part in sky.manifest().parts)
    repeated = orphan(sky, 9001)
    emptied(sky)
    rebuild_manifest(sky.pools, sky.topology)
    with pytest.raises(AlreadyIngested):
        sky.ingest(Source=repeated)
    report = sky.ingest(Object=objects(5, first=50000))
    assert report.snapshot == 4
    fresh = [p.part_id for p in sky.manifest().parts if p.ingest_id == report.ingest_id]
    assert min(fresh) > highest


def test_nothing_is_loaded_before_a_lost_coordinator_is_rebuilt(sky: Lab) -> None:
    emptied(sky)
    with pytest.raises(ClusterMismatch, match="repair --manifest"):
        check_cluster(sky.pools, sky.topology)


def test_a_coordinator_of_yesterday_is_brought_forward(sky: Lab) -> None:
    before = books(sky)
    tell(sky, "DELETE FROM skyshard.part WHERE from_snapshot = 3")
    tell(sky, "UPDATE skyshard.part SET to_snapshot = NULL WHERE to_snapshot = 3")
    tell(sky, "DELETE FROM skyshard.snapshot WHERE snapshot = 3")
    tell(sky, "UPDATE skyshard.catalog SET snapshot = 2")
    with pytest.raises(CoordinatorBehind, match="told snapshot 3 of lab, the coordinator knows 2"):
        sky.ingest(Object=objects(5, first=60000))
    tell_shards(sky.pools, sky.topology)
    assert rebuild_manifest(sky.pools, sky.topology).catalogs == {"lab": 3}
    assert books(sky)["part"] == before["part"]
    assert books(sky)["replica"] == before["replica"]


def test_what_is_known_is_left_alone(sky: Lab) -> None:
    before = books(sky)
    assert rebuild_manifest(sky.pools, sky.topology).catalogs == {}
    assert books(sky) == before


def test_ids_that_a_shard_knows_are_not_given_again(sky: Lab) -> None:
    shard = sky.topology.shards[1].shard_id
    with sky.pools.shard(shard) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE skyshard.cluster SET part_high = 5000, ingest_high = 600")
        connection.commit()
    report = sky.ingest(Object=objects(5, first=50000))
    assert report.ingest_id < 600
    fresh = [p.part_id for p in sky.manifest().parts if p.ingest_id == report.ingest_id]
    assert min(fresh) == 5001
    assert sky.ingest(Object=objects(5, first=70000)).ingest_id == 601


def test_a_dsn_that_leads_to_another_shard_is_refused(sky: Lab) -> None:
    one, two, three = sky.topology.shards
    swapped = (
        dataclasses.replace(one, dsn=two.dsn),
        dataclasses.replace(two, dsn=one.dsn),
        three,
    )
    topology = dataclasses.replace(sky.topology, shards=swapped)
    pools = type(sky.pools)(topology)
    try:
        with pytest.raises(ClusterMismatch, match="leads to shard 2"):
            check_cluster(pools, topology)
    finally:
        pools.close()


def test_without_one_shard_the_rest_is_rebuilt_and_repaired(sky: Lab) -> None:
    manifest = sky.manifest()
    last = sky.topology.shards[-1]
    with sky.pools.shard(last.shard_id) as connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA parts CASCADE; CREATE SCHEMA parts")
        for table in ("part", "cluster", "catalog", "snapshot", "ingest"):
            cursor.execute(f"DELETE FROM skyshard.{table}")
        connection.commit()
    emptied(sky)
    rebuild_manifest(sky.pools, sky.topology)
    repair(sky.pools, sky.topology)
    assert sky.manifest() == manifest
    assert verify(sky.pools, sky.topology).is_clean
