"""Named places where a test may make an ingest fail: killed, refused or held.

`SKYSHARD_FAIL_POINTS="load.copied=kill@3,publish.before=error"`: at its third arrival at `load.copied` the
process gets SIGKILL, at its first at `publish.before` it raises FailPointReached; `wait:2.5` holds it for
so many seconds. Without the variable an arrival is one look at an empty mapping.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass

from schema.errors import ConfigError, StoreError

VARIABLE = "SKYSHARD_FAIL_POINTS"
NAMES = frozenset(
    {
        "ingest.begun",  # the ingest's row is committed, nothing is read
        "stage.done",  # a contribution's runs are in the spool, the journal does not know
        "stage.recorded",  # all contributions are in the journal
        "load.planned",  # the parts' ids are in the journal, no shard has one
        "load.copied",  # a batch of parts is committed on one shard, its twins are not written
        "load.twinned",  # a batch is complete on one shard
        "load.done",  # every part is on every replica
        "publish.before",  # the publishing transaction is about to commit
        "publish.after",  # it is committed, the caller does not know
        "export.written",  # a file of an export has its name, the journal does not know
        "export.recorded",  # it is in the journal
    }
)


class FailPointReached(StoreError):
    """A test asked for an error here."""

    code = "FAIL_POINT"


class UnknownFailPoint(ConfigError):
    """The variable names no place, or no action."""

    code = "UNKNOWN_FAIL_POINT"


@dataclass(slots=True)
class _Armed:
    """What happens at the `arrival`th arrival; `seconds` where the process is held."""

    action: str
    arrival: int
    seconds: float = 0.0
    arrived: int = 0


_lock = threading.Lock()


def armed(text: str) -> dict[str, _Armed]:
    """The variable's places and actions. Raises UnknownFailPoint."""
    found = {}
    for item in filter(None, text.split(",")):
        name, _, said = item.partition("=")
        action, _, count = said.partition("@")
        action, _, seconds = action.partition(":")
        if name not in NAMES or action not in {"kill", "error", "wait"}:
            raise UnknownFailPoint(f"{VARIABLE}: {item!r} is no place and action")
        found[name] = _Armed(action, int(count or 1), float(seconds or 1.0))
    return found


_ARMED = armed(os.environ.get(VARIABLE, ""))


def reach(name: str) -> None:
    """The process is at a place: nothing happens unless a test armed it."""
    point = _ARMED.get(name)
    if point is None:
        return
    with _lock:
        point.arrived += 1
        if point.arrived != point.arrival:
            return
    match point.action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "wait":
            time.sleep(point.seconds)
        case _:
            raise FailPointReached(f"fail point {name}")
