"""Loaders killed at every journalled step, and started again: the rows are the input's, once.

Real processes, ended by SIGKILL at named fail points. Two of three shards have each part.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders import lifecycle
from loaders.ingest import Contribution, IngestOptions
from loaders.lease import IngestBusy, leased
from loaders.lifecycle import WrongState
from loaders.options import Site
from loaders.parts.publish import AlreadyIngested
from loaders.parts.twin import twin_path
from procedures.ingest_plans import read_plan
from procedures.ingests import read_contributions, read_events, read_ingest
from schema.checksum import checksum
from schema.manifest import IngestId, PartKind
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY, objects, sources_of
from tests.support.loader_process import start
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres

OBJECTS = objects(400)
SOURCES = sources_of(OBJECTS, 2)
GIVEN = {"Object": OBJECTS, "Source": SOURCES}
PIECES = 3
"""Files of each table."""


@pytest.fixture(scope="module")
def cluster(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three shards, R = 2."""
    catalog = dataclasses.replace(SKY, replicas=2)
    with lab(server, catalog, tmp_path_factory.mktemp("restart"), shards=3) as made:
        yield made


@pytest.fixture
def sky(cluster: Lab, tmp_path: Path) -> Lab:
    """An empty catalog of its own."""
    return cluster.with_catalog(f"lab_{secrets.token_hex(4)}", tmp_path)


@pytest.fixture
def site(sky: Lab) -> Site:
    return Site(sky.pools, sky.topology, sky.folder / "spool")


@pytest.fixture
def files(sky: Lab) -> list[Contribution]:
    return [
        Contribution(name, piece_of(sky, name, rows, number))
        for name, rows in GIVEN.items()
        for number in range(PIECES)
    ]


