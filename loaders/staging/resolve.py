"""Which pixel each staged row lies by: a director's row by its own, a child's by its director's.

Pure but for reading runs: what the store knows comes in as `Published`. Directors go first, then
their children, then theirs. A child's key is looked for among the rows of this ingest, then in the
published director index. An orphan lies by its own position, and its key enters the index, so that
all orphans of one key lie together. What cannot be placed is rejected.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import override

from loaders.readers.rows import ascending
from loaders.readers.source import I64
from loaders.staging.keys import (
    Gathered,
    KeyIndex,
    Scratch,
    empty_index,
    first_of_each,
    kept_map,
    share_count,
)
from loaders.staging.rejects import KEPT_REJECTS, Reject
from loaders.staging.stage import ROW_NUMBER, Run, Staged, open_run
from loaders.staging.unique import repeated, unique_key
from loaders.staging.validate import Bools, row_text
from loaders.tasks import SpoolUnseen
from procedures.director_index import EMPTY, KeyMap, key_map
from schema.catalog import HEALPIX_29, Catalog, Role, Table
from schema.errors import InputError
from schema.healpix import MAX_ORDER, centers, separation_arcsec

NOWHERE = -1
"""The pixel of a row that is not placed (yet)."""
CENTRE_ARCSEC = 0.001
"""A position lies closer than this to the centre of its order-29 pixel."""


class WrongKey(InputError):
    """A key that rows are placed by is not an integer."""

    code = "WRONG_KEY"

    def __init__(self, table: str, column: str) -> None:
        super().__init__(f"{table}.{column} places rows, so it must be an integer")
        self.table, self.column = table, column


class RepeatedVersions(InputError):
    """A director whose primary key allows several rows of one key has them."""

    code = "REPEATED_VERSIONS"

    def __init__(self, table: Table, key: str) -> None:
        super().__init__(
            f"{table.name} has several rows of one {key}, as its primary key"
            f" ({', '.join(table.primary_key)}) allows: ingests do not support versions of a director"
            " yet, and nothing was changed"
        )
        self.table, self.key = table.name, key


class Published(Protocol):
    """What earlier ingests published of a catalog."""

    def find(self, table: str, keys: I64) -> KeyMap:
        """The keys that the table's director index knows, orphans' keys too."""
        ...

    def with_rows(self, table: str, known: KeyMap) -> I64:
        """Those of the known keys that have a row in the table itself (not orphans' keys)."""
        ...

    def keys(self, table: Table) -> pa.Table:
        """The primary keys of a replicated table's rows."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PlacedRun:
    """A run (mapped from its file) whose rows know where they lie.

    `order` are the rows that are kept, ascending by the pixel they lie by, `pixels` those pixels (all
    0 in a replicated table). 16 bytes a row stay until the ingest ends, in files where they are many.
    """

    rows: pa.Table
    order: I64
    pixels: I64
    run: Run | None = None
    """The file that the rows are mapped from; None where they are in memory."""

    def chosen(self, places: slice | I64) -> PlacedRun:
        """The rows at the given places of `order`."""
        return PlacedRun(self.rows, self.order[places], self.pixels[places], self.run)

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        """Sent to another process without the rows of a file, which that one maps itself."""
        rows = self.rows if self.run is None else None
        return _arrived, (rows, self.order, self.pixels, self.run)


def _arrived(rows: pa.Table | None, order: I64, pixels: I64, run: Run | None) -> PlacedRun:
    if run is not None:
        try:
            rows = open_run(run)
        except FileNotFoundError as error:
            raise SpoolUnseen(run.path) from error
    return PlacedRun(rows, order, pixels, run)


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """The placed runs by table, the new entries of each director index, and the rejects.

    `rejects` are the first of `rejected`, which are too many where they reach the limit.
    """

    runs: dict[str, tuple[PlacedRun, ...]]
    index: dict[str, KeyIndex]
    rejects: tuple[tuple[Staged, Reject], ...]
    rejected: int
    rehomed: dict[str, KeyMap]
    """Keys of published orphans whose row comes with this ingest, by table, with their old pixel."""
    separations: dict[str, float] = field(default_factory=dict)
    """How far second directors lie from where their pairs do at most, arcsec, by match table."""

    def rows_by_table(self) -> dict[str, int]:
        """How many rows of each table are placed."""
        return {table: sum(len(run.order) for run in runs) for table, runs in self.runs.items()}


@dataclass(slots=True, eq=False)
class _Loose:
    """A run on its way: the pixel its rows lie by so far, and the rows that are rejected."""

    staged: Staged
    run: Run
    rows: pa.Table
    scratch: Scratch
    pixels: I64
    is_bad: Bools
    rejected: list[tuple[I64, str]] = field(default_factory=list)
    second: I64 | None = None
    """Of a match table: the pixel of each pair's second director."""

    def reject(self, rows: I64, reason: str) -> None:
        """Keep rows out; the first reason of each counts."""
        fresh = rows[~self.is_bad[rows]]
        self.is_bad[fresh] = True
        self.rejected.append((fresh, reason))

    def rejects(self, limit: int) -> list[Reject]:
        """The first rejects, with their texts."""
        if not self.rejected:
            return []
        rows = np.concatenate([rows for rows, _ in self.rejected])
        reasons = np.repeat(range(len(self.rejected)), [len(rows) for rows, _ in self.rejected])
        first = np.argsort(rows, kind="stable")[:limit]
        picked = self.rows.take(pa.array(rows[first]))
        numbers = picked.column(ROW_NUMBER).to_pylist()
        plain = picked.drop_columns([ROW_NUMBER])
        return [
            Reject(number, self.rejected[reason][1], row_text(plain, row))
            for row, (number, reason) in enumerate(zip(numbers, reasons[first], strict=True))
        ]

    def keys(self, column: str) -> tuple[I64, Bools]:
        """A key column, and where it is given."""
        values = self.rows.column(column).cast(pa.int64())
        given = np.asarray(pc.is_valid(values), dtype=np.bool_)
        return self._mapped(values, 0), given

    def own_pixels(self) -> I64:
        """Each row's own position (a pair's second director's), NOWHERE without one."""
        if self.second is not None:
            return self.second
        if HEALPIX_29 not in self.rows.schema.names:
            return np.full(self.rows.num_rows, NOWHERE, np.int64)
        return self._mapped(self.rows.column(HEALPIX_29), NOWHERE)

    def _mapped(self, values: pa.ChunkedArray, missing: int) -> I64:
        """A column of 64-bit integers as it lies in the file, where it has no NULLs."""
        if values.num_chunks == 1 and not values.null_count:
            found: I64 = values.chunk(0).to_numpy()
            return found
        filled = np.asarray(pc.fill_null(values, missing), dtype=np.int64)
        return np.asarray(self.scratch.keep(filled))

    def placed(self) -> PlacedRun:
        kept = np.flatnonzero(~self.is_bad)
        pixels = self.pixels if len(kept) == len(self.is_bad) else self.pixels[kept]
        if not np.all(pixels[:-1] <= pixels[1:]):
            order = ascending(pixels)
            kept, pixels = kept[order], pixels[order]
        pixels = pixels if pixels is self.pixels else self.scratch.keep(pixels)
        return PlacedRun(self.rows, self.scratch.keep(kept), pixels, self.run)


@dataclass(slots=True, eq=False)
class _Links:
    """A child run's keys on their way to their parents; `is_open` where none is found yet."""

    run: _Loose
    keys: I64
    names_parent: Bools
    is_open: Bools

    def missing(self) -> I64:
        return self.keys[self.is_open]

    def follow(self, known: KeyIndex) -> None:
        """Place the rows whose parents `known` has."""
        rows = np.flatnonzero(self.is_open)
        pixels, found = known.find(self.keys[rows])
        self.run.pixels[rows] = pixels
        self.is_open[rows[found]] = False

    def settle(self, table: Table) -> None:
        """Place rows without a parent by their own position; reject those without one, too."""
        run = self.run
        run.pixels = run.scratch.keep(np.where(self.names_parent, run.pixels, run.own_pixels()))
        lost = np.flatnonzero(run.pixels == NOWHERE)
        other = f"{table.match[1]} no {table.match[0]}" if table.match else "position of its own"
        other = f"its {other}" if table.match else f"it has no {other}"
        reason = f"no {table.parent} with this {table.key}, and {other}"
        run.reject(lost[self.names_parent[lost]], reason)
        run.reject(lost, f"{table.key} names no {table.parent}, and {other}")


def index_key(catalog: Catalog, table: Table) -> str | None:
    """The column that a table's director index maps; None for a table that has no index."""
    if table.role is Role.DIRECTOR:
        return table.key
    named = [t.parent_key for t in catalog.tables if t.parent == table.name and t.parent_key]
    return named[0] if named and table.is_partitioned else None


def resolve(
    catalog: Catalog,
    staged: Sequence[Staged],
    published: Published,
    *,
    limit: int = KEPT_REJECTS,
    scratch: Scratch | None = None,
) -> Resolved:
    """Place every staged row; ends with the table whose rejects reach the limit.

    What is to be known of each row lies in the `scratch`; without one, in memory.
    """
    by_table: dict[str, list[Staged]] = {}
    for contribution in staged:
        by_table.setdefault(contribution.task.table.name, []).append(contribution)
    count = share_count(max((sum(s.rows for s in one) for one in by_table.values()), default=0))
    resolver = _Resolver(catalog, published, limit, scratch or Scratch(), count)
    for table in by_depth(catalog):
        if table.name in by_table and resolver.rejected < limit:
            resolver.place(table, by_table[table.name])
    return Resolved(
        runs=resolver.runs,
        index=resolver.index,
        rejects=tuple(resolver.rejects),
        rejected=resolver.rejected,
        rehomed=resolver.rehomed,
        separations=resolver.separations,
    )


def by_depth(catalog: Catalog) -> list[Table]:
    """All tables, parents before their children."""
    return sorted(catalog.tables, key=lambda table: _depth(catalog, table))


def _depth(catalog: Catalog, table: Table) -> int:
    """How many parents stand above a table."""
    depth = 0
    while table.is_partitioned and table.role is not Role.DIRECTOR:
        parent = catalog.table(table.parent or "")
        assert parent is not None, f"{table.name} has no parent"
        table, depth = parent, depth + 1
    return depth


class _Resolver:
    """Gathers what one table's placing tells the next."""

    def __init__(
        self, catalog: Catalog, published: Published, limit: int, scratch: Scratch, count: int
    ) -> None:
        self.catalog, self.published, self.limit = catalog, published, limit
        self.scratch, self.count = scratch, count
        self.rejected = 0
        self.runs: dict[str, tuple[PlacedRun, ...]] = {}
        self.index: dict[str, KeyIndex] = {}
        self.rehomed: dict[str, KeyMap] = {}
        self.separations: dict[str, float] = {}
        self.rejects: list[tuple[Staged, Reject]] = []

    def place(self, table: Table, contributions: Sequence[Staged]) -> None:
        """Place the rows of one table; its parents' were placed before."""
        loose = [
            _loose(staged, run, self.scratch) for staged in contributions for run in staged.runs
        ]
        match table.role:
            case Role.DIRECTOR:
                for run in loose:
                    run.pixels = run.own_pixels()
            case Role.CHILD | Role.MATCH:
                self._place_children(table, loose)
            case Role.REPLICATED:
                self._reject_repeated(table, loose)
        key = index_key(self.catalog, table)
        if key is not None:
            self._index(table, key, loose)
        self.runs[table.name] = tuple(run.placed() for run in loose)
        for run in loose:
            self.rejected += int(run.is_bad.sum())
            left = self.limit - len(self.rejects)
            self.rejects += [(run.staged, reject) for reject in run.rejects(left)]

    def _reject_repeated(self, table: Table, loose: Sequence[_Loose]) -> None:
        """Reject the rows of a replicated table whose primary key comes again, or is published."""
        columns = unique_key(table)
        if not columns or not loose:
            return
        kept = [np.flatnonzero(~run.is_bad) for run in loose]
        keys = pa.concat_tables(
            run.rows.select(columns).take(pa.array(rows))
            for run, rows in zip(loose, kept, strict=True)
        )
        found = repeated(keys, self.published.keys(table))
        given = [(rows, rows) for rows in kept]
        name = ", ".join(columns)
        again, taken = np.flatnonzero(found.is_again), np.flatnonzero(found.is_taken)
        _reject_at(loose, given, again, f"{name} comes twice in this ingest")
        _reject_at(loose, given, taken, f"{name} is published already")

    def _place_children(self, table: Table, loose: Sequence[_Loose]) -> None:
        """Rows with a parent by its pixel, the others by their own."""
        assert table.key is not None, f"{table.name} has no key"
        assert table.parent is not None, f"{table.name} has no parent"
        if table.match is not None:
            self._find_second(*table.match, table, loose)
        links = [_linked_keys(table, table.key, run) for run in loose]
        known = self._follow(table.parent, links)
        orphans = _orphans(links, self.count, self.scratch)
        if len(orphans):
            self.index[table.parent] = known.merged(orphans)
        for link in links:
            link.follow(orphans)
            link.settle(table)
        if table.match is not None:
            self.separations[table.name] = max((_separation(run) for run in loose), default=0.0)

    def _find_second(self, director: str, key: str, table: Table, loose: Sequence[_Loose]) -> None:
        """Where the pairs' second directors lie: there orphans of the first do."""
        links = [_linked_keys(table, key, run) for run in loose]
        self._follow(director, links)
        for link in links:
            link.run.second = link.run.pixels

    def _follow(self, table: str, links: Sequence[_Links]) -> KeyIndex:
        """Place the rows whose parents this ingest brings, or one before did; the keys of this one."""
        known = self.index.get(table) or empty_index(self.count)
        missing = Gathered(self.count, self.scratch)
        for link in links:
            link.follow(known)
            missing.add(link.missing())
        if len(missing):
            published = KeyIndex(
                tuple(
                    kept_map(self._published(table, [keys for (keys,) in runs]), self.scratch)
                    for runs in missing.shares()
                )
            )
            for link in links:
                link.follow(published)
        return known

    def _published(self, table: str, keys: Sequence[I64]) -> KeyMap:
        asked = keys[0] if len(keys) == 1 else np.concatenate([EMPTY.keys, *keys])
        return self.published.find(table, asked) if len(asked) else EMPTY

    def _index(self, table: Table, key: str, loose: Sequence[_Loose]) -> None:
        """Enter a table's keys; a key that comes again, or is published already, is rejected."""
        if not loose:
            return
        column = table.column(key)
        if column is None or not column.type.is_integer:
            raise WrongKey(table.name, key)
        gathered = Gathered(self.count, self.scratch)
        for run in loose:
            values, rows = _given_keys(key, run)
            gathered.add(values, run.pixels[rows], rows)
        with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="keys") as threads:
            found = threads.map(
                lambda runs: self._entries(table, key, loose, runs), gathered.shares()
            )
            maps, homeless = zip(*found, strict=True)
        self.index[table.name] = KeyIndex(maps)
        if any(map(len, homeless)):
            self.rehomed[table.name] = key_map(
                np.concatenate([one.keys for one in homeless]),
                np.concatenate([one.pixels for one in homeless]),
            )

    def _entries(
        self, table: Table, key: str, loose: Sequence[_Loose], runs: Sequence[Sequence[I64]]
    ) -> tuple[KeyMap, KeyMap]:
        """The entries of one share, and those of published orphans whose row comes now."""
        found = [(values, rows) for values, _, rows in runs]
        keys = np.concatenate([values for values, _ in found])
        if not len(keys):
            return EMPTY, EMPTY
        published = self._published(table.name, [keys])
        taken = self.published.with_rows(table.name, published) if len(published) else EMPTY.keys
        order = ascending(keys)
        pixels = np.concatenate([pixels for _, pixels, _ in runs])
        entries = KeyMap(keys[order], pixels[order])
        is_again = entries.keys[1:] == entries.keys[:-1]
        if len(taken) or is_again.any():
            if table.role is Role.DIRECTOR and not table.is_key_unique:
                raise RepeatedVersions(table, key)
            is_again = np.concatenate([[False], is_again])
            is_taken = np.isin(entries.keys, taken)
            _reject_at(loose, found, order[is_again], f"{key} comes twice in this ingest")
            _reject_at(loose, found, order[is_taken], f"{key} is published already")
            is_kept = ~(is_again | is_taken)
            entries = KeyMap(entries.keys[is_kept], entries.pixels[is_kept])
        is_orphan = ~np.isin(published.keys, taken)
        homeless = KeyMap(published.keys[is_orphan], published.pixels[is_orphan])
        return kept_map(entries, self.scratch), homeless


