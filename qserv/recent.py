"""What was asked last, kept: analysed queries while the catalogs stay, plans while snapshots do."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from qserv.analyse import Analysed

KEPT_QUERIES = 256
KEPT_TEXT = 10_000
"""Longer texts (lists of keys) are seldom asked twice, and their trees are large."""
KEPT_CHUNKS = 10_000
"""Plans that name more chunks are made anew."""

V = TypeVar("V")


class Recent(Generic[V]):
    """The values used last, by key. Thread-safe."""

    def __init__(self, most: int = KEPT_QUERIES) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> V | None:
        """The value that was put under an equal key; None where it is not kept."""
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
            return found

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value, and forget the one that was used longest ago where there are too many."""
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An analysed query and the catalogs that it reads.

    `is_lasting`: it holds neither the time nor a random number of its binding.
    """

    analysed: Analysed
    reads: frozenset[str]
    is_lasting: bool
