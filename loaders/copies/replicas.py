"""The primitives of replication: look at a copy of a part, copy it, rebuild its twin, drop it.

Parts are frozen, so a copy is good if it has the manifest's counts and checksum, whenever that is looked
at. Readers learn of copies by the manifest alone: it is switched after a copy is complete, and before one
is touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import adbc_driver_manager
import psycopg2
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loaders.discard import drop_copies
from loaders.fail_points import reach
from loaders.parts.encode import CopyStream
from loaders.parts.twin import twin_path, write_twins
from loaders.staging.convert import arrow_type
from procedures.catalogs import drop_parts
from procedures.copies import Published, book_part, copy_part, stored_columns
from procedures.parts import PartCopy, write_parts
from procedures.pools import Pools
from procedures.repairs import add_replica, remove_replica, set_twin, snapshots_of
from schema.catalog import INGEST, Catalog, Table
from schema.checksum import checksum, combine
from schema.ddl import part_tables, qualified, quote
from schema.errors import StoreError, Unavailable
from schema.manifest import Part, PartKind, Replica
from schema.topology import ShardId, Topology

AWAY = (Unavailable, psycopg2.OperationalError, psycopg2.InterfaceError)
"""What says that a server does not answer."""
_PAGE_FAULT = re.compile(r"invalid page|could not (read|open)|compressed|XX00[012]")


class NoGoodCopy(StoreError):
    """No copy of a part is complete and undamaged."""

    code = "NO_GOOD_COPY"

    def __init__(self, part: Part, reasons: Sequence[str]) -> None:
        told = "; ".join(reasons) or "it has none"
        super().__init__(f"part {part.part_id} of {part.table} has no good copy: {told}")
        self.part_id = part.part_id


class CopyDamaged(StoreError):
    """A copy of a part differs from what the manifest says of it."""

    code = "COPY_DAMAGED"

    def __init__(self, part: Part, shard_id: ShardId, fault: str) -> None:
        super().__init__(f"part {part.part_id} of {part.table} on shard {shard_id}: {fault}")


@dataclass(frozen=True, slots=True)
class Copies:
    """What copies of a catalog's parts are looked at and made with."""

    catalog: Catalog
    pools: Pools
    topology: Topology

    def table(self, part: Part) -> Table:
        """The model of a part's table."""
        found = self.catalog.table(part.table)
        if found is None:
            raise StoreError(
                f"{self.catalog.name} has no table {part.table} of part {part.part_id}"
            )
        return found

    def twins(self, part: Part, shard_id: ShardId) -> Path | None:
        """The folder where a shard keeps this part's twin; None where it keeps none."""
        if part.kind is PartKind.INDEX or shard_id not in self.shards:
            return None
        return self.topology.shard(shard_id).twins

    @property
    def shards(self) -> tuple[ShardId, ...]:
        return tuple(shard.shard_id for shard in self.topology.shards)


@dataclass(frozen=True, slots=True)
class Held:
    """What a copy holds. None for a count: there is no such table or file."""

    rows: int | None
    overlap_rows: int | None
    checksum: int

    def fault(self, part: Part, names: Sequence[str]) -> str | None:
        """How it differs from the part; None where it does not."""
        for name, found, expected in zip(
            names, (self.rows, self.overlap_rows), (part.rows, part.overlap_rows), strict=False
        ):
            if found is None:
                return f"{name} is missing"
            if found != expected:
                return f"{name} has {found} rows instead of {expected}"
        if self.checksum != part.checksum:
            return f"checksum {self.checksum} instead of {part.checksum}"
        return None


# ------------------------------------------------------------------ look


def copy_fault(copies: Copies, part: Part, shard_id: ShardId) -> str | None:
    """What is wrong with a copy in a shard's PostgreSQL; raises Unavailable where it is away."""
    names = part_tables(part, copies.table(part))
    sums = [_table_sum(copies.pools, shard_id, part, name) for name in names]
    return _held(sums).fault(part, names)


def twin_fault(copies: Copies, part: Part, shard_id: ShardId) -> str | None:
    """What is wrong with a copy's twin; None where nothing is, or where it should have none."""
    folder = copies.twins(part, shard_id)
    if folder is None:
        return None
    names = part_tables(part, copies.table(part))
    try:
        model = copies.table(part).at(part.schema_version)
        sums = [_file_sum(twin_path(folder, name), part, model) for name in names]
    except (OSError, pa.ArrowException) as error:
        return f"unreadable: {str(error).strip().splitlines()[0][:200]}"
    except DamagedTwin as error:
        return str(error)
    return _held(sums).fault(part, [twin_path(folder, name).name for name in names])


