"""The parts of a live catalog: tables that units change, by place and by slice of time. Values only."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from schema.catalog import Catalog, Table
from schema.healpix import Pixel
from schema.manifest import IngestId, Part, PartId, PartKind, Replica
from schema.topology import ShardId
from schema.types import Type
from schema.units import LAST_29, Seen

MJD_OF_1970 = 40_587
"""The Modified Julian Date on which timestamps begin."""
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class LivePlace:
    """Where rows of a live table lie: a chunk or a bucket of its index, and a slice of time.

    `time_slice` counts slices of the table's `slice_days` since MJD 0; None: the table has none, or the
    rows have no time.
    """

    table: str
    kind: PartKind
    pixel: Pixel | None = None
    bucket: int | None = None
    time_slice: int | None = None


@dataclass(frozen=True, slots=True)
class LivePart:
    """One live part as the coordinator knows it."""

    part_id: PartId
    place: LivePlace
    shards: tuple[ShardId, ...]
    rows: int = 0
    separation_arcsec: float = 0.0
    statistics: str = ""

    def seen(self, seen: Seen) -> Part:
        """It as a part of a manifest, of which a reader sees some units."""
        place = self.place
        return Part(
            part_id=self.part_id,
            table=place.table,
            kind=place.kind,
            pixel=place.pixel,
            bucket=place.bucket,
            ingest_id=IngestId(0),
            rows=max(1, self.rows),
            separation_arcsec=self.separation_arcsec,
            low_29=0,
            high_29=LAST_29,
            statistics=self.statistics,
            replicas=tuple(Replica(shard) for shard in self.shards),
            seen=seen,
        )


def bounds_of_slice(table: Table, time_slice: int | None) -> str:
    """What `schema.statistics` would say of the times in a slice; empty where it has none."""
    column = table.column(table.time) if table.time is not None else None
    if column is None or time_slice is None:
        return ""
    low, high = time_slice * table.slice_days, (time_slice + 1) * table.slice_days
    if column.type is Type.TIMESTAMP:
        bounds = [math.floor((day - MJD_OF_1970) * DAY_US) for day in (low, high)]
        return json.dumps({column.name: [*bounds, 0]}, separators=(",", ":"))
    return json.dumps({column.name: [low, high, 0]}, separators=(",", ":"))


def has_index(catalog: Catalog, table: Table) -> bool:
    """Whether a live table has an index from key to place: others' rows lie with its own by that key, or
    its key alone does not say where it lies."""
    return index_key(catalog, table) is not None


def index_key(catalog: Catalog, table: Table) -> str | None:
    """The column whose values a live table's index knows; None where it has none."""
    if not table.is_partitioned:
        return None
    if table.key is not None and table.parent is None:
        return table.key
    for child in catalog.tables:
        if child.parent == table.name:
            return child.parent_key
    if len(table.primary_key) == 1 and table.primary_key[0] != table.key:
        column = table.column(table.primary_key[0])
        return column.name if column is not None and column.type.is_integer else None
    return None
