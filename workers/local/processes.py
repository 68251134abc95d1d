"""Starting, recognising and ending our own processes, each by its id and start time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from schema.errors import SkyshardError
from workers.local.account import Account, demotion
from workers.local.state import Running

START_TOLERANCE_S = 2.0
TAIL_LINES = 12


class StartFailed(SkyshardError):
    """A process of the cluster ended, or stayed silent, while it was being started."""

    code = "START_FAILED"

    def __init__(self, name: str, log: Path, fault: str) -> None:
        last = tail(log)
        shown = f"; the end of {log}:\n{last}" if last else f"; see {log}"
        super().__init__(f"{name} did not start ({fault}){shown}")
        self.name, self.log = name, log


class StopFailed(SkyshardError):
    """A process of the cluster does not end, not even when killed."""

    code = "STOP_FAILED"


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start one process; its output goes to the end of `log`."""

    argv: tuple[str, ...]
    log: Path
    folder: Path
    account: Account | None = None
    environment: Mapping[str, str] | None = None


# Children of this very process, to be reaped here; after a restart of ours init reaps them.
_children: dict[int, subprocess.Popen[bytes]] = {}


def spawn(launch: Launch, told: str = "") -> Running:
    """Start a process in a session of its own: it outlives us and our terminal."""
    with launch.log.open("ab") as output:
        child = subprocess.Popen(
            launch.argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=launch.folder,
            env=None if launch.environment is None else dict(launch.environment),
            start_new_session=True,
            **demotion(launch.account),
        )
    _children[child.pid] = child
    try:
        started = psutil.Process(child.pid).create_time()
    except psutil.NoSuchProcess:
        started = time.time()
    return Running(child.pid, started, told)


def is_alive(running: Running) -> bool:
    """Whether that very process still runs; a later process with its id does not count."""
    return _process(running) is not None


def _process(running: Running) -> psutil.Process | None:
    child = _children.get(running.pid)
    if child is not None and child.poll() is not None:
        del _children[running.pid]
        return None
    try:
        process = psutil.Process(running.pid)
        is_same = abs(process.create_time() - running.started) < START_TOLERANCE_S
        return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def end(running: Running, steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """End a process: send each signal in turn and wait so many seconds, until it is gone."""
    for sign, patience_s in steps:
        process = _process(running)
        if process is None:
            return
        try:
            process.send_signal(sign)
        except psutil.NoSuchProcess:
            return
        if wait_gone(running, patience_s):
            return
    raise StopFailed(f"process {running.pid} does not end, even when killed")


def wait_gone(running: Running, patience_s: float) -> bool:
    """Wait until the process is gone; False where it still runs after `patience_s`."""
    deadline = time.monotonic() + patience_s
    while is_alive(running):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def with_arguments(argv: Sequence[str]) -> Running | None:
    """A process of this user with exactly these arguments: one whose start was not noted."""
    for process in psutil.process_iter(["cmdline", "uids"]):
        facts = process.info
        if facts["cmdline"] == list(argv) and facts["uids"].effective == os.geteuid():
            return Running(process.pid, process.create_time())
    return None


def in_folder(folder: Path, name: str) -> list[Running]:
    """Processes called `name` whose working folder is `folder`: a data directory's, orphans too."""
    place = str(folder.resolve())
    return [
        Running(process.pid, process.create_time())
        for process in psutil.process_iter(["cwd", "name"])
        if process.info["cwd"] == place and name in (process.info["name"] or "")
    ]


def name_of(pid: int) -> str:
    """The program that a process runs; empty where there is none, or a zombie."""
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else process.name()
    except psutil.NoSuchProcess:
        return ""


def tail(log: Path, start: int = 0) -> str:
    """The last lines of a log, from byte `start` on."""
    try:
        with log.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(start, size - 16384))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])
