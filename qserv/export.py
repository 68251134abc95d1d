"""The path of an export: pin -> plan -> pieces -> files -> finish.

One snapshot of a catalog goes out as files, a chunk each, read through the dispatcher: from a live
replica of each chunk, from its twin where there is one. Killed at any moment, the same export goes on
with the files that are not finished (`loaders/exports/folder.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from loaders.exports.export import (
    ExportIncomplete,
    ExportProgress,
    Piece,
    record_extra,
    write_pieces,
)
from loaders.exports.folder import ExportFolder, Request, asked_before, open_folder
from loaders.exports.hats_files import Leaf, write_hats_files
from procedures.catalogs import UnknownCatalog
from procedures.identity import cluster_of
from procedures.pins import Pin
from qserv.as_of import AsOf
from qserv.bind.names import Catalogs
from qserv.dispatch.loop import dispatch
from qserv.export_condition import ExportRefused, region_of
from qserv.export_plan import Asked, PlannedPiece, plan_counts, plan_leaves, plan_pieces
from qserv.formats.registry import FORMATS
from qserv.limits import Limits
from qserv.pinned import Pinned
from qserv.planned import Plan
from qserv.result import Answer, ResultColumn
from qserv.store import Store
from qserv.stream import batches_of, result_column
from schema.catalog import Catalog, Kind, Table
from schema.names import hint
from schema.types import SPELLINGS

HATS = "hats"
EXPORT_FORMATS = (HATS, "parquet", "fits", "csv")
_SPOOL_MEMORY = 64 * 2**20
"""Of each piece at work, bytes; the rest of its rows wait on disk."""
_FETCHED_AS = "parquet"
"""The format of a HATS export's tables that have no position."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asks for. `snapshot`: its number or tag, None for the newest (or the folder's)."""

    catalog: str
    folder: Path
    format: str
    table: str | None = None
    condition: str | None = None
    snapshot: str | None = None
    workers: int = 2
    is_checked: bool = False
    """Compare files that are finished with their digests; those that differ are written anew."""


@dataclass(frozen=True, slots=True)
class TableReport:
    """What an export holds of one table."""

    table: str
    rows: int
    checksum: int
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What a finished export holds; `written`: pieces that this run wrote."""

    request: Request
    tables: tuple[TableReport, ...]
    written: int


def export(
    wish: Wish,
    store: Store,
    limits: Limits,
    progress: Callable[[ExportProgress], None] = lambda _: None,
) -> ExportReport:
    """Write a catalog, or one of its tables, into a folder; or go on with it.

    Raises ExportRefused, ExportBusy, ExportUnwritable, what a query raises.
    """
    if wish.format not in EXPORT_FORMATS:
        raise ExportRefused(f"no format {wish.format!r}{hint(wish.format, EXPORT_FORMATS)}")
    before = asked_before(wish.folder)
    pinned, pin = _pinned(store, wish, before)
    catalog = pinned.catalogs.catalogs[0]
    tables = _tables(catalog, wish)
    request = _request(store, wish, pin, tables, before)
    limits = replace(limits, timeout_s=None, max_rows=None, spool_memory_bytes=_SPOOL_MEMORY)
    now = datetime.fromisoformat(request.asked_at)
    asked = Asked(store, pinned, catalog, wish.condition, now, limits)
    opened = open_folder(wish.folder, request, is_checked=wish.is_checked)
    with _held(store, pin), opened as folder:
        if folder.is_finished:
            return _report(folder, 0)
        for table in tables:
            _check_places(asked, table, wish.format)
        pieces = [piece for table in tables for piece in _pieces(asked, table, wish.format)]
        written = write_pieces(folder, pieces, workers=wish.workers, progress=progress)
        _finish(folder, asked, tables, pieces)
        return _report(folder, written)


# ------------------------------------------------------------------ what is asked


def _pinned(store: Store, wish: Wish, before: Request | None) -> tuple[Pinned, Pin]:
    """The one catalog, at the wished snapshot; where the folder has one already, at that."""
    word = wish.snapshot
    if word is None and before is not None and before.snapshot:
        word = str(before.snapshot)
    pinned = store.pin(() if word is None else (AsOf(wish.catalog, word),))
    folded = wish.catalog.casefold()
    pin = next((pin for pin in pinned.pins if pin.name.casefold() == folded), None)
    if pin is None:
        raise UnknownCatalog(wish.catalog, [pin.name for pin in pinned.pins])
    model = next(one for one in pinned.catalogs.catalogs if one.name == pin.name)
    parts = {pin.name: pinned.parts[pin.name]}
    return Pinned((pin,), Catalogs((model,), model.name), parts), pin


@contextmanager
def _held(store: Store, pin: Pin) -> Iterator[None]:
    """While inside, the czar's lease keeps the snapshot's parts."""
    running = store.watch.begin(None)
    running.pins = {pin.catalog_id: pin.snapshot}
    try:
        yield
    finally:
        store.watch.end(running)


def _tables(catalog: Catalog, wish: Wish) -> tuple[Table, ...]:
    """The tables to write."""
    if catalog.kind is Kind.LIVE:
        raise ExportRefused(f"{catalog.name} is a live catalog: it has no snapshots to export")
    if wish.table is not None:
        found = catalog.table(wish.table)
        if found is None:
            names = [table.name for table in catalog.tables]
            raise ExportRefused(
                f"catalog {catalog.name!r} has no table {wish.table!r}{hint(wish.table, names)}"
            )
        return (found,)
    if wish.condition is not None and region_of(wish.condition) is None:
        raise ExportRefused(
            "a condition is one on the rows of a table: say CATALOG.TABLE, or give a region"
        )
    return catalog.tables


