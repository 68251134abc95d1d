"""What a query really did, for EXPLAIN ANALYZE: time by stage, and what each shard was asked and sent.

A query without a trace pays one comparison a statement.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol, TypeVar


class Sized(Protocol):
    """Complete rows: how many, and their bytes."""

    @property
    def num_rows(self) -> int: ...

    @property
    def total_bytes(self) -> int: ...


R = TypeVar("R", bound=Sized)


@dataclass(frozen=True, slots=True)
class Asking:
    """One statement: a batch of a fragment's chunks, on one shard's engine, the n-th attempt."""

    fragment: str
    shard: int
    engine: str
    chunks: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it. `error` is its code where it failed; its rows do not count then."""

    asking: Asking
    elapsed_s: float
    rows: int = 0
    size_bytes: int = 0
    error: str = ""


@dataclass(eq=False, slots=True)
class Trace:
    """Collects what a query does. Thread-safe."""

    asked: list[Asked] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds by stage, in the order in which they began."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is done inside; again adds to it."""
        started = time.perf_counter()
        self.stages.setdefault(name, 0.0)
        try:
            yield
        finally:
            self.stages[name] += time.perf_counter() - started

    def ask(self, asking: Asking, work: Callable[[], R]) -> R:
        """Do it, and keep how it went."""
        started = time.perf_counter()
        try:
            found = work()
        except BaseException as error:
            code = str(getattr(error, "code", type(error).__name__))
            self._keep(Asked(asking, time.perf_counter() - started, error=code))
            raise
        elapsed = time.perf_counter() - started
        self._keep(Asked(asking, elapsed, found.num_rows, found.total_bytes))
        return found

    def _keep(self, asked: Asked) -> None:
        with self._lock:
            self.asked.append(asked)


def stage(trace: Trace | None, name: str) -> AbstractContextManager[None]:
    """A stage of a query that may be traced."""
    return nullcontext() if trace is None else trace.stage(name)
