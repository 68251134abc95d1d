"""Ingests that are cut off, repeated or overtaken: published once and whole, or not at all."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pytest
from typing_extensions import override

from loaders.ingest import Contribution, IngestOptions, Progress, ingest
from loaders.parts.publish import AlreadyIngested, PublishConflict
from loaders.publishing import OutcomeUnknown
from loaders.staging.target import NotARelease, NotSupportedYet
from procedures.manifests import current_snapshots
from procedures.pools import Pools, ServerUnavailable
from schema.catalog import DIRECTOR_29, HEALPIX_29, Catalog, Kind
from schema.manifest import PartKind
from schema.topology import Topology
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import OBJECT, SKY, objects, sources_of, write
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def cluster(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two shards."""
    with lab(server, SKY, tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.fixture
def sky(cluster: Lab, tmp_path: Path) -> Lab:
    """An empty catalog of its own on the two shards."""
    return cluster.with_catalog(f"lab_{secrets.token_hex(4)}", tmp_path)


class CutAtCommit(Pools):
    """The coordinator's link breaks at the commit of a publish, before it is done or after."""

    def __init__(self, topology: Topology, *, is_done: bool, is_back: bool) -> None:
        super().__init__(topology)
        self.is_done, self.is_back, self.has_cut = is_done, is_back, False

    @override
    @contextmanager
    def coordinator(self) -> Iterator[Any]:
        if self.has_cut and not self.is_back:
            raise ServerUnavailable("the coordinator", "connection refused")
        with super().coordinator() as connection:
            yield _Cutting(connection, self)


class _Cutting:
    """A connection that passes everything on, but breaks when it commits a publish."""

    def __init__(self, connection: Any, pools: CutAtCommit) -> None:
        self._connection, self._pools = connection, pools

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def commit(self) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM skyshard.ingest WHERE state = 'published'"
                " AND xmin::text = txid_current_if_assigned()::text"
            )
            is_publish = cursor.fetchone()[0] > 0
        if not is_publish or self._pools.has_cut:
            self._connection.commit()
            return
        if self._pools.is_done:
            self._connection.commit()
        self._pools.has_cut = True
        self._connection.close()
        raise psycopg2.OperationalError("server closed the connection unexpectedly")


def cut(sky: Lab, *, is_done: bool, is_back: bool) -> Lab:
    pools = CutAtCommit(sky.topology, is_done=is_done, is_back=is_back)
    return dataclasses.replace(sky, pools=pools)


def test_a_lost_answer_to_the_commit_is_looked_up(sky: Lab) -> None:
    report = cut(sky, is_done=True, is_back=True).ingest(Object=objects(50))
    assert (report.snapshot, sky.rows("Object").num_rows) == (1, 50)
    assert sky.twin_files()


def test_a_commit_that_was_not_done_leaves_nothing(sky: Lab) -> None:
    before = sky.part_tables()
    with pytest.raises(psycopg2.OperationalError, match="closed the connection"):
        cut(sky, is_done=False, is_back=True).ingest(Object=objects(50))
    assert (sky.snapshot(), sky.part_tables()) == (0, before)


def test_nothing_is_dropped_while_nobody_knows_what_became_of_a_commit(sky: Lab) -> None:
    away = cut(sky, is_done=True, is_back=False)
    with pytest.raises(
        OutcomeUnknown, match="may be published or not, and nothing of it was dropped"
    ):
        away.ingest(Object=objects(50))
    assert sky.rows("Object").num_rows == 50


