"""A czar's ways to its shards: bounded lanes, lasting scan clients, and who lately did not answer.

Interactive statements and scans have lanes of their own on each shard, so that neither waits behind
the other; what finds no place queues.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from procedures.pools import Pools
from qserv.dispatch.assign import Batch, Way, Ways, is_interactive, is_small
from qserv.dispatch.postgres import read_postgres
from qserv.planned import Engine
from qserv.running import Running
from qserv.scan.client import ScanClient
from schema.topology import Shard, ShardId, Topology

_WAIT_S = 0.1
"""How often whoever waits for a place looks whether the query was stopped."""


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """Statements in flight on one shard, by lane, and how long a lost way is avoided, seconds."""

    interactive: int = 4
    scans: int = 4
    suspect_s: float = 5.0


class _Lane:
    """Places for one class of statements on one shard."""

    def __init__(self, name: str, places: int) -> None:
        self.places = threading.BoundedSemaphore(places)
        self.executor = ThreadPoolExecutor(places, thread_name_prefix=name)


class Shards:
    """All shards of a topology. Thread-safe; `close` ends its threads and clients."""

    def __init__(self, topology: Topology, pools: Pools, limits: LaneLimits | None = None) -> None:
        self.limits = limits or LaneLimits()
        self._pools = pools
        self._shards = {shard.shard_id: shard for shard in topology.shards}
        self._lanes = {
            (shard_id, is_interactive): _Lane(
                f"shard-{shard_id}-{'interactive' if is_interactive else 'scan'}",
                self.limits.interactive if is_interactive else self.limits.scans,
            )
            for shard_id in self._shards
            for is_interactive in (True, False)
        }
        self._clients = {
            shard.shard_id: ScanClient(shard.scan, topology.scan_token)
            for shard in topology.shards
            if shard.scan is not None
        }
        self._suspects: dict[Way, float] = {}

    def shard(self, shard_id: ShardId) -> Shard:
        return self._shards[shard_id]

    def ways(self) -> Ways:
        """The shards, and which ways did not answer a moment ago."""
        now = time.monotonic()
        suspects = frozenset(way for way, until in list(self._suspects.items()) if until > now)
        return Ways(self._shards, suspects)

    def suspect(self, way: Way) -> None:
        """Avoid a way for some seconds where there is another."""
        self._suspects[way] = time.monotonic() + self.limits.suspect_s

    def places(self, *, is_interactive: bool) -> int:
        """How many statements of one query may be in flight on a shard."""
        return self.limits.interactive if is_interactive else self.limits.scans

    def executor(self, shard_id: ShardId, *, is_interactive: bool) -> Executor:
        """The threads of one lane."""
        return self._lanes[shard_id, is_interactive].executor

    def read(
        self, batch: Batch, sql: str, running: Running
    ) -> Generator[pa.RecordBatch, None, None]:
        """The rows of a batch's statement, once a place in its lane is free."""
        shard_id, engine = batch.way
        interactive, small = is_interactive(batch.fragment), is_small(batch.fragment)
        with self._place(shard_id, running, is_interactive=interactive):
            match engine:
                case Engine.POSTGRES:
                    yield from read_postgres(sql, shard_id, self._pools, running, is_small=small)
                case Engine.SCAN:
                    client = self._clients[shard_id]
                    yield from client.scan(sql, running, is_interactive=interactive)

    @contextmanager
    def _place(
        self, shard_id: ShardId, running: Running, *, is_interactive: bool
    ) -> Iterator[None]:
        places = self._lanes[shard_id, is_interactive].places
        while not places.acquire(timeout=_WAIT_S):
            running.check()
        try:
            yield
        finally:
            places.release()

    def close(self) -> None:
        for lane in self._lanes.values():
            lane.executor.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()
