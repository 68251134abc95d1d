"""Tasks on an executor: a few in flight, settled ones as they come.

The seam behind which threads, processes or a Ray cluster work. A task is a function and its argument, which
can be sent to another process: paths and places of rows, never rows. What it gives are counts and paths.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

from schema.errors import InputError, Unavailable

_Task = TypeVar("_Task")
_Given = TypeVar("_Given")
Settled = tuple[_Task, Future[_Given]]


class TaskLost(Unavailable):
    """The process that worked on a task ended, and so did those that took its place."""

    code = "TASK_LOST"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"a task was lost with the process that worked on it: {reason}; what is done stays"
            " done, the next `skyshard ingest run` goes on"
        )


class SpoolUnseen(InputError):
    """A worker has not got the loader's spool folder."""

    code = "SPOOL_UNSEEN"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is not seen by every worker: the spool, the input files and the twins' folders"
            " must be mounted at the same places on every node that works for the loader"
        )
        self.path = path


@contextmanager
def an_executor(given: Executor | None, workers: int, name: str) -> Iterator[Executor]:
    """The given executor, which stays open; or so many threads."""
    if given is not None:
        yield given
        return
    with ThreadPoolExecutor(workers, thread_name_prefix=name) as threads:
        yield threads


def settled(
    executor: Executor,
    work: Callable[[_Task], _Given],
    tasks: Iterable[_Task],
    *,
    at_a_time: int,
) -> Generator[Settled[_Task, _Given]]:
    """Each task with its future, which is done; at most `at_a_time` are in flight.

    Tasks are taken from the iterable as there is room for them. Where the caller ends early (close the
    generator), none is begun any more, and those that run are waited for: afterwards nothing writes.
    """
    waiting = iter(tasks)
    flying: dict[Future[_Given], _Task] = {}
    try:
        while True:
            for task in islice(waiting, at_a_time - len(flying)):
                flying[_submitted(executor, work, task)] = task
            if not flying:
                return
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in done:
                yield flying.pop(future), future
    finally:
        wait([future for future in flying if not future.cancel()])


def _submitted(executor: Executor, work: Callable[[_Task], _Given], task: _Task) -> Future[_Given]:
    try:
        return executor.submit(work, task)
    except BrokenExecutor as error:
        raise TaskLost(str(error)) from error


def outcome(future: Future[_Given]) -> _Given:
    """What a settled task gave; raises what it raised, and TaskLost."""
    try:
        return future.result()
    except BrokenExecutor as error:
        raise TaskLost(str(error)) from error
