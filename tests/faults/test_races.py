"""Loaders that work at the same time: nothing is doubled, and who is refused leaves nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from loaders.rewrites.compact import MOST_PARTS, place_of
from tests.faults.arena import Arena
from tests.faults.checks import assert_ledger, assert_nothing_else, assert_rows, assert_verified
from tests.faults.processes import Run
from tests.faults.strike import new_catalog
from tests.faults.works import begun, brought, manifest_of
from tests.faults.worlds import CROWD, FIRST, LATE, Rows, joined
from tests.loaders.skies import objects

pytestmark = pytest.mark.cluster


def both(cluster: Arena, *numbers: int) -> list[Run]:
    """Ingests that are run and published at the same time, each by a process."""
    runs = [cluster.command("ingest", "run", str(one), "--publish") for one in numbers]
    for run in runs:
        run.wait(120)
    return runs


def whole(cluster: Arena, catalog: str, world: Rows) -> None:
    assert_rows(cluster, catalog, world)
    assert_verified(cluster)
    assert_nothing_else(cluster, catalog)


def test_two_loaders_on_one_ingest_bring_its_rows_once(cluster: Arena, tmp_path: Path) -> None:
    with new_catalog(cluster, "two") as catalog:
        brought(cluster, catalog, FIRST, tmp_path / "first")
        number = begun(cluster, catalog, LATE, tmp_path / "late")
        runs = both(cluster, number, number)
        assert 0 in {run.code for run in runs}, runs[0].said
        assert all(run.code == 0 or "INGEST_BUSY" in run.said for run in runs)
        whole(cluster, catalog, joined(FIRST, LATE))
        assert_ledger(cluster, catalog)


def test_of_two_ingests_with_the_same_keys_one_is_refused(cluster: Arena, tmp_path: Path) -> None:
    other = {"Object": objects(60, first=1001, seed=99)}
    with new_catalog(cluster, "keys") as catalog:
        brought(cluster, catalog, FIRST, tmp_path / "first")
        numbers = [
            begun(cluster, catalog, rows, tmp_path / name)
            for name, rows in (("late", {"Object": LATE["Object"]}), ("other", other))
        ]
        runs = both(cluster, *numbers)
        assert sorted(run.code == 0 for run in runs) == [False, True], [run.said for run in runs]
        loser = runs[0] if runs[0].code else runs[1]
        again = cluster.done(*loser.words)
        assert "is published already" in again.said + loser.said, again.said
        won = {"Object": LATE["Object"]} if runs[0].code == 0 else other
        cluster.done("ingest", "abort", loser.words[2])
        whole(cluster, catalog, joined(FIRST, won))


def test_of_two_ingests_that_split_a_chunk_one_is_planned_anew(
    cluster: Arena, tmp_path: Path
) -> None:
    other = {"Object": objects(1500, first=30_001, seed=8)}
    with new_catalog(cluster, "split") as catalog:
        brought(cluster, catalog, FIRST, tmp_path / "first")
        numbers = [
            begun(cluster, catalog, rows, tmp_path / name)
            for name, rows in (("crowd", CROWD), ("other", other))
        ]
        for run in both(cluster, *numbers):
            if run.code:
                assert "PUBLISH_CONFLICT" in run.said
                again = cluster.done(*run.words)
                assert again.code == 0, again.said
        whole(cluster, catalog, joined(FIRST, CROWD, other))
        assert_ledger(cluster, catalog)


def test_ingests_at_the_same_time_leave_no_place_too_full(cluster: Arena, tmp_path: Path) -> None:
    pieces: list[Rows] = [
        {"Object": objects(8, first=1000 * number, seed=number)} for number in range(20, 26)
    ]
    with new_catalog(cluster, "room") as catalog:
        for number, rows in enumerate((FIRST, *pieces[:2])):
            brought(cluster, catalog, rows, tmp_path / str(number))
        numbers = [
            begun(cluster, catalog, rows, tmp_path / f"late-{number}")
            for number, rows in enumerate(pieces[2:])
        ]
        runs = both(cluster, *numbers)
        while runs := [run for run in runs if run.code]:
            assert all("[NO_ROOM]" in run.said or "CONFLICT]" in run.said for run in runs)
            runs = both(cluster, *(int(run.words[2]) for run in runs))
        count = Counter(place_of(part) for part in manifest_of(cluster, catalog).parts)
        assert max(count.values()) <= MOST_PARTS
        whole(cluster, catalog, joined(FIRST, *pieces))
        assert_ledger(cluster, catalog)
