"""Parts written: sets of parts for the same shards, each set in one transaction a replica.

Twins come from the same rows. Several sets are on their way at a time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import psycopg2
import pyarrow as pa
import pyarrow.compute as pc

from loaders.fail_points import reach
from loaders.parts.cut import Cut, gather, index_rows
from loaders.parts.degraded import Patience
from loaders.parts.encode import CopyStream
from loaders.parts.twin import write_twins
from loaders.staging.resolve import CENTRE_ARCSEC
from procedures.catalogs import drop_parts
from procedures.parts import PartCopy, part_columns, read_part, write_parts
from procedures.pools import Pools, ServerUnavailable
from schema.catalog import DIRECTOR_29, HEALPIX_29, INGEST, Catalog, Role, Table
from schema.checksum import checksum, combine
from schema.errors import InputError, StoreError, Unavailable
from schema.healpix import centers, separation_arcsec
from schema.manifest import IngestId, Part, PartId, PartKind, Replica
from schema.statistics import describe
from schema.topology import ShardId, Topology

BATCH_ROWS = 50_000
"""Rows that one transaction takes together where parts are smaller."""
BATCH_PARTS = 200
"""Parts that one transaction creates at most: a server's lock table holds so many tables, not more."""
CutPart = tuple[Cut, PartId]
_BAD_ROWS = (psycopg2.IntegrityError, psycopg2.DataError)


class RowsRefused(InputError):
    """The database refused rows: a check or a unique key of the model is violated."""

    code = "ROWS_REFUSED"

    def __init__(self, table: str, reason: str) -> None:
        super().__init__(f"rows of {table} are refused: {reason.strip()}")
        self.table = table


class NoCopyWritten(Unavailable):
    """None of the shards that should hold a part answers; with one of them the ingest could go on."""

    code = "NO_COPY_WRITTEN"

    def __init__(self, shards: Sequence[ShardId]) -> None:
        named = ", ".join(map(str, shards))
        super().__init__(f"parts are to lie on shards {named}, and none of these answers")


class ChecksumMismatch(StoreError):
    """A shard gives back other rows than it was sent."""

    code = "CHECKSUM_MISMATCH"

    def __init__(self, part_id: PartId, shard_id: ShardId) -> None:
        super().__init__(f"part {part_id} on shard {shard_id} reads back otherwise than written")
        self.part_id, self.shard_id = part_id, shard_id


def _nothing(_: Sequence[Part]) -> None:
    """Nobody is told of loaded parts."""


@dataclass(frozen=True, slots=True)
class Loading:
    """What loading each part of one ingest needs. `verify`: read every replica back."""

    catalog: Catalog
    ingest_id: IngestId
    pools: Pools
    topology: Topology
    verify: bool
    held: Mapping[ShardId, Mapping[PartId, Part]] = field(default_factory=dict)
    """What shards have already of an attempt that was cut off: not copied again where it is the same."""
    after: Callable[[Sequence[Part]], None] = _nothing
    """Told of each batch when it is on all its shards; what it raises ends the load."""
    patience: Patience = field(default_factory=Patience)


def load(
    loading: Loading,
    cuts: Sequence[Cut],
    ids: Sequence[PartId],
    *,
    workers: int,
    loaded: Callable[[Part], None],
) -> list[Part]:
    """Load all parts, `workers` batches at a time; the first failure ends it. `loaded` is told of each."""
    batches = batches_of(list(zip(cuts, ids, strict=True)))
    with ThreadPoolExecutor(workers, thread_name_prefix="load") as threads:
        futures = [threads.submit(load_parts, loading, batch) for batch in batches]
        try:
            found = _results(futures, loaded)
        finally:
            for future in futures:
                future.cancel()
    return [found[part_id] for part_id in ids]


def batches_of(parts: Sequence[CutPart]) -> list[list[CutPart]]:
    """Parts for the same shards together, BATCH_ROWS (or one part) a batch, in their order."""
    batches: list[list[CutPart]] = []
    filling: dict[tuple[ShardId, ...], tuple[list[CutPart], int]] = {}
    for cut, part_id in parts:
        batch, rows = filling.get(cut.shards, ([], 0))
        if not batch:
            batches.append(batch)
        batch.append((cut, part_id))
        rows += cut.rows + cut.overlap_rows
        is_full = rows >= BATCH_ROWS or len(batch) >= BATCH_PARTS
        filling[cut.shards] = ([], 0) if is_full else (batch, rows)
    return batches


