"""Published parts written anew: several as one, or one without an ingest's rows; one new snapshot.

The new parts are read from the old ones, from whichever copy answers, and written like any part. One
coordinator transaction puts them in the others' place, if these are still there. A rewrite that fails
changes nothing; what a crash leaves of it is dropped by the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import psycopg2
import pyarrow as pa
import pyarrow.compute as pc

from loaders.copies.replicas import AWAY
from loaders.copies.tell import tell_shards
from loaders.discard import drop_dead, drop_rewritten
from loaders.fail_points import reach
from loaders.lease import this_owner
from loaders.parts.cut import Cut, Placement
from loaders.parts.degraded import Patience
from loaders.parts.load import BATCH_PARTS, BATCH_ROWS, CutPart, Loading, load_parts
from loaders.parts.publish import Loaded, publish
from loaders.readers.rows import ascending
from loaders.staging.known import PublishedRows, read_index, read_rows
from loaders.staging.resolve import PlacedRun
from loaders.staging.target import open_target
from procedures.manifests import allocate_parts
from procedures.pools import Pools
from procedures.repairs import queue_repairs
from procedures.rewrites import (
    abort_rewrite,
    begin_rewrite,
    end_rewrite,
    mark_retracted,
    renew_rewrite,
)
from schema.catalog import INGEST, Catalog, Role, Table
from schema.checksum import combine
from schema.errors import StoreError, Unavailable
from schema.healpix import Pixel
from schema.manifest import IngestId, Manifest, Part, PartId, PartKind
from schema.partition import Tiling
from schema.topology import ShardId, Topology

_log = logging.getLogger(__name__)


class RewriteMismatch(StoreError):
    """Rows that only change their place came out otherwise than they went in."""

    code = "REWRITE_MISMATCH"

    def __init__(self, table: str, parts: Sequence[Part]) -> None:
        named = ", ".join(str(part.part_id) for part in parts)
        super().__init__(
            f"parts {named} of {table} read back otherwise than they were written: nothing was"
            " changed; see `skyshard verify`"
        )


class RewriteLost(Unavailable):
    """A rewrite took so long to say that it is alive that it was taken for dead."""

    code = "REWRITE_LOST"

    def __init__(self, ingest_id: IngestId) -> None:
        super().__init__(
            f"rewrite {ingest_id} was taken for dead meanwhile, and nothing was changed"
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Parts of one table in one place, whose rows become one part there (none, if none is left)."""

    table: Table
    kind: PartKind
    pixel: Pixel | None
    bucket: int | None
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        return sum(part.rows + part.overlap_rows for part in self.parts)


@dataclass(frozen=True, slots=True)
class Base:
    """A catalog as a rewrite found it."""

    pools: Pools
    topology: Topology
    catalog: Catalog
    manifest: Manifest
    placement: Placement

    def shards_of(self, group: Group | Part) -> tuple[ShardId, ...]:
        """Where a group's new part goes."""
        match group.kind:
            case PartKind.WHOLE:
                return tuple(shard.shard_id for shard in self.topology.shards)
            case PartKind.INDEX:
                assert group.bucket is not None
                return self.placement.bucket(group.bucket)
            case PartKind.ROWS:
                assert group.pixel is not None
                return self.placement.chunk(group.pixel)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What is to be done: parts to write anew and parts to leave out, under what name.

    `without` is the ingest whose rows are left out.
    """

    kind: str
    groups: tuple[Group, ...]
    gone: tuple[PartId, ...] = ()
    without: IngestId | None = None


@dataclass(frozen=True, slots=True)
class RewriteReport:
    """What a rewrite did."""

    snapshot: int
    parts_before: int
    parts_after: int
    rows: int


def open_base(pools: Pools, catalog_name: str, topology: Topology) -> Base:
    """A catalog's newest snapshot and where its parts go."""
    target = open_target(pools, catalog_name, (), topology)
    chunks = target.manifest.chunks
    placement = Placement(
        target.catalog,
        target.family,
        Tiling(chunks) if chunks else None,
        topology.shards,
        target.replicas,
    )
    return Base(pools, topology, target.catalog, target.manifest, placement)