def _held(sums: Sequence[tuple[int, int] | None]) -> Held:
    """What a copy holds, by rows and checksum of its own table, and of that of its overlap if it has one."""
    counts = [None if found is None else found[0] for found in sums]
    total = combine(found[1] for found in sums if found is not None)
    return Held(counts[0], counts[1] if len(counts) > 1 else 0, total)


def _table_sum(pools: Pools, shard_id: ShardId, part: Part, name: str) -> tuple[int, int] | None:
    """Rows and checksum of a part table, read batch by batch; None where it is not there."""
    with pools.shard(shard_id) as connection:
        columns = stored_columns(connection, name)
    if not columns:
        return None
    listed = ", ".join(quote(column) for column in columns)
    with pools.arrow(shard_id) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(f"SELECT {listed} FROM {qualified(name)}")
            return _sum(cursor.fetch_record_batch(), part)
        except (adbc_driver_manager.Error, OSError, pa.ArrowException) as error:
            raise _translated(error, shard_id, name) from error


def _translated(error: Exception, shard_id: ShardId, name: str) -> Exception:
    """Damaged pages are the copy's fault; anything else is a server that does not answer."""
    reason = str(error).strip().splitlines()[0][:200]
    state = str(getattr(error, "sqlstate", None) or "")
    if state.startswith(("XX", "22", "58")) or _PAGE_FAULT.search(str(error)):
        return _Unreadable(f"{name} cannot be read: {reason}")
    return Unavailable(f"shard {shard_id} does not answer: {reason}")


class _Unreadable(StoreError):
    """PostgreSQL cannot read a table."""


class DamagedTwin(StoreError):
    """A twin's footer says other types or bounds of its columns, so that scans read or miss other rows."""

    code = "TWIN_DAMAGED"

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(f"{path.name}: {fault}")


def _file_sum(path: Path, part: Part, model: Table) -> tuple[int, int] | None:
    """Rows and checksum of a twin, a row group at a time; None where there is no file."""
    if not path.exists():
        return None
    rows = total = 0
    with pq.ParquetFile(path) as file:
        _check_types(path, file.schema_arrow, model)
        for number in range(file.metadata.num_row_groups):
            group = file.read_row_group(number)
            _check_bounds(path, file.metadata.row_group(number), group)
            found = _sum(group.to_batches(), part)
            rows, total = rows + found[0], combine((total, found[1]))
    return rows, total


def _check_types(path: Path, schema: pa.Schema, model: Table) -> None:
    """Raise DamagedTwin where a twin has other columns or types than its part."""
    expected = pa.schema([(column.name, arrow_type(column)) for column in model.stored_columns()])
    found = pa.schema([(field.name, _plain(field.type)) for field in schema])
    if not found.equals(pa.schema([(field.name, _plain(field.type)) for field in expected])):
        raise DamagedTwin(path, "it has other columns, or of other types")


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type without the width of its offsets."""
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_large_binary(kind):
        return pa.binary()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    return kind


def _check_bounds(path: Path, group: Any, rows: pa.Table) -> None:
    """Raise DamagedTwin where a row group's least or greatest value is not what it says."""
    for place in range(group.num_columns):
        column = group.column(place)
        stored = column.statistics
        name = column.path_in_schema
        if stored is None or name not in rows.schema.names or not stored.has_min_max:
            continue
        values = rows.column(name)
        if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
            found = pc.min_max(values)
            if (found["min"].as_py(), found["max"].as_py()) != (stored.min, stored.max):
                raise DamagedTwin(path, f"the footer's bounds of {name} are wrong")


def _sum(batches: Iterable[pa.RecordBatch], part: Part) -> tuple[int, int]:
    """Rows and checksum. Whose rows they are is no part of that: it must be the part's ingests."""
    rows = total = 0
    ingests = pa.array(part.ingests, pa.int64())
    for batch in batches:
        names = [name for name in batch.schema.names if name != INGEST]
        rows += batch.num_rows
        total = combine((total, checksum(pa.Table.from_batches([batch]), names)))
        if len(names) < batch.num_columns:
            is_ours = pc.is_in(batch.column(INGEST), value_set=ingests)
            if not pc.all(is_ours, min_count=0).as_py():
                total = combine((total, 1))
    return rows, total


# ------------------------------------------------------------------ mend


def good_copy(copies: Copies, part: Part, *, without: ShardId) -> ShardId:
    """A shard, not `without`, whose copy is looked at and found good; raises NoGoodCopy."""
    reasons = []
    away = False
    for replica in part.replicas:
        if replica.shard_id == without:
            continue
        try:
            fault = copy_fault(copies, part, replica.shard_id)
        except AWAY as error:
            fault, away = str(error).strip(), True
        except StoreError as error:
            fault = str(error)
        if fault is None:
            return replica.shard_id
        reasons.append(f"shard {replica.shard_id}: {fault}")
    if away:
        raise Unavailable(f"part {part.part_id}: no good copy answers: {'; '.join(reasons)}")
    raise NoGoodCopy(part, reasons)


