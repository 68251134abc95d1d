"""A unit of work on a live catalog: rows inserted, replaced, deleted; seen all at once or not at all.

    with open_unit(pools, topology, "prompt", label="visit 1234") as unit:
        unit.upsert("DiaObject", objects)
        unit.insert("DiaSource", sources)

Each call writes to all replicas in one transaction a shard and table; nothing is seen before the block
ends and one transaction on the coordinator commits the unit. An error removes what was written.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg2
import pyarrow as pa

from loaders.fail_points import reach
from loaders.lease import this_owner
from loaders.live.homes import Homes
from loaders.live.lease import LEASE_S, UnitLease
from loaders.live.merges import (
    Cut,
    by_part,
    cut_entries,
    cut_index_keys,
    cut_keys,
    cut_moves,
    cut_rows,
)
from loaders.live.parts import PartBook
from loaders.live.place import NO_SLICE, farthest_arcsec, fitted, key_rows
from loaders.live.recover import abort_unit, recover_units
from loaders.live.resolve import Resolved, resolve, resolve_keys
from loaders.live.shards import on_connections, on_shards
from loaders.live.target import LiveTarget, open_live
from loaders.parts.encode import CopyStream
from procedures.live_tables import Change, Merge, Merged, UnitEnded, delete_where, write_unit
from procedures.pools import Pools
from procedures.units import Begun, Grown, begin_unit, commit_unit, read_unit
from schema.catalog import Table
from schema.conditions import parse_condition
from schema.errors import StoreError, Unavailable, UsageError
from schema.live_parts import LivePart, index_key
from schema.manifest import PartId, PartKind
from schema.topology import ShardId, Topology
from schema.units import Seen, UnitId, UnitState

_log = logging.getLogger(__name__)


class ReplicasDiffer(StoreError):
    """Two copies of a live part did not change alike."""

    code = "REPLICAS_DIFFER"


class UnitInDoubt(Unavailable):
    """The coordinator went away while a unit was committed: it alone knows whether it was."""

    code = "UNIT_IN_DOUBT"

    def __init__(self, unit_id: UnitId) -> None:
        super().__init__(
            f"the coordinator did not answer while unit {unit_id} was committed; `skyshard unit show"
            f" {unit_id}` says whether it is"
        )
        self.unit_id = unit_id


class HomeMoved(UsageError):
    """A row would lie with another parent, and has children where it lies now."""

    code = "HOME_MOVED"

    def __init__(self, table: str, key: int, child: str) -> None:
        super().__init__(
            f"row {key} of {table} would go to another place, and rows of {child} refer to it where it"
            f" is: delete those in this unit first, and insert them again after it"
        )
        self.table, self.key, self.child = table, key, child


@dataclass(frozen=True, slots=True)
class Changed:
    """What one call did: rows that came, rows that went (replaced ones too), columns not taken."""

    came: int
    went: int
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Put:
    """Rows for one table: they replace those with their keys (UPSERT), or must be new (INSERT)."""

    table: str
    rows: pa.Table | pa.RecordBatch
    change: Change = Change.UPSERT


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """Rows of one table, cut; `apart_arcsec`: how far one lies from its home."""

    table: Table
    cuts: tuple[Cut, ...] = ()
    apart_arcsec: float = 0.0
    ignored: tuple[str, ...] = ()


class Unit:
    """An open unit of work. Not for threads; `open_unit` makes it."""

    def __init__(self, pools: Pools, target: LiveTarget, begun: Begun, lease: UnitLease) -> None:
        self.unit_id, self.target = begun.unit_id, target
        self.snapshot: int | None = None
        """That the unit made, once it is committed."""
        self._pools, self._begun, self._lease = pools, begun, lease
        self._seen = Seen(begun.seen.high, begun.seen.without, begun.unit_id)
        self._parts = PartBook(pools, target, begun)
        self._homes = Homes(pools, self._seen, self._parts.of_table)
        self._grown: dict[PartId, Grown] = {}
        self._facts: dict[str, dict[str, int]] = defaultdict(lambda: {"came": 0, "went": 0})

    # ---------------------------------------------------------------- changes

    def insert(self, table: str, rows: pa.Table | pa.RecordBatch) -> Changed:
        """Add rows. Raises DuplicateKey where a primary key is there, RowsRefused, UnitConflict."""
        return self.put([Put(table, rows, Change.INSERT)])[0]

    def upsert(self, table: str, rows: pa.Table | pa.RecordBatch) -> Changed:
        """Add rows, in place of those with the same primary keys. Raises RowsRefused, UnitConflict."""
        return self.put([Put(table, rows)])[0]

    def put(self, puts: Sequence[Put]) -> list[Changed]:
        """Insert and upsert rows of several tables at the same time, each table once.

        Name directors before their children.
        """
        names = [self.target.table(put.table).name for put in puts]
        assert len(set(names)) == len(names), "a table stands twice"
        prepared = [self._prepared(put) for put in puts]
        done = self._write([cut for one in prepared for cut in one.cuts])
        changed = []
        for one in prepared:
            self._note_distance(one)
            changed.append(self._count(one.table, done, one.ignored))
        return changed

    def delete(self, table: str, keys: pa.Table | pa.RecordBatch) -> Changed:
        """Remove the rows with these primary keys; keys that are not there are passed."""
        found = self.target.table(table)
        rows = key_rows(found, keys)
        placed = resolve_keys(self.target.catalog, found, rows, self._homes)
        is_exact = placed.before is not None or found.time is None
        cuts = cut_keys(self.target, found, rows, placed.homes, placed.slices if is_exact else None)
        done = self._write(cuts)
        if placed.before is not None and found.is_partitioned:
            known = placed.before.known
            keys_of = np.asarray(rows.column(found.primary_key[0]), np.int64)[known]
            self._forget(found, keys_of, placed.before.slices[known])
        return self._count(found, done)

    def delete_where(self, table: str, condition: str) -> Changed:
        """Remove the rows that fulfil a condition on the table's own columns, as in a CHECK.

        Raises ConditionInvalid, UnitConflict.
        """
        found = self.target.table(table)
        held = parse_condition(condition, [column.name for column in found.columns])
        parts = [p for p in self._parts.of_table(found.name) if p.place.kind is not PartKind.INDEX]
        key = index_key(self.target.catalog, found)
        is_single = key is not None and found.primary_key == (key,)
        self._parts.note(parts)
        by_shard = _by_shard(parts)

        def work(shard_id: ShardId, connection: Any) -> list[Merged]:
            done = delete_where(
                connection,
                self._seen,
                by_shard[shard_id],
                found,
                held,
                returning=key if is_single else None,
            )
            keys.update({one.part_id: one.keys for one in done})
            reach("unit.written")
            return [Merged(one.part_id, 0, one.went) for one in done]

        keys: dict[PartId, tuple[int, ...]] = {}
        done = self._agreed(on_shards(self._pools, by_shard, work))
        if is_single and any(keys.values()):
            slices = {part.part_id: part.place.time_slice for part in parts}
            gone = np.concatenate([np.array(some, np.int64) for some in keys.values()])
            times = [NO_SLICE if (one := slices[at]) is None else one for at in keys]
            self._forget(found, gone, np.repeat(times, [len(some) for some in keys.values()]))
        return self._count(found, done)

    def _prepared(self, put: Put) -> _Prepared:
        """Rows held to their table and cut; the unit's own index entries are known from now on."""
        table = self.target.table(put.table)
        if not put.rows.num_rows:
            return _Prepared(table)
        is_upsert = put.change is Change.UPSERT and bool(table.primary_key)
        rows, ignored = fitted(table, put.rows)
        placed = resolve(self.target.catalog, table, rows, self._homes)
        cuts = [
            cut for one in placed.entries for cut in cut_entries(self.target, one, self.unit_id)
        ]
        if is_upsert:
            self._refuse_to_leave_children(table, rows, placed)
            cuts += cut_moves(self.target, table, rows, placed)
        change = Change.UPSERT if is_upsert else Change.INSERT
        cuts += cut_rows(self.target, table, rows, placed, unit=self.unit_id, change=change)
        for one in placed.entries:
            self._homes.learn(one.table, one.keys, one.homes, one.slices)
        apart = farthest_arcsec(placed.own, placed.homes) if table.is_partitioned else 0.0
        return _Prepared(table, tuple(cuts), apart, ignored)

    def _refuse_to_leave_children(self, table: Table, rows: pa.Table, placed: Resolved) -> None:
        """Raise HomeMoved where a row that goes elsewhere has children where it was."""
        if placed.moved is None or not placed.moved.any():
            return
        keys = np.asarray(rows.column(table.primary_key[0]), np.int64)[placed.moved]
        for child in self.target.catalog.tables:
            if child.parent != table.name or child.key is None:
                continue
            for part in self._parts.of_table(child.name):
                if part.place.kind is not PartKind.ROWS:
                    continue
                found = self._homes.first_with_rows(part, child.key, keys)
                if found is not None:
                    raise HomeMoved(table.name, found, child.name)

    def _forget(self, table: Table, keys: Any, slices: Any) -> None:
        """Close the index entries of rows that went."""
        self._write(cut_index_keys(table, keys, slices))
        self._homes.forget(table.name)

    # ---------------------------------------------------------------- writing

    def _write(self, cuts: Sequence[Cut]) -> list[Merged]:
        """Merge cuts into all copies of their parts, one transaction a shard and table."""
        self._lease.check()
        made = [cut.at for cut in cuts if cut.change is not Change.DELETE]
        parts = self._parts.at(made, {cut.at.table for cut in cuts})
        wanted = by_part(cuts, parts)
        self._parts.note([one for _, part, beside in wanted for one in (part, *beside)])
        reach("unit.noted")
        todo: dict[tuple[ShardId, str], list[tuple[Cut, LivePart, tuple[LivePart, ...]]]]
        todo = defaultdict(list)
        for one in wanted:
            for shard_id in one[1].shards:
                todo[shard_id, one[0].at.table].append(one)

        def work(key: tuple[ShardId, str], connection: Any) -> list[Merged]:
            merges = [
                Merge(part, cut.table, cut.change, CopyStream(cut.rows), beside)
                for cut, part, beside in todo[key]
            ]
            done = write_unit(connection, self.target.catalog.name, self._seen, merges)
            reach("unit.written")
            return done

        found: dict[ShardId, list[Merged]] = defaultdict(list)
        for (shard_id, _), done in on_connections(self._pools, todo, work).items():
            found[shard_id] += done
        return self._agreed(found)

    def _agreed(self, by_shard: Mapping[ShardId, list[Merged]]) -> list[Merged]:
        """What was done once, and the same on all copies."""
        found: dict[PartId, Merged] = {}
        for done in by_shard.values():
            sums: dict[PartId, Merged] = {}
            for one in done:
                before = sums.get(one.part_id, Merged(one.part_id, 0, 0))
                sums[one.part_id] = Merged(
                    one.part_id, before.came + one.came, before.went + one.went
                )
            for part_id, one in sums.items():
                if found.setdefault(part_id, one) != one:
                    raise ReplicasDiffer(
                        f"copies of live part {part_id} changed by {found[part_id]} and {one}:"
                        " nothing of this unit is seen"
                    )
        for one in found.values():
            grown = self._grown.get(one.part_id, Grown())
            self._grown[one.part_id] = Grown(
                grown.rows + one.came - one.went, grown.separation_arcsec
            )
        return list(found.values())

    def _note_distance(self, one: _Prepared) -> None:
        """How far rows lie from their homes, for the parts that got some."""
        if one.apart_arcsec > 0:
            for part in self._parts.of_table(one.table.name):
                grown = self._grown.get(part.part_id)
                if grown is not None and part.place.kind is PartKind.ROWS:
                    most = max(one.apart_arcsec, grown.separation_arcsec)
                    self._grown[part.part_id] = Grown(grown.rows, most)

    def _count(
        self, table: Table, done: Sequence[Merged], ignored: tuple[str, ...] = ()
    ) -> Changed:
        """Add up what became of the table's own rows."""
        own = {
            p.part_id
            for p in self._parts.of_table(table.name)
            if p.place.kind is not PartKind.INDEX
        }
        came = sum(one.came for one in done if one.part_id in own)
        went = sum(one.went for one in done if one.part_id in own)
        self._facts[table.name]["came"] += came
        self._facts[table.name]["went"] += went
        return Changed(came, went, ignored)

    # ---------------------------------------------------------------- the end

    def commit(self) -> int:
        """Make all of it visible, as a new snapshot. Raises UnitEnded, UnitInDoubt."""
        self._lease.check()
        reach("unit.complete")
        try:
            with self._pools.coordinator() as connection:
                snapshot = commit_unit(
                    connection,
                    self.unit_id,
                    self._lease.owner,
                    grown=self._grown,
                    facts=dict(self._facts),
                )
                reach("unit.before")
                connection.commit()
        except (Unavailable, psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            snapshot = self._asked_again(error)
        if snapshot is None:
            raise UnitEnded(self.unit_id)
        reach("unit.after")
        self.snapshot = snapshot
        return snapshot

    def _asked_again(self, error: Exception) -> int | None:
        """The snapshot of a unit whose commit was cut off, if there is one."""
        try:
            with self._pools.coordinator() as connection:
                row = read_unit(connection, self.unit_id)
        except (Unavailable, psycopg2.Error):
            raise UnitInDoubt(self.unit_id) from error
        if row.state is UnitState.OPEN:
            raise error
        return row.snapshot


@contextmanager
def open_unit(
    pools: Pools,
    topology: Topology,
    catalog_name: str,
    *,
    label: str = "",
    lease_s: float = LEASE_S,
) -> Iterator[Unit]:
    """A unit of work on a live catalog, committed when the block ends; an error removes it.

    Units whose writers have gone are recovered first, those that a shard that is away holds part of are
    left: what they wrote is not seen, and refuses changes of the same rows. Raises NotLive,
    UnknownCatalog, and at the end UnitEnded, UnitInDoubt.
    """
    target = open_live(pools, topology, catalog_name)
    _recover(pools, target.catalog.name)
    owner = this_owner()
    with pools.coordinator() as connection:
        name = target.catalog.name
        begun = begin_unit(connection, name, label=label, owner=owner, seconds=lease_s)
        connection.commit()
    reach("unit.begun")
    lease = UnitLease(pools, begun.unit_id, owner, seconds=lease_s)
    unit = Unit(pools, target, begun, lease)
    try:
        yield unit
        unit.commit()
    except UnitInDoubt:
        raise
    except BaseException as error:
        _abort(pools, unit, owner, error)
        raise
    finally:
        lease.end()


def _recover(pools: Pools, catalog_name: str) -> None:
    """Remove what other units left, as far as all their shards are there."""
    try:
        recover_units(pools, catalog_name)
    except Unavailable as away:
        fields = {"catalog": catalog_name, "reason": str(away)}
        _log.warning("units are left to be recovered", extra=fields)


def _abort(pools: Pools, unit: Unit, owner: str, error: BaseException) -> None:
    """Remove what a failed unit wrote; where a server is away that is left to a recovery."""
    try:
        abort_unit(pools, unit.unit_id, f"{type(error).__name__}: {error}", owner=owner)
    except (Unavailable, psycopg2.Error) as away:
        error.add_note(f"unit {unit.unit_id} is to be recovered (`skyshard unit recover`): {away}")


def _by_shard(parts: Sequence[LivePart]) -> dict[ShardId, list[LivePart]]:
    found: dict[ShardId, list[LivePart]] = defaultdict(list)
    for part in parts:
        for shard_id in part.shards:
            found[shard_id].append(part)
    return dict(found)
