"""What an attempt that was cut off left: which planned parts are complete, and which are begun.

The shards' own books say what they hold: a part is complete where all its shards have it with the
planned counts and one checksum, and with its twin.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loaders.options import Site
from loaders.parts.cut import Cut
from loaders.parts.twin import twin_path
from loaders.staging.stage import Staged
from loaders.staging.target import Target
from procedures.ingest_plans import PlannedPart, parts_on_shard
from procedures.writers import wait_for_writers
from schema.catalog import Role
from schema.errors import Unavailable
from schema.manifest import IngestId, Part, PartId, PartKind, Replica
from schema.topology import ShardId


@dataclass(frozen=True, slots=True)
class Found:
    """The parts that are complete; `is_resumed` where an attempt before planned the same."""

    complete: tuple[Part, ...] = ()
    is_resumed: bool = False


def planned_part(cut: Cut, part_id: PartId) -> PlannedPart:
    """A cut as the coordinator keeps it."""
    return PlannedPart(
        part_id=part_id,
        table=cut.table.name,
        kind=cut.kind,
        pixel=cut.pixel,
        bucket=cut.bucket,
        rows=cut.rows,
        overlap_rows=cut.overlap_rows,
        shards=cut.shards,
    )


def is_same_plan(planned: Sequence[PlannedPart], cuts: Sequence[Cut]) -> bool:
    """Whether the parts that were planned are those that are cut now, in the same order."""
    return len(planned) == len(cuts) and all(
        dataclasses.replace(old, is_loaded=False, loaded_at=None) == planned_part(cut, old.part_id)
        for old, cut in zip(planned, cuts, strict=True)
    )


def fingerprint(target: Target, staged: Sequence[Staged], max_rejects: int) -> str:
    """What the parts follow from: while it is the same, a restart cuts the same ones."""
    shards = [(shard.shard_id, shard.weight) for shard in target.topology.shards]
    inputs = [
        [one.task.number, one.sha256, [(run.rows, run.size_bytes) for run in one.runs]]
        for one in staged
    ]
    catalog = target.catalog
    family = [target.family.name, target.family.order]
    document = [catalog.version, family, target.replicas, max_rejects, shards, inputs]
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()


def look_for(
    site: Site,
    ingest_id: IngestId,
    cuts: Sequence[Cut],
    ids: Sequence[PartId],
    *,
    is_allowed: bool = False,
) -> Found:
    """What the shards have of planned parts.

    One that does not answer has nothing where that `is_allowed`; else Unavailable is raised.
    """
    held: dict[ShardId, dict[PartId, Part]] = {}
    for shard in site.topology.shards:
        try:
            with site.pools.shard(shard.shard_id) as connection:
                wait_for_writers(connection, ingest_id)
                held[shard.shard_id] = parts_on_shard(connection, ingest_id, ids)
        except Unavailable:
            if not is_allowed:
                raise
            held[shard.shard_id] = {}
    complete = [
        part
        for cut, part_id in zip(cuts, ids, strict=True)
        if (part := _complete(site, cut, part_id, held)) is not None
    ]
    return Found(tuple(complete), is_resumed=True)


def _complete(
    site: Site, cut: Cut, part_id: PartId, held: Mapping[ShardId, Mapping[PartId, Part]]
) -> Part | None:
    """A part that all its shards have, with its twins; None where something of it is missing."""
    found = [held[shard_id].get(part_id) for shard_id in cut.shards]
    copies = [part for part in found if part is not None]
    facts = {(part.rows, part.overlap_rows, part.checksum) for part in copies}
    if len(copies) < len(cut.shards) or len(facts) != 1:
        return None
    if facts.pop()[:2] != (cut.rows, cut.overlap_rows):
        return None
    replicas = [_replica(site, cut, copies[0], shard_id) for shard_id in cut.shards]
    known = tuple(replica for replica in replicas if replica is not None)
    if len(known) < len(replicas):
        return None
    return dataclasses.replace(copies[-1], replicas=known)


def _replica(site: Site, cut: Cut, part: Part, shard_id: ShardId) -> Replica | None:
    """A copy on one shard; None where its twin is missing."""
    folder = site.topology.shard(shard_id).twins
    if folder is None or cut.kind is PartKind.INDEX:
        return Replica(shard_id, has_twin=False)
    names = [part.own_name]
    if cut.table.role is Role.DIRECTOR:
        names.append(part.overlap_name)
    is_there = all(twin_path(folder, name).exists() for name in names)
    return Replica(shard_id, has_twin=True) if is_there else None