def test_a_failed_ingest_drops_only_parts_that_it_asked_for(sky: Lab) -> None:
    """The ids of ingests start again where a coordinator was restored from an old backup."""
    sky.ingest(Object=objects(20))
    part = sky.manifest().parts_of("Object", PartKind.ROWS)[0]
    with sky.pools.coordinator() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT max(ingest_id) + 1 FROM skyshard.ingest")
        (following,) = cursor.fetchone()
    for replica in part.replicas:
        with sky.pools.shard(replica.shard_id) as connection, connection.cursor() as cursor:
            cursor.execute(
                "UPDATE skyshard.part SET ingest_id = %s WHERE part_id = %s",
                (following, part.part_id),
            )
            connection.commit()
    with pytest.raises(Exception, match="rows of Filter are refused"):
        sky.ingest(Filter={"filterId": [2, 3], "name": ["g", "g"]})
    assert sky.own(part).num_rows == part.rows


NOTES = {"noteId": [1, 2], "sourceId": [1, 2]}
"""Children of children: nobody compares their keys."""


def with_sources(sky: Lab) -> None:
    given = objects(2)
    sky.ingest(Object=given, Source=sources_of(given, 1))


def test_the_same_content_is_not_taken_twice(sky: Lab) -> None:
    with_sources(sky)
    report = sky.ingest(Note=write(sky.folder / "a.parquet", **NOTES))
    before = (sky.snapshot(), sky.part_tables())
    copy = write(sky.folder / "b.parquet", **NOTES)
    told = rf"b.parquet was ingested .*ingest {report.ingest_id} brought it as .*a.parquet"
    with pytest.raises(AlreadyIngested, match=told):
        sky.ingest(Note=copy)
    assert (sky.snapshot(), sky.part_tables()) == before
    sky.ingest(IngestOptions(again=True), Note=copy)
    assert sorted(sky.column("Note", "noteId")) == [1, 1, 2, 2]


def test_content_that_failed_may_come_again(sky: Lab) -> None:
    lists = write(sky.folder / "f.parquet", filterId=[1])
    with pytest.raises(Exception, match="rows of Filter are refused"):
        sky.ingest(Filter={"filterId": [2, 3], "name": ["g", "g"]})
    sky.ingest(Filter=lists)
    empty = sources_of(objects(0), 1)
    sky.ingest(Source=empty)
    sky.ingest(Source=empty)


def test_the_same_file_twice_in_one_ingest_is_refused(sky: Lab) -> None:
    file = write(sky.folder / "s.parquet", sourceId=[1], ra=[10.0], dec=[20.0], objectId=[0])
    with pytest.raises(AlreadyIngested, match="this ingest has it twice"):
        run(sky, [Contribution("Source", file)] * 2)
    assert sky.snapshot() == 0


def test_two_ingests_of_the_same_content_at_once_are_published_once(sky: Lab) -> None:
    with_sources(sky)
    given = [Contribution("Note", write(sky.folder / "f.parquet", **NOTES))]
    with pytest.raises(AlreadyIngested):
        run(sky, given, meanwhile=lambda: run(sky, given))
    assert sorted(sky.column("Note", "noteId")) == [1, 2]


def orphan(sky: Lab, number: int) -> list[Contribution]:
    rows = {"sourceId": [number], "objectId": [77], "ra": [100.0], "dec": [-30.0]}
    return [Contribution("Source", write(sky.folder / f"orphan-{number}.parquet", **rows))]


def director(sky: Lab) -> list[Contribution]:
    file = write(sky.folder / "director.parquet", **columns(objects(1, first=77)))
    return [Contribution("Object", file)]


@pytest.mark.parametrize("is_child_first", [True, False])
def test_children_and_their_director_do_not_miss_each_other(sky: Lab, is_child_first: bool) -> None:
    """An orphan of 77 is published; another and the director itself come at the same time."""
    sky.ingest(Object=objects(5))
    run(sky, orphan(sky, 1))
    ways = [director(sky), orphan(sky, 2)]
    slow, quick = ways if is_child_first else reversed(ways)
    with pytest.raises(PublishConflict, match="children"):
        run(sky, slow, meanwhile=lambda: run(sky, quick))
    run(sky, slow)
    home = sky.rows("Object").filter(pa.compute.field("objectId") == 77)[HEALPIX_29].to_pylist()
    assert sky.rows("Source")[DIRECTOR_29].to_pylist() == home * 2


