"""What one query reads: catalogs at pinned versions, and their parts. Cached, immutable.

The coordinator is asked one cheap statement a query; models and manifests are read once per version.
While it is away the last known snapshots are read on, and the answer says so.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg2
import pyarrow as pa

from procedures.manifests import read_manifest
from procedures.pins import Pin, current_pins, pinned_catalog
from procedures.pools import Pools
from qserv.bind.names import Catalogs
from qserv.parts import PartIndex
from schema import tap_schema
from schema.catalog import Catalog
from schema.errors import Unavailable
from schema.manifest import Manifest

AWAY_S = 2.0
"""For so long a coordinator that did not answer is not asked again: waiting for it takes seconds."""
MANIFESTS_KEPT = 64
"""Manifests in memory; about 1 kB a part."""


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
        self._lock = threading.Lock()
        self._models: dict[tuple[int, int], Catalog] = {}
        self._parts: OrderedDict[Pin, PartIndex] = OrderedDict()
        self._last: Pinned | None = None
        self._away_until = 0.0

    def pin(self) -> Pinned:
        """The newest published versions; the last known ones while the coordinator is away.

        Raises Unavailable where it is away and nothing is known yet.
        """
        if self._last is not None and time.monotonic() < self._away_until:
            return self._last_known()
        try:
            with self._pools.coordinator() as connection:
                connection.autocommit = True  # one statement needs no BEGIN and ROLLBACK around it
                pins = current_pins(connection)
                last = self._last
                if last is not None and last.pins == pins:
                    return last
                pinned = self._read(connection, pins)
        except (Unavailable, psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            if self._last is None:
                raise Unavailable(f"the coordinator does not answer: {error}") from error
            self._away_until = time.monotonic() + AWAY_S
            return self._last_known()
        self._last = pinned
        return pinned

    def _last_known(self) -> Pinned:
        last = self._last
        assert last is not None
        warning = "the coordinator does not answer: read at the last known snapshots"
        return Pinned(last.pins, last.catalogs, last.parts, (warning,), last._tap_rows)  # noqa: SLF001

    def _read(self, connection: psycopg2.extensions.connection, pins: tuple[Pin, ...]) -> Pinned:
        """Read what is not known yet of these versions."""
        catalogs: list[Catalog] = []
        parts: dict[str, PartIndex] = {}
        for pin in pins:
            model = self._model(connection, pin)
            if model is not None:
                catalogs.append(model)
                parts[pin.name] = self._index(connection, pin)
        known = Catalogs((*catalogs, tap_schema.TAP_SCHEMA), self._chosen_default(catalogs))
        return Pinned(pins, known, parts)

    def _chosen_default(self, catalogs: list[Catalog]) -> str | None:
        names = {catalog.name.casefold() for catalog in catalogs}
        wanted = self._default
        return wanted if wanted is not None and wanted.casefold() in names else None

    def _model(self, connection: psycopg2.extensions.connection, pin: Pin) -> Catalog | None:
        key = (pin.catalog_id, pin.version)
        if key not in self._models:
            model = pinned_catalog(connection, pin)
            if model is None:
                return None
            self._models[key] = model
        return self._models[key]

    def _index(self, connection: psycopg2.extensions.connection, pin: Pin) -> PartIndex:
        with self._lock:
            found = self._parts.get(pin)
            if found is not None:
                self._parts.move_to_end(pin)
                return found
        index = PartIndex(read_manifest(connection, pin.name, pin.snapshot))
        with self._lock:
            self._parts[pin] = index
            while len(self._parts) > MANIFESTS_KEPT:
                self._parts.popitem(last=False)
        return index