def _request(
    store: Store, wish: Wish, pin: Pin, tables: Sequence[Table], before: Request | None
) -> Request:
    """All that the files depend on."""
    with store.pools.coordinator() as connection:
        cluster = cluster_of(connection)
    return Request(
        catalog=pin.name,
        catalog_id=pin.catalog_id,
        snapshot=pin.snapshot,
        version=pin.version,
        tables=tuple(table.name for table in tables),
        condition=wish.condition,
        format=wish.format,
        cluster=cluster,
        asked_at=before.asked_at if before else datetime.now(UTC).replace(tzinfo=None).isoformat(),
    )


# ------------------------------------------------------------------ its pieces


def _is_leafy(table: Table, format_name: str) -> bool:
    """Whether a table goes out as a HATS catalog."""
    return format_name == HATS and table.is_partitioned and table.has_position


def _pieces(asked: Asked, table: Table, format_name: str) -> list[Piece]:
    if _is_leafy(table, format_name):
        return [_piece(asked, table, one, _FETCHED_AS) for one in plan_leaves(asked, table)]
    form = _FETCHED_AS if format_name == HATS else format_name
    ending = FORMATS[form].extension
    return [_piece(asked, table, one, form) for one in plan_pieces(asked, table, ending)]


def _piece(asked: Asked, table: Table, planned: PlannedPiece, form: str) -> Piece:
    """How a piece is read and written: the same bytes each time."""
    plan = planned.plan
    columns = tuple(result_column(output) for output in plan.outputs)
    snapshot = (asked.catalog.name, asked.manifest.snapshot)

    def encode(batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
        scratch = asked.store.scratch(asked.limits)
        name = f"{planned.path}@{snapshot[1]}"
        yield from FORMATS[form].write(Answer(name, columns, batches, (snapshot,), scratch=scratch))

    return Piece(
        path=planned.path,
        table=table.name,
        columns=tuple(column.name for column in table.columns),
        read=lambda: _read(asked, plan, columns),
        encode=encode,
        pixel=planned.pixel,
    )


def _read(
    asked: Asked, plan: Plan, columns: Sequence[ResultColumn]
) -> Generator[pa.RecordBatch, None, None]:
    """The rows of a plan, under the users' names."""
    schema = pa.schema([(column.name, SPELLINGS[column.type].arrow) for column in columns])
    store, limits = asked.store, asked.limits
    running = store.watch.begin(None)
    try:
        with closing(store.spool(running, limits)) as spool:
            find = store.finder(asked.pinned, running)
            rows = dispatch(plan, asked.pinned.parts, store.shards, running, spool, find=find)
            query = (store, running, limits)
            for batch in batches_of(plan, rows, asked.pinned, spool, query):
                yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
    finally:
        running.cancel()
        store.watch.end(running)


# ------------------------------------------------------------------ whole or not


def _check_places(asked: Asked, table: Table, format_name: str) -> None:
    """Refuse rows that HATS has no place for, before anything is written."""
    if _is_leafy(table, format_name):
        _, unplaced = _counts(asked, table)
        if unplaced:
            raise ExportRefused(
                f"{unplaced} of these rows of {table.name} have no position, and HATS places rows by"
                f" it; say --where '{table.ra} IS NOT NULL', or take --format parquet"
            )


def _counts(asked: Asked, table: Table) -> tuple[int, int]:
    """How many rows are asked for, and how many of them have no position."""
    plan = plan_counts(asked, table)
    columns = [result_column(output) for output in plan.outputs]
    with closing(_read(asked, plan, columns)) as batches:
        found = pa.Table.from_batches(batches).to_pylist()[0]
    return int(found["n"]), int(found["unplaced"] or 0)


def _finish(
    folder: ExportFolder, asked: Asked, tables: Sequence[Table], pieces: Sequence[Piece]
) -> None:
    """Compare the files with the snapshot, complete HATS catalogs, say that it is finished."""
    for table in tables:
        is_leafy = _is_leafy(table, folder.request.format)
        expected = None
        if folder.request.condition is None:
            expected = asked.manifest.rows_of(table.name)
        elif is_leafy:
            expected = _counts(asked, table)[0]
        found, _ = folder.total(table.name)
        if expected is not None and found != expected:
            raise ExportIncomplete(table.name, found, expected)
        leaves = [
            Leaf(piece.pixel, one.rows, one.size_bytes)
            for piece in pieces
            if piece.table == table.name and piece.pixel is not None
            if (one := folder.written[piece.path]).rows
        ]
        if is_leafy and leaves:
            name = f"{asked.catalog.name}_{table.name}"
            for path in write_hats_files(folder.path / table.name, name, table, leaves):
                record_extra(folder, path, table.name)
    folder.write_manifest(is_finished=True)


def _report(folder: ExportFolder, written: int) -> ExportReport:
    tables = []
    for table in folder.request.tables:
        rows, summed = folder.total(table)
        files = [one for one in folder.written.values() if one.table == table and one.size_bytes]
        size = sum(one.size_bytes for one in files)
        tables.append(TableReport(table, rows, summed, len(files), size))
    return ExportReport(folder.request, tuple(tables), written)
