"""What ingests leave behind that were not published: their parts, everywhere, and spool folders.

Parts that no snapshot names harm nobody but the disk. The plan says which there may be, so it is
forgotten last: a shard that is down is looked at again by the next loader, or the next `up`.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence

import psycopg2

from loaders.options import Site
from loaders.parts.twin import drop_twin
from procedures.catalogs import drop_parts
from procedures.ingest_plans import forget_plan, plans_to_collect, read_plan
from procedures.ingests import UnknownIngest, log_event, read_ingest
from procedures.parts import held_parts
from schema.errors import Unavailable
from schema.manifest import IngestId, PartId
from schema.topology import Shard

_log = logging.getLogger(__name__)
_AWAY = (Unavailable, psycopg2.Error)


def discard(site: Site, ingest_id: IngestId) -> bool:
    """Drop all parts that an unpublished ingest planned; False where a server did not answer."""
    try:
        with site.pools.coordinator() as connection:
            ids = [part.part_id for part in read_plan(connection, ingest_id)]
        dropped = [_drop(site, ingest_id, ids, shard) for shard in site.topology.shards if ids]
        if not all(dropped):
            return False
        with site.pools.coordinator() as connection:
            forget_plan(connection, ingest_id)
            if ids:
                log_event(connection, ingest_id, "discarded", f"{len(ids)} planned parts")
            connection.commit()
    except _AWAY as error:
        _log.warning("parts not discarded", extra={"ingest": ingest_id, "reason": str(error)})
        return False
    return True


def _drop(site: Site, ingest_id: IngestId, ids: Sequence[PartId], shard: Shard) -> bool:
    """Drop what a shard holds of them; another ingest's parts with such ids are not touched."""
    try:
        with site.pools.shard(shard.shard_id) as connection:
            held = held_parts(connection, ingest_id, ids)
            if shard.twins is not None:
                for part_id in held:
                    drop_twin(shard.twins, f"p{part_id}")
                    drop_twin(shard.twins, f"o{part_id}")
            drop_parts(connection, held)
    except (*_AWAY, OSError) as error:
        fields = {"ingest": ingest_id, "shard": shard.shard_id, "reason": str(error)}
        _log.warning("parts of an ended ingest stay", extra=fields)
        return False
    return True


def collect(site: Site) -> list[IngestId]:
    """Discard what crashes left of failed and aborted ingests; those of which nothing is left now."""
    with site.pools.coordinator() as connection:
        waiting = plans_to_collect(connection)
        connection.rollback()
    done = [ingest_id for ingest_id in waiting if discard(site, ingest_id)]
    _clear_spool(site)
    return done


def _clear_spool(site: Site) -> None:
    """Remove the folders of ingests that are published, aborted, or not known any more."""
    for folder in site.spool.glob("ingest-*"):
        number = folder.name.removeprefix("ingest-")
        if number.isdigit() and _is_over(site, int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_over(site: Site, ingest_id: int) -> bool:
    try:
        with site.pools.coordinator() as connection:
            found = read_ingest(connection, ingest_id)
    except UnknownIngest:
        return True
    return found.state in ("published", "retracted", "aborted") and found.lease_owner is None
