"""What the fault tests share: one cluster, and which of them are for `make nightly`."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator

import pytest

from tests.faults.arena import Arena, arena

SEED = "SKYSHARD_FAULT_SEED"
"""`17`, or `100:120` for the runs from 100 to 119."""
USUAL, NIGHTLY = 15, 110
"""Runs of `make test`, and of `make nightly`, which has others each day."""
_LONG = frozenset(
    {
        "test_a_link_that_breaks_in_mid_copy_is_tried_again[HOLE-1]",
        "test_a_ray_worker_that_is_killed_costs_nothing",
    }
)
"""They wait for time limits, or start Ray: only `make nightly` has them."""


@pytest.fixture(scope="package")
def cluster() -> Iterator[Arena]:
    """Shared by all tests here; each has catalogs of its own, and leaves it up."""
    with arena() as made:
        yield made


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long ones."""
    if config.getoption("--nightly"):
        return
    left_out = [item for item in items if item.name in _LONG]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item.name not in _LONG]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The runs that are asked for."""
    if "seed" in metafunc.fixturenames:
        usual = f"0:{USUAL}"
        if metafunc.config.getoption("--nightly"):
            first = dt.datetime.now(dt.UTC).date().toordinal() * NIGHTLY
            usual = f"{first}:{first + NIGHTLY}"
        first_said, _, past = os.environ.get(SEED, usual).partition(":")
        first = int(first_said)
        metafunc.parametrize("seed", range(first, int(past or first + 1)))
