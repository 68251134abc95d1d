"""Parts written: one transaction per replica, twins from the same rows, several parts at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg2
import pyarrow as pa
import pyarrow.compute as pc

from loaders.cut import Cut, gather, index_rows
from loaders.encode import CopyStream
from loaders.twin import write_twin
from procedures.parts import part_columns, read_part, write_part
from procedures.pools import Pools
from schema.catalog import DIRECTOR_29, HEALPIX_29, INGEST, Catalog, Role, Table
from schema.checksum import checksum, combine
from schema.errors import InputError, StoreError
from schema.healpix import centers, separation_arcsec
from schema.manifest import IngestId, Part, PartId, PartKind, Replica
from schema.topology import ShardId, Topology

_CENTRE_ARCSEC = 0.001
"""A position lies within this of the centre of its order-29 pixel."""
_BAD_ROWS = (psycopg2.IntegrityError, psycopg2.DataError)


class RowsRefused(InputError):
    """The database refused rows: a check or a unique key of the model is violated."""

    code = "ROWS_REFUSED"

    def __init__(self, table: str, reason: str) -> None:
        super().__init__(f"rows of {table} are refused: {reason.strip()}")
        self.table = table


class ChecksumMismatch(StoreError):
    """A shard gives back other rows than it was sent."""

    code = "CHECKSUM_MISMATCH"

    def __init__(self, part_id: PartId, shard_id: ShardId) -> None:
        super().__init__(f"part {part_id} on shard {shard_id} reads back otherwise than written")
        self.part_id, self.shard_id = part_id, shard_id


@dataclass(frozen=True, slots=True)
class Loading:
    """What loading each part of one ingest needs. `verify`: read every replica back."""

    catalog: Catalog
    ingest_id: IngestId
    pools: Pools
    topology: Topology
    verify: bool


def load(
    loading: Loading,
    cuts: Sequence[Cut],
    ids: Sequence[PartId],
    *,
    workers: int,
    loaded: Callable[[Part], None],
) -> list[Part]:
    """Load all parts, `workers` at a time; the first failure ends it. `loaded` is told of each."""
    with ThreadPoolExecutor(workers, thread_name_prefix="load") as threads:
        futures = [
            threads.submit(load_part, loading, cut, part_id)
            for cut, part_id in zip(cuts, ids, strict=True)
        ]
        try:
            return _results(futures, loaded)
        finally:
            for future in futures:
                future.cancel()


def _results(futures: Sequence[Future[Part]], loaded: Callable[[Part], None]) -> list[Part]:
    """The parts in the order of their cuts; raises what the first failure raised."""
    for future in futures:
        future.add_done_callback(lambda done: _tell(done, loaded))
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()
    return [future.result() for future in futures]


def _tell(done: Future[Part], loaded: Callable[[Part], None]) -> None:
    if not done.cancelled() and done.exception() is None:
        loaded(done.result())


def load_part(loading: Loading, cut: Cut, part_id: PartId) -> Part:
    """Write one part to all its shards, with twins."""
    tables = _tables(cut, part_id, loading.ingest_id)
    part = _describe(cut, part_id, loading.ingest_id, tables)
    replicas = []
    size = 0
    for shard_id in cut.shards:
        size = _write_replica(loading, part, cut.table, tables, shard_id)
        has_twin = _write_twins(loading, part, tables, shard_id)
        replicas.append(Replica(shard_id, has_twin))
    return dataclasses.replace(part, size_bytes=size, replicas=tuple(replicas))


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
        separation_arcsec=_separation(own, cut.table),
        low_29=low,
        high_29=high,
    )


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
    return float(separation_arcsec(ra, dec, director_ra, director_dec).max()) + _CENTRE_ARCSEC


def _write_replica(
    loading: Loading, part: Part, table: Table, tables: dict[str, pa.Table], shard_id: ShardId
) -> int:
    """Write a part to one shard; the size of its tables, bytes."""
    streams = {name: CopyStream(rows) for name, rows in tables.items()}
    with loading.pools.shard(shard_id) as connection:
        try:
            size = write_part(connection, loading.catalog.name, part, table, streams)
        except _BAD_ROWS as error:
            connection.rollback()
            raise RowsRefused(table.name, str(error)) from error
    if loading.verify:
        _verify(loading, part, table, tuple(tables), shard_id)
    return size


def _verify(
    loading: Loading, part: Part, table: Table, names: Sequence[str], shard_id: ShardId
) -> None:
    """Read a replica back and compare its checksum."""
    columns = part_columns(part, table)
    with loading.pools.arrow(shard_id) as connection:
        found = {name: read_part(connection, name, columns) for name in names}
    if rows_checksum(found) != part.checksum:
        raise ChecksumMismatch(part.part_id, shard_id)


def _write_twins(
    loading: Loading, part: Part, tables: dict[str, pa.Table], shard_id: ShardId
) -> bool:
    """Write the twins beside one shard, where it has a folder for them."""
    folder: Path | None = loading.topology.shard(shard_id).twins
    if folder is None or part.kind is PartKind.INDEX:
        return False
    for name, rows in tables.items():
        write_twin(folder, name, rows)
    return True