def _results(
    futures: Sequence[Future[list[Part]]], loaded: Callable[[Part], None]
) -> dict[PartId, Part]:
    """The parts by id; raises what the first failure raised."""
    for future in futures:
        future.add_done_callback(lambda done: _tell(done, loaded))
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()
    return {part.part_id: part for future in futures for part in future.result()}


def _tell(done: Future[list[Part]], loaded: Callable[[Part], None]) -> None:
    if not done.cancelled() and done.exception() is None:
        for part in done.result():
            loaded(part)


def load_parts(loading: Loading, batch: Sequence[CutPart]) -> list[Part]:
    """Write some parts, all for the same shards, with twins."""
    made = [_made(cut, part_id, loading.ingest_id) for cut, part_id in batch]
    replicas: dict[PartId, list[Replica]] = {one.part.part_id: [] for one in made}
    sizes: list[int] = []
    for shard_id in batch[0][0].shards:
        write = partial(_write_replicas, loading, made, shard_id)
        written = loading.patience.write(shard_id, write)
        if written is None:
            continue
        sizes = written
        with_twin = _write_twins(loading, made, shard_id)
        for one in made:
            part_id = one.part.part_id
            replicas[part_id].append(Replica(shard_id, part_id in with_twin))
        reach("load.twinned")
    if not sizes:
        raise NoCopyWritten(batch[0][0].shards)
    if not loading.verify and len(replicas[made[0].part.part_id]) < len(batch[0][0].shards):
        for one in made:
            for replica in replicas[one.part.part_id]:
                _verify(loading, one.part, one.table, tuple(one.rows), replica.shard_id)
    parts = [
        dataclasses.replace(one.part, size_bytes=size, replicas=tuple(replicas[one.part.part_id]))
        for one, size in zip(made, sizes, strict=True)
    ]
    loading.after(parts)
    return parts


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A part's description and the rows of its tables, by their names."""

    part: Part
    table: Table
    rows: dict[str, pa.Table]


def _made(cut: Cut, part_id: PartId, ingest_id: IngestId) -> _Made:
    rows = _tables(cut, part_id, ingest_id)
    return _Made(_describe(cut, part_id, ingest_id, rows), cut.table, rows)


def _tables(cut: Cut, part_id: PartId, ingest_id: IngestId) -> dict[str, pa.Table]:
    """The rows of each of a part's tables, by its name."""
    if cut.kind is PartKind.INDEX:
        return {f"p{part_id}": index_rows(cut.index)}
    tables = {f"p{part_id}": gather(cut.own, cut.table, ingest_id)}
    if cut.table.role is Role.DIRECTOR:
        tables[f"o{part_id}"] = gather(cut.overlap, cut.table, ingest_id)
    return tables


def _describe(cut: Cut, part_id: PartId, ingest_id: IngestId, tables: dict[str, pa.Table]) -> Part:
    """What the manifest will say of a part; size and replicas are not known yet."""
    own = tables[f"p{part_id}"]
    low, high = (None, None) if cut.kind is PartKind.INDEX else _bounds(own)
    return Part(
        part_id=part_id,
        table=cut.table.name,
        kind=cut.kind,
        pixel=cut.pixel,
        bucket=cut.bucket,
        ingest_id=ingest_id,
        rows=cut.rows,
        overlap_rows=cut.overlap_rows,
        checksum=rows_checksum(tables),
        separation_arcsec=cut.separation_arcsec or _separation(own, cut.table),
        low_29=low,
        high_29=high,
        statistics="" if cut.kind is PartKind.INDEX else describe(own, cut.table),
        schema_version=cut.table.version,
        merged=cut.merged or _merged(cut, own),
    )


def _merged(cut: Cut, own: pa.Table) -> tuple[IngestId, ...]:
    """The ingests of a part's rows, where some of them were published before."""
    if not any(INGEST in piece.rows.schema.names for piece in cut.own):
        return ()
    return tuple(sorted(IngestId(one) for one in pc.unique(own.column(INGEST)).to_pylist()))


def rows_checksum(tables: dict[str, pa.Table]) -> int:
    """The checksum of a part's own and overlap rows."""
    return combine(
        checksum(rows, [name for name in rows.schema.names if name != INGEST])
        for rows in tables.values()
    )


