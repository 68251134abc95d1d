"""A live catalog kept small: closed versions, old slices of time, silent units."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from loaders.live.clean import clean
from loaders.live.recover import recover_units
from loaders.live.target import NotLive
from loaders.live.unit import open_unit
from procedures.catalogs import create_catalog
from procedures.live_tables import UnitEnded
from procedures.snapshots import SnapshotDropped, UnknownSnapshot, find_pin, tag_snapshot
from procedures.units import UnknownUnit, give_up, list_units, read_unit
from schema.units import UnitId, UnitState
from tests.loaders.skies import SKY
from tests.support.live_rows import objects, sources
from tests.support.live_sky import LiveLab, live_lab
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def cluster(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveLab]:
    folder = Path(tmp_path_factory.mktemp("cluster"))
    with live_lab(server, folder, replicas=2, keep_units=3) as made:
        yield made


@pytest.fixture
def night(cluster: LiveLab) -> LiveLab:
    """Two shards with two copies of all, the newest three units kept; empty."""
    cluster.renew()
    return cluster


def visit(night: LiveLab, number: int) -> int:
    """A unit that replaces five objects and adds no row."""
    table = objects(5)
    versions = table.set_column(4, "n", pa.array([number] * 5, pa.int32()))
    return night.write(f"visit {number}", Object=versions)


def test_versions_that_nobody_reads_go(night: LiveLab) -> None:
    made = [visit(night, number) for number in range(8)]
    rows = "SELECT DISTINCT n FROM night.Object"
    before = sum(versions for versions, _ in night.stored())
    report = clean(night.lab.pools, "night", grace_s=0)
    assert report.versions == 2 * 5 * 5
    assert sum(versions for versions, _ in night.stored()) == before - report.versions
    assert [night.rows(rows, f"night@{one}") for one in made[-3:]] == [[(5,)], [(6,)], [(7,)]]
    with pytest.raises((SnapshotDropped, UnknownSnapshot)):
        night.rows(rows, f"night@{made[0]}")


def test_a_tag_keeps_what_it_names(night: LiveLab) -> None:
    first = visit(night, 0)
    with night.lab.pools.coordinator() as connection:
        tag_snapshot(connection, find_pin(connection, "night", str(first)), "before")
        connection.commit()
    for number in range(1, 8):
        visit(night, number)
    clean(night.lab.pools, "night", grace_s=0)
    assert night.rows("SELECT DISTINCT n FROM night.Object", "night@before") == [(0,)]


def test_a_unit_is_read_again_by_its_number(night: LiveLab) -> None:
    visit(night, 0)
    with night.lab.pools.coordinator() as connection:
        unit_id = list_units(connection, "night")[-1].unit_id
    visit(night, 1)
    assert night.rows("SELECT DISTINCT n FROM night.Object", f"night@unit-{unit_id}") == [(0,)]


def test_old_slices_of_time_go_whole(night: LiveLab) -> None:
    night.write(Object=objects(5))
    for number, mjd in ((1, 60000.0), (2, 60100.0), (3, 60390.0)):
        made = night.write(Source=sources(objects(5), number, mjd=mjd))
    report = clean(night.lab.pools, "night", grace_s=0, now_mjd=60400.0)
    assert report.retired > 0
    assert night.rows("SELECT DISTINCT visit FROM night.Source") == [(2,), (3,)]
    assert night.value("SELECT COUNT(*) FROM night.Source", f"night@{made}") == 15
    tables = len(night.stored())
    for number in range(3):
        visit(night, number)
    assert clean(night.lab.pools, "night", grace_s=0, now_mjd=60400.0).dropped == report.retired
    assert len(night.stored()) < tables + 10
    night.write(Source=sources(objects(5), 4, mjd=60001.0))
    assert night.value("SELECT COUNT(*) FROM night.Source") == 15


def test_a_silent_unit_is_ended_and_its_rows_removed(night: LiveLab) -> None:
    visit(night, 0)
    stored = night.stored()
    units: list[UnitId] = []

    def fall_silent() -> None:
        with open_unit(night.lab.pools, night.lab.topology, "night") as unit:
            units.append(unit.unit_id)
            unit.upsert("Object", objects(5))
            with night.lab.pools.coordinator() as connection, connection.cursor() as cursor:
                cursor.execute("UPDATE skyshard.unit SET lease_until = clock_timestamp()")
                connection.commit()
            assert [row.unit_id for row in recover_units(night.lab.pools)] == units
            assert [rows for rows, _ in night.stored()] == [rows for rows, _ in stored]
            unit.insert("Source", sources(objects(5), 1))

    with pytest.raises(UnitEnded):
        fall_silent()
    with night.lab.pools.coordinator() as connection:
        assert read_unit(connection, units[0]).state is UnitState.ABORTED
    assert night.rows("SELECT DISTINCT n FROM night.Object") == [(0,)]


def test_a_committed_unit_is_not_given_up(night: LiveLab) -> None:
    visit(night, 0)
    with night.lab.pools.coordinator() as connection:
        row = list_units(connection, "night")[-1]
        assert row.state is UnitState.COMMITTED
        assert not give_up(connection, row.unit_id, "a test")
        with pytest.raises(UnknownUnit):
            read_unit(connection, UnitId(10**9))


def test_releases_have_no_units(night: LiveLab) -> None:
    released = dataclasses.replace(SKY, name="released")
    with night.lab.pools.coordinator() as connection:
        create_catalog(connection, released)
        connection.commit()
    with pytest.raises(NotLive), open_unit(night.lab.pools, night.lab.topology, "released"):
        pass
    with pytest.raises(NotLive):
        clean(night.lab.pools, "released")
