"""Where each row of a change lies, and what the indexes learn of it.

A key's place is where its first row lay: versions of a director stay there, and so do its children. A
child whose key is NULL or a sentinel, or not known yet, lies by its own position.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from loaders.live.homes import Found, Homes
from loaders.live.place import (
    NO_SLICE,
    Positions,
    integers,
    positions,
    slices,
)
from procedures.live_tables import RowsRefused
from schema.catalog import Catalog, Role, Table
from schema.live_parts import index_key

I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """New or changed entries of one table's index. `old_slices`: where entries that change lie."""

    table: str
    keys: I64
    homes: I64
    slices: I64
    old_slices: I64


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """Rows that know where they lie.

    `before` says where rows with the same keys lie now, as far as the table's index knows: `moved` are
    the rows of which that is another home.
    """

    own: Positions
    homes: I64
    slices: I64
    entries: tuple[Entries, ...] = ()
    before: Found | None = None
    moved: Bools | None = None


def resolve(catalog: Catalog, table: Table, rows: pa.Table, homes: Homes) -> Resolved:
    """Place the rows of a table. Raises RowsRefused where a row lies nowhere."""
    own, times = positions(table, rows), slices(table, rows)
    if not table.is_partitioned:
        return Resolved(own, np.zeros(rows.num_rows, np.int64), times)
    entries: list[Entries] = []
    if table.role is Role.DIRECTOR:
        places, is_loose = own.pixels.copy(), np.ones(rows.num_rows, np.bool_)
    else:
        places, is_loose, orphans = _with_parents(table, rows, own, homes)
        entries += orphans
    key = index_key(catalog, table)
    if key is None:
        return Resolved(own, places, times, tuple(entries))
    keys, has = integers(rows.column(key))
    if not has.all():
        row = int(np.flatnonzero(~has)[0]) + 1
        raise RowsRefused(f"table {table.name}: row {row}: {key} is NULL; nothing was changed")
    found = homes.find(table.name, keys)
    stays = found.known & is_loose
    places[stays] = found.homes[stays]
    _agree(keys, places, found.known)
    is_single = table.primary_key == (key,)
    moved = found.known & (places != found.homes)
    changed = ~found.known | moved
    if is_single:
        changed |= found.slices != times
    entries += _entries(table.name, (keys, places, times), found, changed)
    before = found if is_single else None
    return Resolved(own, places, times, tuple(entries), before, moved if is_single else None)


def resolve_keys(catalog: Catalog, table: Table, keys: pa.Table, homes: Homes) -> Resolved:
    """Where rows lie that are to be deleted by their primary keys; `before` where that is known exactly.

    Raises RowsRefused where the key does not say it.
    """
    count = keys.num_rows
    none = Positions(np.zeros(count, np.int64), np.zeros(count, np.bool_))
    nowhere = np.full(count, NO_SLICE, np.int64)
    if not table.is_partitioned:
        return Resolved(none, np.zeros(count, np.int64), nowhere)
    own_key = index_key(catalog, table)
    if own_key in table.primary_key:
        assert own_key is not None
        found = homes.find(table.name, integers(keys.column(own_key))[0])
        is_single = table.primary_key == (own_key,)
        return Resolved(none, found.homes, found.slices, (), found if is_single else None)
    if table.key in table.primary_key and table.parent is not None:
        assert table.key is not None
        values, has = integers(keys.column(table.key), table.sentinels)
        if has.all():
            found = homes.find(table.parent, values)
            return Resolved(none, found.homes, nowhere)
    raise RowsRefused(
        f"table {table.name}: its primary key does not say where a row lies; delete by a condition"
    )


def _with_parents(
    table: Table, rows: pa.Table, own: Positions, homes: Homes
) -> tuple[I64, Bools, list[Entries]]:
    """A child's rows by their parents: the place, whether the row may lie elsewhere, orphans' entries."""
    assert table.key is not None
    assert table.parent is not None
    keys, has = integers(rows.column(table.key), table.sentinels)
    found = homes.find(table.parent, keys[has])
    places, known = own.pixels.copy(), np.zeros(len(keys), np.bool_)
    known[has] = found.known
    places[has] = np.where(found.known, found.homes, own.pixels[has])
    is_nowhere = ~known & ~own.has
    if is_nowhere.any():
        row = int(np.flatnonzero(is_nowhere)[0])
        said = f"{table.parent} {keys[row]} is not known" if has[row] else f"{table.key} is NULL"
        raise RowsRefused(
            f"table {table.name}: row {row + 1}: {said}, and it has no position of its own;"
            " nothing was changed"
        )
    orphans = has & ~known
    if not orphans.any():
        return places, ~has, []
    _agree(keys, places, ~orphans)
    distinct, first = np.unique(keys[orphans], return_index=True)
    none = np.full(len(distinct), NO_SLICE, np.int64)
    entries = Entries(table.parent, distinct, places[orphans][first], none, none)
    return places, ~has, [entries]


def _agree(keys: I64, places: I64, settled: Bools) -> None:
    """Rows of one key that is not settled all lie where the first of them does."""
    loose = np.flatnonzero(~settled)
    if not len(loose):
        return
    _, first, inverse = np.unique(keys[loose], return_index=True, return_inverse=True)
    places[loose] = places[loose[first]][inverse]


def _entries(table: str, rows: tuple[I64, I64, I64], found: Found, changed: Bools) -> list[Entries]:
    """The index entries of rows (keys, homes, slices) whose key is new, or lies elsewhere now."""
    keys, homes, times = rows
    at = np.flatnonzero(changed)
    if not len(at):
        return []
    distinct, first = np.unique(keys[at], return_index=True)
    chosen = at[first]
    old = np.where(found.known[chosen], found.slices[chosen], times[chosen])
    return [Entries(table, distinct, homes[chosen], times[chosen], old)]