def rewrite(
    base: Base, wanted: Rewrite, *, workers: int = 2, patience: Patience | None = None
) -> RewriteReport:
    """Write the groups' parts anew and publish; the new snapshot.

    Where a shard is away that is to have a new part, it is refused, or what `patience` says: copies that
    are left out are queued. Raises PublishConflict where somebody replaced one of the parts meanwhile,
    RewriteMismatch, Unavailable; then nothing has changed.
    """
    drop_dead(base.pools, base.topology)
    ingest_id, ids = _begin(base, wanted)
    reach("rewrite.begun")
    try:
        loading = _loading(base, ingest_id, patience or Patience())
        parts = _written(base, wanted, loading, ids, workers=workers)
        reach("rewrite.written")
        snapshot = _publish(base, wanted, ingest_id, parts)
    except BaseException as error:
        _give_up(base, ingest_id, str(error) or type(error).__name__)
        raise
    with suppress(*AWAY):  # the czar's loop tells them later
        tell_shards(base.pools, base.topology)
    before = sum(len(group.parts) for group in wanted.groups) + len(wanted.gone)
    rows = sum(part.rows for part in parts if part.kind is not PartKind.INDEX)
    return RewriteReport(snapshot, before, len(parts), rows)


def _begin(base: Base, wanted: Rewrite) -> tuple[IngestId, list[PartId]]:
    facts: dict[str, object] = {"parts": sum(len(group.parts) for group in wanted.groups)}
    if wanted.without is not None:
        facts["retracted"] = wanted.without
    with base.pools.coordinator() as connection:
        name = base.catalog.name
        ingest_id = begin_rewrite(connection, name, wanted.kind, facts, owner=this_owner())
        ids = allocate_parts(connection, len(wanted.groups))
        connection.commit()
    return ingest_id, ids


def _publish(base: Base, wanted: Rewrite, ingest_id: IngestId, parts: Sequence[Part]) -> int:
    """The one transaction that puts the new parts in the old ones' place."""
    retired = [part.part_id for group in wanted.groups for part in group.parts]
    loaded = Loaded(
        ingest_id=ingest_id,
        base=base.manifest,
        parts=tuple(parts),
        chunks=(),
        index={},
        retired=(*retired, *wanted.gone),
        is_again=True,
    )
    with base.pools.coordinator() as connection:
        snapshot = publish(connection, base.pools, loaded)
        if not renew_rewrite(connection, ingest_id):
            raise RewriteLost(ingest_id)
        if wanted.without is not None:
            mark_retracted(connection, wanted.without)
        queue_repairs(connection, _left_out(base, parts))
        end_rewrite(connection, ingest_id, sum(part.rows for part in parts))
        reach("rewrite.before")
        connection.commit()
    reach("rewrite.after")
    return snapshot


def _left_out(base: Base, parts: Iterable[Part]) -> list[tuple[PartId, ShardId, str]]:
    """The copies that were not made, for the queue."""
    told = "the shard was away when it was rewritten"
    return [
        (part.part_id, shard_id, told)
        for part in parts
        for shard_id in base.shards_of(part)
        if shard_id not in [replica.shard_id for replica in part.replicas]
    ]


def _give_up(base: Base, ingest_id: IngestId, reason: str) -> None:
    """Close a failed rewrite and drop its parts, as far as the servers answer; unless it is published."""
    try:
        with base.pools.coordinator() as connection:
            is_aborted = abort_rewrite(connection, ingest_id, reason)
            connection.commit()
    except (Unavailable, psycopg2.Error) as error:
        _log.warning("rewrite not closed", extra={"ingest": ingest_id, "reason": str(error)})
        return
    if is_aborted:
        drop_rewritten(base.pools, base.topology, ingest_id)


# ------------------------------------------------------------------ the parts


def _loading(base: Base, ingest_id: IngestId, patience: Patience) -> Loading:
    pools, topology = base.pools, base.topology
    return Loading(base.catalog, ingest_id, pools, topology, verify=False, patience=patience)


