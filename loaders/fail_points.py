"""Named places where a test may make work on the store fail: killed, refused or held.

`SKYSHARD_FAIL_POINTS="load.copied=kill@3,publish.before=error"`: at its third arrival at `load.copied` the
process gets SIGKILL, at its first at `publish.before` it raises FailPointReached; `wait:2.5` holds it for
so many seconds, `hold:FILE` until somebody removes the file that it makes then (a minute at most), and
nobody else while the file is there. Without the variable an arrival is one look at an empty mapping.

Every step that is written down somewhere has its place, one after it or on both sides.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

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
        "load.recorded",  # the journal says so
        "publish.begun",  # the journal says that it is being published
        "publish.before",  # the publishing transaction is about to commit
        "publish.after",  # it is committed, the caller does not know
        "discard.closed",  # an ingest is failed or aborted, nothing of it is dropped
        "discard.dropped",  # one shard has dropped its parts, the plan is still there
        "rewrite.begun",  # a compaction or retraction is in the journal, no shard has a part
        "rewrite.written",  # its parts are on every replica
        "rewrite.before",  # its publishing transaction is about to commit
        "rewrite.after",  # it is committed, the shards do not know
        "copy.begun",  # a bad copy has left the manifest, and is still there
        "copy.copied",  # its new rows are committed on the shard, without a twin
        "copy.twinned",  # and with one; the manifest does not name it
        "copy.done",  # the manifest names it
        "copy.hidden",  # a copy that is to go has left the manifest
        "drop.twins",  # twins of parts that nobody wants are dropped on a shard, their tables are not
        "tell.told",  # a shard was told what was published, others may not have been
        "collect.condemned",  # retired parts are given up, nothing is dropped
        "collect.dropped",  # some are gone from one shard, the coordinator still names them
        "unit.begun",  # a unit is open, nothing is written
        "unit.noted",  # where it may write is on the coordinator, no shard has a row
        "unit.written",  # one shard has committed some of its rows
        "unit.complete",  # every shard has all of them
        "unit.before",  # the transaction that makes it visible is about to commit
        "unit.after",  # it is committed, the caller does not know
        "unit.given_up",  # it will never be seen, its rows are still there
        "unit.undone",  # one shard has none of its rows any more
        "live.dropped",  # a shard has dropped a retired slice of time, the coordinator still names it
        "live.removed",  # versions that nobody reads are gone from one copy of one live part
        "export.written",  # a file of an export has its name, the journal does not know
        "export.recorded",  # it is in the journal
    }
)
HOLD_S = 60.0
"""How long `hold` holds at most."""
_LOOK_S = 0.005
_ACTIONS = frozenset({"kill", "error", "wait", "hold"})


class FailPointReached(StoreError):
    """A test asked for an error here."""

    code = "FAIL_POINT"


class UnknownFailPoint(ConfigError):
    """The variable names no place, or no action."""

    code = "UNKNOWN_FAIL_POINT"


@dataclass(slots=True)
class _Armed:
    """What happens at the `arrival`th arrival; `told`: for how many seconds, or until which file is gone."""

    action: str
    arrival: int
    told: str = ""
    arrived: int = 0


_lock = threading.Lock()


def armed(text: str) -> dict[str, _Armed]:
    """The variable's places and actions. Raises UnknownFailPoint."""
    found = {}
    for item in filter(None, text.split(",")):
        name, _, said = item.partition("=")
        action, _, count = said.partition("@")
        action, _, told = action.partition(":")
        if name not in NAMES or action not in _ACTIONS or (action == "hold" and not told):
            raise UnknownFailPoint(f"{VARIABLE}: {item!r} is no place and action")
        found[name] = _Armed(action, int(count or 1), told)
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
            time.sleep(float(point.told or 1.0))
        case "hold":
            _hold(Path(point.told))
        case _:
            raise FailPointReached(f"fail point {name}")


def _hold(file: Path) -> None:
    """Make a file that says who is held, and wait until it is removed; nothing where it is there already."""
    try:
        with file.open("x", encoding="ascii") as opened:
            opened.write(str(os.getpid()))
    except FileExistsError:
        return
    until = time.monotonic() + HOLD_S
    while file.exists() and time.monotonic() < until:
        time.sleep(_LOOK_S)
