"""Copies of parts: looked at, copied, mended; twins too. On real shards, with real damage."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from loaders.copies.findings import Fault, Verified
from loaders.copies.repair import Repaired, RepairOptions, repair
from loaders.copies.replicas import (
    Copies,
    NoGoodCopy,
    copy_fault,
    copy_replica,
    drop_replica,
    twin_fault,
)
from loaders.copies.verify import Depth, VerifyOptions, verify
from loaders.parts.twin import twin_path
from procedures.repairs import due_repairs
from schema.manifest import Part, PartKind
from schema.topology import ShardId
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY, objects, sources_of
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres
TWICE = dataclasses.replace(SKY, replicas=2)


@pytest.fixture(scope="module")
def cluster(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three shards."""
    with lab(server, TWICE, tmp_path_factory.mktemp("copies"), shards=3) as made:
        yield made


@pytest.fixture(scope="module")
def sky(cluster: Lab, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Each part twice; two ingests. Whoever damages it mends it."""
    made = dataclasses.replace(cluster, folder=tmp_path_factory.mktemp("given"))
    made.ingest(Object=objects(500), Source=sources_of(objects(500), 2))
    made.ingest(Object=objects(100, first=9000, seed=2), Filter={"filterId": [1], "name": ["g"]})
    return made


def looked_at(sky: Lab, depth: Depth = Depth.FULL, *, grace_s: float = 3600.0) -> Verified:
    options = VerifyOptions(depth, grace_s=grace_s)
    return verify(sky.pools, sky.topology, sky.catalog.name, options)


def repaired(sky: Lab) -> Repaired:
    return repair(sky.pools, sky.topology, sky.catalog.name)


def first(sky: Lab, table: str = "Object", kind: PartKind = PartKind.ROWS) -> Part:
    return max(sky.manifest().parts_of(table, kind), key=lambda part: part.rows)


def run(sky: Lab, shard_id: ShardId, *statements: str) -> None:
    with sky.pools.shard(shard_id) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


def faults(verified: Verified) -> list[tuple[str, int, int | None]]:
    return [(str(f.fault), f.shard_id, f.part_id) for f in verified.findings]


def copies_of(sky: Lab) -> Copies:
    return Copies(sky.catalog, sky.pools, sky.topology)


@pytest.mark.parametrize("depth", list(Depth))
def test_what_was_just_loaded_is_as_the_manifest_says(sky: Lab, depth: Depth) -> None:
    verified = looked_at(sky, depth)
    assert verified.findings == ()
    assert verified.copies >= 2 * verified.parts > 20


DAMAGES = {
    "a value": 'UPDATE parts.{own} SET "gMag" = "gMag" + 1 WHERE ctid = \'(0,3)\'',
    "a lost row": "DELETE FROM parts.{own} WHERE ctid = '(0,1)'",
    "a doubled row": "INSERT INTO parts.{own} SELECT * FROM parts.{own} LIMIT 1",
    "an overlap row": "INSERT INTO parts.{overlap} SELECT * FROM parts.{own} LIMIT 1",
    "a table": "DROP TABLE parts.{overlap}",
    "the books": "DELETE FROM skyshard.part WHERE part_id = {part_id}",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_in_a_shard_is_found_there_and_mended(sky: Lab, damage: str) -> None:
    part = first(sky)
    before = sky.rows("Object").to_pylist()
    victim = part.replicas[0].shard_id
    names = {"own": part.own_name, "overlap": part.overlap_name, "part_id": part.part_id}
    run(sky, victim, damage.format(**names))
    assert faults(looked_at(sky)) == [("copy", victim, part.part_id)]
    done = repaired(sky)
    assert (done.mended, done.left) == (1, ())
    assert looked_at(sky, Depth.DEEP).is_clean
    assert sorted(sky.rows("Object").to_pylist(), key=str) == sorted(before, key=str)


def test_a_flipped_byte_of_a_twin_is_found_and_mended(sky: Lab) -> None:
    part = first(sky)
    victim = part.replicas[1].shard_id
    path = twin_path(sky.topology.shard(victim).twins, part.own_name)
    flip(path, 1000)
    assert faults(looked_at(sky)) == [("twin", victim, part.part_id)]
    assert repaired(sky).mended == 1
    assert looked_at(sky).is_clean


def test_a_flipped_byte_that_is_not_found_changes_nothing_that_is_read(sky: Lab) -> None:
    part = first(sky)
    victim = part.replicas[1].shard_id
    path = twin_path(sky.topology.shard(victim).twins, part.own_name)
    whole = path.read_bytes()
    before = (pq.read_table(path), bounds_of(path))
    found = 0
    for place in range(8, len(whole), len(whole) // 150):
        flip(path, place)
        if twin_fault(copies_of(sky), part, victim) is None:
            assert (pq.read_table(path), bounds_of(path)) == before
        else:
            found += 1
        path.write_bytes(whole)
    assert found > 120


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


def bounds_of(path: Path) -> list[object]:
    group = pq.read_metadata(path).row_group(0)
    columns = (group.column(place).statistics for place in range(group.num_columns))
    return [None if s is None or not s.has_min_max else (s.min, s.max) for s in columns]


def test_a_lost_folder_of_twins_is_written_anew(sky: Lab) -> None:
    part = first(sky)
    victim = part.replicas[0].shard_id
    folder = sky.topology.shard(victim).twins
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    found = looked_at(sky, Depth.QUICK)
    assert found.counts().keys() == {"twin"}
    assert repaired(sky).mended == len(found.findings)
    mine = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert looked_at(sky).is_clean
    assert mine.keys() <= before.keys()


def test_a_lost_index_is_found_by_a_deep_look(sky: Lab) -> None:
    part = first(sky, "Source")
    run(sky, part.replicas[0].shard_id, f'DROP INDEX parts."{part.own_name}__director_29_idx"')
    assert looked_at(sky).is_clean
    (finding,) = looked_at(sky, Depth.DEEP).findings
    assert finding.fault is Fault.COPY
    assert "no index on _director_29" in finding.detail
    options = RepairOptions(VerifyOptions(Depth.DEEP))
    assert repair(sky.pools, sky.topology, sky.catalog.name, options).mended == 1


def test_an_emptied_shard_gets_all_of_its_copies_back(sky: Lab) -> None:
    victim = first(sky).replicas[0].shard_id
    manifest = sky.manifest()
    held = [part for part in manifest.parts if victim in [r.shard_id for r in part.replicas]]
    names = [f"parts.{name}" for part in held for name in (part.own_name, part.overlap_name)]
    run(sky, victim, f"DROP TABLE IF EXISTS {', '.join(names)}")
    assert looked_at(sky).counts()["copy"] == len(held)
    assert repaired(sky).mended == len(held)
    assert looked_at(sky, Depth.DEEP).is_clean
    assert sky.manifest() == manifest


def test_the_only_copy_is_restored_from_its_twin(cluster: Lab, tmp_path: Path) -> None:
    once = dataclasses.replace(cluster, catalog=SKY)
    sky = once.with_catalog(f"lab_{secrets.token_hex(4)}", tmp_path)
    sky.ingest(Object=objects(50))
    part = first(sky)
    before = sky.own(part)
    run(sky, part.replicas[0].shard_id, f"DELETE FROM parts.{part.own_name}")
    assert repaired(sky).left == ()
    assert sky.own(part).equals(before)
    assert looked_at(sky, Depth.DEEP).is_clean


def test_without_any_good_copy_nothing_is_touched_and_it_is_said(sky: Lab) -> None:
    part = first(sky, kind=PartKind.INDEX)
    before = []
    for replica in part.replicas:
        with sky.pools.shard(replica.shard_id) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM parts.{part.own_name} WHERE ctid = '(0,1)'")
            before.append(cursor.fetchone())
        run(sky, replica.shard_id, f"DELETE FROM parts.{part.own_name} WHERE ctid = '(0,1)'")
    done = repaired(sky)
    assert len(done.left) == 2
    assert "has no good copy" in done.left[0]
    assert first(sky, kind=PartKind.INDEX).replicas == part.replicas
    with sky.pools.coordinator() as connection:
        waiting = [r for r in due_repairs(connection) if r.part_id == part.part_id]
    assert [(r.attempts, "no good copy" in str(r.error)) for r in waiting] == [(1, True)] * 2
    for replica, rows in zip(part.replicas, before, strict=True):
        put_back(sky, replica.shard_id, part.own_name, rows)
    assert repaired(sky).mended == 2


def put_back(sky: Lab, shard_id: ShardId, name: str, row: tuple[int, int]) -> None:
    run(sky, shard_id, f"INSERT INTO parts.{name} VALUES {row}")


def test_a_part_goes_to_another_shard_and_leaves_the_first(sky: Lab) -> None:
    part = first(sky)
    copies = copies_of(sky)
    there = {replica.shard_id for replica in part.replicas}
    (target,) = {shard.shard_id for shard in sky.topology.shards} - there
    source = part.replicas[0].shard_id
    assert copy_replica(copies, part, source, target)
    assert copy_fault(copies, part, target) is None
    assert twin_fault(copies, part, target) is None
    drop_replica(copies, part, source)
    kept = first(sky)
    assert [replica.shard_id for replica in kept.replicas] == [part.replicas[1].shard_id]
    assert copy_fault(copies, part, source) == f"{part.own_name} is missing"
    repaired(sky)
    assert len(first(sky).replicas) == 2


def test_the_last_copy_is_never_dropped(cluster: Lab, tmp_path: Path) -> None:
    once = dataclasses.replace(cluster, catalog=SKY)
    sky = once.with_catalog(f"lab_{secrets.token_hex(4)}", tmp_path)
    sky.ingest(Object=objects(50))
    part = first(sky)
    with pytest.raises(NoGoodCopy, match="is the last one and stays"):
        drop_replica(copies_of(sky), part, part.replicas[0].shard_id)
    assert sky.own(part).num_rows == part.rows


def test_only_what_nobody_wants_any_more_is_dropped(sky: Lab) -> None:
    part = first(sky)
    shard = sky.topology.shard(part.replicas[0].shard_id)
    book = (
        "INSERT INTO skyshard.part (part_id, catalog, table_name, kind, ingest_id, rows,"
        " overlap_rows, checksum, created_at) VALUES"
    )
    with sky.pools.coordinator() as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO skyshard.ingest (catalog_id, state) SELECT catalog_id, state"
            " FROM skyshard.catalog, unnest(ARRAY['aborted', 'loading', 'failed']) AS state"
            " WHERE name = %s RETURNING ingest_id",
            (sky.catalog.name,),
        )
        aborted, loading, failed = (row[0] for row in cursor)
        connection.commit()
    for number, ingest_id in enumerate((aborted, loading, failed, failed + 1000), 10**6):
        row = f"({number}, '{sky.catalog.name}', 'Object', 'rows', {ingest_id}, 0, 0, 0, now())"
        run(sky, shard.shard_id, f"CREATE TABLE parts.p{number} ()", f"{book} {row}")
        (shard.twins / f"p{number}.parquet").touch()
    verified = looked_at(sky)
    told = [(str(f.fault), f.part_id) for f in verified.findings]
    assert told == [("orphan", 10**6), ("unknown", 10**6 + 3)]
    done = repaired(sky)
    assert (done.dropped, len(done.left)) == (1, 1)
    left = sorted(path.name for path in shard.twins.glob("p1000*"))
    assert left == ["p1000001.parquet", "p1000002.parquet", "p1000003.parquet"]
    options = RepairOptions(drop_unknown=True)
    assert repair(sky.pools, sky.topology, sky.catalog.name, options).dropped == 1
    run(
        sky,
        shard.shard_id,
        "DROP TABLE parts.p1000001, parts.p1000002",
        "DELETE FROM skyshard.part WHERE part_id >= 1000000",
    )


def test_tables_and_files_without_a_name_are_dropped(sky: Lab) -> None:
    shard = sky.topology.shards[0]
    run(sky, shard.shard_id, "CREATE TABLE parts.p7777777 ()", "CREATE TABLE parts.scratch ()")
    for name in ("p7777777.parquet", "o7777778.partial", "notes.txt"):
        (shard.twins / name).touch()
    before = {f.name for f in verify(sky.pools, sky.topology).findings if f.name}
    assert {"p7777777", "scratch", "p7777777.parquet", "o7777778.partial", "notes.txt"} <= before
    repair(sky.pools, sky.topology)
    assert not [f for f in verify(sky.pools, sky.topology).findings if f.name]