def _written(
    base: Base, wanted: Rewrite, loading: Loading, ids: Sequence[PartId], *, workers: int
) -> list[Part]:
    """The new parts, on all their shards; batch by batch, so that memory holds few of them."""
    ingest_id = loading.ingest_id

    def write(batch: Sequence[tuple[Group, PartId]]) -> list[Part]:
        with base.pools.coordinator() as connection:
            if not renew_rewrite(connection, ingest_id):
                raise RewriteLost(ingest_id)
            connection.commit()
        cuts: list[CutPart] = []
        for group, part_id in batch:
            cut = _cut(base, group, wanted.without)
            if cut.rows or cut.overlap_rows:
                cuts.append((cut, part_id))
        written = load_parts(loading, cuts) if cuts else []
        if wanted.without is None:
            _check(batch, {part.part_id: part for part in written})
        return written

    batches = _batches(base, list(zip(wanted.groups, ids, strict=True)))
    with ThreadPoolExecutor(workers, thread_name_prefix="rewrite") as threads:
        futures = [threads.submit(write, batch) for batch in batches]
        try:
            return [part for future in futures for part in future.result()]
        finally:
            for future in futures:
                future.cancel()


def _batches(
    base: Base, groups: Iterable[tuple[Group, PartId]]
) -> list[list[tuple[Group, PartId]]]:
    """Small groups for the same shards together."""
    batches: list[list[tuple[Group, PartId]]] = []
    filling: dict[tuple[ShardId, ...], tuple[list[tuple[Group, PartId]], int]] = {}
    for group, part_id in groups:
        shards = base.shards_of(group)
        batch, rows = filling.get(shards, ([], 0))
        if not batch:
            batches.append(batch)
        batch.append((group, part_id))
        rows += group.rows
        is_full = rows >= BATCH_ROWS or len(batch) >= BATCH_PARTS
        filling[shards] = ([], 0) if is_full else (batch, rows)
    return batches


def _check(batch: Sequence[tuple[Group, PartId]], written: dict[PartId, Part]) -> None:
    """Compare checksums of what was written with those of what was read, where rows stay as they were."""
    for group, part_id in batch:
        new = written.get(part_id)
        rows = (0, 0) if new is None else (new.rows, new.overlap_rows)
        before = sum(part.rows for part in group.parts)
        if group.kind is PartKind.INDEX and rows[0] < before:
            continue  # newer entries took the place of older ones
        checked = combine(part.checksum for part in group.parts)
        is_same = all(part.schema_version == group.table.version for part in group.parts)
        is_equal = new is None or not is_same or new.checksum == checked
        beside = sum(part.overlap_rows for part in group.parts)
        if rows != (before, beside) or not is_equal:
            raise RewriteMismatch(group.table.name, group.parts)


def _cut(base: Base, group: Group, without: IngestId | None) -> Cut:
    """The rows of a group's new part."""
    ingests = {one for part in group.parts for one in part.ingests}
    merged = tuple(sorted(one for one in ingests if one != without))
    shards = base.shards_of(group)
    if group.kind is PartKind.INDEX:
        index = read_index(base.pools, group.parts)
        return Cut(
            group.table, group.kind, None, group.bucket, shards, index=(index,), merged=merged
        )
    known = PublishedRows(base.pools, base.catalog, base.manifest)
    own = [read_rows(known, part, group.table, part.own_name) for part in group.parts]
    beside: list[pa.Table] = []
    if group.table.role is Role.DIRECTOR:
        holding = [part for part in group.parts if part.overlap_rows]
        beside = [read_rows(known, part, group.table, part.overlap_name) for part in holding]
    apart = max((part.separation_arcsec for part in group.parts), default=0.0)
    return Cut(
        group.table,
        group.kind,
        group.pixel,
        None,
        shards,
        _run(own, group.table, without),
        _run(beside, group.table, without),
        separation_arcsec=apart if group.table.role is Role.MATCH else 0.0,
        merged=merged,
    )


def _run(
    pieces: Sequence[pa.Table], table: Table, without: IngestId | None
) -> tuple[PlacedRun, ...]:
    """Rows in their order, without an ingest's."""
    if not pieces:
        return ()
    rows = pa.concat_tables(pieces)
    if without is not None:
        rows = rows.filter(pc.not_equal(rows.column(INGEST), without))
    column = table.sort_column()
    if column is None:
        zeros = np.zeros(rows.num_rows, np.int64)
        return (PlacedRun(rows, np.arange(rows.num_rows), zeros),)
    pixels = np.asarray(rows.column(column), dtype=np.int64)
    order = ascending(pixels)
    return (PlacedRun(rows, order, pixels[order]),)
