"""Repair: every part back to as many verified copies as its catalog asks for, and nobody's tables gone.

What a verification finds enters the queue on the coordinator, so that a repair that is cut off, or a
shard that is away, is not forgotten: the czar's loop takes from the same queue.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from loaders.copies.findings import Fault, Finding, Verified
from loaders.copies.mend import mend
from loaders.copies.replicas import AWAY, Copies
from loaders.copies.tell import tell_shards
from loaders.copies.verify import VerifyOptions, verify
from loaders.discard import collect_parts, drop_copies
from procedures.catalogs import get_catalog
from procedures.identity import check_cluster
from procedures.inventory import drop_tables as drop_named
from procedures.pools import Pools
from procedures.repairs import (
    Repair,
    due_repairs,
    find_part,
    queue_repairs,
    remove_repair,
    repair_failed,
)
from schema.errors import SkyshardError
from schema.manifest import PartId
from schema.topology import ShardId, Topology

_MENDED = (Fault.COPY, Fault.TWIN, Fault.TOO_FEW)


@dataclass(frozen=True, slots=True)
class RepairOptions:
    """How to repair. `workers`: copies made at a time."""

    verify: VerifyOptions = field(default_factory=VerifyOptions)
    workers: int = 2
    drop_unknown: bool = False
    """Also drop parts of ingests that the coordinator does not know."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one copy; `error` is None where it was mended."""

    part_id: PartId
    shard_id: ShardId
    told: str
    error: str | None = None
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair found and did. `left`: what is still wrong."""

    found: Verified
    outcomes: tuple[Outcome, ...]
    dropped: int
    """Parts, tables and files of nobody."""
    left: tuple[str, ...]
    seconds: float

    @property
    def mended(self) -> int:
        return sum(outcome.error is None for outcome in self.outcomes)


def _ignore(_: Outcome) -> None:
    """News that nobody wants."""


def repair(
    pools: Pools,
    topology: Topology,
    catalog_name: str | None = None,
    options: RepairOptions = RepairOptions(),
    *,
    done: Callable[[Outcome], None] = _ignore,
) -> Repaired:
    """Verify, then mend what was found and what waits in the queue; `done` is told of each copy.

    Raises UnknownCatalog, ClusterMismatch, CoordinatorBehind, Unavailable where the coordinator is away.
    """
    started = time.monotonic()
    check_cluster(pools, topology)
    collect_parts(pools, topology)
    found = verify(pools, topology, catalog_name, options.verify)
    _queue(pools, found.findings)
    with pools.coordinator() as connection:
        waiting = due_repairs(connection)
    outcomes = mend_all(pools, topology, waiting, workers=options.workers, done=done)
    dropped, kept = _drop(pools, topology, found.findings, options)
    tell_shards(pools, topology)
    left = [
        f"part {one.part_id} on shard {one.shard_id}: {one.error}" for one in outcomes if one.error
    ]
    left += [str(finding) for finding in found.findings if finding.fault is Fault.AWAY]
    return Repaired(found, outcomes, dropped, (*left, *kept), time.monotonic() - started)


def mend_all(
    pools: Pools,
    topology: Topology,
    waiting: Sequence[Repair],
    *,
    workers: int,
    done: Callable[[Outcome], None] = _ignore,
) -> tuple[Outcome, ...]:
    """Mend copies, some at a time; what fails stays in the queue, with its reason."""

    def one(repair: Repair) -> Outcome:
        outcome = mend_one(pools, topology, repair)
        done(outcome)
        return outcome

    with ThreadPoolExecutor(workers, thread_name_prefix="mend") as threads:
        return tuple(threads.map(one, waiting))


def mend_one(pools: Pools, topology: Topology, repair: Repair) -> Outcome:
    """Mend one copy of the queue."""
    told = partial(Outcome, repair.part_id, repair.shard_id)
    try:
        with pools.coordinator() as connection:
            found = find_part(connection, repair.part_id)
            if found is None or repair.shard_id not in [s.shard_id for s in topology.shards]:
                remove_repair(connection, repair.part_id, repair.shard_id)
                connection.commit()
                return told("is wanted no more")
            catalog = get_catalog(connection, found[0])
        done = mend(Copies(catalog, pools, topology), found[1], repair.shard_id)
        return told(done, size_bytes=found[1].size_bytes)
    except (SkyshardError, *AWAY, OSError) as error:
        reason = str(error).strip() or type(error).__name__
        with pools.coordinator() as connection:
            repair_failed(connection, repair.part_id, repair.shard_id, reason)
            connection.commit()
        return told("failed", reason)


def _queue(pools: Pools, findings: Iterable[Finding]) -> None:
    """Write down what is to be mended."""
    wanted = {
        (finding.part_id, finding.shard_id): f"{finding.fault}: {finding.detail}"
        for finding in findings
        if finding.fault in _MENDED and finding.part_id is not None
    }
    with pools.coordinator() as connection:
        queue_repairs(connection, [(*key, reason) for key, reason in wanted.items()])
        connection.commit()


def _drop(
    pools: Pools, topology: Topology, findings: Sequence[Finding], options: RepairOptions
) -> tuple[int, list[str]]:
    """Drop what belongs to nobody: how much, and what stays."""
    faults = {Fault.ORPHAN, *([Fault.UNKNOWN] if options.drop_unknown else [])}
    left = [str(one) for one in findings if one.fault is Fault.UNKNOWN and one.fault not in faults]
    dropped = 0
    for shard in topology.shards:
        mine = [one for one in findings if one.fault in faults and one.shard_id == shard.shard_id]
        try:
            parts = [one.part_id for one in mine if one.part_id is not None]
            drop_copies(pools, shard, parts)
            names = [one.name for one in mine if one.name is not None]
            with pools.shard(shard.shard_id) as connection:
                drop_named(connection, [name for name in names if "." not in name])
            for name in names:
                if "." in name and shard.twins is not None:
                    (shard.twins / name).unlink(missing_ok=True)
            dropped += len(mine)
        except (*AWAY, OSError) as error:
            left += [f"{one}: not dropped: {str(error).strip()}" for one in mine]
    return dropped, left
