"""Units of work on a live catalog: what readers see of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from loaders.live.unit import HomeMoved, open_unit
from procedures.live_tables import DuplicateKey, RowsRefused, UnitConflict
from tests.support.live_rows import objects, sources
from tests.support.live_sky import LiveLab, live_lab
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def cluster(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveLab]:
    with live_lab(server, Path(tmp_path_factory.mktemp("cluster"))) as made:
        yield made


@pytest.fixture
def night(cluster: LiveLab) -> LiveLab:
    """Two shards and the catalog, empty."""
    cluster.renew()
    return cluster


@pytest.fixture(scope="module")
def shared(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveLab]:
    """Two shards with 400 objects of two versions and two visits' sources."""
    with live_lab(server, Path(tmp_path_factory.mktemp("night")), replicas=2) as made:
        made.write(Object=objects(400), Visit={"visit": [1, 2], "band": ["g", "r"]})
        made.write(Source=sources(objects(400), 1))
        made.write(Object=objects(400, start=60001.0), Source=sources(objects(400), 2))
        yield made


def test_rows_of_a_unit_are_seen_when_it_is_committed(night: LiveLab) -> None:
    with open_unit(night.lab.pools, night.lab.topology, "night") as unit:
        unit.insert("Object", objects(100))
        unit.insert("Source", sources(objects(100), 1))
        assert night.value("SELECT COUNT(*) FROM night.Object") == 0
    assert night.value("SELECT COUNT(*) FROM night.Object") == 100
    assert night.value("SELECT COUNT(*) FROM night.Source") == 100


def test_an_upsert_replaces_and_older_units_are_read_again(night: LiveLab) -> None:
    first = night.write(Visit={"visit": [1, 2], "band": ["g", "r"]})
    second = night.write(Visit={"visit": [2, 3], "band": ["i", "z"]})
    query = "SELECT visit, band FROM night.Visit"
    assert night.rows(query) == [(1, "g"), (2, "i"), (3, "z")]
    assert night.rows(query, f"night@{first}") == [(1, "g"), (2, "r")]
    assert night.rows(query, f"night@{second}") == night.rows(query)


def test_children_join_all_versions_of_their_objects(shared: LiveLab) -> None:
    assert shared.value("SELECT COUNT(*) FROM night.Object") == 800
    joined = "FROM night.Object o JOIN night.Source s ON o.objectId = s.objectId"
    assert shared.value(f"SELECT COUNT(*) {joined}") == 1600
    assert shared.value(f"SELECT COUNT(*) {joined} WHERE o.objectId = 17") == 4
    assert (
        shared.value(
            f"SELECT COUNT(*) {joined} JOIN night.Visit v ON v.visit = s.visit WHERE v.band = 'g'"
        )
        == 800
    )


def test_regions_find_every_row(shared: LiveLab) -> None:
    everything = shared.rows("SELECT sourceId, ra, dec FROM night.Source WHERE visit = 2")
    inside = [
        row for row in everything if 105 < float(str(row[1])) < 115 and 5 < float(str(row[2])) < 15
    ]
    assert inside
    assert (
        shared.rows(
            "SELECT sourceId, ra, dec FROM night.Source WHERE visit = 2"
            " AND ra BETWEEN 105 AND 115 AND dec BETWEEN 5 AND 15"
        )
        == inside
    )


def test_neighbours_are_found_in_the_merge(shared: LiveLab) -> None:
    assert (
        shared.value(
            "SELECT COUNT(*) FROM night.Object o JOIN night.Source s"
            " ON 1 = CONTAINS(POINT(s.ra, s.dec), CIRCLE(o.ra, o.dec, 0.0003))"
            " WHERE o.start = 60000 AND s.visit = 1"
        )
        == 400
    )


def test_aggregates_by_key_are_whole(shared: LiveLab) -> None:
    grouped = shared.rows(
        "SELECT objectId, COUNT(*) FROM night.Source GROUP BY objectId HAVING COUNT(*) = 2"
    )
    assert len(grouped) == 400


def test_times_choose_slices(night: LiveLab) -> None:
    night.write(Object=objects(5))
    for visit, mjd in ((1, 60000.0), (2, 60100.0), (3, 60200.0)):
        night.write(Source=sources(objects(5), visit, mjd=mjd))
    assert night.value("SELECT COUNT(*) FROM night.Source WHERE mjd > 60050") == 10
    assert night.value("SELECT COUNT(*) FROM night.Source WHERE mjd BETWEEN 60099 AND 60101") == 5


def test_a_source_keeps_one_row_when_its_time_changes(night: LiveLab) -> None:
    night.write(Object=objects(3), Source=sources(objects(3), 1))
    night.write(Source=sources(objects(3), 1, mjd=60200.0))
    assert night.rows("SELECT DISTINCT mjd FROM night.Source") == [(60200.0,)]
    assert night.value("SELECT COUNT(*) FROM night.Source") == 3


