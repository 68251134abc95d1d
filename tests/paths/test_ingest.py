"""Ingests into real shards: what is published, and that all of it is or none."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import json
import os
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.ingest import Contribution, IngestOptions, IngestReport, Progress, ingest
from loaders.parts.load import RowsRefused, rows_checksum
from loaders.parts.publish import Loaded, PublishConflict, publish
from loaders.staging.rejects import TooManyRejects
from loaders.staging.target import UnknownTable
from procedures.director_index import lookup
from procedures.pools import Pools
from schema.catalog import DIRECTOR_29, HEALPIX_29, INGEST, Catalog, Check, Column, Role, Table
from schema.healpix import pixels_29, separation_arcsec
from schema.manifest import Manifest, PartKind
from schema.partition import Tiling
from schema.types import Type
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY, objects, sources_of
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres
STATES = """
SELECT state, error
FROM skyshard.ingest JOIN skyshard.catalog USING (catalog_id)
WHERE name = %s
ORDER BY ingest_id
"""


@pytest.fixture(scope="module")
def cluster(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two shards."""
    with lab(server, SKY, tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def sky(cluster: Lab, tmp_path: Path) -> Lab:
    """An empty catalog of its own on the two shards, R = 1."""
    return cluster.with_catalog(f"lab_{secrets.token_hex(4)}", tmp_path)


@pytest.fixture(scope="module")
def loaded(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three shards, R = 2, three ingests; only read by its tests."""
    catalog = dataclasses.replace(SKY, replicas=2)
    with lab(server, catalog, tmp_path_factory.mktemp("loaded"), shards=3) as made:
        first = objects(900)
        made.ingest(IngestOptions(verify=True), Object=first, Source=sources_of(first, 2))
        second = objects(300, first=5001, seed=7)
        late = sources_of(first, 1, first=9001, seed=8)
        made.ingest(Object=second, Source=late)
        made.ingest(Source=sources_of(second, 1, first=20001), Filter={"filterId": [1, 2]})
        yield made


def index_of(sky: Lab, table: str, keys: list[int]) -> dict[int, int]:
    found = lookup(sky.pools, sky.manifest(), table, np.array(keys, np.int64))
    return dict(zip(found.keys.tolist(), found.pixels.tolist(), strict=True))


def test_every_row_is_published_once(loaded: Lab) -> None:
    ids = [*range(1, 901), *range(5001, 5301)]
    assert loaded.column("Object", "objectId") == ids
    sources = [*range(1, 1801), *range(9001, 9901), *range(20001, 20301)]
    assert loaded.column("Source", "sourceId") == sources


def test_values_come_back_as_they_were(loaded: Lab) -> None:
    given = objects(900)
    stored = loaded.rows("Object", loaded.manifest(1)).sort_by("objectId")
    assert stored.select(given.column_names).to_pydict() == given.to_pydict()


def test_the_sky_is_cut_by_density(loaded: Lab) -> None:
    chunks = {part.pixel for part in loaded.manifest().parts_of("Object", PartKind.ROWS)}
    assert len(chunks) >= 6
    assert max(part.rows for part in loaded.manifest().parts_of("Object", PartKind.ROWS)) <= 200


def test_later_ingests_keep_the_tiling(loaded: Lab) -> None:
    assert loaded.manifest(1).chunks == loaded.manifest(3).chunks


def test_directors_lie_in_the_chunk_of_their_position(loaded: Lab) -> None:
    for part in loaded.manifest().parts_of("Object", PartKind.ROWS):
        rows = loaded.own(part)
        own = pixels_29(np.asarray(rows["ra"]), np.asarray(rows["dec"]))
        assert np.array_equal(own, np.asarray(rows[HEALPIX_29]))
        assert part.pixel is not None
        assert np.all((own >= part.pixel.first_29) & (own <= part.pixel.last_29))
        assert (part.low_29, part.high_29) == ((own.min(), own.max()) if len(own) else (None, None))


def test_children_lie_with_their_director_across_borders(loaded: Lab) -> None:
    homes = loaded.rows("Object")
    home_of = dict(zip(homes["objectId"].to_pylist(), homes[HEALPIX_29].to_pylist(), strict=True))
    away = 0
    for part in loaded.manifest().parts_of("Source", PartKind.ROWS):
        rows = loaded.own(part)
        assert part.pixel is not None
        expected = [home_of[key] for key in rows["objectId"].to_pylist()]
        assert rows[DIRECTOR_29].to_pylist() == expected
        assert all(part.pixel.first_29 <= home <= part.pixel.last_29 for home in expected)
        own = np.asarray(rows[HEALPIX_29])
        away += int(((own < part.pixel.first_29) | (own > part.pixel.last_29)).sum())
    assert away > 0


def test_the_separation_bounds_every_childs_distance(loaded: Lab) -> None:
    homes = loaded.rows("Object").sort_by("objectId")
    ids = np.asarray(homes["objectId"])
    for part in loaded.manifest().parts_of("Source", PartKind.ROWS):
        rows = loaded.own(part)
        at = np.searchsorted(ids, np.asarray(rows["objectId"]))
        apart = separation_arcsec(
            *(np.asarray(rows[name]) for name in ("ra", "dec")),
            *(np.asarray(homes[name])[at] for name in ("ra", "dec")),
        )
        assert apart.max() <= part.separation_arcsec <= apart.max() + 0.01


def test_overlap_holds_all_neighbours_within_the_margin(loaded: Lab) -> None:
    """Brute force: a row belongs to the overlap of a chunk if the chunk has a row within the margin."""
    for snapshot, ingest_id in ((1, 1), (2, 2)):
        manifest = loaded.manifest(snapshot)
        parts = [
            part
            for part in manifest.parts_of("Object", PartKind.ROWS)
            if part.ingest_id == ingest_id
        ]
        everything = pa.concat_tables(loaded.own(part) for part in parts)
        ra, dec = (np.asarray(everything[name]) for name in ("ra", "dec"))
        for part in parts:
            assert part.pixel is not None
            own = loaded.own(part)
            near = np.zeros(len(ra), np.bool_)
            for a, d in zip(own["ra"].to_pylist(), own["dec"].to_pylist(), strict=True):
                near |= separation_arcsec(ra, dec, a, d) <= SKY.margin_arcsec
            pixels = np.asarray(everything[HEALPIX_29])
            inside = (pixels >= part.pixel.first_29) & (pixels <= part.pixel.last_29)
            needed = set(np.asarray(everything["objectId"])[near & ~inside].tolist())
            held = loaded.overlap(part)["objectId"].to_pylist()
            assert len(held) == len(set(held)) == part.overlap_rows
            assert needed <= set(held)
            assert not set(held) & set(own["objectId"].to_pylist())


def test_overlap_reaches_chunks_without_rows_of_their_own(sky: Lab) -> None:
    """At (0, 41.81) four base pixels nearly meet."""
    sky.ingest(Object={"objectId": [1], "ra": [0.0], "dec": [41.81]})
    parts = sky.manifest().parts_of("Object", PartKind.ROWS)
    assert max((part.rows, part.overlap_rows) for part in parts) == (1, 0)
    assert {(part.rows, part.overlap_rows) for part in parts[:-1]} <= {(0, 1), (1, 0)}
    assert len(parts) >= 3


def test_parts_are_sorted(loaded: Lab) -> None:
    for table in ("Object", "Source"):
        column = str(loaded.table(table).sort_column())
        for part in loaded.manifest().parts_of(table, PartKind.ROWS):
            places = np.asarray(loaded.own(part)[column])
            assert np.all(places[:-1] <= places[1:])


def test_replicas_are_equal_by_checksum(loaded: Lab) -> None:
    for part in loaded.manifest().parts:
        assert len(part.replicas) == (3 if part.kind is PartKind.WHOLE else 2)
        for replica in range(2):
            tables = {"own": loaded.own(part, replica)}
            if part.table == "Object" and part.kind is PartKind.ROWS:
                tables["overlap"] = loaded.overlap(part, replica)
            assert rows_checksum(tables) == part.checksum


def test_twins_hold_the_same_rows(loaded: Lab) -> None:
    for part in loaded.manifest().parts:
        for replica in part.replicas:
            assert replica.has_twin == (part.kind is not PartKind.INDEX)
            folder = loaded.topology.shard(replica.shard_id).twins
            assert folder is not None
            if replica.has_twin:
                twin = pq.read_table(folder / f"{part.own_name}.parquet")
                assert twin.equals(loaded.own(part))
            if replica.has_twin and part.table == "Object":
                assert (folder / f"{part.overlap_name}.parquet").exists()


def test_replicated_tables_are_whole_on_every_shard(loaded: Lab) -> None:
    (part,) = loaded.manifest().parts_of("Filter", PartKind.WHOLE)
    assert [replica.shard_id for replica in part.replicas] == [1, 2, 3]
    assert [loaded.own(part, k)["filterId"].to_pylist() for k in range(3)] == [[1, 2]] * 3


def test_the_index_knows_every_key(loaded: Lab) -> None:
    rows = loaded.rows("Object")
    ids = rows["objectId"].to_pylist()
    expected = dict(zip(ids, rows[HEALPIX_29].to_pylist(), strict=True))
    assert index_of(loaded, "Object", [*ids, 77_777]) == expected
    assert index_of(loaded, "Object", [17]) == {17: expected[17]}


def test_parents_that_are_children_are_indexed_too(loaded: Lab) -> None:
    rows = loaded.rows("Source")
    expected = dict(zip(rows["sourceId"].to_pylist(), rows[DIRECTOR_29].to_pylist(), strict=True))
    assert index_of(loaded, "Source", list(expected)) == expected


def test_the_shards_books_agree_with_the_manifest(loaded: Lab) -> None:
    manifest = loaded.manifest()
    for shard in loaded.topology.shards:
        here = [
            part for part in manifest.parts if shard.shard_id in {r.shard_id for r in part.replicas}
        ]
        rows = loaded.scalar(shard, "SELECT coalesce(sum(rows), 0) FROM skyshard.part")
        assert rows == sum(part.rows for part in here)


def test_an_older_snapshot_stays_readable(loaded: Lab) -> None:
    assert loaded.rows("Object", loaded.manifest(1)).num_rows == 900
    assert loaded.manifest(0) == Manifest("lab", 0, loaded.manifest().chunks, ())


def test_a_bad_file_changes_nothing(sky: Lab) -> None:
    sky.ingest(Object=objects(50))
    before = (sky.snapshot(), sky.part_tables(), sky.twin_files())
    bad = objects(50, first=100).set_column(1, "ra", pa.array([float("nan")] * 3 + [10.0] * 47))
    with pytest.raises(TooManyRejects, match="3 rows rejected, 0 allowed") as raised:
        sky.ingest(Object=bad, Source=sources_of(objects(50), 1))
    assert (sky.snapshot(), sky.part_tables(), sky.twin_files()) == before
    with raised.value.path.open() as file:
        rejects = list(csv.DictReader(file))
    assert [(r["table"], r["row"], r["reason"]) for r in rejects] == [
        ("Object", str(n), "column 'ra' is NULL") for n in (1, 2, 3)
    ]


def test_every_reject_of_a_key_is_in_the_file(sky: Lab) -> None:
    doubled = pa.concat_tables([objects(10), objects(3)])
    with pytest.raises(TooManyRejects, match="3 rows rejected, 0 allowed") as raised:
        sky.ingest(Object=doubled)
    with raised.value.path.open() as file:
        rejects = list(csv.DictReader(file))
    assert sorted(json.loads(r["text"])["objectId"] for r in rejects) == [1, 2, 3]


def test_rejects_within_the_limit_are_left_out(sky: Lab) -> None:
    bad = objects(50).set_column(1, "ra", pa.array([None, 400.0] + [10.0] * 48))
    report = sky.ingest(IngestOptions(max_rejects=2), Object=bad)
    assert (report.rejects, dict(report.rows)) == (2, {"Object": 48})
    assert sky.column("Object", "objectId") == list(range(3, 51))


def test_a_key_that_comes_twice_is_rejected(sky: Lab) -> None:
    doubled = pa.concat_tables([objects(10), objects(1)])
    with pytest.raises(TooManyRejects, match="objectId comes twice in this ingest"):
        sky.ingest(Object=doubled)


def test_a_published_key_is_rejected(sky: Lab) -> None:
    sky.ingest(Object=objects(300))
    with pytest.raises(TooManyRejects, match=r"300 rows rejected.*objectId is published already"):
        sky.ingest(Object=objects(300, seed=5))
    report = sky.ingest(IngestOptions(max_rejects=1), Object=objects(10, first=300))
    assert dict(report.rows) == {"Object": 9}


def test_null_keys_and_sentinels_lie_by_their_own_position(sky: Lab) -> None:
    sky.ingest(
        Object=objects(10),
        Source={
            "sourceId": [1, 2],
            "objectId": pa.array([None, 0], pa.int64()),
            "ra": [100.0, 200.0],
            "dec": [-30.0, 40.0],
        },
    )
    rows = sky.rows("Source")
    assert rows[DIRECTOR_29].to_pylist() == rows[HEALPIX_29].to_pylist()
    assert index_of(sky, "Object", [0]) == {}


def test_orphans_of_one_key_lie_together(sky: Lab) -> None:
    for number in range(2):
        sky.ingest(
            Source={
                "sourceId": [2 * number + 1, 2 * number + 2],
                "objectId": [77, 77],
                "ra": [100.0, 250.0 + number],
                "dec": [-30.0, 40.0],
            }
        )
    homes = set(sky.rows("Source")[DIRECTOR_29].to_pylist())
    assert homes == {index_of(sky, "Object", [77])[77]}


def test_orphans_without_a_position_are_rejected(sky: Lab) -> None:
    with pytest.raises(
        TooManyRejects, match="no Object with this objectId, and it has no position"
    ):
        sky.ingest(Source={"sourceId": [1], "objectId": [77]})


def test_a_director_that_comes_later_brings_its_orphans_home(sky: Lab) -> None:
    sky.ingest(
        Object=objects(5),
        Source={
            "sourceId": [1, 2, 3],
            "objectId": [77, 77, 5],
            "ra": [100.0, 100.1, 101.0],
            "dec": [-30.0, -30.1, 0.0],
            "flux": [1.0, 2.0, 3.0],
        },
        Note={"noteId": [1, 2], "sourceId": [1, 3]},
    )
    before = sky.manifest()
    late = objects(1, first=77, seed=9)
    report = sky.ingest(
        Object=late, Source={"sourceId": [4], "objectId": [77], "ra": [10.0], "dec": [20.0]}
    )
    home = sky.rows("Object").filter(pa.compute.field("objectId") == 77)[HEALPIX_29].to_pylist()[0]
    sources = sky.rows("Source").sort_by("sourceId")
    assert sources["sourceId"].to_pylist() == [1, 2, 3, 4]
    assert sources[DIRECTOR_29].to_pylist()[:2] == [home, home]
    assert sources[DIRECTOR_29].to_pylist()[3] == home
    assert sources[INGEST].to_pylist() == [report.ingest_id - 1] * 3 + [report.ingest_id]
    assert dict(report.rows) == {"Object": 1, "Source": 1}
    assert index_of(sky, "Object", [77]) == {77: home}
    assert index_of(sky, "Source", [1]) == {1: home}
    notes = sky.rows("Note").sort_by("noteId")
    assert notes[DIRECTOR_29].to_pylist()[0] == home
    assert sky.rows("Source", before).num_rows == 3


def test_a_match_lies_with_its_first_director(sky: Lab) -> None:
    stars = {"starId": pa.array([1, 2], pa.int32()), "ra": [10.0, 10.5], "dec": [20.0, 20.5]}
    pairs = {"objectId": [3, 4], "starId": pa.array([1, 2], pa.int32()), "sep": [0.1, 0.2]}
    sky.ingest(Object=objects(10), Star=stars, Pair=pairs)
    homes = index_of(sky, "Object", [3, 4])
    rows = sky.rows("Pair").sort_by("objectId")
    assert rows[DIRECTOR_29].to_pylist() == [homes[3], homes[4]]
    assert INGEST in rows.column_names
    assert HEALPIX_29 not in rows.column_names


def test_readers_see_all_of_an_ingest_or_nothing(sky: Lab) -> None:
    sky.ingest(Object=objects(100), Source=sources_of(objects(100), 1))
    seen: set[tuple[int, int, int]] = set()
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            manifest = sky.manifest()
            counts = (sky.rows(t, manifest).num_rows for t in ("Object", "Source"))
            seen.add((manifest.snapshot, *counts))

    with ThreadPoolExecutor(2) as threads:
        readers = [threads.submit(read) for _ in range(2)]
        for number in (2, 3):
            more = objects(100, first=1000 * number)
            sky.ingest(Object=more, Source=sources_of(more, 1, first=1000 * number))
        is_over.set()
    for reader in readers:
        reader.result()
    assert seen <= {(1, 100, 100), (2, 200, 200), (3, 300, 300)}
    assert len(seen) >= 2


def test_a_failure_while_loading_leaves_nothing(sky: Lab) -> None:
    sky.ingest(Filter={"filterId": [1]})
    before = (sky.snapshot(), sky.part_tables(), sky.twin_files())
    with pytest.raises(RowsRefused, match="rows of Filter are refused"):
        sky.ingest(Object=objects(500), Filter={"filterId": [2, 3], "name": ["g", "g"]})
    assert (sky.snapshot(), sky.part_tables(), sky.twin_files()) == before
    with sky.pools.coordinator() as connection, connection.cursor() as cursor:
        cursor.execute(STATES, (sky.catalog.name,))
        (first, _), (second, reason) = cursor.fetchall()
    assert (first, second) == ("published", "failed")
    assert "Filter" in reason
    assert not list((sky.folder / "spool").glob("ingest-*"))


def test_a_dead_shard_fails_the_ingest_and_the_next_one_succeeds(
    server: Server, tmp_path: Path
) -> None:
    with lab(server, SKY, tmp_path) as sky:
        broken = dataclasses.replace(sky.topology.shards[1], dsn="host=127.0.0.1 port=1")
        topology = dataclasses.replace(sky.topology, shards=(sky.topology.shards[0], broken))
        pools = Pools(topology)
        away = dataclasses.replace(sky, pools=pools, topology=topology)
        with pytest.raises(Exception, match="does not answer"):
            away.ingest(IngestOptions(workers=2, wait_s=0.5), Object=objects(500))
        pools.close()
        assert sky.part_tables() == 0
        sky.ingest(Object=objects(500))
        assert sky.rows("Object").num_rows == 500


def test_a_check_of_the_model_refuses_rows(server: Server, tmp_path: Path) -> None:
    lamp = Table(
        "Lamp",
        (Column("n", Type.INT),),
        Role.REPLICATED,
        checks=(Check("positive", '"n" > 0'),),
    )
    with (
        lab(server, Catalog("checked", (lamp,)), tmp_path) as made,
        pytest.raises(TooManyRejects, match="row 2: check 'positive' does not hold"),
    ):
        made.ingest(Lamp={"n": pa.array([1, -1], pa.int32())})


def test_an_ingest_that_was_overtaken_on_its_keys_conflicts(sky: Lab) -> None:
    sky.ingest(Object=objects(10))
    base = sky.manifest()
    sky.ingest(Object=objects(10, first=100))
    mine = lookup(sky.pools, sky.manifest(), "Object", np.array([105]))
    loaded = Loaded(1, base, (), base.chunks, {"Object": mine})
    with (
        sky.pools.coordinator() as connection,
        pytest.raises(PublishConflict, match=r"it brought keys of Object too \(105"),
    ):
        publish(connection, sky.pools, loaded)
    assert sky.snapshot() == 2


def test_a_published_key_of_a_replicated_table_is_a_reject(sky: Lab) -> None:
    sky.ingest(Filter={"filterId": [1, 2]})
    report = sky.ingest(IngestOptions(max_rejects=5), Filter={"filterId": [3, 2, 3]})
    assert report.reject_file is not None
    with report.reject_file.open() as file:
        rejects = [(row["row"], row["reason"]) for row in csv.DictReader(file)]
    assert rejects == [
        ("2", "filterId is published already"),
        ("3", "filterId comes twice in this ingest"),
    ]
    assert sky.column("Filter", "filterId") == [1, 2, 3]


def test_two_ingests_at_once_of_one_replicated_key_publish_one(sky: Lab) -> None:
    """Both are held at the same base by a barrier in their progress."""
    barrier = threading.Barrier(2, timeout=30)

    def run(name: str) -> str:
        def progress(step: Progress) -> None:
            if step.phase == "load" and step.done == step.total:
                barrier.wait()

        path = sky.folder / f"filter-{name}.parquet"
        pq.write_table(pa.table({"filterId": [7], "name": [name]}), path)
        try:
            ingest(
                sky.catalog.name,
                [Contribution("Filter", path)],
                pools=sky.pools,
                topology=sky.topology,
                spool=sky.folder,
                progress=progress,
            )
        except PublishConflict as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as threads:
        told = sorted(threads.map(run, ["one", "other"]))
    assert told[0] == ""
    assert "it brought keys of Filter too (7...)" in told[1]
    assert sky.column("Filter", "filterId") == [7]
    assert sky.snapshot() == 1


def test_an_ingest_that_was_overtaken_on_other_keys_is_published(sky: Lab) -> None:
    """Two ingests at once, held at the same base by a barrier in their progress."""
    sky.ingest(Object=objects(10))
    barrier = threading.Barrier(2, timeout=30)

    def run(first: int) -> IngestReport:
        def progress(step: Progress) -> None:
            if step.phase == "stage":
                barrier.wait()

        path = sky.folder / f"both-{first}.parquet"
        pq.write_table(objects(20, first=first), path)
        return ingest(
            sky.catalog.name,
            [Contribution("Object", path)],
            pools=sky.pools,
            topology=sky.topology,
            spool=sky.folder / "spool",
            progress=progress,
        )

    with ThreadPoolExecutor(2) as threads:
        reports = threads.map(run, [100, 200])
    assert sorted(report.snapshot for report in reports) == [2, 3]
    assert sky.rows("Object").num_rows == 50


def test_an_unknown_table_is_told_with_the_nearest(sky: Lab) -> None:
    with pytest.raises(UnknownTable, match="no table 'Objetc'; did you mean 'Object'"):
        sky.ingest(Objetc=objects(1))


def test_chunks_of_a_first_ingest_without_directors_follow_its_children(sky: Lab) -> None:
    sky.ingest(Source=sources_of(objects(1000), 1))
    assert max(part.rows for part in sky.manifest().parts_of("Source", PartKind.ROWS)) <= 300
    Tiling(sky.manifest().chunks)


def test_a_list_may_come_before_any_sky(sky: Lab) -> None:
    sky.ingest(Filter={"filterId": [1]})
    assert sky.manifest().chunks == ()
    sky.ingest(Object=objects(10))
    assert sky.rows("Object").num_rows == 10


def test_an_ingest_of_no_rows_is_a_snapshot_like_any(sky: Lab) -> None:
    report = sky.ingest(Object=objects(0), Source=sources_of(objects(0), 1))
    assert (report.snapshot, report.parts, dict(report.rows)) == (1, 0, {"Object": 0, "Source": 0})
    sky.ingest(Object=objects(5))
    assert sky.rows("Object").num_rows == 5


def shared(name: str) -> Path:
    """A file of the shared data, where there is one."""
    folder = os.environ.get("SKYSHARD_SHARED") or Path(__file__).parents[3] / "shared"
    path = Path(folder) / "data" / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def test_stripe_82_in_mysqls_own_csv(server: Server, tmp_path: Path) -> None:
    names = ["id", "coord_ra", "coord_decl", "coord_htmId20", "parent", "calib_detected"]
    kinds = [Type.LONG, Type.DOUBLE, Type.DOUBLE, Type.LONG, Type.LONG, Type.BOOLEAN]
    columns = tuple(Column(n, k, nullable=n != "id") for n, k in zip(names, kinds, strict=True))
    deep = Table("RunDeepSource", columns, Role.DIRECTOR, ("id",), "id", "coord_ra", "coord_decl")
    given = shared("stripe82/RunDeepSource.csv.gz")
    with lab(server, Catalog("s82", (deep,), replicas=1), tmp_path) as made:
        report = made.ingest(RunDeepSource=given)
        rows = made.rows("RunDeepSource").sort_by("id")
    with gzip.open(given, "rt", encoding="latin1") as file:
        first = min((line.split(",")[:6] for line in file), key=lambda fields: int(fields[0]))
    assert dict(report.rows) == {"RunDeepSource": 1000}
    assert rows["id"][0].as_py() == int(first[0])
    assert rows["coord_ra"][0].as_py() == float(first[1])
    assert rows["parent"].null_count > 900
    assert sorted(set(rows["calib_detected"].to_pylist())) == [False, True]
