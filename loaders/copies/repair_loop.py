"""The czar's background work: copies in the queue mended, shards told what they missed, live catalogs kept.

One czar at a time does it, by a lock on the coordinator that ends with its connection. Gently: one copy
after the other, at no more than so many bytes a second; what fails is tried again later and later.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2

from loaders.copies.repair import mend_one
from loaders.copies.retired import drop_retired
from loaders.copies.tell import tell_shards
from loaders.discard import collect_parts
from loaders.live.upkeep import Upkeep
from procedures.identity import check_cluster
from procedures.pools import Pools
from procedures.repairs import due_repairs, free_czar_lock, try_czar_lock
from schema.errors import SkyshardError
from schema.topology import Topology

_log = logging.getLogger(__name__)
_FAULTS = (SkyshardError, psycopg2.Error, OSError)


@dataclass(frozen=True, slots=True)
class RepairPace:
    """How the loop works."""

    interval_s: float = 30.0
    """Between two looks at the queue, and before a copy that failed is tried again, doubled each time."""
    bytes_per_s: int = 50_000_000
    """Of the copies made, tables with indexes."""
    batch: int = 100
    """Copies made before the lock is given up for another czar."""


class RepairLoop:
    """A thread that repairs; `close` ends it after the copy at hand."""

    def __init__(
        self, pools: Pools, topology: Topology, pace: RepairPace, upkeep: Upkeep | None = None
    ) -> None:
        self._upkeep = upkeep or Upkeep()
        self._pools, self._topology, self._pace = pools, topology, pace
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="repair", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, once the copy at hand is made or has failed."""
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(self._pace.interval_s):
            try:
                self.once()
            except _FAULTS as error:
                _log.warning("no repairs now", extra={"reason": str(error).strip()})

    def once(self) -> int | None:
        """One look: the copies mended; None where another czar is at it."""
        with self._locked() as is_ours:
            if not is_ours:
                return None
            check_cluster(self._pools, self._topology)
            tell_shards(self._pools, self._topology)
            collect_parts(self._pools, self._topology)
            drop_retired(self._pools, self._topology)
            self._upkeep.once(self._pools)
            with self._pools.coordinator() as connection:
                due = due_repairs(
                    connection, limit=self._pace.batch, waited_s=self._pace.interval_s
                )
            mended = 0
            for repair in due:
                if self._is_over.is_set():
                    break
                outcome = mend_one(self._pools, self._topology, repair)
                mended += outcome.error is None
                fields = {"part": repair.part_id, "shard": repair.shard_id, "told": outcome.told}
                if outcome.error is None:
                    _log.info("copy mended", extra=fields)
                else:
                    _log.warning("copy not mended", extra={**fields, "reason": outcome.error})
                self._is_over.wait(outcome.size_bytes / self._pace.bytes_per_s)
        return mended

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """Whether this czar is the one that repairs, for the length of the block."""
        with self._pools.coordinator() as connection:
            connection.autocommit = True
            is_ours = try_czar_lock(connection)
            try:
                yield is_ours
            finally:
                if is_ours and not connection.closed:
                    free_czar_lock(connection)


@contextmanager
def repairing(pools: Pools, topology: Topology, pace: RepairPace) -> Iterator[None]:
    """The loop, for the length of the block."""
    loop = RepairLoop(pools, topology, pace)
    loop.start()
    try:
        yield
    finally:
        loop.close()
