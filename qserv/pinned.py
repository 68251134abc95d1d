"""What one query reads: catalogs at pinned versions, and their parts. Cached, immutable.

The coordinator is asked one cheap statement a query; models and manifests (600 bytes a part) are read
once per version. While it is away the last known snapshots are read on, and the answer says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg2
import pyarrow as pa
from psycopg2.extensions import connection as Connection  # noqa: N812

from procedures.manifests import read_manifest
from procedures.pins import Pin, current_pins, pinned_catalog
from procedures.pools import Pools
from procedures.snapshots import find_pin
from qserv.as_of import AsOf
from qserv.bind.names import Catalogs
from qserv.parts import PartIndex
from schema import tap_schema
from schema.catalog import Catalog
from schema.errors import Unavailable
from schema.manifest import Manifest

AWAY_S = 2.0
"""For so long a coordinator that did not answer is not asked again: waiting for it takes seconds."""
KEPT_BACK = 8
"""So many sets of older snapshots are kept in memory."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """The catalogs at their pinned versions; all values are immutable and shared between queries."""

    pins: tuple[Pin, ...]
    catalogs: Catalogs
    parts: Mapping[str, PartIndex]
    """By the catalog's name."""
    warnings: tuple[str, ...] = ()
    _tap_rows: dict[str, pa.Table] = field(default_factory=dict, repr=False, compare=False)

    @property
    def manifests(self) -> dict[str, Manifest]:
        """The pinned manifest of each catalog, by its name."""
        return {name: index.manifest for name, index in self.parts.items()}

    def tap_rows(self) -> Mapping[str, pa.Table]:
        """The rows of TAP_SCHEMA for these catalogs."""
        if not self._tap_rows:
            own = [c for c in self.catalogs.catalogs if c is not tap_schema.TAP_SCHEMA]
            self._tap_rows.update(tap_schema.rows(own))
        return self._tap_rows


class Pinner:
    """Pins what queries read. Thread-safe."""

    def __init__(self, pools: Pools, default_catalog: str | None = None) -> None:
        self._pools, self._default = pools, default_catalog
        self._reading = threading.Lock()
        self._models: dict[tuple[int, int], Catalog] = {}
        self._indexes: dict[Pin, PartIndex] = {}
        self._last: Pinned | None = None
        self._back: dict[tuple[Pin, ...], Pinned] = {}
        self._away_until = 0.0

    def pin(self, as_of: Sequence[AsOf] = ()) -> Pinned:
        """The newest published versions; the last known ones while the coordinator is away.

        Raises Unavailable where it is away and nothing is known yet; UnknownSnapshot, SnapshotDropped
        of older versions that are asked for by name.
        """
        return self._older(self._newest(), as_of) if as_of else self._newest()

    def _newest(self) -> Pinned:
        if self._last is not None and time.monotonic() < self._away_until:
            return self._last_known()
        try:
            with self._pools.coordinator() as connection:
                connection.autocommit = True  # one statement needs no BEGIN and ROLLBACK around it
                pins = current_pins(connection)
            pinned = self._at(pins)
        except (Unavailable, psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            if self._last is None:
                raise Unavailable(f"the coordinator does not answer: {error}") from error
            self._away_until = time.monotonic() + AWAY_S
            return self._last_known()
        return pinned

    def _older(self, newest: Pinned, as_of: Sequence[AsOf]) -> Pinned:
        """The newest versions, but of some catalogs older ones."""
        try:
            with self._pools.coordinator() as connection:
                connection.autocommit = True
                asked = {pin.name: pin for pin in (_found(connection, one) for one in as_of)}
                pins = tuple(asked.get(pin.name, pin) for pin in newest.pins)
                found = newest if pins == newest.pins else self._back.get(pins)
                return found or self._read_back(connection, pins)
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            raise Unavailable(f"the coordinator does not answer: {error}") from error

    def _read_back(self, connection: Connection, pins: tuple[Pin, ...]) -> Pinned:
        """Read older versions; the oldest of those that are kept makes room."""
        with self._reading:
            models, indexes = self._known(connection, pins)
            found = self._pinned(pins, models, indexes)
            while len(self._back) >= KEPT_BACK:
                self._back.pop(next(iter(self._back)))
            self._back[pins] = found
            return found

    def _last_known(self) -> Pinned:
        last = self._last
        assert last is not None
        warning = "the coordinator does not answer: read at the last known snapshots"
        return Pinned(last.pins, last.catalogs, last.parts, (warning,), last._tap_rows)  # noqa: SLF001

    def _at(self, pins: tuple[Pin, ...]) -> Pinned:
        """What these versions hold; read once, however many queries meet a new one together."""
        last = self._last
        if last is not None and last.pins == pins:
            return last
        with self._reading:
            last = self._last
            if last is None or last.pins != pins:
                with self._pools.coordinator() as connection:
                    connection.autocommit = True
                    last = self._last = self._read(connection, pins)
            return last

    def _read(self, connection: Connection, pins: tuple[Pin, ...]) -> Pinned:
        """Read what is not known yet of these versions; others are forgotten."""
        self._models, self._indexes = self._known(connection, pins)
        return self._pinned(pins, self._models, self._indexes)

    def _known(
        self, connection: Connection, pins: tuple[Pin, ...]
    ) -> tuple[dict[tuple[int, int], Catalog], dict[Pin, PartIndex]]:
        """Models and parts of these versions, read where they are not known."""
        models: dict[tuple[int, int], Catalog] = {}
        indexes: dict[Pin, PartIndex] = {}
        for pin in pins:
            key = (pin.catalog_id, pin.version)
            model = self._models.get(key) or pinned_catalog(connection, pin)
            if model is not None:
                models[key] = model
                indexes[pin] = self._indexes.get(pin) or PartIndex(
                    read_manifest(connection, pin.name, pin.snapshot)
                )
        return models, indexes

    def _pinned(
        self,
        pins: tuple[Pin, ...],
        models: dict[tuple[int, int], Catalog],
        indexes: dict[Pin, PartIndex],
    ) -> Pinned:
        catalogs = list(models.values())
        known = Catalogs((*catalogs, tap_schema.TAP_SCHEMA), self._chosen_default(catalogs))
        return Pinned(pins, known, {pin.name: index for pin, index in indexes.items()})

    def _chosen_default(self, catalogs: list[Catalog]) -> str | None:
        names = {catalog.name.casefold() for catalog in catalogs}
        wanted = self._default
        return wanted if wanted is not None and wanted.casefold() in names else None


def _found(connection: Connection, asked: AsOf) -> Pin:
    return find_pin(connection, asked.catalog, asked.snapshot)
