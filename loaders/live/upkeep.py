"""The czar's background work on live catalogs: silent units ended, those that changed cleaned."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg2

from loaders.live.clean import GRACE_S, Cleaned, clean
from loaders.live.recover import recover_units
from procedures.catalogs import list_catalogs
from procedures.pools import Pools
from procedures.units import newest_snapshots
from schema.catalog import Kind
from schema.errors import SkyshardError

_log = logging.getLogger(__name__)
_FAULTS = (SkyshardError, psycopg2.Error, OSError)


@dataclass(frozen=True, slots=True)
class CleaningPace:
    """How often a live catalog is cleaned, seconds: one that changed, and one that only grew older."""

    changed_s: float = 60.0
    idle_s: float = 3600.0
    grace_s: float = GRACE_S


class Upkeep:
    """What was cleaned when. Not for threads."""

    def __init__(
        self, pace: CleaningPace | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pace, self._clock = pace or CleaningPace(), clock
        self._done: dict[str, tuple[float, int]] = {}

    def once(self, pools: Pools) -> list[Cleaned]:
        """End silent units and clean what is due; what fails is logged and tried the next time."""
        try:
            for row in recover_units(pools):
                _log.info("unit ended", extra={"unit": row.unit_id, "catalog": row.catalog})
            with pools.coordinator() as connection:
                live = [c.name for c in list_catalogs(connection) if c.kind is Kind.LIVE]
                newest = newest_snapshots(connection)
                connection.rollback()
        except _FAULTS as error:
            _log.warning("no units recovered now", extra={"reason": str(error).strip()})
            return []
        due = [name for name in live if name in newest and self._is_due(name, newest[name])]
        return [one for name in due if (one := self._clean(pools, name, newest[name])) is not None]

    def _is_due(self, name: str, snapshot: int) -> bool:
        done = self._done.get(name)
        if done is None:
            return True
        passed = self._clock() - done[0]
        return passed >= (self._pace.changed_s if snapshot != done[1] else self._pace.idle_s)

    def _clean(self, pools: Pools, name: str, snapshot: int) -> Cleaned | None:
        self._done[name] = (self._clock(), snapshot)
        try:
            done = clean(pools, name, grace_s=self._pace.grace_s)
        except _FAULTS as error:
            fields = {"catalog": name, "reason": str(error).strip()}
            _log.warning("live catalog not cleaned", extra=fields)
            return None
        _log.info("live catalog cleaned", extra={"catalog": name, "versions": done.versions})
        return done
