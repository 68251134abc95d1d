"""Where the keys of live tables lie, as a unit has it: looked up once, its own entries included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.live.place import NO_SLICE
from loaders.live.shards import MOST_THREADS, on_shard
from procedures.live_index import find_keys, first_key, held_live
from procedures.pools import Pools, ServerUnavailable
from schema.live_parts import LivePart
from schema.manifest import PartId, PartKind
from schema.placement import bucket_of
from schema.topology import ShardId
from schema.units import Seen

I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """For each key: its home pixel and its rows' slice of time; nothing where `known` is false."""

    homes: I64
    slices: I64
    known: Bools


@dataclass(slots=True, eq=False)
class _Entries:
    """What was looked up of one table's keys: ascending keys, and their homes (-1: not known)."""

    keys: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    homes: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    slices: I64 = field(default_factory=lambda: np.empty(0, np.int64))


class Homes:
    """The indexes of a live catalog's tables for one unit. Not for threads."""

    def __init__(
        self, pools: Pools, seen: Seen, parts_of: Callable[[str], Iterable[LivePart]]
    ) -> None:
        self._pools, self._seen, self._parts_of = pools, seen, parts_of
        self._tables: dict[str, _Entries] = defaultdict(_Entries)

    def find(self, table: str, keys: I64) -> Found:
        """Where keys of a table (the model's spelling) lie."""
        entries = self._tables[table]
        distinct = np.unique(keys)
        fresh = distinct[~np.isin(distinct, entries.keys, assume_unique=True)]
        if len(fresh):
            self._look_up(table, fresh)
        at = np.searchsorted(entries.keys, keys)
        homes = entries.homes[at] if len(keys) else np.empty(0, np.int64)
        return Found(homes, entries.slices[at] if len(keys) else homes, homes >= 0)

    def learn(self, table: str, keys: I64, homes: I64, slices: I64) -> None:
        """What the unit wrote itself; distinct keys."""
        entries = self._tables[table]
        kept = ~np.isin(entries.keys, keys)
        all_keys = np.concatenate([entries.keys[kept], keys])
        order = np.argsort(all_keys)
        entries.keys = all_keys[order]
        entries.homes = np.concatenate([entries.homes[kept], homes])[order]
        entries.slices = np.concatenate([entries.slices[kept], slices])[order]

    def forget(self, table: str) -> None:
        """Look a table's keys up again."""
        self._tables.pop(table, None)

    def first_with_rows(self, part: LivePart, key: str, keys: I64) -> int | None:
        """One of the keys that a part has a row with; None where it has none."""

        def ask(_: ShardId, connection: Any) -> int | None:
            if not held_live(connection, [part.part_id]):
                return None
            return first_key(connection, part.part_id, key, keys, self._seen)

        return on_shard(self._pools, part.shards[0], ask)

    def _look_up(self, table: str, keys: I64) -> None:
        """Ask the shards for keys, of which nothing is known yet."""
        homes, slices = np.full(len(keys), -1, np.int64), np.full(len(keys), NO_SLICE, np.int64)
        buckets = bucket_of(keys)
        wanted = set(np.unique(buckets).tolist())
        parts = [
            part
            for part in self._parts_of(table)
            if part.place.kind is PartKind.INDEX and part.place.bucket in wanted
        ]
        by_shards: dict[tuple[ShardId, ...], list[LivePart]] = defaultdict(list)
        for part in parts:
            by_shards[part.shards].append(part)
        wanted_of = [
            (shards, [(part, keys[buckets == part.place.bucket]) for part in near])
            for shards, near in by_shards.items()
        ]
        with ThreadPoolExecutor(MOST_THREADS, "homes") as threads:
            asked = list(threads.map(lambda one: self._asked(*one), wanted_of))
        for some in asked:
            for part, found in some:
                at = np.searchsorted(keys, found.keys)
                homes[at] = found.pixels
                time_slice = part.place.time_slice
                slices[at] = NO_SLICE if time_slice is None else time_slice
        self.learn(table, keys, homes, slices)

    def _asked(self, shards: tuple[ShardId, ...], probes: list[tuple[LivePart, I64]]) -> list[Any]:
        """What the first shard that answers knows."""

        def ask(_: ShardId, connection: Any) -> list[Any]:
            ids: list[PartId] = [part.part_id for part, _ in probes]
            held = held_live(connection, ids)
            return [
                (part, find_keys(connection, part.part_id, keys, self._seen))
                for part, keys in probes
                if part.part_id in held
            ]

        for shard_id in shards[:-1]:
            try:
                return on_shard(self._pools, shard_id, ask)
            except ServerUnavailable:
                continue
        return on_shard(self._pools, shards[-1], ask)
