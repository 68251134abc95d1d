"""Who waits for a change of which job: threads tell, coroutines wait."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Changes:
    """Wakes those who wait for a job. Thread-safe."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[Waiter]] = defaultdict(set)
        self._lock = threading.Lock()

    @contextmanager
    def waiting(self, job_id: str) -> Iterator[Waiter]:
        """While inside, changes of the job are noticed. To be called in an event loop."""
        waiter = Waiter()
        with self._lock:
            self._waiting[job_id].add(waiter)
        try:
            yield waiter
        finally:
            with self._lock:
                self._waiting[job_id].discard(waiter)
                if not self._waiting[job_id]:
                    del self._waiting[job_id]

    def tell(self, job_id: str) -> None:
        """A job has changed."""
        with self._lock:
            waiters = list(self._waiting.get(job_id, ()))
        for waiter in waiters:
            waiter.wake()

    def tell_all(self) -> None:
        """Any job may have changed: notifications were missed."""
        with self._lock:
            waiters = [one for found in self._waiting.values() for one in found]
        for waiter in waiters:
            waiter.wake()


class Waiter:
    """One request that waits, in the event loop that made it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """From any thread; nothing happens once the loop is closed."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def changed(self, timeout_s: float) -> None:
        """Until the next change, or that long."""
        try:
            await asyncio.wait_for(self._woken.wait(), timeout_s)
        except TimeoutError:
            return
        self._woken.clear()
