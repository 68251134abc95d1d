"""Places where a test may make an ingest fail."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

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


def test_a_process_that_is_held_waits_until_its_file_is_removed(tmp_path: Path) -> None:
    file = tmp_path / "held"
    with subprocess.Popen(
        [sys.executable, "-c", ARRIVE_THRICE],
        env={VARIABLE: f"load.copied=hold:{file}@2"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        while not file.exists():
            assert process.poll() is None
        file.unlink()
        assert process.communicate(timeout=20)[0].split() == ["1", "2"]


def test_every_place_is_reached_somewhere() -> None:
    called = set()
    for path in (Path(__file__).parents[2] / "loaders").rglob("*.py"):
        called |= set(re.findall(r'\breach\("([a-z._]+)"\)', path.read_text(encoding="utf-8")))
    assert called == NAMES


@pytest.mark.parametrize(
    "said", ["load.copide=kill", "load.copied=explode", "load.copied", "load.copied=hold"]
)
def test_a_place_or_an_action_that_there_is_not_is_told(said: str) -> None:
    with pytest.raises(UnknownFailPoint, match=said):
        armed(said)
