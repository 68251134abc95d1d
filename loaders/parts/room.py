"""How many rows parts may hold in memory at a time: parts wait for others to be done."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from typing_extensions import override

from loaders.parts.cut import Cut
from loaders.staging.resolve import PlacedRun

MOST_BYTES = 384 << 20
"""What all parts hold together that one process works on; a larger part is worked on alone."""
_TIMES = 2
"""Rows are brought together, and brought in order; a third time encoded, where there are several copies."""
_ENTRY_BYTES = 16


class Room:
    """So many bytes for whoever asks first; one in every process. Thread-safe."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._taken = 0
        self._changed = threading.Condition()

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        """In another process, what all tasks there share."""
        return _of_process, (self._most,)

    @contextmanager
    def taking(self, size: int) -> Iterator[None]:
        """So much of it (all, where it is too little) for the length of the block; waits for others."""
        size = min(size, self._most)
        with self._changed:
            self._changed.wait_for(lambda: self._taken + size <= self._most)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()


@lru_cache(maxsize=4)
def _of_process(most: int) -> Room:
    return Room(most)


def needed(cuts: Sequence[Cut]) -> int:
    """What writing some parts holds in memory, bytes, about."""
    return sum(_of_cut(cut) for cut in cuts)


def _of_cut(cut: Cut) -> int:
    times = _TIMES + (len(cut.shards) > 1)
    entries = sum(map(len, cut.index)) * _ENTRY_BYTES
    return times * (entries + sum(_of_piece(piece) for piece in (*cut.own, *cut.overlap)))


def _of_piece(piece: PlacedRun) -> int:
    return len(piece.order) * int(piece.rows.nbytes) // max(1, int(piece.rows.num_rows))
