"""Tasks in flight are few, settled as they come; whoever ends early leaves nothing running."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context

import pytest

from loaders.tasks import TaskLost, an_executor, outcome, settled


class Counting:
    """A task that notes how many run at a time, and which ran."""

    def __init__(self, seconds: float = 0.01) -> None:
        self.seconds, self.running, self.most = seconds, 0, 0
        self.ran: list[int] = []
        self.lock = threading.Lock()

    def __call__(self, number: int) -> int:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
            self.ran.append(number)
        time.sleep(self.seconds)
        with self.lock:
            self.running -= 1
        if number < 0:
            raise ValueError(number)
        return number * number


def all_done(executor: Executor, work: Callable[[int], object], tasks: list[int]) -> None:
    with closing(settled(executor, work, tasks, at_a_time=4)) as done:
        for _, future in done:
            outcome(future)


def test_all_are_done_and_few_are_taken_from_the_iterable_at_a_time() -> None:
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    work, found = Counting(), {}
    with ThreadPoolExecutor(8) as threads:
        for task, future in settled(threads, work, tasks(), at_a_time=3):
            found[task] = outcome(future)
            assert len(taken) <= len(found) + 3
    assert found == {number: number * number for number in range(20)}
    assert work.most <= 3


def test_who_ends_early_waits_for_what_runs_and_begins_nothing_more() -> None:
    work = Counting(0.1)
    with an_executor(None, 2, "test") as threads, pytest.raises(ValueError, match="-1"):
        all_done(threads, work, [-1, 1, 2, 3, 4, 5])
    assert work.running == 0
    assert len(work.ran) < 6


def test_a_process_that_ends_with_its_task_is_told() -> None:
    one = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with one as processes, pytest.raises(TaskLost) as caught:
        all_done(processes, os._exit, [9])
    assert caught.value.transient
