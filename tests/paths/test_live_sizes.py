"""A live catalog that changes all the time and does not grow."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from loaders.live.clean import clean
from loaders.live.unit import open_unit
from tests.support.live_rows import objects, sources
from tests.support.live_sky import LiveLab, live_lab
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres
OBJECTS, CLEAN_EVERY, KEPT_VISITS = 100, 10, 5


def write_visit(night: LiveLab, visit: int) -> None:
    """All objects renewed, a source of each, and those of an older visit deleted."""
    before = objects(OBJECTS)
    with open_unit(night.lab.pools, night.lab.topology, "night") as unit:
        unit.upsert("Object", before.set_column(4, "n", pa.array([visit] * OBJECTS, pa.int32())))
        unit.insert("Source", sources(before, visit))
        unit.delete_where("Source", f"visit = {visit - KEPT_VISITS}")


@pytest.mark.parametrize("visits", [40, 1000])
def test_sizes_stay_flat(server: Server, tmp_path: Path, visits: int) -> None:
    sizes = []
    with live_lab(server, tmp_path, keep_units=5) as night:
        for visit in range(1, visits + 1):
            write_visit(night, visit)
            if visit % CLEAN_EVERY == 0:
                clean(night.lab.pools, "night", grace_s=0, now_mjd=60010.0)
                sizes.append(sum(size for _, size in night.stored()))
        versions = sum(count for count, _ in night.stored())
        assert night.value("SELECT COUNT(*) FROM night.Source") == KEPT_VISITS * OBJECTS
        assert night.value("SELECT COUNT(*) FROM night.Object") == OBJECTS
    assert sizes[-1] <= 1.1 * sizes[1]
    assert versions <= (KEPT_VISITS * 4 + 1 + 6) * OBJECTS
