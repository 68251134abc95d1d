"""Placed rows cut into parts: which rows of which runs make each (table, chunk). Pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from loaders.readers.rows import ascending, reordered
from loaders.readers.source import I64
from loaders.staging.convert import arrow_type
from loaders.staging.keys import KeyIndex
from loaders.staging.resolve import PlacedRun, Resolved
from loaders.staging.stage import Staged, count_directors
from procedures.director_index import KeyMap
from schema.catalog import DIRECTOR_29, HEALPIX_29, INGEST, Catalog, Role, Table
from schema.ddl import INDEX_KEY
from schema.healpix import Pixel
from schema.manifest import INDEX_BUCKETS, IngestId, PartKind
from schema.partition import Tiling, tile_sky
from schema.placement import Family, place, place_bucket
from schema.topology import Shard, ShardId

LEAST_SPLIT_ROWS = 131_072
SPLIT_SHARE = 32
"""A chunk is split where it has more than this part of a first ingest's director rows, and the least.

Half as many rows lie in the mean chunk: max(64k, total / 64).
"""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A part to be: its place, and its rows as pieces of runs. `index` only of INDEX parts."""

    table: Table
    kind: PartKind
    pixel: Pixel | None
    bucket: int | None
    shards: tuple[ShardId, ...]
    own: tuple[PlacedRun, ...] = ()
    overlap: tuple[PlacedRun, ...] = ()
    index: tuple[KeyMap, ...] = ()
    separation_arcsec: float = 0.0
    """Of a match table; a child's is measured from its rows."""
    merged: tuple[IngestId, ...] = ()
    """Of a part that takes the place of others: the ingests whose rows they may hold."""

    @property
    def rows(self) -> int:
        return sum(map(len, self.index)) + sum(len(piece.order) for piece in self.own)

    @property
    def overlap_rows(self) -> int:
        return sum(len(piece.order) for piece in self.overlap)


def choose_chunks(
    catalog: Catalog, staged: Sequence[Staged], *, coarsest: int
) -> tuple[Pixel, ...]:
    """The tiling for a first ingest, from where its directors' rows lie; none of lower order.

    Empty where nothing is partitioned.
    """
    density = count_directors(staged)
    if density is None:
        return ()
    most = catalog.chunk_rows or max(LEAST_SPLIT_ROWS, int(density[1].sum()) // SPLIT_SHARE)
    return tile_sky(density, most, coarsest=coarsest, margin_arcsec=catalog.margin_arcsec)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a catalog's parts go."""

    catalog: Catalog
    family: Family
    tiling: Tiling | None
    shards: tuple[Shard, ...]
    replicas: int

    def chunk(self, pixel: Pixel) -> tuple[ShardId, ...]:
        return place(pixel, family=self.family, shards=self.shards, replicas=self.replicas)

    def bucket(self, bucket: int) -> tuple[ShardId, ...]:
        shards, replicas = self.shards, self.replicas
        return place_bucket(bucket, family=self.family, shards=shards, replicas=replicas)


def cut_parts(resolved: Resolved, placement: Placement) -> list[Cut]:
    """All parts of an ingest, the largest first, so that none is left alone at the end."""
    cuts: list[Cut] = []
    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="cut") as threads:
        for name, runs in resolved.runs.items():
            table = _table(placement, name)
            if not table.is_partitioned:
                cuts += _whole(table, runs, placement)
            elif any(len(run.order) for run in runs):
                edges = list(threads.map(partial(_edge, table, placement), runs))
                apart = resolved.separations.get(name, 0.0)
                cuts += _chunks(table, runs, edges, placement, separation_arcsec=apart)
    for name, entries in resolved.index.items():
        cuts += _buckets(_table(placement, name), entries, placement)
    return sorted(cuts, key=lambda cut: -cut.rows)


def _table(placement: Placement, name: str) -> Table:
    table = placement.catalog.table(name)
    assert table is not None, f"{name} vanished"
    return table


def _whole(table: Table, runs: Sequence[PlacedRun], placement: Placement) -> Iterator[Cut]:
    """A replicated table, on every shard."""
    if any(len(run.order) for run in runs):
        shards = tuple(shard.shard_id for shard in placement.shards)
        yield Cut(table, PartKind.WHOLE, None, None, shards, tuple(runs))


