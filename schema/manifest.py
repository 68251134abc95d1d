"""What a snapshot of a catalog consists of: parts, and where their replicas lie. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

import numpy as np

from schema.cover import PixelList
from schema.healpix import I64, Pixel
from schema.statistics import ColumnStatistics, column_statistics
from schema.topology import ShardId
from schema.types import Type
from schema.units import Seen

PartId = NewType("PartId", int)
IngestId = NewType("IngestId", int)

INDEX_BUCKETS = 16
"""Buckets of a director index; a bucket is placed like a chunk."""


class PartKind(StrEnum):
    """What a part holds."""

    ROWS = "rows"
    """Rows of a partitioned table in one chunk: `p<id>`, and for directors the overlap `o<id>`."""
    WHOLE = "whole"
    """Rows of a replicated table: `p<id>` on every shard."""
    INDEX = "index"
    """One bucket of a director index: `p<id>` (key bigint, _healpix_29 bigint)."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One copy of a part on one shard."""

    shard_id: ShardId
    has_twin: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table in one chunk from one ingest; immutable.

    `pixel` is the chunk (None for WHOLE and INDEX), `bucket` an index's bucket (None otherwise).
    `low_29`..`high_29` bound `_healpix_29` of the own rows (both None where none has a position).
    `statistics` is what `schema.statistics` writes of the own rows' columns; empty: nothing is known.
    `separation_arcsec` is the largest distance of a row from its director, of a match table's that of
    the second director's rows from the chunk's (0: not measured). `checksum` is the sum
    modulo 2**64 of the row hashes of own and overlap rows.
    """

    part_id: PartId
    table: str
    kind: PartKind
    pixel: Pixel | None
    bucket: int | None
    ingest_id: IngestId
    rows: int
    overlap_rows: int = 0
    size_bytes: int = 0
    checksum: int = 0
    separation_arcsec: float = 0.0
    low_29: int | None = None
    high_29: int | None = None
    statistics: str = ""
    replicas: tuple[Replica, ...] = ()
    schema_version: int = 1
    """Of the catalog's model that it was written by; columns that came later are NULL."""
    merged: tuple[IngestId, ...] = ()
    """The ingests whose rows it holds, ascending; empty: its own's alone."""
    seen: Seen | None = None
    """Of a part of a live catalog: the units whose rows a reader sees. Its tables change, its counts are
    estimates, it has no checksum and no twin."""

    @property
    def ingests(self) -> tuple[IngestId, ...]:
        """The ingests whose rows it may hold."""
        return self.merged or (self.ingest_id,)

    @property
    def own_name(self) -> str:
        """The table of the own rows, in the shards' schema `parts`; also the twin's stem."""
        return f"p{self.part_id}"

    @property
    def overlap_name(self) -> str:
        """The table of the overlap rows (directors only)."""
        return f"o{self.part_id}"


