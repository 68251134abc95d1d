"""Keys of an ingest by their hash, in files where they are many: memory holds one share of them at a time.

A share has the keys of one bucket of the director index, or of a part of one: whatever concerns a key,
as that it comes twice, is found within its share.
"""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.readers.source import I64
from loaders.staging.validate import Bools
from procedures.director_index import EMPTY, KeyMap, key_map
from schema.manifest import INDEX_BUCKETS
from schema.placement import splitmix64

MEMORY_BYTES = 192 << 20
"""What arrays of one ingest stay in memory together; the others lie in files."""
SHARE_ROWS = 1 << 20
"""Rows whose keys are looked at together, about."""


class Scratch:
    """Arrays for the length of an ingest: in memory up to a bound, then in files without a name.

    Without a folder all stay in memory. Thread-safe.
    """

    def __init__(self, folder: Path | None = None, *, most: int = MEMORY_BYTES) -> None:
        self._folder, self._most = folder, most
        self._held = 0
        self._lock = threading.Lock()

    def keep(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The values, where they stay."""
        if self._folder is None or not values.nbytes or self._takes(values):
            return values
        with tempfile.TemporaryFile(dir=self._folder) as file:
            written = np.memmap(file, dtype=values.dtype, mode="w+", shape=values.shape)
        written[:] = values
        return written

    def _takes(self, values: npt.NDArray[Any]) -> bool:
        """Whether there is room in memory for an array, until it is forgotten."""
        size = values.nbytes
        with self._lock:
            if self._held + size > self._most:
                return False
            self._held += size
        weakref.finalize(values, self._forget, size).atexit = False
        return True

    def _forget(self, size: int) -> None:
        with self._lock:
            self._held -= size


def share_count(rows: int) -> int:
    """How many shares so many rows make: a multiple of the director index's buckets."""
    return INDEX_BUCKETS * max(1, -(-rows // (INDEX_BUCKETS * SHARE_ROWS)))


def _by_share(keys: I64, count: int) -> tuple[I64, list[tuple[int, int]]]:
    """The keys' places share by share, as they came within one; and where each share's begin and end."""
    mixed = splitmix64(np.asarray(keys, np.int64).view(np.uint64)) % np.uint64(count)
    shares = mixed.astype(np.uint16 if count < 2**16 else np.int64)
    ends = np.cumsum(np.bincount(shares, minlength=count)).tolist()
    return np.argsort(shares, kind="stable"), list(pairwise([0, *ends]))


@dataclass(frozen=True, slots=True, eq=False)
class KeyIndex:
    """The pixel of each of many keys: a map for each share."""

    maps: tuple[KeyMap, ...]

    def __len__(self) -> int:
        return sum(len(one) for one in self.maps)

    def find(self, keys: I64) -> tuple[I64, Bools]:
        """The pixel of each key, and whether it is known (its pixel is -1 where not)."""
        pixels = np.full(len(keys), -1, np.int64)
        found = np.zeros(len(keys), np.bool_)
        if len(self) and len(keys):
            order, bounds = _by_share(keys, len(self.maps))
            for known, (start, end) in zip(self.maps, bounds, strict=True):
                here = order[start:end]
                pixels[here], found[here] = known.find(keys[here])
        return pixels, found

    def merged(self, other: KeyIndex) -> KeyIndex:
        """Both in one; `other` wins where both know a key. Both have as many shares."""
        pairs = zip(self.maps, other.maps, strict=True)
        return KeyIndex(tuple(one.merged(new) if len(new) else one for one, new in pairs))

    def bucket(self, number: int) -> tuple[KeyMap, ...]:
        """The maps of one bucket of the director index that have any key."""
        return tuple(one for one in self.maps[number::INDEX_BUCKETS] if len(one))


def empty_index(count: int) -> KeyIndex:
    """No keys, in so many shares."""
    return KeyIndex((EMPTY,) * count)


def indexed(known: KeyMap, count: int) -> KeyIndex:
    """A map by shares."""
    order, bounds = _by_share(known.keys, count)
    here = (order[start:end] for start, end in bounds)
    return KeyIndex(tuple(KeyMap(known.keys[one], known.pixels[one]) for one in here))


class Gathered:
    """What several runs say of keys, share by share: each run's columns, the key first."""

    def __init__(self, count: int, scratch: Scratch) -> None:
        self._count, self._scratch = count, scratch
        self._runs: list[tuple[list[I64], list[tuple[int, int]]]] = []

    def add(self, *columns: I64) -> None:
        """One run's columns, of one length."""
        order, bounds = _by_share(columns[0], self._count)
        self._runs.append(([self._scratch.keep(column[order]) for column in columns], bounds))

    def __len__(self) -> int:
        return sum(len(columns[0]) for columns, _ in self._runs)

    def share(self, number: int) -> list[list[I64]]:
        """The columns of each run, for the keys of one share; a run's rows in their order."""
        return [
            [column[slice(*bounds[number])] for column in columns] for columns, bounds in self._runs
        ]

    def shares(self) -> Iterator[list[list[I64]]]:
        """All shares, one after the other."""
        return (self.share(number) for number in range(self._count))


def first_of_each(gathered: Gathered, scratch: Scratch) -> KeyIndex:
    """The pixel that comes with each key first; `gathered` has keys and pixels."""
    return KeyIndex(tuple(kept_map(_joined(runs), scratch) for runs in gathered.shares()))


def _joined(runs: Iterable[list[I64]]) -> KeyMap:
    keys, pixels = [EMPTY.keys], [EMPTY.pixels]
    for run_keys, run_pixels in runs:
        keys.append(run_keys)
        pixels.append(run_pixels)
    return key_map(np.concatenate(keys), np.concatenate(pixels))


def kept_map(found: KeyMap, scratch: Scratch) -> KeyMap:
    """A map whose arrays stay where there is room for them."""
    return KeyMap(scratch.keep(found.keys), scratch.keep(found.pixels))
