"""A writer's lease on its unit: renewed by a thread; without it others end the unit."""

from __future__ import annotations

import logging
import threading

import psycopg2

from procedures.live_tables import UnitEnded
from procedures.pools import Pools
from procedures.units import renew_unit
from schema.errors import Unavailable
from schema.units import UnitId

LEASE_S = 60.0
"""How long a unit whose writer is silent stays open."""
_RENEWALS = 4
_log = logging.getLogger(__name__)


class UnitLease:
    """The right to write in a unit's name. Thread-safe."""

    def __init__(self, pools: Pools, unit_id: UnitId, owner: str, *, seconds: float) -> None:
        self.owner = owner
        self._pools, self._unit_id, self._seconds = pools, unit_id, seconds
        self._is_lost = False
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="unit-lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise UnitEnded where somebody ended the unit."""
        if self._is_lost:
            raise UnitEnded(self._unit_id)

    def end(self) -> None:
        """Renew it no more."""
        self._is_over.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._is_over.wait(self._seconds / _RENEWALS):
            try:
                with self._pools.coordinator() as connection:
                    kept = renew_unit(connection, self._unit_id, self.owner, seconds=self._seconds)
                    connection.commit()
            except (Unavailable, psycopg2.Error) as error:
                _log.warning(
                    "unit not renewed", extra={"unit": self._unit_id, "reason": str(error)}
                )
                continue
            if not kept:
                self._is_lost = True
                return
