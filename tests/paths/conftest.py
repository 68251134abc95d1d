"""What the path tests share."""

from __future__ import annotations

import zlib

import pytest

from tests.support import diff_sky
from tests.support.postgres import Server
from tests.support.sharded import Oracle, oracle


@pytest.fixture(scope="session")
def the_oracle(server: Server) -> Oracle:
    """The differential sky in one plain PostgreSQL; it answers each statement once."""
    return oracle(server, diff_sky.CATALOG, diff_sky.rows())


_THIRDS = {"1-shard": 0, "5-shards": 1}
"""Skies that have a third of the corpora only, another one each, but in `make nightly`."""
_WOUNDED = 9
"""Of so many queries of the corpora one is asked with a shard lost, but in `make nightly`."""

_KILLED = ("unit.written=kill@2", "unit.before=kill", "unit.undone=kill")
"""Steps of a unit at which its writer is killed, but in `make nightly`: there at all of them."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what these skies have not."""
    if config.getoption("--nightly"):
        return
    left_out = [item for item in items if _is_left_out(item.name)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not _is_left_out(item.name)]


def _is_left_out(name: str) -> bool:
    test, _, parameters = name.removesuffix("]").partition("[")
    match test:
        case "test_random_queries_equal_the_oracle":
            return not parameters.endswith("-0")
        case "test_answers_are_whole_without_one_of_three_shards":
            return zlib.crc32(parameters.encode()) % _WOUNDED != 0
        case "test_sharded_equals_unsharded":
            sky = next((sky for sky in _THIRDS if parameters.startswith(f"{sky}-")), None)
            case = parameters.removeprefix(f"{sky}-")
            return sky is not None and zlib.crc32(case.encode()) % 3 != _THIRDS[sky]
        case (
            "test_a_killed_visit_is_seen_whole_or_not_at_all"
            | "test_a_killed_recovery_is_gone_on_with"
        ):
            return parameters not in _KILLED
        case "test_sizes_stay_flat":
            return parameters != "40"
        case "test_visits_killed_at_any_moment":
            return True
        case _:
            return False
