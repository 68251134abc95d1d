"""What is measured: one figure, its mark, and how times are taken."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """On which side of its mark a figure must lie."""

    AT_MOST = "<="
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `detail` tells the times that it was made from."""

    work: str
    value: float
    unit: str
    mark: Mark
    limit: float
    detail: str = ""

    @property
    def has_passed(self) -> bool:
        if self.mark is Mark.AT_MOST:
            return self.value <= self.limit
        return self.value >= self.limit


def seconds(work: Callable[[], object]) -> float:
    """How long one call took, seconds of the wall clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def interleaved(works: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Seconds of each work, round by round, so that what else the machine does meets them alike.

    A first round, which is not counted, warms caches.
    """
    times: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for work, taken in zip(works, times, strict=True):
            elapsed = seconds(work)
            if number:
                taken.append(elapsed)
    return times


def median_ms(taken: Sequence[float]) -> float:
    """The median of some seconds, milliseconds."""
    return 1000.0 * statistics.median(taken)
