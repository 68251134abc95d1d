"""Parts written: sets of parts for the same shards, each set in one transaction a replica.

Twins come from the same rows. Several sets are on their way at a time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg2
import pyarrow as pa
import pyarrow.compute as pc

from loaders.fail_points import reach
from loaders.lease import check_owner
from loaders.parts.cut import Cut, gather, index_rows
from loaders.parts.degraded import Patience
from loaders.parts.encode import CopyStream, encoded
from loaders.parts.room import Room, needed
from loaders.parts.twin import drop_twins, twin_path, write_twins
from loaders.staging.resolve import CENTRE_ARCSEC
from loaders.tasks import SpoolUnseen, outcome, settled
from procedures.catalogs import drop_parts
from procedures.ingest_plans import parts_on_shard
from procedures.parts import PartCopy, part_columns, read_part, write_parts
from procedures.pools import Pools, ServerUnavailable
from procedures.writers import writing
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


@dataclass(frozen=True, slots=True)
class Loading:
    """What loading each part of one ingest needs, in any process. `verify`: read every replica back."""

    catalog: Catalog
    ingest_id: IngestId
    pools: Pools
    topology: Topology
    verify: bool
    owner: str | None = None
    """Whose the ingest's lease must be while a shard is written to; None where there is no lease."""
    patience: Patience = field(default_factory=Patience)
    room: Room = field(default_factory=Room)
    """For the rows of all parts that one process works on."""


def load(
    loading: Loading,
    parts: Sequence[CutPart],
    *,
    executor: Executor,
    at_a_time: int,
    loaded: Callable[[Sequence[Part]], None],
) -> list[Part]:
    """Load all parts, so many batches in flight; the first failure ends it.

    `loaded` is told of each batch when it is on all its shards; what it raises ends the load, too.
    """
    found: dict[PartId, Part] = {}
    work = partial(load_parts, loading)
    with closing(settled(executor, work, batches_of(parts), at_a_time=at_a_time)) as done:
        for _, future in done:
            batch = outcome(future)
            loaded(batch)
            found.update({part.part_id: part for part in batch})
    return [found[part_id] for _, part_id in parts]


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


def see_twins(topology: Topology, parts: Sequence[Part]) -> None:
    """Raise SpoolUnseen where a twin that some process wrote is not there for this one."""
    for part in parts:
        for replica in part.replicas:
            folder = topology.shard(replica.shard_id).twins
            if replica.has_twin and folder is not None:
                path = twin_path(folder, part.own_name)
                if not path.exists():
                    raise SpoolUnseen(path)


def load_parts(loading: Loading, batch: Sequence[CutPart]) -> list[Part]:
    """Write some parts, all for the same shards, with twins; may be done twice, also at once."""
    with loading.room.taking(needed([cut for cut, _ in batch])):
        return _loaded(loading, batch)