def test_a_source_moves_to_another_object(night: LiveLab) -> None:
    night.write(Object=objects(50), Source=sources(objects(50), 1))
    moved = sources(objects(50), 1).set_column(1, "objectId", pa.array([50 - i for i in range(50)]))
    night.write(Source=moved)
    joined = "FROM night.Object o JOIN night.Source s ON o.objectId = s.objectId"
    assert night.value(f"SELECT COUNT(*) {joined}") == 50
    assert night.value("SELECT COUNT(*) FROM night.Source") == 50


def test_a_source_that_moves_does_not_leave_its_notes(night: LiveLab) -> None:
    note = {"sourceId": [1_000_003], "text": ["odd"]}
    night.write(Object=objects(50), Source=sources(objects(50), 1))
    night.write(Note=note)
    moved = sources(objects(50), 1).slice(2, 1)
    moved = moved.set_column(1, "objectId", pa.array([40]))
    with pytest.raises(HomeMoved, match="row 1000003 of Source"):
        night.write(Source=moved)
    with open_unit(night.lab.pools, night.lab.topology, "night") as unit:
        unit.delete_where("Note", "sourceId = 1000003")
        unit.upsert("Source", moved)
        unit.insert("Note", pa.table(note))
    joined = "FROM night.Note n JOIN night.Source s ON n.sourceId = s.sourceId"
    assert night.rows(f"SELECT s.objectId {joined}") == [(40,)]


def test_deletes_by_key_and_by_condition(night: LiveLab) -> None:
    before = night.write(Object=objects(20), Source=sources(objects(20), 1))
    with open_unit(night.lab.pools, night.lab.topology, "night") as unit:
        keys = pa.table({"sourceId": [1_000_001, 1_000_002, 77]})
        assert unit.delete("Source", keys).went == 2
        assert unit.delete_where("Source", "objectId > 15").went == 5
        unit.insert("Source", sources(objects(1), 1))
    assert night.value("SELECT COUNT(*) FROM night.Source") == 14
    assert night.value("SELECT COUNT(*) FROM night.Source", f"night@{before}") == 20


def test_a_key_that_is_there_is_not_inserted(night: LiveLab) -> None:
    night.write(Object=objects(5), Source=sources(objects(5), 1))

    def write_again() -> None:
        with open_unit(night.lab.pools, night.lab.topology, "night") as unit:
            unit.insert("Visit", pa.table({"visit": [9], "band": ["g"]}))
            unit.insert("Source", sources(objects(5), 1))

    with pytest.raises(DuplicateKey, match="1000001"):
        write_again()
    assert night.value("SELECT COUNT(*) FROM night.Visit") == 0


def test_two_units_do_not_change_one_row(night: LiveLab) -> None:
    night.write(Visit={"visit": [1], "band": ["g"]})
    pools, topology = night.lab.pools, night.lab.topology
    with open_unit(pools, topology, "night") as first:
        first.upsert("Visit", pa.table({"visit": [1], "band": ["r"]}))
        with (
            pytest.raises(UnitConflict, match=f"unit {first.unit_id} changed"),
            open_unit(pools, topology, "night") as second,
        ):
            second.upsert("Visit", pa.table({"visit": [1], "band": ["i"]}))
    assert night.rows("SELECT band FROM night.Visit") == [("r",)]


def test_a_unit_that_began_before_another_ended_does_not_change_its_rows(night: LiveLab) -> None:
    night.write(Visit={"visit": [1], "band": ["g"]})

    def write_late() -> None:
        with open_unit(night.lab.pools, night.lab.topology, "night") as unit:
            night.write(Visit={"visit": [1], "band": ["r"]})
            unit.delete_where("Visit", "visit = 1")

    with pytest.raises(UnitConflict):
        write_late()
    assert night.rows("SELECT band FROM night.Visit") == [("r",)]


def test_orphans_wait_where_their_object_will_lie(night: LiveLab) -> None:
    night.write(Source=sources(objects(30), 1))
    night.write(Object=objects(30))
    joined = "FROM night.Object o JOIN night.Source s ON o.objectId = s.objectId"
    assert night.value(f"SELECT COUNT(*) {joined}") == 30


def test_rows_that_lie_nowhere_are_refused(night: LiveLab) -> None:
    with (
        pytest.raises(RowsRefused, match="row 1: Source 5 is not known"),
        open_unit(night.lab.pools, night.lab.topology, "night") as unit,
    ):
        unit.insert("Note", pa.table({"sourceId": [5], "text": ["lost"]}))
