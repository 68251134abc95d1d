"""Places where a test may make an ingest fail."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from loaders.fail_points import NAMES, VARIABLE, FailPointReached, UnknownFailPoint, armed, reach

ARRIVE_THRICE = """
from loaders.fail_points import reach
for number in range(3):
    reach("load.copied")
    print(number, flush=True)
"""


def arrive(said: str) -> subprocess.CompletedProcess[str]:
    """A process that arrives three times at `load.copied`."""
    return subprocess.run(
        [sys.executable, "-c", ARRIVE_THRICE],
        env={VARIABLE: said},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_variable_nothing_happens() -> None:
    for name in NAMES:
        reach(name)


def test_a_process_is_killed_at_the_arrival_that_was_asked_for() -> None:
    done = arrive("load.copied=kill@3")
    assert (done.returncode, done.stdout.split()) == (-signal.SIGKILL, ["0", "1"])


def test_an_error_is_raised_where_it_was_asked_for() -> None:
    done = arrive("publish.before=kill,load.copied=error@2")
    assert done.stdout.split() == ["0"]
    assert FailPointReached.__name__ in done.stderr


def test_a_process_that_is_held_goes_on() -> None:
    done = arrive("load.copied=wait:0.1")
    assert done.stdout.split() == ["0", "1", "2"]


@pytest.mark.parametrize("said", ["load.copide=kill", "load.copied=explode", "load.copied"])
def test_a_place_or_an_action_that_there_is_not_is_told(said: str) -> None:
    with pytest.raises(UnknownFailPoint, match=said):
        armed(said)