def piece_of(sky: Lab, name: str, rows: pa.Table, number: int) -> Path:
    path = sky.folder / f"{name}-{number}.parquet"
    size = -(-rows.num_rows // PIECES)
    pq.write_table(rows.slice(number * size, size), path)
    return path


def begun(site: Site, sky: Lab, files: list[Contribution]) -> IngestId:
    """A committed ingest of the files."""
    ingest_id = lifecycle.begin(site, sky.catalog.name)
    lifecycle.add(site, ingest_id, files)
    lifecycle.commit(site, ingest_id)
    return ingest_id


def killed(site: Site, ingest_id: int, fail: str, step: str = "run") -> None:
    """A loader that is killed there."""
    process = start(site, {"step": step, "ingest": ingest_id, "publish": True}, fail=fail)
    _, said = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, f"it was not killed at {fail}:\n{said}"


def run_again(site: Site, ingest_id: int) -> dict[str, Any]:
    """A loader that goes on to the end; what it did."""
    process = start(site, {"step": "run", "ingest": ingest_id, "publish": True})
    told, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    found: dict[str, Any] = json.loads(told)
    return found


def assert_whole(sky: Lab) -> None:
    """Every copy of every part, and its twin, hold together the input's rows, by checksum."""
    manifest = sky.manifest()
    for name, given in GIVEN.items():
        parts = manifest.parts_of(name, PartKind.ROWS)
        wanted = checksum(given, given.column_names)
        for replica in range(2):
            rows = pa.concat_tables(sky.own(part, replica) for part in parts)
            assert rows.num_rows == given.num_rows
            found = rows.select(given.column_names).cast(given.schema)
            assert checksum(found, given.column_names) == wanted
    for part in manifest.parts:
        assert len(part.replicas) == 2
        for number, replica in enumerate(part.replicas):
            folder = sky.topology.shard(replica.shard_id).twins
            if replica.has_twin:
                assert folder is not None
                twin = pq.read_table(twin_path(folder, part.own_name))
                assert twin.equals(sky.own(part, number))


def assert_nothing_is_left(sky: Lab, before: int) -> None:
    """The shards have the tables of the published parts, and those there were."""
    tables = 0
    for part in sky.manifest().parts:
        is_director = part.kind is PartKind.ROWS and part.table == "Object"
        tables += len(part.replicas) * (2 if is_director else 1)
    assert sky.part_tables() - before == tables
    assert not list((sky.folder / "spool").glob("ingest-*"))
    assert not [name for name in sky.twin_files() if name.endswith(".partial")]


@pytest.mark.parametrize(
    "place",
    [
        "stage.done=kill@5",
        "load.planned=kill",
        "load.copied=kill@6",
        "load.twinned=kill@5",
        "load.done=kill",
        "publish.before=kill",
        "publish.after=kill",
    ],
)
def test_a_loader_that_was_killed_is_started_again(
    sky: Lab, site: Site, files: list[Contribution], place: str
) -> None:
    before = sky.part_tables()
    ingest_id = begun(site, sky, files)
    killed(site, ingest_id, place)
    assert sky.snapshot() == (1 if place == "publish.after=kill" else 0)
    done = run_again(site, ingest_id)
    assert (done["state"], sky.snapshot()) == ("published", 1)
    assert_whole(sky)
    assert_nothing_is_left(sky, before)


def test_a_restart_redoes_what_was_in_hand_and_nothing_else(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    ingest_id = begun(site, sky, files)
    killed(site, ingest_id, "load.copied=kill@7")
    with sky.pools.coordinator() as connection:
        planned = read_plan(connection, ingest_id)
    loaded = sum(part.is_loaded for part in planned)
    assert 0 < loaded < len(planned)
    killed(site, ingest_id, "load.done=kill")
    done = run_again(site, ingest_id)
    assert (done["staged"], done["staged_before"]) == (0, len(files))
    assert (done["loaded"], done["loaded_before"]) == (0, len(planned))
    assert_whole(sky)


def test_staging_that_was_cut_off_reads_only_the_other_files(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    ingest_id = begun(site, sky, files)
    killed(site, ingest_id, "stage.done=kill@5")
    done = run_again(site, ingest_id)
    assert done["staged_before"] >= 4
    assert done["staged"] + done["staged_before"] == len(files)


def test_the_one_line_form_goes_on_with_what_was_cut_off(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    step = {
        "step": "ingest",
        "catalog": sky.catalog.name,
        "files": [[one.table, str(one.path)] for one in files],
    }
    process = start(site, step, fail="load.copied=kill@5")
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    report, again = (start(site, step).communicate(timeout=120) for _ in range(2))
    assert "went on with ingest" in json.loads(report[0])["warnings"][0]
    assert AlreadyIngested.__name__ in again[1]
    assert sky.snapshot() == 1
    assert_whole(sky)


def test_without_its_spool_a_restart_reads_the_files_again(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    ingest_id = begun(site, sky, files)
    killed(site, ingest_id, "load.copied=kill@4")
    shutil.rmtree(site.folder(ingest_id))
    done = run_again(site, ingest_id)
    assert done["staged"] == len(files)
    assert done["loaded_before"] > 0
    assert_whole(sky)


def test_a_twin_that_is_gone_is_written_again(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    ingest_id = begun(site, sky, files)
    before = set(sky.twin_files())
    killed(site, ingest_id, "load.done=kill")
    name = min(set(sky.twin_files()) - before)
    for shard in sky.topology.shards:
        assert shard.twins is not None
        (shard.twins / name).unlink(missing_ok=True)
    assert run_again(site, ingest_id)["loaded"] >= 1
    assert_whole(sky)


def test_a_part_that_a_shard_lost_is_written_again(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    ingest_id = begun(site, sky, files)
    killed(site, ingest_id, "load.done=kill")
    with sky.pools.coordinator() as connection:
        part = read_plan(connection, ingest_id)[0]
    with sky.pools.shard(part.shards[1]) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM skyshard.part WHERE part_id = %s", (part.part_id,))
        cursor.execute(f"DROP TABLE parts.p{part.part_id}")
        cursor.execute(f"DROP TABLE IF EXISTS parts.o{part.part_id}")
        connection.commit()
    run_again(site, ingest_id)
    assert_whole(sky)


def test_files_that_changed_since_they_were_staged_are_refused(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    ingest_id = begun(site, sky, files)
    killed(site, ingest_id, "load.copied=kill@2")
    shutil.rmtree(site.folder(ingest_id))
    pq.write_table(objects(7, first=5000), files[0].path)
    process = start(site, {"step": "run", "ingest": ingest_id, "publish": True})
    assert "SourceChanged" in process.communicate(timeout=120)[1]
    with sky.pools.coordinator() as connection:
        assert read_ingest(connection, ingest_id).state == "failed"
    assert sky.snapshot() == 0


def test_a_second_loader_says_who_is_at_work(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    ingest_id = begun(site, sky, files)
    first = start(
        site, {"step": "run", "ingest": ingest_id, "publish": True}, fail="load.planned=wait:3"
    )
    wait_for_event(sky, ingest_id, "planned")
    with pytest.raises(IngestBusy, match=f"process {first.pid} on .* is at work on ingest"):
        lifecycle.run_ingest(site, ingest_id)
    assert first.wait(timeout=60) == 0, first.communicate()
    first.communicate()
    assert lifecycle.run_ingest(site, ingest_id, and_publish=True).redone.loaded == 0
    assert_whole(sky)


def wait_for_event(sky: Lab, ingest_id: IngestId, kind: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with sky.pools.coordinator() as connection:
            if kind in {event.kind for event in read_events(connection, ingest_id)}:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing was {kind}")


def test_a_loader_whose_lease_lapsed_changes_nothing_more(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    ingest_id = begun(site, sky, files)
    with leased(sky.pools, ingest_id, seconds=2) as lease:
        lease._is_over.set()  # as if the process hung
        time.sleep(2.1)
        lifecycle.run_ingest(site, ingest_id, and_publish=True)
        with pytest.raises(Exception, match="was lost"):
            lease.check()
    assert_whole(sky)


def test_a_finished_ingest_run_again_is_left_as_it_is(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    ingest_id = begun(site, sky, files)
    first = lifecycle.run_ingest(site, ingest_id, and_publish=True)
    again = lifecycle.run_ingest(site, ingest_id, and_publish=True)
    assert (again.redone.staged, again.redone.loaded) == (0, 0)
    assert lifecycle.publish_ingest(site, ingest_id).snapshot == first.snapshot == sky.snapshot()


def test_files_are_staged_as_they_come_and_published_when_that_is_asked_for(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    ingest_id = lifecycle.begin(site, sky.catalog.name, label="night 1")
    lifecycle.add(site, ingest_id, files[:3])
    assert lifecycle.run_ingest(site, ingest_id).redone.staged == 3
    lifecycle.add(site, ingest_id, files[3:])
    lifecycle.commit(site, ingest_id)
    with pytest.raises(WrongState, match="only an open one takes files"):
        lifecycle.add(site, ingest_id, files)
    with pytest.raises(WrongState, match="is published once"):
        lifecycle.publish_ingest(site, ingest_id)
    ran = lifecycle.run_ingest(site, ingest_id)
    assert (ran.state, ran.redone.staged, sky.snapshot()) == ("loaded", len(files) - 3, 0)
    assert lifecycle.publish_ingest(site, ingest_id).snapshot == 1
    assert_whole(sky)


@pytest.mark.parametrize("is_loaded", [True, False])
def test_an_aborted_ingest_leaves_nothing_anywhere(
    sky: Lab, site: Site, files: list[Contribution], is_loaded: bool
) -> None:
    before, twins = sky.part_tables(), sky.twin_files()
    ingest_id = begun(site, sky, files)
    if is_loaded:
        lifecycle.run_ingest(site, ingest_id)
    else:
        killed(site, ingest_id, "load.copied=kill@4")
    assert sky.part_tables() > before
    assert lifecycle.abort(site, ingest_id)
    assert (sky.part_tables(), sky.twin_files()) == (before, twins)
    assert not site.folder(ingest_id).exists()
    with pytest.raises(WrongState, match="is aborted"):
        lifecycle.run_ingest(site, ingest_id)


def test_a_loader_stops_when_its_ingest_is_aborted(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    before = sky.part_tables()
    ingest_id = begun(site, sky, files)
    loader = start(
        site, {"step": "run", "ingest": ingest_id, "publish": True}, fail="load.done=wait:2"
    )
    wait_for_event(sky, ingest_id, "planned")
    assert not lifecycle.abort(site, ingest_id)
    assert "IngestEnded" in loader.communicate(timeout=60)[1]
    assert (sky.snapshot(), sky.part_tables()) == (0, before)


def test_what_a_crash_left_of_a_failed_ingest_goes_with_the_next_run(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    before = sky.part_tables()
    first = begun(site, sky, files)
    killed(site, first, "load.copied=kill@4")
    with sky.pools.coordinator() as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET state = 'aborted', lease_owner = NULL, lease_until = NULL"
            " WHERE ingest_id = %s",
            (first,),
        )
        connection.commit()
    second = begun(site, sky, files)
    lifecycle.run_ingest(site, second, and_publish=True)
    assert_nothing_is_left(sky, before)
    assert_whole(sky)


def test_the_same_file_twice_is_refused_or_left_out(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    strict = lifecycle.begin(site, sky.catalog.name)
    with pytest.raises(AlreadyIngested, match="this ingest has it twice"):
        lifecycle.add(site, strict, [files[0], files[0]])
    copy = Contribution("Object", Path(shutil.copy(files[0].path, sky.folder / "copy.parquet")))
    lenient = lifecycle.begin(site, sky.catalog.name, options=IngestOptions(ignore_repeated=True))
    assert lifecycle.add(site, lenient, [*files, files[0], copy]) == list(range(len(files) + 1))
    lifecycle.commit(site, lenient)
    lifecycle.run_ingest(site, lenient, and_publish=True)
    assert_whole(sky)
    with sky.pools.coordinator() as connection:
        states = [row.state for row in read_contributions(connection, lenient)]
    assert states.count("ignored") == 1


def test_files_that_failed_are_tried_again(sky: Lab, site: Site, files: list[Contribution]) -> None:
    whole = files[0].path.read_bytes()
    files[0].path.write_bytes(b"torn")
    ingest_id = begun(site, sky, files)
    options = IngestOptions(keep_going=True)
    with pytest.raises(Exception, match=r"1 of 6 files could not be staged.*Object-0.parquet"):
        lifecycle.run_ingest(site, ingest_id, options=options)
    with pytest.raises(WrongState, match="is failed"):
        lifecycle.run_ingest(site, ingest_id, options=options)
    files[0].path.write_bytes(whole)
    assert lifecycle.retry(site, ingest_id) == 1
    ran = lifecycle.run_ingest(site, ingest_id, options=options, and_publish=True)
    assert (ran.redone.staged, ran.redone.staged_before) == (1, len(files) - 1)
    assert_whole(sky)


def test_rejects_that_were_too_many_may_be_allowed_afterwards(sky: Lab, site: Site) -> None:
    rows = objects(50).set_column(1, "ra", pa.array([None] * 3 + [10.0] * 47))
    path = sky.folder / "bad.parquet"
    pq.write_table(rows, path)
    ingest_id = begun(site, sky, [Contribution("Object", path)])
    with pytest.raises(Exception, match="3 rows rejected, 0 allowed"):
        lifecycle.run_ingest(site, ingest_id)
    assert lifecycle.rejects(site, ingest_id) is not None
    lifecycle.retry(site, ingest_id, max_rejects=3)
    assert lifecycle.run_ingest(site, ingest_id, and_publish=True).snapshot == 1
    assert sky.rows("Object").num_rows == 47


def test_an_ingest_that_was_overtaken_is_planned_anew(
    sky: Lab, site: Site, files: list[Contribution]
) -> None:
    """Both chose the chunks of an empty catalog."""
    ingest_id = begun(site, sky, files)
    lifecycle.run_ingest(site, ingest_id)
    sky.ingest(Object=objects(1500, first=9001, seed=4))
    with pytest.raises(Exception, match="published meanwhile"):
        lifecycle.publish_ingest(site, ingest_id)
    ran = lifecycle.run_ingest(site, ingest_id, and_publish=True)
    assert (ran.snapshot, ran.redone.staged) == (2, 0)
    assert sky.rows("Object").num_rows == 1900
