"""A czar's lease: it tells the coordinator every few seconds which snapshots its queries read.

Parts of dropped snapshots stay while a lease names them. A query that ends before the first renewal
needs none: parts stay for longer than that after their snapshot was dropped.
"""

from __future__ import annotations

import logging
import socket
import threading
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import psycopg2

from procedures.pools import Pools
from procedures.retired import end_lease, write_lease
from qserv.running import Running, Watch
from schema.errors import Unavailable

_log = logging.getLogger(__name__)
_AWAY = (Unavailable, psycopg2.Error)


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """Seconds between renewals, and how long a lease holds without one."""

    renew_s: float = 5.0
    lease_s: float = 30.0


class Lease:
    """Keeps one czar's lease until it is closed."""

    def __init__(self, pools: Pools, watch: Watch, settings: LeaseSettings | None = None) -> None:
        self._pools, self._watch = pools, watch
        self._settings = settings or LeaseSettings()
        self._id = uuid.uuid4()
        self._is_written = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="czar-lease", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the lease."""
        self._closed.set()
        self._thread.join()
        if self._is_written:
            with suppress(*_AWAY), self._pools.coordinator() as connection:
                end_lease(connection, self._id)
                connection.commit()

    def _keep(self) -> None:
        while not self._closed.wait(self._settings.renew_s):
            try:
                with self._pools.coordinator() as connection:
                    pins = oldest_pins(self._watch.running())
                    host, seconds = socket.gethostname(), self._settings.lease_s
                    write_lease(connection, self._id, host, pins, seconds=seconds)
                    connection.commit()
                self._is_written = True
            except _AWAY as error:
                _log.debug("lease not renewed", extra={"reason": str(error)})


def oldest_pins(running: Iterable[Running]) -> dict[int, int]:
    """By catalog id, the oldest snapshot that one of the queries reads."""
    oldest: dict[int, int] = {}
    for query in running:
        for catalog_id, snapshot in query.pins.items():
            oldest[catalog_id] = min(snapshot, oldest.get(catalog_id, snapshot))
    return oldest
