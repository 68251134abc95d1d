"""The czar's background work on live catalogs."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from loaders.copies.repair_loop import RepairLoop, RepairPace
from loaders.lease import this_owner
from loaders.live.upkeep import CleaningPace, Upkeep
from procedures.units import begin_unit, read_unit
from schema.units import UnitState
from tests.support.live_rows import objects
from tests.support.live_sky import LiveLab, live_lab
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres


def visit(night: LiveLab, number: int) -> None:
    table = objects(5)
    night.write(Object=table.set_column(4, "n", pa.array([number] * 5, pa.int32())))


def test_what_changed_is_cleaned_and_what_fell_silent_is_ended(
    server: Server, tmp_path: Path
) -> None:
    now = [100.0]
    upkeep = Upkeep(CleaningPace(grace_s=0), clock=lambda: now[0])
    with live_lab(server, tmp_path, keep_units=2) as night:
        pools = night.lab.pools
        loop = RepairLoop(pools, night.lab.topology, RepairPace(), upkeep)
        for number in range(4):
            visit(night, number)
        versions = [sum(rows for rows, _ in night.stored())]
        with pools.coordinator() as connection:
            begun = begin_unit(connection, "night", label="", owner=this_owner(), seconds=-1)
            connection.commit()
        assert loop.once() == 0
        versions.append(sum(rows for rows, _ in night.stored()))
        assert versions[1] == versions[0] - 2 * 5
        with pools.coordinator() as connection:
            assert read_unit(connection, begun.unit_id).state is UnitState.ABORTED
        visit(night, 4)
        assert upkeep.once(pools) == []
        now[0] += 61
        assert [one.versions for one in upkeep.once(pools)] == [5]
        now[0] += 61
        assert upkeep.once(pools) == []
        now[0] += 3600
        assert [one.versions for one in upkeep.once(pools)] == [0]
