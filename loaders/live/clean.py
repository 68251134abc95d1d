"""A live catalog kept small: silent units ended, old slices of time retired, what nobody reads removed.

What a query may still read stays: the newest `keep_units` snapshots, those with a tag, those that a czar's
lease names, and for a grace those that were dropped. Readers and writers go on meanwhile.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from loaders.fail_points import reach
from loaders.live.recover import recover_units
from loaders.live.shards import on_shards
from loaders.live.target import NotLive
from procedures.catalogs import get_catalog, list_catalogs
from procedures.live_parts import (
    every_part,
    forget_parts,
    has_older_slices,
    retire_slices,
    retired_parts,
    seen_at,
    set_rows,
)
from procedures.live_tables import clean_part, drop_live, vacuum_part
from procedures.pools import Pools
from procedures.snapshots import drop_surplus
from procedures.units import (
    catalog_id_of,
    forget_units,
    horizon_of,
    lock_catalog_of,
    next_snapshot,
)
from schema.catalog import Catalog, Kind
from schema.live_parts import MJD_OF_1970, LivePart
from schema.manifest import PartId
from schema.topology import ShardId

GRACE_S = 60.0
"""How long a dropped snapshot may still be read: longer than a czar takes to write a lease."""
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a cleaning did. `versions`: rows that were removed, of all copies; `units`: forgotten ones."""

    catalog: str
    recovered: int
    retired: int
    dropped: int
    versions: int
    units: int


def mjd_now() -> float:
    """The Modified Julian Date, UTC."""
    return time.time() / _DAY_S + MJD_OF_1970


def clean(
    pools: Pools, catalog_name: str, *, grace_s: float = GRACE_S, now_mjd: float | None = None
) -> Cleaned:
    """Clean one live catalog. Raises NotLive, UnknownCatalog, Unavailable; again goes on."""
    with pools.coordinator() as connection:
        catalog = get_catalog(connection, catalog_name)
        if catalog.kind is not Kind.LIVE:
            raise NotLive(catalog.name)
        catalog_id = catalog_id_of(connection, catalog.name)
        connection.rollback()
    recovered = recover_units(pools, catalog.name)
    retired = _retire(pools, catalog, catalog_id, mjd_now() if now_mjd is None else now_mjd)
    with pools.coordinator() as connection:
        with connection.cursor() as cursor:
            drop_surplus(cursor, catalog_id)
        horizon = horizon_of(connection, catalog_id, grace_s=grace_s)
        oldest = seen_at(connection, catalog_id, horizon)
        gone = retired_parts(connection, catalog_id, horizon)
        parts = every_part(connection, catalog_id)
        connection.commit()
    dropped = _drop(pools, gone)
    gone_ids = {part.part_id for part in gone}
    kept = [part for part in parts if part.part_id not in gone_ids]
    versions = _remove(pools, kept, oldest)
    with pools.coordinator() as connection:
        units = forget_units(connection, catalog_id, horizon)
        connection.commit()
    return Cleaned(catalog.name, len(recovered), retired, dropped, versions, len(units))


def clean_all(pools: Pools, *, grace_s: float = GRACE_S) -> list[Cleaned]:
    """Clean every live catalog."""
    with pools.coordinator() as connection:
        names = [c.name for c in list_catalogs(connection) if c.kind is Kind.LIVE]
        connection.rollback()
    return [clean(pools, name, grace_s=grace_s) for name in names]


def _retire(pools: Pools, catalog: Catalog, catalog_id: int, now_mjd: float) -> int:
    """End the slices of time that are older than their table's retention, in one snapshot; the parts."""
    oldest = {
        table.name: math.floor((now_mjd - table.retention_days) / table.slice_days)
        for table in catalog.tables
        if table.time is not None and table.retention_days is not None
    }
    with pools.coordinator() as connection:
        lock_catalog_of(connection, catalog_id)
        due = {
            name: before
            for name, before in oldest.items()
            if has_older_slices(connection, catalog_id, name, before)
        }
        if not due:
            connection.rollback()
            return 0
        snapshot = next_snapshot(connection, catalog_id, "retention")
        parts = [
            part
            for name, before in due.items()
            for part in retire_slices(connection, catalog_id, name, before, snapshot)
        ]
        connection.commit()
    return len(parts)


def _drop(pools: Pools, parts: list[LivePart]) -> int:
    """Drop the tables of retired parts, then forget the parts."""
    by_shard: dict[ShardId, list[PartId]] = defaultdict(list)
    for part in parts:
        for shard_id in part.shards:
            by_shard[shard_id].append(part.part_id)

    def drop(shard_id: ShardId, connection: Any) -> None:
        drop_live(connection, by_shard[shard_id])
        reach("live.dropped")

    on_shards(pools, by_shard, drop)
    with pools.coordinator() as connection:
        forget_parts(connection, [part.part_id for part in parts])
        connection.commit()
    return len(parts)


def _remove(pools: Pools, parts: list[LivePart], oldest: Any) -> int:
    """Remove closed versions that nobody reads; the estimates of what is left are renewed."""
    by_shard: dict[ShardId, list[LivePart]] = defaultdict(list)
    for part in parts:
        for shard_id in part.shards:
            by_shard[shard_id].append(part)

    def remove(shard_id: ShardId, connection: Any) -> tuple[int, dict[PartId, int]]:
        removed, left = 0, {}
        for part in by_shard[shard_id]:
            count = clean_part(connection, part.part_id, oldest)
            reach("live.removed")
            if count:
                left[part.part_id] = vacuum_part(connection, part.part_id)
                removed += count
        return removed, left

    done = on_shards(pools, by_shard, remove)
    rows = {part_id: count for _, left in done.values() for part_id, count in left.items()}
    if rows:
        with pools.coordinator() as connection:
            set_rows(connection, rows)
            connection.commit()
    return sum(removed for removed, _ in done.values())
