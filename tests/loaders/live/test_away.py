"""Units of a live catalog while a shard is away, and while the coordinator goes away in the commit."""

from __future__ import annotations

import threading
from pathlib import Path
from time import sleep

import pytest

from loaders import fail_points
from loaders.live.recover import abort_unit
from loaders.live.unit import UnitInDoubt
from procedures.units import list_units, read_unit
from schema.errors import Unavailable
from schema.units import UnitState
from tests.support.live_rows import objects
from tests.support.live_sky import LiveLab, live_lab
from tests.support.postgres import Server, running_server

pytestmark = pytest.mark.postgres
COUNT = "SELECT COUNT(*) FROM night.Object"
BANDS = "SELECT visit, band FROM night.Visit"


def test_a_unit_is_refused_while_a_shard_is_away(server: Server, tmp_path: Path) -> None:
    with (
        running_server() as last,
        live_lab(server, tmp_path, replicas=2, last_on=last) as night,
    ):
        night.write(Object=objects(50), Visit={"visit": [1], "band": ["g"]})
        last.stop()
        for _ in range(2):  # what the first one left does not keep the second from being begun
            with pytest.raises(Unavailable) as refused:
                night.write(Object=objects(50, start=60001.0), Visit={"visit": [1], "band": ["r"]})
            assert refused.value.code == "SERVER_UNAVAILABLE"
        assert night.value(COUNT) == 50
        assert night.rows(BANDS) == [(1, "g")]
        last.start()
        night.write(Object=objects(50, start=60001.0), Visit={"visit": [1], "band": ["r"]})
        assert night.value(COUNT) == 100
        assert night.rows(BANDS) == [(1, "r")]
        with night.lab.pools.coordinator() as connection:
            assert not list_units(connection, open_only=True)


def test_a_commit_without_an_answer_is_in_doubt(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        running_server() as coordinator,
        live_lab(server, tmp_path, coordinator_on=coordinator) as night,
    ):
        night.write(Visit={"visit": [1], "band": ["g"]})
        fault = _cut_off(night, coordinator, tmp_path / "held", monkeypatch)
        assert isinstance(fault, UnitInDoubt)
        assert fault.code == "UNIT_IN_DOUBT"
        with night.lab.pools.coordinator() as connection:
            assert read_unit(connection, fault.unit_id).state is UnitState.OPEN
        assert night.rows(BANDS) == [(1, "g")]
        assert abort_unit(night.lab.pools, fault.unit_id, "a test")
        night.write(Visit={"visit": [1], "band": ["r"]})
        assert night.rows(BANDS) == [(1, "r")]


def _cut_off(
    night: LiveLab, coordinator: Server, held: Path, monkeypatch: pytest.MonkeyPatch
) -> BaseException | None:
    """What a unit raises whose coordinator is stopped when its commit is about to be sent."""
    faults: list[BaseException] = []

    def write() -> None:
        try:
            night.write(Visit={"visit": [1], "band": ["r"]})
        except BaseException as error:  # noqa: BLE001 - told to the test
            faults.append(error)

    monkeypatch.setattr(fail_points, "_ARMED", fail_points.armed(f"unit.before=hold:{held}"))
    writer = threading.Thread(target=write)
    writer.start()
    while not held.exists() and writer.is_alive():
        sleep(0.01)
    coordinator.stop()
    held.unlink()
    writer.join(timeout=120)
    assert not writer.is_alive()
    coordinator.start()
    return faults[0] if faults else None
