"""Verification: every copy of every part looked at, in PostgreSQL and as a twin.

Shards are asked side by side, each by a few threads, and rows stream by: the load on a server and the
memory stay bounded however much it holds. Nothing is changed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from loaders.copies.findings import Fault, Finding, Verified
from loaders.copies.homes import Kept, held_by, read_kept
from loaders.copies.orphans import GRACE_S, Shelf, loose_parts, nameless, twin_files
from loaders.copies.replicas import AWAY, Copies, copy_fault, twin_fault
from loaders.parts.twin import twin_path
from procedures.inventory import Inventory, bounds, indexed_columns, take_inventory
from procedures.pools import Pools
from procedures.repairs import ingest_states
from schema.ddl import INDEX_KEY, part_indexes, part_tables
from schema.errors import StoreError
from schema.manifest import Part, PartId, PartKind
from schema.topology import Shard, ShardId, Topology


class Depth(Enum):
    """How closely copies are looked at."""

    QUICK = 1
    """The shards' books, and whether tables and files are there."""
    FULL = 2
    """Also every row of PostgreSQL and of the twins, by checksum."""
    DEEP = 3
    """Also the indexes, and the bounds by which chunks and parts are chosen."""


def _ignore(_done: int, _total: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """How to verify. `workers`: copies of one shard that are read at a time."""

    depth: Depth = Depth.FULL
    workers: int = 2
    grace_s: float = GRACE_S


def verify(
    pools: Pools,
    topology: Topology,
    catalog_name: str | None = None,
    options: VerifyOptions = VerifyOptions(),
    *,
    looked: Callable[[int, int], None] = _ignore,
) -> Verified:
    """Look at all copies of a catalog's parts (of all catalogs); `looked` is told how far it has come.

    Tables and files that belong to nobody are looked for as well. Raises UnknownCatalog, Unavailable
    where the coordinator is away; a shard that is away is a finding.
    """
    started = time.monotonic()
    everything = read_kept(pools, topology, catalog_name)
    shelves, away = _shelves(pools, topology)
    look = _Look({shelf.shard_id: shelf.inventory for shelf in shelves}, options, looked)
    findings = [*_lacking(everything), *look.all(everything)]
    # What was dropped or moved meanwhile was looked at in vain.
    now = read_kept(pools, topology, None)
    held = held_by(now)
    findings = [one for one in findings if (one.part_id, one.shard_id) in held]
    findings += [*away, *_orphans(pools, shelves, held, options.grace_s, catalog_name)]
    return Verified(
        parts=sum(len(kept.parts) for kept in everything),
        copies=sum(len(part.replicas) for kept in everything for part in kept.parts),
        twins=look.twins,
        rows=look.rows,
        findings=tuple(sorted(findings, key=_order)),
        seconds=time.monotonic() - started,
    )


def _orphans(
    pools: Pools,
    shelves: Sequence[Shelf],
    held: AbstractSet[tuple[PartId, ShardId]],
    grace_s: float,
    catalog_name: str | None,
) -> Iterator[Finding]:
    """What belongs to nobody; without a catalog's name also what is of none."""
    ingests = {row.ingest_id for shelf in shelves for row in shelf.inventory.booked.values()}
    with pools.coordinator() as connection:
        states = ingest_states(connection, sorted(ingests))
    for shelf in shelves:
        for finding in loose_parts(shelf, held, states, grace_s=grace_s):
            if catalog_name is None or catalog_name.casefold() == str(finding.catalog).casefold():
                yield finding
        if catalog_name is None:
            yield from nameless(shelf, held)


def _order(finding: Finding) -> tuple[object, ...]:
    return finding.shard_id, str(finding.fault), finding.part_id or 0, finding.detail


def _shelves(pools: Pools, topology: Topology) -> tuple[list[Shelf], list[Finding]]:
    """What each shard that answers has; the others as findings."""

    def ask(shard: Shard) -> Shelf | Finding:
        try:
            files = twin_files(shard.twins)
            with pools.shard(shard.shard_id) as connection:
                return Shelf(shard.shard_id, take_inventory(connection), files)
        except AWAY as error:
            return Finding(Fault.AWAY, shard.shard_id, str(error).strip())

    with ThreadPoolExecutor(len(topology.shards), thread_name_prefix="inventory") as threads:
        found = list(threads.map(ask, topology.shards))
    away = [one for one in found if isinstance(one, Finding)]
    return [one for one in found if isinstance(one, Shelf)], away


def _lacking(everything: Iterable[Kept]) -> Iterator[Finding]:
    """Copies that should be and that the manifest does not know."""
    for kept in everything:
        for part in kept.parts:
            for shard_id in kept.wanted(part):
                told = f"{len(part.replicas)} copies known, this shard should hold another"
                yield _finding(Fault.TOO_FEW, kept, part, shard_id, told)


def _finding(fault: Fault, kept: Kept, part: Part, shard_id: ShardId, detail: str) -> Finding:
    name = kept.copies.catalog.name
    return Finding(fault, shard_id, detail, name, part.table, part.part_id)


@dataclass(slots=True)
class _Look:
    """Looks at copies with some threads a shard, and counts."""

    shards: dict[ShardId, Inventory]
    options: VerifyOptions
    looked: Callable[[int, int], None]
    rows: int = 0
    twins: int = 0
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def all(self, everything: Sequence[Kept]) -> list[Finding]:
        """What is wrong with the copies that the manifest names, on shards that answer."""
        work: dict[ShardId, list[tuple[Kept, Part, bool]]] = {one: [] for one in self.shards}
        for kept in everything:
            for part in kept.parts:
                for replica in part.replicas:
                    if replica.shard_id in work:
                        work[replica.shard_id].append((kept, part, replica.has_twin))
        total = sum(map(len, work.values()))
        threads = [
            (shard_id, ThreadPoolExecutor(self.options.workers, thread_name_prefix="verify"))
            for shard_id in work
        ]
        found: list[Finding] = []
        futures = [
            executor.submit(self._copy, kept, part, shard_id, has_twin=has_twin)
            for shard_id, executor in threads
            for kept, part, has_twin in work[shard_id]
        ]
        try:
            for future in futures:
                found += future.result()
                self.looked(self.done, total)
        finally:
            for _, executor in threads:
                executor.shutdown(cancel_futures=True)
        return found

    def _copy(self, kept: Kept, part: Part, shard_id: ShardId, *, has_twin: bool) -> list[Finding]:
        """What is wrong with one copy and its twin."""
        found = []
        told = self._fault_of(kept.copies, part, shard_id)
        if told is not None:
            found.append(_finding(Fault.COPY, kept, part, shard_id, told))
        if (folder := kept.copies.twins(part, shard_id)) is not None:
            told = self._twin_fault_of(kept.copies, part, shard_id, folder, has_twin=has_twin)
            if told is not None:
                found.append(_finding(Fault.TWIN, kept, part, shard_id, told))
        with self.lock:
            self.done += 1
            self.twins += has_twin
            if self.options.depth is not Depth.QUICK:
                self.rows += (part.rows + part.overlap_rows) * (1 + has_twin)
        return found

    def _fault_of(self, copies: Copies, part: Part, shard_id: ShardId) -> str | None:
        table = copies.table(part)
        if told := _booked_fault(self.shards[shard_id], part, part_tables(part, table)):
            return told
        if self.options.depth is Depth.QUICK:
            return None
        try:
            told = copy_fault(copies, part, shard_id)
            if told is None and self.options.depth is Depth.DEEP:
                told = _deep_fault(copies, part, shard_id)
        except (StoreError, *AWAY) as error:
            told = str(error).strip()
        return told

    def _twin_fault_of(
        self, copies: Copies, part: Part, shard_id: ShardId, folder: Path, *, has_twin: bool
    ) -> str | None:
        if not has_twin:
            return "the manifest names none"
        if self.options.depth is Depth.QUICK:
            names = part_tables(part, copies.table(part))
            lost = [name for name in names if not twin_path(folder, name).exists()]
            return f"{lost[0]}.parquet is missing" if lost else None
        return twin_fault(copies, part, shard_id)


def _booked_fault(shard: Inventory, part: Part, names: Sequence[str]) -> str | None:
    """What is wrong with a shard's own record of a part, and whether its tables are there."""
    for name in names:
        if name not in shard.tables:
            return f"{name} is missing"
    booked = shard.booked.get(part.part_id)
    if booked is None:
        return "the shard's books do not know it"
    found = (booked.ingest_id, booked.rows, booked.overlap_rows, booked.checksum)
    if found != (part.ingest_id, part.rows, part.overlap_rows, part.checksum):
        return "the shard's books say otherwise (ingest, rows, overlap, checksum): " + str(found)
    return None


def _deep_fault(copies: Copies, part: Part, shard_id: ShardId) -> str | None:
    """What is wrong with a copy's indexes, or with the bounds of its rows."""
    table = copies.table(part).at(part.schema_version)
    is_index = part.kind is PartKind.INDEX
    expected = {(INDEX_KEY,)} if is_index else set(part_indexes(table))
    with copies.pools.shard(shard_id) as connection:
        for name in part_tables(part, table):
            lost = expected - indexed_columns(connection, name)
            if lost:
                return f"{name} has no index on {', '.join(min(lost))}"
        column = None if is_index else table.sort_column()
        if column is not None and part.pixel is not None and part.rows:
            low, high = bounds(connection, part.own_name, column)
            if (
                low is None
                or high is None
                or low < part.pixel.first_29
                or high > part.pixel.last_29
            ):
                return f"rows of {part.own_name} lie outside of chunk {part.pixel}"
    return None
