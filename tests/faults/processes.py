"""The commands of a test as processes that can be waited for and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loaders.fail_points import VARIABLE

ROOT = Path(__file__).parents[2]
START_S = 60.0


@dataclass(slots=True, eq=False)
class Run:
    """One process; `code` is None while it runs, and negative for the signal that ended it."""

    words: tuple[str, ...]
    pid: int
    out: Path
    err: Path
    ended: threading.Event = field(default_factory=threading.Event)
    code: int | None = None

    @property
    def said(self) -> str:
        """What it wrote."""
        return "".join(path.read_text() for path in (self.out, self.err) if path.exists())

    def wait(self, timeout_s: float) -> int:
        """Its exit code."""
        assert self.ended.wait(timeout_s), f"{self.words} hangs after {timeout_s} s:\n{self.said}"
        assert self.code is not None
        return self.code

    def kill(self) -> None:
        """End it as `kill -9` does, and wait until it has gone."""
        if not self.ended.is_set():
            os.kill(self.pid, signal.SIGKILL)
        self.wait(10)


@dataclass(slots=True, eq=False)
class Nursery:
    """The parent of a test's processes; `environment` is for all of them."""

    parent: subprocess.Popen[str]
    folder: Path
    environment: Mapping[str, str]
    runs: dict[int, Run] = field(default_factory=dict)
    born: list[int] = field(default_factory=list)
    heard: threading.Condition = field(default_factory=threading.Condition)
    early: dict[int, int] = field(default_factory=dict)
    """Exit codes of processes that ended before anybody knew them."""

    def start(
        self, words: Sequence[str], *, fail: str = "", environment: Mapping[str, str] | None = None
    ) -> Run:
        """`skyshard WORDS`, which fails where it is told."""
        number = len(self.runs)
        out, err = (self.folder / f"{number:04}.{kind}" for kind in ("out", "err"))
        order = {
            "words": list(words),
            "out": str(out),
            "err": str(err),
            "environment": {**self.environment, **(environment or {}), VARIABLE: fail},
        }
        assert self.parent.stdin is not None
        with self.heard:
            self.parent.stdin.write(json.dumps(order) + "\n")
            self.parent.stdin.flush()
            assert self.heard.wait_for(lambda: self.born, START_S), "no process was born"
            run = Run(tuple(words), self.born.pop(), out, err)
            self.runs[run.pid] = run
            if run.pid in self.early:
                self._end(run, self.early.pop(run.pid))
        return run

    def listen(self) -> None:
        """Hear what the parent tells, until it ends."""
        assert self.parent.stdout is not None
        for line in self.parent.stdout:
            said = json.loads(line)
            with self.heard:
                if "born" in said:
                    self.born.append(said["born"])
                elif "dead" in said and said["dead"] in self.runs:
                    self._end(self.runs[said["dead"]], said["code"])
                elif "dead" in said:
                    self.early[said["dead"]] = said["code"]
                self.heard.notify_all()

    @staticmethod
    def _end(run: Run, code: int) -> None:
        run.code = code
        run.ended.set()


@contextmanager
def nursery(folder: Path, environment: Mapping[str, str]) -> Iterator[Nursery]:
    """A parent for a test's processes; all of them are ended with it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SKYSHARD_")}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.nursery"],
        cwd=ROOT,
        env=clean,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        made = Nursery(parent, folder, environment)
        listener = threading.Thread(target=made.listen, daemon=True)
        listener.start()
        try:
            yield made
        finally:
            for run in made.runs.values():
                if not run.ended.is_set():
                    run.kill()
            assert parent.stdin is not None
            parent.stdin.close()
            try:
                parent.wait(START_S)
            except subprocess.TimeoutExpired:
                parent.kill()
            listener.join(10)
