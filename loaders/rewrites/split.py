"""Chunks that an ingest would push past four times what they aim at are split by it.

Its parts name the finer pixels; parts that are there stay valid where they are. Splitting stops where
the overlap would exceed half of a chunk's own rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from loaders.parts.cut import LEAST_SPLIT_ROWS, SPLIT_SHARE
from loaders.readers.source import I64
from loaders.staging.known import PublishedRows
from loaders.staging.stage import Staged, add_counts
from procedures.director_index import with_failover
from procedures.parts import count_pixels
from procedures.pools import Pools
from schema.catalog import Role
from schema.healpix import Pixel
from schema.manifest import Part, PartKind
from schema.partition import DENSITY_ORDER, Tiling, split_pixel
from schema.topology import ShardId

PAST = 2
"""A chunk is split above so many times the rows that a first ingest splits it above: four times the mean."""


@dataclass(frozen=True, slots=True)
class Refined:
    """A tiling for an ingest: the one there is, but for `splits`, which are in `chunks` in pieces."""

    chunks: tuple[Pixel, ...]
    splits: tuple[Pixel, ...]


def refine(known: PublishedRows, staged: Sequence[Staged]) -> Refined:
    """The catalog's tiling with those chunks split that would outgrow it."""
    catalog, chunks = known.catalog, known.manifest.chunks
    fresh = [s for s in staged if s.task.table.role is Role.DIRECTOR and s.rows]
    if not chunks or not fresh:
        return Refined(chunks, ())
    pixels, counts = add_counts(
        np.concatenate([s.pixels for s in fresh]), np.concatenate([s.counts for s in fresh])
    )
    parts = [
        part
        for table in catalog.directors()
        for part in known.manifest.parts_of(table.name, PartKind.ROWS)
    ]
    total = int(counts.sum()) + sum(part.rows for part in parts)
    most = catalog.chunk_rows or max(LEAST_SPLIT_ROWS, total // SPLIT_SHARE)
    margin = catalog.margin_arcsec
    pieces: dict[Pixel, tuple[Pixel, ...]] = {}
    for chunk, near in _grown(chunks, (pixels, counts), parts, PAST * most).items():
        density = _density(known.pools, chunk, (pixels, counts), near)
        if int(density[1].sum()) > PAST * most:
            pieces[chunk] = split_pixel(chunk, density, most, margin_arcsec=margin)
    splits = tuple(chunk for chunk, found in pieces.items() if len(found) > 1)
    finer = tuple(piece for chunk in chunks for piece in pieces.get(chunk, (chunk,)))
    return Refined(finer, splits)


def _grown(
    chunks: tuple[Pixel, ...], fresh: tuple[I64, I64], parts: Sequence[Part], most: int
) -> dict[Pixel, list[Part]]:
    """The chunks that may have more than `most` rows with the fresh ones, and the parts that meet them."""
    shift = 2 * (29 - DENSITY_ORDER)
    rows = np.zeros(len(chunks), np.int64)
    at = Tiling(chunks).chunk_of(fresh[0] << shift)
    np.add.at(rows, at, fresh[1])
    has_fresh = rows > 0
    first = np.array([chunk.first_29 for chunk in chunks], np.int64)
    near: dict[int, list[Part]] = {}
    for part in parts:
        assert part.pixel is not None, f"part {part.part_id} has no chunk"
        start = int(np.searchsorted(first, part.pixel.first_29, side="right")) - 1
        stop = int(np.searchsorted(first, part.pixel.last_29, side="right"))
        rows[start:stop] += part.rows  # of a part that is coarser: at most so many
        for number in range(start, stop):
            near.setdefault(number, []).append(part)
    return {
        chunks[number]: near.get(number, [])
        for number in np.flatnonzero(has_fresh & (rows > most)).tolist()
    }


def _density(
    pools: Pools, chunk: Pixel, fresh: tuple[I64, I64], parts: Sequence[Part]
) -> tuple[I64, I64]:
    """The rows of a chunk by pixel of DENSITY_ORDER, published and fresh."""
    found = [np.column_stack(fresh)]
    for part in parts:
        shards = [replica.shard_id for replica in part.replicas]
        counted = with_failover(shards, partial(_counted, pools, part))
        found.append(np.array(counted, np.int64).reshape(-1, 2))
    every = np.concatenate(found)
    shift = 2 * (29 - DENSITY_ORDER)
    is_inside = (every[:, 0] >= chunk.first_29 >> shift) & (every[:, 0] <= chunk.last_29 >> shift)
    return add_counts(every[is_inside, 0], every[is_inside, 1])


def _counted(pools: Pools, part: Part, shard_id: ShardId) -> list[tuple[int, int]]:
    with pools.shard(shard_id) as connection:
        return count_pixels(connection, part.own_name, DENSITY_ORDER)
