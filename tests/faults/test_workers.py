"""A Ray worker is killed in the middle of a task: another one does it again, and the loader never stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.arena import Arena
from tests.faults.plans import WORKER, Plan
from tests.faults.strike import strike

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_a_ray_worker_that_is_killed_costs_nothing(cluster: Arena, tmp_path: Path) -> None:
    for number, point in enumerate(("stage.done", "load.copied", "load.twinned")):
        plan = Plan(number, "load", WORKER, "all", point, 1, 0.0, 0.0, is_late=False)
        told = strike(cluster, plan, tmp_path / point, executor="ray")
        assert " 1 attempts" in told