def copy_replica(copies: Copies, part: Part, source: ShardId, target: ShardId) -> bool:
    """Copy a part to another shard, with a twin; in place of what it had, verified.

    The source's copy is known to be good. No manifest names the new copy yet. Gives whether it has a
    twin.
    """
    published = _published(copies, part)
    with copies.pools.shard(source) as reading, copies.pools.shard(target) as writing:
        copy_part(reading, writing, published)
    reach("copy.copied")
    return rebuild_twin(copies, part, target)


def restore_from_twin(copies: Copies, part: Part, source: ShardId, target: ShardId) -> bool:
    """As `copy_replica`, from a shard's twin, which is known to be good."""
    folder = copies.twins(part, source)
    assert folder is not None, f"part {part.part_id} has no twin on shard {source}"
    published = _published(copies, part)
    names = part_tables(part, published.table)
    rows = {name: pq.read_table(twin_path(folder, name)) for name in names}
    with copies.pools.shard(target) as connection:
        drop_parts(connection, [part.part_id])
        streams = {name: CopyStream(found) for name, found in rows.items()}
        model = published.table.at(part.schema_version)
        write_parts(connection, copies.catalog.name, [PartCopy(part, model, streams)])
    renew_books(copies, part, target)
    reach("copy.copied")
    return rebuild_twin(copies, part, target)


def renew_books(copies: Copies, part: Part, shard_id: ShardId) -> None:
    """Write a shard's record of a part anew; its copy is known to be good."""
    published = _published(copies, part)
    with copies.pools.shard(shard_id) as connection, connection.cursor() as cursor:
        book_part(cursor, published)
        connection.commit()


def _published(copies: Copies, part: Part) -> Published:
    with copies.pools.coordinator() as connection:
        snapshots = snapshots_of(connection, part.part_id)
    return Published(copies.catalog.name, part, copies.table(part), snapshots)


def rebuild_twin(copies: Copies, part: Part, shard_id: ShardId) -> bool:
    """Write a twin anew from the shard's rows, which must be those of the part; False where it has none."""
    folder = copies.twins(part, shard_id)
    if folder is None:
        return False
    table = copies.table(part)
    names = part_tables(part, table)
    rows = {name: _stored_rows(copies, table, shard_id, name) for name in names}
    sums = [_sum(found.to_batches(), part) for found in rows.values()]
    fault = _held(sums).fault(part, names)
    if fault is not None:
        raise CopyDamaged(part, shard_id, fault)
    write_twins(folder, rows)
    return True


def _stored_rows(copies: Copies, table: Table, shard_id: ShardId, name: str) -> pa.Table:
    """A part table's rows as they were stored, in the catalog's types; a scan by several processes
    would mix them."""
    types = {column.name: arrow_type(column) for column in table.stored_columns()}
    with copies.pools.shard(shard_id) as connection:
        columns = stored_columns(connection, name)
    listed = ", ".join(quote(column) for column in columns)
    with copies.pools.arrow(shard_id) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {listed} FROM {qualified(name)} ORDER BY ctid")
        rows = cursor.fetch_arrow_table()
    return rows.cast(pa.schema([(column, types[column]) for column in columns]))


def drop_replica(copies: Copies, part: Part, shard_id: ShardId) -> None:
    """Take a copy out of the manifest, then drop it. Never the last one: then nothing is done."""
    if [replica.shard_id for replica in part.replicas] == [shard_id]:
        raise NoGoodCopy(part, [f"the copy on shard {shard_id} is the last one and stays"])
    switch_off(copies, part, shard_id)
    reach("copy.hidden")
    drop_copies(copies.pools, copies.topology.shard(shard_id), [part.part_id])


# ------------------------------------------------------------------ switch


def switch_on(copies: Copies, part: Part, replica: Replica) -> None:
    """Let readers use a copy that is complete and verified."""
    with copies.pools.coordinator() as connection:
        add_replica(connection, part.part_id, replica)
        connection.commit()


def switch_off(copies: Copies, part: Part, shard_id: ShardId) -> None:
    """Let readers use the other copies."""
    with copies.pools.coordinator() as connection:
        remove_replica(connection, part.part_id, shard_id)
        connection.commit()


def switch_twin(copies: Copies, part: Part, shard_id: ShardId, *, has_twin: bool) -> None:
    """Let readers use a twin, or not."""
    with copies.pools.coordinator() as connection:
        set_twin(connection, part.part_id, shard_id, has_twin=has_twin)
        connection.commit()
