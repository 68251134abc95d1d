"""Wrong passwords, counted by where they came from and whom they named, so that guessing is slow."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from qserv.rights.errors import TooManyGuesses

WINDOW_S = 60.0
PER_PAIR, PER_ADDRESS, PER_NAME = 10, 60, 100
"""Wrong ones in a window: of a name from an address, of an address, of a name."""
MAX_KEYS = 20_000

_Key = tuple[str, str]


@dataclass(slots=True)
class Guesses:
    """The wrong passwords of the last minute. Thread-safe; bounded, the oldest forgotten first."""

    clock: Callable[[], float] = time.monotonic
    _counts: OrderedDict[_Key, list[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, name: str, address: str) -> None:
        """Raise TooManyGuesses where no more are taken yet: not even the right one."""
        now = self.clock()
        with self._lock:
            for key, most in _keys(name, address):
                recent = [at for at in self._counts.get(key, ()) if at > now - WINDOW_S]
                if len(recent) >= most:
                    wait_s = recent[-most] + WINDOW_S - now
                    raise TooManyGuesses("too many wrong passwords: wait", wait_s)

    def count(self, name: str, address: str) -> None:
        """One more wrong one."""
        now = self.clock()
        with self._lock:
            for key, most in _keys(name, address):
                recent = self._counts.pop(key, [])
                self._counts[key] = [*recent[-most:], now]
            while len(self._counts) > MAX_KEYS:
                self._counts.popitem(last=False)


def _keys(name: str, address: str) -> list[tuple[_Key, int]]:
    return [
        (("", address), PER_ADDRESS),
        ((name, address), PER_PAIR),
        ((name, ""), PER_NAME),
    ]
