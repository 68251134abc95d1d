"""What nobody wants any more: parts of ingests and rewrites that were not published, spool folders.

Parts that no snapshot names harm nobody but the disk. An ingest's plan says which there may be, so it is
forgotten last: a shard that is down is looked at again by the next loader, or the next `up`.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence

import psycopg2

from loaders.fail_points import reach
from loaders.lease import is_gone
from loaders.options import Site
from loaders.parts.twin import drop_twins
from procedures.catalogs import drop_parts
from procedures.ingest_plans import forget_plan, plans_to_collect, read_plan
from procedures.ingests import UnknownIngest, log_event, read_ingest
from procedures.parts import held_parts
from procedures.pools import Pools
from procedures.rewrites import dead_rewrites, parts_of_ingest
from procedures.writers import wait_for_writers
from schema.errors import Unavailable
from schema.manifest import IngestId, PartId
from schema.topology import Shard, Topology

_log = logging.getLogger(__name__)
_AWAY = (Unavailable, psycopg2.Error)


def discard(site: Site, ingest_id: IngestId) -> bool:
    """Drop all parts that an unpublished ingest planned; False where a server did not answer."""
    return _discard(site.pools, site.topology, ingest_id)


def _discard(pools: Pools, topology: Topology, ingest_id: IngestId) -> bool:
    try:
        with pools.coordinator() as connection:
            ids = [part.part_id for part in read_plan(connection, ingest_id)]
        dropped = [_drop(pools, ingest_id, ids, shard) for shard in topology.shards if ids]
        if not all(dropped):
            return False
        with pools.coordinator() as connection:
            forget_plan(connection, ingest_id)
            if ids:
                log_event(connection, ingest_id, "discarded", f"{len(ids)} planned parts")
            connection.commit()
    except _AWAY as error:
        _log.warning("parts not discarded", extra={"ingest": ingest_id, "reason": str(error)})
        return False
    return True


def _drop(pools: Pools, ingest_id: IngestId, ids: Sequence[PartId], shard: Shard) -> bool:
    """Drop what a shard holds of them; another ingest's parts with such ids are not touched."""
    try:
        with pools.shard(shard.shard_id) as connection:
            wait_for_writers(connection, ingest_id)
            held = held_parts(connection, ingest_id, ids)
        drop_copies(pools, shard, held)
    except (*_AWAY, OSError) as error:
        fields = {"ingest": ingest_id, "shard": shard.shard_id, "reason": str(error)}
        _log.warning("parts of an ended ingest stay", extra=fields)
        return False
    reach("discard.dropped")
    return True


def drop_copies(pools: Pools, shard: Shard, part_ids: Sequence[PartId]) -> None:
    """Drop parts' twins and tables on a shard; no manifest names them.

    The tables go last, with the shard's record of them: it says what there is to drop.
    """
    drop_twins(shard.twins, part_ids)
    reach("drop.twins")
    with pools.shard(shard.shard_id) as connection:
        drop_parts(connection, part_ids)


def collect(site: Site) -> list[IngestId]:
    """As `collect_parts`, and spool folders that nobody wants."""
    done = collect_parts(site.pools, site.topology)
    _clear_spool(site)
    return done


def collect_parts(pools: Pools, topology: Topology) -> list[IngestId]:
    """Discard what crashes left of rewrites, failed and aborted ingests; those ingests that are clear now."""
    drop_dead(pools, topology)
    with pools.coordinator() as connection:
        waiting = plans_to_collect(connection, is_gone)
        connection.rollback()
    return [ingest_id for ingest_id in waiting if _discard(pools, topology, ingest_id)]


def drop_dead(pools: Pools, topology: Topology) -> None:
    """Close the rewrites whose process died, and drop what they left."""
    with pools.coordinator() as connection:
        dead = dead_rewrites(connection, is_gone)
        connection.commit()
    for ingest_id in dead:
        drop_rewritten(pools, topology, ingest_id)


def drop_rewritten(pools: Pools, topology: Topology, ingest_id: IngestId) -> None:
    """Drop the parts of a rewrite that is closed; what a shard that is away holds is left to a repair."""
    for shard in topology.shards:
        try:
            with pools.shard(shard.shard_id) as connection:
                held = [PartId(one) for one in parts_of_ingest(connection, ingest_id)]
            drop_copies(pools, shard, held)
        except (*_AWAY, OSError) as error:
            fields = {"ingest": ingest_id, "shard": shard.shard_id, "reason": str(error)}
            _log.warning("parts of a failed rewrite stay", extra=fields)


def _clear_spool(site: Site) -> None:
    """Remove the folders of ingests that are published, aborted, or not known any more."""
    for folder in site.spool.glob("ingest-*"):
        number = folder.name.removeprefix("ingest-")
        if number.isdigit() and _is_over(site, int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_over(site: Site, ingest_id: int) -> bool:
    """Whether an ingest has ended, and nobody is at work on it."""
    try:
        with site.pools.coordinator() as connection:
            found = read_ingest(connection, ingest_id)
    except UnknownIngest:
        return True
    owner = found.lease_owner
    is_idle = owner is None or found.lease_left_s <= 0 or is_gone(owner)
    return is_idle and found.state in ("published", "retracted", "aborted")