def _bounds(rows: pa.Table) -> tuple[int | None, int | None]:
    """The least and the greatest own pixel."""
    if HEALPIX_29 not in rows.schema.names:
        return None, None
    bounds = pc.min_max(rows.column(HEALPIX_29))
    return bounds["min"].as_py(), bounds["max"].as_py()


def _separation(rows: pa.Table, table: Table) -> float:
    """The largest distance of a child's row from its director, arcsec, rounded up."""
    if DIRECTOR_29 not in rows.schema.names or table.ra is None or table.dec is None:
        return 0.0
    moved = pc.not_equal(rows.column(DIRECTOR_29), rows.column(HEALPIX_29))
    apart = rows.select([table.ra, table.dec, DIRECTOR_29]).filter(moved)
    if not apart.num_rows:
        return 0.0
    ra, dec = (np.asarray(apart.column(name).cast(pa.float64())) for name in (table.ra, table.dec))
    director_ra, director_dec = centers(29, np.asarray(apart.column(DIRECTOR_29)))
    return float(separation_arcsec(ra, dec, director_ra, director_dec).max()) + CENTRE_ARCSEC


def _write_replicas(
    loading: Loading, made: Sequence[_Made], shard_id: ShardId, again: bool = False
) -> list[int]:
    """Write parts to one shard, but those it has; the size of each part's tables, bytes.

    An attempt whose answer was lost may have been done: `again` begins with dropping what it wrote.
    """
    held = loading.held.get(shard_id, {})
    sizes = {
        one.part.part_id: held[one.part.part_id].size_bytes for one in made if _is_held(one, held)
    }
    fresh = [one for one in made if one.part.part_id not in sizes]
    copies = [
        PartCopy(one.part, one.table, {name: CopyStream(rows) for name, rows in one.rows.items()})
        for one in fresh
    ]
    with loading.pools.shard(shard_id) as connection:
        try:
            stale = [one.part.part_id for one in fresh if again or one.part.part_id in held]
            drop_parts(connection, stale)
            written = write_parts(connection, loading.catalog.name, copies) if copies else []
        except _BAD_ROWS as error:
            connection.rollback()
            raise RowsRefused(_refused(error, made), str(error)) from error
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            reason = str(error).strip() or type(error).__name__
            raise ServerUnavailable(f"shard {shard_id}", reason) from error
    reach("load.copied")
    sizes.update({one.part.part_id: size for one, size in zip(fresh, written, strict=True)})
    if loading.verify:
        for one in made:
            _verify(loading, one.part, one.table, tuple(one.rows), shard_id)
    return [sizes[one.part.part_id] for one in made]


def _is_held(one: _Made, held: Mapping[PartId, Part]) -> bool:
    """Whether a shard's books say of a part what is to be written."""
    found = held.get(one.part.part_id)
    return found is not None and (found.rows, found.overlap_rows, found.checksum) == (
        one.part.rows,
        one.part.overlap_rows,
        one.part.checksum,
    )


def _refused(error: psycopg2.Error, made: Sequence[_Made]) -> str:
    """The table whose rows are refused; all that were written together where nothing tells it."""
    tables = {name: one.table.name for one in made for name in one.rows}
    named = tables.get(error.diag.table_name or "")
    return named or ", ".join(dict.fromkeys(tables.values()))


def _verify(
    loading: Loading, part: Part, table: Table, names: Sequence[str], shard_id: ShardId
) -> None:
    """Read a replica back and compare its checksum."""
    columns = part_columns(part, table)
    with loading.pools.arrow(shard_id) as connection:
        found = {name: read_part(connection, name, columns) for name in names}
    if rows_checksum(found) != part.checksum:
        raise ChecksumMismatch(part.part_id, shard_id)


def _write_twins(loading: Loading, made: Sequence[_Made], shard_id: ShardId) -> set[PartId]:
    """Write the twins beside one shard, where it has a folder for them; the parts that have one."""
    folder: Path | None = loading.topology.shard(shard_id).twins
    if folder is None:
        return set()
    having = [one for one in made if one.part.kind is not PartKind.INDEX]
    write_twins(folder, {name: rows for one in having for name, rows in one.rows.items()})
    return {one.part.part_id for one in having}
