"""Units that were given up, or whose writers fell silent: what they left on the shards is removed."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from loaders.fail_points import reach
from loaders.lease import is_gone
from loaders.live.shards import on_shards
from procedures.live_parts import parts_of_unit
from procedures.live_tables import undo_unit
from procedures.pools import Pools
from procedures.units import UnitRow, give_up, list_units, undone
from schema.manifest import PartId
from schema.topology import ShardId
from schema.units import UnitId, UnitState


def abort_unit(pools: Pools, unit_id: UnitId, reason: str, *, owner: str | None = None) -> bool:
    """End a unit that is not committed, and remove what it wrote; False where it is committed.

    Without an owner it is ended whosever it is. Again is nothing. Raises Unavailable where a shard is
    away: the unit is not seen then either, and stays to be recovered.
    """
    with pools.coordinator() as connection:
        is_given_up = give_up(connection, unit_id, reason, owner=owner)
        connection.commit()
        if not is_given_up:
            return False
        parts = parts_of_unit(connection, unit_id)
        connection.rollback()
    reach("unit.given_up")
    by_shard: dict[ShardId, list[PartId]] = defaultdict(list)
    for part in parts:
        for shard_id in part.shards:
            by_shard[shard_id].append(part.part_id)

    def undo(shard_id: ShardId, connection: Any) -> int:
        changed = undo_unit(connection, unit_id, by_shard[shard_id])
        reach("unit.undone")
        return changed

    on_shards(pools, by_shard, undo)
    with pools.coordinator() as connection:
        undone(connection, unit_id)
        connection.commit()
    return True


def recover_units(pools: Pools, catalog_name: str | None = None) -> list[UnitRow]:
    """End the units whose writers are gone or silent, and those that were being ended; they.

    Raises Unavailable where a shard that one wrote to is away; the others are ended first.
    """
    with pools.coordinator() as connection:
        found = [
            row for row in list_units(connection, catalog_name, open_only=True) if _is_left(row)
        ]
        connection.rollback()
    done = []
    fault: Exception | None = None
    for row in found:
        try:
            if abort_unit(pools, row.unit_id, "its writer fell silent", owner=row.lease_owner):
                done.append(row)
        except Exception as error:  # noqa: BLE001 - raised below, after the others
            fault = error
    if fault is not None:
        raise fault
    return done


def _is_left(row: UnitRow) -> bool:
    """Whether nobody works on a unit any more."""
    if row.state is UnitState.ABORTING:  # undoing it twice at once is harmless
        return True
    return row.left_s <= 0 or (row.lease_owner is not None and is_gone(row.lease_owner))