def _chunks(
    table: Table,
    runs: Sequence[PlacedRun],
    edges: Sequence[dict[int, PlacedRun]],
    placement: Placement,
    *,
    separation_arcsec: float,
) -> Iterator[Cut]:
    """A partitioned table, chunk by chunk; empty ones are left out. `edges`: each run's overlap."""
    tiling = placement.tiling
    assert tiling is not None, "rows of a partitioned table without a tiling"
    starts = np.array([tiling.edges(run.pixels) for run in runs])
    filled = np.flatnonzero((starts[:, 1:] > starts[:, :-1]).any(axis=0)).tolist()
    for number in sorted({*filled, *(n for edge in edges for n in edge)}):
        pixel = tiling.chunks[number]
        own = tuple(
            run.chosen(slice(start, end))
            for run, start, end in zip(runs, starts[:, number], starts[:, number + 1], strict=True)
            if start < end
        )
        yield Cut(
            table,
            PartKind.ROWS,
            pixel,
            None,
            placement.chunk(pixel),
            own,
            tuple(edge[number] for edge in edges if number in edge),
            separation_arcsec=separation_arcsec,
        )


def _edge(table: Table, placement: Placement, run: PlacedRun) -> dict[int, PlacedRun]:
    """A director run's rows that lie within the margin of chunks that are not theirs, by chunk."""
    if table.role is not Role.DIRECTOR or placement.tiling is None:
        return {}
    margin = placement.catalog.margin_arcsec
    edge = run.chosen(placement.tiling.near_borders(run.pixels, margin))
    ra, dec = (
        np.asarray(run.rows.column(name).take(pa.array(edge.order)).cast(pa.float64()))
        for name in (table.ra, table.dec)
    )
    rows, chunks = placement.tiling.overlaps(ra, dec, edge.pixels, margin)
    return {number: edge.chosen(rows[chunks == number]) for number in np.unique(chunks).tolist()}


def _buckets(table: Table, entries: KeyIndex, placement: Placement) -> Iterator[Cut]:
    """The new entries of a director index, bucket by bucket."""
    for bucket in range(INDEX_BUCKETS):
        if index := entries.bucket(bucket):
            shards = placement.bucket(bucket)
            yield Cut(table, PartKind.INDEX, None, bucket, shards, index=index)


def gather(pieces: Iterable[PlacedRun], table: Table, ingest_id: IngestId) -> pa.Table:
    """The rows of a part in its stored columns and order."""
    names = [column.name for column in table.stored_columns()]
    taken, pixels = [], []
    for piece in pieces:
        rows = _taken(piece)
        if DIRECTOR_29 in names:
            rows = _with(rows, DIRECTOR_29, piece.pixels)
        if INGEST not in rows.schema.names:
            rows = _with(rows, INGEST, np.full(rows.num_rows, ingest_id, np.int64))
        taken.append(rows.select(names))
        pixels.append(piece.pixels)
    if not taken:
        return empty(table)
    rows = pa.concat_tables(taken)
    if len(taken) > 1 and table.is_partitioned:
        rows = reordered(rows, ascending(np.concatenate(pixels)))
    return rows


def _taken(piece: PlacedRun) -> pa.Table:
    """A piece's rows; a slice of the run where they follow each other, as directors' do."""
    rows, order = piece.rows, piece.order
    if len(order) and order[-1] - order[0] == len(order) - 1 and np.all(np.diff(order) == 1):
        return rows.slice(int(order[0]), len(order))
    return reordered(rows, order)


def _with(rows: pa.Table, name: str, values: I64) -> pa.Table:
    """Rows with a hidden column set, in place of the one they may have."""
    place = rows.schema.get_field_index(name)
    column = pa.array(values)
    if place < 0:
        return rows.append_column(name, column)
    return rows.set_column(place, name, column)


def empty(table: Table) -> pa.Table:
    """No rows, in a part's stored columns."""
    fields = [(column.name, arrow_type(column)) for column in table.stored_columns()]
    return pa.schema(fields).empty_table()


def index_rows(index: Sequence[KeyMap]) -> pa.Table:
    """An index part's rows, those of each map ascending by key."""
    keys = pa.chunked_array([one.keys for one in index], pa.int64())
    pixels = pa.chunked_array([one.pixels for one in index], pa.int64())
    return pa.table({INDEX_KEY: keys, HEALPIX_29: pixels})
