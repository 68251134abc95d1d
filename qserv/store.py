"""The store as a czar holds it: pinned catalogs, ways to the shards, merges, what runs now.

The shell's mutable objects, made once a process and shared by its threads.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from procedures.director_index import KeyMap, lookup
from procedures.pools import Pools
from qserv.analyse import Wanted
from qserv.as_of import AsOf
from qserv.dispatch.shards import LaneLimits, Shards
from qserv.examples import Example, examples_of
from qserv.leases import Lease, LeaseSettings
from qserv.leftovers import own_folder, remove_leftovers
from qserv.limits import Limits
from qserv.merge import Merges, MergeSettings
from qserv.pinned import Pinned, Pinner
from qserv.plan.prune import Located
from qserv.planned import Plan
from qserv.query_log import LogSettings, QueryLog
from qserv.recent import Prepared, Recent
from qserv.result import Scratch
from qserv.rights.caller import OPERATOR, Caller
from qserv.rights.quotas import Quotas, check_daily, has_daily
from qserv.running import Running, Watch
from qserv.spool import Spool, SpoolLimits, SpoolMemory
from schema.catalog import Catalog
from schema.errors import Unavailable
from schema.healpix import I64
from schema.rights import Quota, Rights
from schema.topology import Topology


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """What one czar may use for all its queries; sizes in bytes."""

    spool_memory_bytes: int = 1 * 2**30
    lanes: LaneLimits = field(default_factory=LaneLimits)
    merges: MergeSettings = field(default_factory=MergeSettings)
    default_catalog: str | None = None
    lease: LeaseSettings = field(default_factory=LeaseSettings)
    log: LogSettings = field(default_factory=LogSettings)
    quotas: Quotas = field(default_factory=Quotas)


@contextmanager
def open_store(
    topology: Topology, *, spool: Path, settings: StoreSettings | None = None
) -> Iterator[Store]:
    """A store with pools of its own, large enough for its lanes; freed at the end."""
    settings = settings or StoreSettings()
    size = settings.lanes.interactive + settings.lanes.scans
    pools = Pools(topology, size=size, application_name="skyshard czar")
    store = Store(topology, pools, spool=spool, settings=settings)
    try:
        yield store
    finally:
        store.close()
        pools.close()


class Store:
    """Everything that answering needs. Thread-safe; `close` frees it."""

    def __init__(
        self,
        topology: Topology,
        pools: Pools,
        *,
        spool: Path,
        settings: StoreSettings | None = None,
    ) -> None:
        """`spool` is a folder for rows on their way and for merges, on a disk with room.

        The pools need a connection for each place of both lanes, or interactive statements would
        wait behind scans after all.
        """
        self.topology, self.pools = topology, pools
        self.settings = settings or StoreSettings()
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_leftovers(spool, "czar")
        self._folder = own_folder(spool, "czar")
        self._spool_memory = SpoolMemory(self.settings.spool_memory_bytes)
        self._pinner = Pinner(pools, self.settings.default_catalog)
        self.prepared: Recent[Prepared] = Recent()
        self.plans: Recent[Plan] = Recent()
        self.shards = Shards(topology, pools, self.settings.lanes)
        self.merges = Merges(self.settings.merges, self._folder)
        self.watch = Watch()
        self.log = QueryLog(pools, self.watch, self.settings.log)
        self._lease = Lease(pools, self.watch, self.settings.lease)
        self._warming = threading.Thread(target=self.merges.warm, name="warm-merge", daemon=True)
        self._warming.start()

    # ---------------------------------------------------------------- for a query

    def pin(self, as_of: Sequence[AsOf] = (), caller: Caller = OPERATOR) -> Pinned:
        """What a caller's query that starts now reads; of some catalogs older snapshots."""
        return self._pinner.pin(as_of, caller)

    def catalogs(self, caller: Caller = OPERATOR) -> Sequence[Catalog]:
        """The catalogs as a caller's query would see them, TAP_SCHEMA included."""
        return self.pin(caller=caller).catalogs.catalogs

    def examples(self, caller: Caller = OPERATOR) -> Sequence[Example]:
        """Queries to begin with, about what a caller sees."""
        pinned = self.pin(caller=caller)
        return examples_of(pinned.catalogs.catalogs, pinned.manifests)

    def spool(self, running: Running, limits: Limits) -> Spool:
        """A spool for one query."""
        bounds = SpoolLimits(
            limits.spool_memory_bytes, limits.max_spool_bytes, limits.max_fragment_rows
        )
        return Spool(self._folder / running.query_id, bounds, self._spool_memory)

    def scratch(self, limits: Limits) -> Scratch:
        """Where a writer may keep one query's rows."""
        return Scratch(self._folder, limits.max_spool_bytes)

    def locate(
        self, wanted: Sequence[Wanted], pinned: Pinned, running: Running | None = None
    ) -> Located:
        """Where the director index of the pinned snapshots has the wanted keys.

        Stopping the query, where it is given, ends the wait for the shards.
        """
        find = self.finder(pinned, running or Running("locate"))
        located: dict[tuple[str, str], dict[int, int | None]] = {}
        for one in wanted:
            found = find(one.catalog, one.table, np.array(one.keys, dtype=np.int64))
            pairs = zip(found.keys.tolist(), found.pixels.tolist(), strict=True)
            located[one.catalog, one.table] = {**dict.fromkeys(one.keys), **dict(pairs)}
        return located

    def finder(self, pinned: Pinned, running: Running) -> Callable[[str, str, I64], KeyMap]:
        """Looks keys of (catalog, table) up in the pinned director index; stops with the query."""

        def find(catalog: str, table: str, keys: I64) -> KeyMap:
            manifest = pinned.parts[catalog].manifest
            try:
                return lookup(self.pools, manifest, table, keys, stoppable=running.stoppable)
            except Unavailable:
                running.check()
                raise

        return find

    def quota(self, caller: Caller) -> Quota:
        """A caller's quota by the rights that this czar has met last; waits for nothing."""
        return self.settings.quotas.of(caller, self._pinner.rights)

    def check_quota(self, caller: Caller, rights: Rights) -> None:
        """Raise QuotaUsed where what a caller may use in a day is used up."""
        quota = self.settings.quotas.of(caller, rights)
        if has_daily(quota):
            check_daily(quota, self.log.usage(caller))

    def rights_version(self) -> int:
        """The version of the rights that this czar has met last."""
        return self._pinner.rights.version

    # ---------------------------------------------------------------- for operators

    def check(self) -> None:
        """Raise Unavailable where no query can be answered now."""
        self.pin()

    def close(self) -> None:
        """Cancel what runs and free everything but the pools."""
        self.watch.close()
        self.log.close()
        self._lease.close()
        self.shards.close()
        self._warming.join()
        self.merges.close()
        shutil.rmtree(self._folder, ignore_errors=True)