def _loaded(loading: Loading, batch: Sequence[CutPart]) -> list[Part]:
    shards = batch[0][0].shards
    made = [_made(cut, part_id, loading.ingest_id) for cut, part_id in batch]
    written: dict[ShardId, list[int]] = {}
    for shard_id in shards:
        attempt = partial(_write_copy, loading, made, shard_id, next(iter(written), None))
        sizes = loading.patience.write(shard_id, attempt)
        if sizes is not None:
            written[shard_id] = sizes
            reach("load.twinned")
    if not written:
        raise NoCopyWritten(shards)
    if loading.verify or len(written) < len(shards):
        for shard_id in written:
            _verify(loading, made, shard_id)
    replicas = [_replicas(loading, one, written) for one in made]
    last = written[next(reversed(written))]
    return [
        dataclasses.replace(one.part, size_bytes=size, replicas=having)
        for one, size, having in zip(made, last, replicas, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A part's description and the rows of its tables, by their names; encoded for several copies."""

    part: Part
    table: Table
    rows: dict[str, pa.Table]
    encoded: dict[str, list[bytes]]

    def copy(self) -> PartCopy:
        """What a shard is sent."""
        streams = {
            name: CopyStream(self.encoded.get(name, rows)) for name, rows in self.rows.items()
        }
        return PartCopy(self.part, self.table, streams)


def _replicas(
    loading: Loading, one: _Made, written: Mapping[ShardId, object]
) -> tuple[Replica, ...]:
    """A part's copies; an index has no twins."""
    has_twins = one.part.kind is not PartKind.INDEX
    return tuple(
        Replica(shard_id, has_twins and loading.topology.shard(shard_id).twins is not None)
        for shard_id in written
    )


def _made(cut: Cut, part_id: PartId, ingest_id: IngestId) -> _Made:
    rows = _tables(cut, part_id, ingest_id)
    several = rows if len(cut.shards) > 1 else {}
    return _Made(
        _describe(cut, part_id, ingest_id, rows),
        cut.table,
        rows,
        {name: list(encoded(found)) for name, found in several.items()},
    )


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


def _write_copy(
    loading: Loading, made: Sequence[_Made], shard_id: ShardId, like: ShardId | None
) -> list[int]:
    """Write parts and twins to one shard, but those it has; the size of each part's tables, bytes.

    The twins are those of the shard that is `like` it, where one has them. An attempt whose answer was
    lost may have been done: the shard's books say so.
    """
    twins = loading.topology.shard(shard_id).twins
    made_in = None if like is None else loading.topology.shard(like).twins
    try:
        with (
            loading.pools.shard(shard_id) as connection,
            writing(connection, loading.ingest_id, made[0].part.part_id),
        ):
            if loading.owner is not None:
                check_owner(loading.pools, loading.ingest_id, loading.owner)
            sizes = _write_rows(loading, made, connection, twins)
            reach("load.copied")
            _write_twins(made, twins, made_in)
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        reason = str(error).strip() or type(error).__name__
        raise ServerUnavailable(f"shard {shard_id}", reason) from error
    return sizes


def _write_rows(
    loading: Loading, made: Sequence[_Made], connection: Any, twins: Path | None
) -> list[int]:
    """Write the parts that a shard's books do not have as they are to be; no older twin of them stays."""
    held = parts_on_shard(connection, loading.ingest_id, [one.part.part_id for one in made])
    sizes = {part_id: part.size_bytes for part_id, part in held.items()}
    fresh = [one for one in made if not _is_held(one, held)]
    drop_twins(twins, [one.part.part_id for one in fresh])
    try:
        drop_parts(connection, [one.part.part_id for one in fresh if one.part.part_id in held])
        copies = [one.copy() for one in fresh]
        written = write_parts(connection, loading.catalog.name, copies) if copies else []
    except _BAD_ROWS as error:
        raise RowsRefused(_refused(error, made), str(error)) from error
    sizes.update({one.part.part_id: size for one, size in zip(fresh, written, strict=True)})
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


def _verify(loading: Loading, made: Sequence[_Made], shard_id: ShardId) -> None:
    """Read copies back and compare their checksums."""
    for one in made:
        columns = part_columns(one.part, one.table)
        with loading.pools.arrow(shard_id) as connection:
            found = {name: read_part(connection, name, columns) for name in one.rows}
        if rows_checksum(found) != one.part.checksum:
            raise ChecksumMismatch(one.part.part_id, shard_id)


def _write_twins(made: Sequence[_Made], folder: Path | None, made_in: Path | None) -> None:
    """Write the twins beside one shard that are not there, where it has a folder for them."""
    if folder is None:
        return
    having = (one for one in made if one.part.kind is not PartKind.INDEX)
    tables = {name: rows for one in having for name, rows in one.rows.items()}
    write_twins(
        folder,
        {name: rows for name, rows in tables.items() if not twin_path(folder, name).exists()},
        made_in=made_in,
    )
