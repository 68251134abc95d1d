"""Published orphans whose director comes with this ingest move to it, in the same snapshot.

Each published part that holds such rows is read whole, its rows join this ingest's parts (they keep
the `_ingest` that brought them), and the part is retired by the publish. A moved row that others
refer to takes them along.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.staging.keys import KeyIndex, indexed
from loaders.staging.known import PublishedRows
from loaders.staging.resolve import PlacedRun, Resolved, by_depth, index_key
from loaders.staging.validate import Bools
from procedures.director_index import EMPTY, KeyMap, key_map
from schema.catalog import DIRECTOR_29, Table
from schema.manifest import Part, PartId, PartKind


def rehome(resolved: Resolved, known: PublishedRows) -> tuple[Resolved, tuple[PartId, ...]]:
    """The ingest with the orphans that it brings home, and the parts that it replaces."""
    if not resolved.rehomed:
        return resolved, ()
    runs, index = dict(resolved.runs), dict(resolved.index)
    moving = dict(resolved.rehomed)
    separations = dict(resolved.separations)
    retired: list[PartId] = []
    for table in by_depth(known.catalog):
        if table.parent not in moving or table.key is None:
            continue
        homes, keys = index[table.parent], moving[table.parent]
        for part in _parts_at(known, table, keys):
            moved = _move(known.read(part, table), table, keys=keys, homes=homes)
            if moved is None:
                continue
            run, has_moved = moved
            runs[table.name] = (*runs.get(table.name, ()), run)
            retired.append(part.part_id)
            if table.match is not None:
                separations[table.name] = math.inf  # not measured again: no plan may count on it
            key = index_key(known.catalog, table)
            if key is not None:
                old, new = _new_entries(run, has_moved, key)
                moving[table.name] = moving.get(table.name, EMPTY).merged(old)
                share = indexed(new, len(homes.maps))
                index[table.name] = (
                    index[table.name].merged(share) if table.name in index else share
                )
    moved_home = replace(resolved, runs=runs, index=index, separations=separations)
    return moved_home, tuple(retired)


def _parts_at(known: PublishedRows, table: Table, keys: KeyMap) -> list[Part]:
    """The published parts of a table in the chunks of the keys' old pixels."""
    found = []
    for part in known.manifest.parts_of(table.name, PartKind.ROWS):
        assert part.pixel is not None, f"part {part.part_id} has no chunk"
        low, high = part.pixel.first_29, part.pixel.last_29
        if np.any((keys.pixels >= low) & (keys.pixels <= high)):
            found.append(part)
    return found


def _move(
    rows: pa.Table, table: Table, *, keys: KeyMap, homes: KeyIndex
) -> tuple[PlacedRun, Bools] | None:
    """A part's rows with the moved ones at their new home; None where none moves."""
    values = rows.column(table.key).cast(pa.int64())
    own = np.asarray(pc.fill_null(values, 0), dtype=np.int64)
    has_moved = keys.find(own)[1] & np.asarray(pc.is_valid(values), dtype=np.bool_)
    has_moved &= ~np.isin(own, np.array(table.sentinels, np.int64))
    if not has_moved.any():
        return None
    pixels = np.asarray(rows.column(DIRECTOR_29), dtype=np.int64).copy()
    pixels[has_moved] = homes.find(own[has_moved])[0]
    order = np.argsort(pixels)
    return PlacedRun(rows, order, pixels[order]), has_moved


def _new_entries(run: PlacedRun, has_moved: Bools, key: str) -> tuple[KeyMap, KeyMap]:
    """The keys of moved rows with their old pixel, and with the new one."""
    chosen = run.order[has_moved[run.order]]
    keys = np.asarray(run.rows.column(key), dtype=np.int64)[chosen]
    old = np.asarray(run.rows.column(DIRECTOR_29), dtype=np.int64)[chosen]
    new = run.pixels[has_moved[run.order]]
    return key_map(keys, old), key_map(keys, new)