@dataclass(frozen=True, slots=True, eq=False)
class TableRows:
    """The parts of one partitioned table as arrays, in their order: pixels and own rows."""

    first_29: I64
    last_29: I64
    rows: I64

    @classmethod
    def of(cls, parts: Sequence[Part]) -> TableRows:
        """Of parts of kind ROWS."""
        pixels = [part.pixel for part in parts if part.pixel is not None]
        assert len(pixels) == len(parts), "a part of rows has no chunk"
        return cls(
            np.array([pixel.first_29 for pixel in pixels], np.int64),
            np.array([pixel.last_29 for pixel in pixels], np.int64),
            np.array([part.rows for part in parts], np.int64),
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """One snapshot of a catalog: all its parts, the older first. Immutable, cached.

    `chunks` is the newest tiling: where an ingest puts its parts. Older parts may have pixels coarser
    than its.
    """

    catalog: str
    snapshot: int
    chunks: tuple[Pixel, ...]
    """The catalog's tiling of the whole sky, in NESTED order; empty before the first ingest."""
    parts: tuple[Part, ...]
    _by_table: dict[tuple[str, PartKind], tuple[Part, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _separations: dict[str, float] = field(default_factory=dict, repr=False, compare=False)
    _ingests: dict[str, tuple[int, int] | None] = field(
        default_factory=dict, repr=False, compare=False
    )
    _own_pixels: dict[str, PixelList] = field(default_factory=dict, repr=False, compare=False)
    _units: list[PixelList] = field(default_factory=list, repr=False, compare=False)
    _rows: dict[str, TableRows] = field(default_factory=dict, repr=False, compare=False)
    _columns: dict[tuple[str, str], ColumnStatistics] = field(
        default_factory=dict, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        grouped: dict[tuple[str, PartKind], list[Part]] = {}
        for part in self.parts:
            grouped.setdefault((part.table, part.kind), []).append(part)
            if part.separation_arcsec > self._separations.get(part.table, 0.0):
                self._separations[part.table] = part.separation_arcsec
        self._by_table.update({key: tuple(parts) for key, parts in grouped.items()})

    def parts_of(self, table: str, kind: PartKind) -> tuple[Part, ...]:
        """The parts of one table (its model's spelling) and kind."""
        return self._by_table.get((table, kind), ())

    def rows_of(self, table: str) -> int:
        """Own rows of a table, from the manifest alone."""
        parts = (*self.parts_of(table, PartKind.ROWS), *self.parts_of(table, PartKind.WHOLE))
        return sum(part.rows for part in parts)

    def separations(self) -> Mapping[str, float]:
        """The largest distance of a row from its director, arcsec, of the tables that have one."""
        return self._separations

    def ingests_of(self, table: str) -> tuple[int, int] | None:
        """The oldest and the newest ingest of a partitioned table's rows; None where it has none."""
        if table not in self._ingests:
            parts = self.parts_of(table, PartKind.ROWS)
            found = [ingest for part in parts for ingest in part.ingests]
            self._ingests[table] = (min(found), max(found)) if found else None
        return self._ingests[table]

    def own_pixels(self, table: str) -> PixelList:
        """The chunks where a partitioned table has rows of its own; reckoned once.

        A chunk that was split after some table had rows in it is read as one for all tables: rows that
        join may lie in a part of all of it and in one of a piece.
        """
        found = self._own_pixels.get(table)
        if found is None:
            parts = self.parts_of(table, PartKind.ROWS)
            pixels = {part.pixel for part in parts if part.pixel and part.rows}
            found = PixelList.of(self._whole_chunks(pixels))
            self._own_pixels[table] = found
        return found

    def _whole_chunks(self, pixels: set[Pixel]) -> set[Pixel]:
        """The outermost pixels of any table's parts that hold these pixels."""
        if not self._units:
            every = {part.pixel for part in self.parts if part.kind is PartKind.ROWS and part.pixel}
            self._units.append(PixelList.of(every))
        units = self._units[0]
        if len(units.outer_first) == len(units.pixels):
            return pixels  # none lies in another
        is_outer = np.diff(units.outer, prepend=-1) > 0
        outermost = [units.pixels[at] for at in np.flatnonzero(is_outer)]
        first = np.array([pixel.first_29 for pixel in pixels], np.int64)
        at = np.searchsorted(units.outer_first, first, side="right") - 1
        return {outermost[one] for one in at.tolist()}

    def table_rows(self, table: str) -> TableRows:
        """The parts of a partitioned table as arrays; reckoned once."""
        found = self._rows.get(table)
        if found is None:
            found = TableRows.of(self.parts_of(table, PartKind.ROWS))
            self._rows[table] = found
        return found

    def statistics(self, table: str, column: str, kind: Type) -> ColumnStatistics:
        """What is known of a column, by the table's parts of kind ROWS; reckoned once."""
        found = self._columns.get((table, column))
        if found is None:
            parts = self.parts_of(table, PartKind.ROWS)
            texts, rows = [part.statistics for part in parts], [part.rows for part in parts]
            found = column_statistics(texts, rows, column, kind)
            self._columns[table, column] = found
        return found


def group_by_pixel(parts: Iterable[Part]) -> dict[Pixel, tuple[Part, ...]]:
    """Parts of kind ROWS by their chunk."""
    grouped: dict[Pixel, list[Part]] = {}
    for part in parts:
        assert part.pixel is not None, f"part {part.part_id} has no chunk"
        grouped.setdefault(part.pixel, []).append(part)
    return {pixel: tuple(found) for pixel, found in grouped.items()}