def _loose(staged: Staged, run: Run, scratch: Scratch) -> _Loose:
    rows = open_run(run)
    # All lie at pixel 0 until they are placed, which takes no memory.
    zeros = np.broadcast_to(np.int64(0), rows.num_rows)
    is_bad = scratch.keep(np.zeros(rows.num_rows, np.bool_))
    return _Loose(staged, run, rows, scratch, zeros, is_bad)


def _linked_keys(table: Table, key: str, run: _Loose) -> _Links:
    """A child's keys; those that are NULL or a sentinel name no parent."""
    column = table.column(key)
    if column is None or not column.type.is_integer:
        raise WrongKey(table.name, key)
    keys, given = run.keys(column.name)
    names_parent = given & ~np.isin(keys, np.array(table.sentinels, np.int64))
    keep = run.scratch.keep
    run.pixels = keep(np.full(len(keys), NOWHERE, np.int64))
    return _Links(run, keys, keep(names_parent), keep(names_parent.copy()))


def _separation(run: _Loose) -> float:
    """How far second directors lie from their pairs' pixels, arcsec; more than 0: it is measured.

    A director that is not published yet counts for nothing: planning looks for newer ones.
    """
    assert run.second is not None
    is_apart = (run.second != NOWHERE) & ~run.is_bad & (run.second != run.pixels)
    here, there = centers(MAX_ORDER, run.pixels[is_apart]), centers(MAX_ORDER, run.second[is_apart])
    return float(separation_arcsec(*here, *there).max(initial=0.0)) + 2 * CENTRE_ARCSEC


def _orphans(links: Sequence[_Links], count: int, scratch: Scratch) -> KeyIndex:
    """Keys that nobody knows, with the position of the first row that has one."""
    found = Gathered(count, scratch)
    for link in links:
        own = link.run.own_pixels()
        is_orphan = link.is_open & (own != NOWHERE)
        found.add(link.keys[is_orphan], own[is_orphan])
    return first_of_each(found, scratch) if len(found) else empty_index(count)


def _given_keys(key: str, run: _Loose) -> tuple[I64, I64]:
    """The keys of a run's kept rows, and the rows; NULL keys are left out."""
    values, given = run.keys(key)
    kept = np.flatnonzero(given & ~run.is_bad)
    return values[kept], kept


def _reject_at(
    loose: Sequence[_Loose], found: Sequence[tuple[I64, I64]], places: I64, reason: str
) -> None:
    """Reject the rows whose keys stand at the given places of all runs' keys together."""
    ends = np.cumsum([len(values) for values, _ in found])
    ordered = np.sort(places)
    for run, (values, rows), end in zip(loose, found, ends.tolist(), strict=True):
        mine = ordered[(ordered >= end - len(values)) & (ordered < end)]
        run.reject(rows[mine - (end - len(values))], reason)
