"""astroquery's TapPlus lists tables, asks at once and by a job, and uploads."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest
from astropy.table import Table

from tests.qserv.jobs.czars import OBJECTS, Czar

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from astroquery.utils.tap.core import TapPlus

pytestmark = [pytest.mark.postgres, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def tap(one: Czar) -> Iterator[TapPlus]:
    yield TapPlus(url=one.url)
    gc.collect()  # it leaves its connections to the collector, which would warn in another's test


def test_tap_plus_lists_tables(tap: TapPlus) -> None:
    """Names only: of columns it wants an attribute of ESA's own servers."""
    names = {table.get_qualified_name() for table in tap.load_tables(only_names=True)}
    assert any(name.endswith("lab.Object") for name in names)


def test_tap_plus_asks_at_once(tap: TapPlus) -> None:
    rows = tap.launch_job("SELECT objectId, ra FROM lab.Object WHERE objectId < 4").get_results()
    assert sorted(rows["objectid" if "objectid" in rows.colnames else "objectId"]) == [1, 2, 3]


def test_tap_plus_asks_by_a_job(tap: TapPlus) -> None:
    job = tap.launch_job_async("SELECT objectId FROM lab.Object")
    assert len(job.get_results()) == OBJECTS


def test_tap_plus_uploads(tap: TapPlus) -> None:
    job = tap.launch_job(
        "SELECT u.id FROM tap_upload.mine AS u JOIN lab.Object AS o ON o.objectId = u.id",
        upload_resource=Table({"id": [5, 10**9]}),
        upload_table_name="mine",
    )
    assert list(job.get_results()["id"]) == [5]