def test_a_view_that_cannot_be_written_is_a_warning(sky: Lab) -> None:
    (sky.folder / "spool").mkdir()
    (sky.folder / "spool" / "hats").write_text("in the way")
    report = sky.ingest(Object=objects(5))
    assert report.snapshot == 1
    assert "is not renewed" in report.warnings[0]


def test_a_coordinator_that_goes_after_the_publish_is_a_warning(sky: Lab) -> None:
    pools = CutAfterPublish(sky.topology, sky.catalog.name)
    report = dataclasses.replace(sky, pools=pools).ingest(Object=objects(5))
    assert report.snapshot == 1
    assert "is not renewed" in report.warnings[0]


class CutAfterPublish(Pools):
    """The coordinator is gone once a catalog has a snapshot."""

    def __init__(self, topology: Topology, catalog: str) -> None:
        super().__init__(topology)
        self.catalog, self.is_gone = catalog, False

    @override
    @contextmanager
    def coordinator(self) -> Iterator[Any]:
        if self.is_gone:
            raise ServerUnavailable("the coordinator", "connection refused")
        with super().coordinator() as connection:
            yield connection
            self.is_gone = current_snapshots(connection)[self.catalog] > 0


def test_spool_folders_are_for_their_owner_only(sky: Lab) -> None:
    seen: set[int] = set()

    def look(_: Progress) -> None:
        (folder,) = (sky.folder / "new" / "spool").glob("ingest-*")
        seen.update(place.stat().st_mode & 0o777 for place in (folder, *folder.parents[:2]))

    file = write(sky.folder / "f.parquet", filterId=[1])
    ingest(
        sky.catalog.name,
        [Contribution("Filter", file)],
        pools=sky.pools,
        topology=sky.topology,
        spool=sky.folder / "new" / "spool",
        progress=look,
    )
    assert seen == {0o700}


def test_a_spool_that_cannot_be_made_ends_the_ingest(sky: Lab) -> None:
    (sky.folder / "spool").write_text("in the way")
    with pytest.raises(OSError, match="spool"):
        sky.ingest(Filter={"filterId": [1]})
    with sky.pools.coordinator() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT state FROM skyshard.ingest ORDER BY ingest_id DESC LIMIT 1")
        assert cursor.fetchone() == ("failed",)


@pytest.mark.parametrize(
    ("catalog", "fault"),
    [
        (dataclasses.replace(SKY, kind=Kind.LIVE), NotARelease),
        (
            dataclasses.replace(SKY, tables=(dataclasses.replace(OBJECT, keep_unplaced=True),)),
            NotSupportedYet,
        ),
    ],
)
def test_what_ingests_cannot_do_is_refused(
    cluster: Lab, tmp_path: Path, catalog: Catalog, fault: type[Exception]
) -> None:
    named = dataclasses.replace(cluster, catalog=catalog)
    made = named.with_catalog(f"lab_{secrets.token_hex(4)}", tmp_path)
    with pytest.raises(fault, match="nothing was changed"):
        made.ingest(Object=objects(1))


def columns(rows: pa.Table) -> dict[str, pa.ChunkedArray]:
    return dict(zip(rows.column_names, rows.columns, strict=True))


def run(sky: Lab, given: list[Contribution], meanwhile: Any = None) -> None:
    """Ingest files; `meanwhile` is called once when their rows are loaded."""
    waiting = [meanwhile] if meanwhile else []

    def progress(step: Progress) -> None:
        if step.phase == "load" and waiting:
            waiting.pop()()

    ingest(
        sky.catalog.name,
        given,
        pools=sky.pools,
        topology=sky.topology,
        spool=sky.folder / "spool",
        options=IngestOptions(workers=1),
        progress=progress,
    )
