"""A change cut into merges: which rows go to which part, and where else their keys may lie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from loaders.live.place import NO_SLICE, stored
from loaders.live.resolve import Entries, Resolved
from loaders.live.target import LiveTarget
from procedures.live_tables import Change
from schema.catalog import HEALPIX_29, Table
from schema.ddl import INDEX_KEY
from schema.live_parts import LivePart, LivePlace
from schema.manifest import PartKind
from schema.placement import bucket_of
from schema.units import FROM_UNIT, TO_UNIT, UnitId

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Rows for one place, in the part's columns (keys only, to delete).

    `beside`: slices of time at the same place where the same keys may lie; None: in any.
    """

    at: LivePlace
    table: Table
    change: Change
    rows: pa.Table
    beside: frozenset[int | None] | None = frozenset()


def cut_rows(
    target: LiveTarget,
    table: Table,
    rows: pa.Table,
    placed: Resolved,
    *,
    unit: UnitId,
    change: Change,
) -> list[Cut]:
    """The rows of an insert or upsert, by chunk and slice."""
    full = stored(table, rows, placed.own, placed.homes, unit)
    found = []
    for chosen, number, time_slice in _groups(target, table, placed.homes, placed.slices):
        by_home = chosen[np.argsort(placed.homes[chosen], kind="stable")]
        beside = _beside(target, table, placed, chosen)
        at = _place(target, table, number, time_slice)
        found.append(Cut(at, table, change, full.take(pa.array(by_home)), beside))
    return found


def cut_moves(target: LiveTarget, table: Table, rows: pa.Table, placed: Resolved) -> list[Cut]:
    """What goes from the chunks where rows lay that lie in others now."""
    before = placed.before
    if before is None or not table.is_partitioned:
        return []
    elsewhere = before.known & (before.homes >> target.shift != placed.homes >> target.shift)
    at = np.flatnonzero(elsewhere)
    keys = rows.select(list(table.primary_key)).take(pa.array(at))
    return cut_keys(target, table, keys, before.homes[at], before.slices[at])


def cut_keys(
    target: LiveTarget, table: Table, keys: pa.Table, homes: I64, slices: I64 | None
) -> list[Cut]:
    """Keys to delete, by where their rows lie; in any slice of time where that is not known."""
    known = np.flatnonzero(homes >= 0)
    keys, homes = keys.take(pa.array(known)), homes[known]
    times = np.full(len(homes), NO_SLICE, np.int64) if slices is None else slices[known]
    beside: frozenset[int | None] | None = None if slices is None and table.time else frozenset()
    return [
        Cut(_place(target, table, number, one), table, Change.DELETE, keys.take(chosen), beside)
        for chosen, number, one in _groups(target, table, homes, times)
    ]


def cut_entries(target: LiveTarget, entries: Entries, unit: UnitId) -> list[Cut]:
    """Index entries by bucket and slice."""
    table = target.table(entries.table)
    buckets, count = bucket_of(entries.keys), len(entries.keys)
    rows = pa.table(
        {
            INDEX_KEY: entries.keys,
            HEALPIX_29: entries.homes,
            FROM_UNIT: np.full(count, unit, np.int64),
            TO_UNIT: pa.nulls(count, pa.int64()),
        }
    )
    found = []
    for chosen, bucket, time_slice in grouped(buckets, entries.slices):
        at = LivePlace(table.name, PartKind.INDEX, bucket=bucket, time_slice=time_slice)
        old = _slices_in(entries.old_slices[chosen]) - {time_slice}
        found.append(Cut(at, table, Change.UPSERT, rows.take(pa.array(chosen)), old))
    return found


def cut_index_keys(table: Table, keys: I64, slices: I64) -> list[Cut]:
    """Index entries to close, by bucket and slice."""
    rows = pa.table({INDEX_KEY: keys})
    return [
        Cut(
            LivePlace(table.name, PartKind.INDEX, bucket=bucket, time_slice=one),
            table,
            Change.DELETE,
            rows.take(pa.array(chosen)),
        )
        for chosen, bucket, one in grouped(bucket_of(keys), slices)
    ]


def grouped(numbers: I64, slices: I64) -> Iterator[tuple[I64, int, int | None]]:
    """The rows of each number and slice."""
    if not len(numbers):
        return
    order = np.lexsort((slices, numbers))
    is_new = np.diff(numbers[order]) != 0
    is_new |= np.diff(slices[order]) != 0
    for chosen in np.split(order, np.flatnonzero(is_new) + 1):
        one = int(slices[chosen[0]])
        yield chosen, int(numbers[chosen[0]]), None if one == NO_SLICE else one


def by_part(
    cuts: Iterable[Cut], parts: Mapping[LivePlace, LivePart]
) -> list[tuple[Cut, LivePart, tuple[LivePart, ...]]]:
    """Cuts with their part and those beside it; a delete where there is no part is none."""
    siblings: dict[LivePlace, list[LivePart]] = defaultdict(list)
    for at, part in parts.items():
        siblings[_any_time(at)].append(part)
    found = []
    for cut in cuts:
        others = [
            part
            for part in siblings[_any_time(cut.at)]
            if part.place != cut.at and (cut.beside is None or part.place.time_slice in cut.beside)
        ]
        own = parts.get(cut.at)
        if own is None:
            if not others:
                continue
            own, *others = others
        found.append((cut, own, tuple(others)))
    return found


def _any_time(at: LivePlace) -> LivePlace:
    return LivePlace(at.table, at.kind, at.pixel, at.bucket)


def _groups(
    target: LiveTarget, table: Table, homes: I64, slices: I64
) -> Iterator[tuple[I64, int, int | None]]:
    numbers = homes >> target.shift if table.is_partitioned else np.zeros(len(homes), np.int64)
    return grouped(numbers, slices)


def _place(target: LiveTarget, table: Table, number: int, time_slice: int | None) -> LivePlace:
    if not table.is_partitioned:
        return LivePlace(table.name, PartKind.WHOLE, time_slice=time_slice)
    return LivePlace(table.name, PartKind.ROWS, target.chunk(number), time_slice=time_slice)


def _beside(
    target: LiveTarget, table: Table, placed: Resolved, chosen: I64
) -> frozenset[int | None] | None:
    """The other slices of time where rows with the same keys may lie."""
    if table.time is None or not table.primary_key or table.time in table.primary_key:
        return frozenset()
    before = placed.before
    if before is None:
        return None
    here = before.homes[chosen] >> target.shift == placed.homes[chosen] >> target.shift
    return _slices_in(before.slices[chosen][before.known[chosen] & here])


def _slices_in(slices: I64) -> frozenset[int | None]:
    found: Sequence[int] = np.unique(slices).tolist()
    return frozenset(None if one == NO_SLICE else one for one in found)
