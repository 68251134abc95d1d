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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what these skies have not."""
    if config.getoption("--nightly"):
        return
    left_out = [item for item in items if _is_left_out(item.name)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not _is_left_out(item.name)]


def _is_left_out(name: str) -> bool:
    test, _, parameters = name.partition("[")
    for sky, third in _THIRDS.items():
        if test == "test_sharded_equals_unsharded" and parameters.startswith(f"{sky}-"):
            case = parameters.removeprefix(f"{sky}-")
            return zlib.crc32(case.encode()) % 3 != third
    return False
