"""A shard is killed, recovers and is killed again under a stream of queries: with two copies nobody notices.

While it recovers it refuses connections, which is as if it were away.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.arena import Arena
from tests.faults.plans import SHARD_NAMES, WAYS
from tests.faults.readers import reading, settle
from tests.faults.strike import new_catalog
from tests.faults.works import brought
from tests.faults.worlds import FIRST, QUESTIONS

pytestmark = pytest.mark.cluster
AWAY_S = 0.2
"""So long a killed shard is down before it is started again; it then recovers."""
ANSWERS = 2 * len(QUESTIONS)
"""So many come between a shard's return and the next one's death, at least."""


@pytest.mark.parametrize("way", WAYS)
def test_a_shard_that_dies_and_recovers_is_no_error_to_anybody(
    cluster: Arena, way: str, tmp_path: Path
) -> None:
    with new_catalog(cluster, f"over_{way}") as catalog:
        brought(cluster, catalog, FIRST, tmp_path / "first")
        settle(cluster, catalog, FIRST)
        with reading(cluster, catalog, (FIRST,), pause_s=0.0) as readers:
            for name in SHARD_NAMES:
                cluster.crash(name, way)
                time.sleep(AWAY_S)
                cluster.restore()
                readers.go_on(ANSWERS)
        assert readers.errors == []
        assert readers.faults == []
