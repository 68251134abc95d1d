"""Processes killed at each journalled step and at random moments; afterwards all is whole, once.

A run is repeated with `SKYSHARD_FAULT_SEED=17 pytest tests/faults/test_kills.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.arena import Arena
from tests.faults.conftest import SEED
from tests.faults.plans import plan
from tests.faults.strike import strike

pytestmark = pytest.mark.cluster


def test_a_kill_costs_no_row_and_shows_none_too_early(
    cluster: Arena, seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = plan(seed)
    try:
        told = strike(cluster, fault, tmp_path)
    except AssertionError as error:
        again = f"{SEED}={seed} pytest tests/faults/test_kills.py"
        raise AssertionError(f"{fault}\n{error}\nrepeat it with {again}") from error
    with capsys.disabled():
        os.write(1, f"{told}\n".encode())
