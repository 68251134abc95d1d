"""What one query reads: catalogs at pinned versions, and their parts. Cached, immutable.

A caller's view of them (`seen_by`) has what she may read and nothing else: to all that follows the rest
does not exist. The coordinator is asked one cheap statement a query; models, rights and manifests (600
bytes a part) are read once per version. While it is away the last known snapshots are read on, and the
answer says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import psycopg2
import pyarrow as pa
from psycopg2.extensions import connection as Connection  # noqa: N812

from procedures.manifests import read_manifest
from procedures.pins import Pin, current_state, pinned_catalog
from procedures.pools import Pools
from procedures.rights import read_rights
from procedures.snapshots import UnknownSnapshot, find_pin
from qserv.as_of import AsOf
from qserv.bind.names import Catalogs
from qserv.parts import PartIndex
from qserv.rights.caller import OPERATOR, Caller
from qserv.uploads.tables import NO_UPLOADS, Uploads
from schema import tap_schema
from schema.catalog import Catalog
from schema.errors import Unavailable
from schema.manifest import Manifest
from schema.names import HELD_CATALOGS, hint
from schema.rights import Rights, Sight

AWAY_S = 2.0
"""For so long a coordinator that did not answer is not asked again: waiting for it takes seconds."""
KEPT_BACK = 8
"""So many sets of older snapshots are kept in memory."""
KEPT_VIEWS, KEPT_CALLERS = 256, 20_000
"""So many different views of one set of snapshots are kept, and of so many callers which is hers."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """The catalogs at their pinned versions; all values are immutable and shared between queries."""

    pins: tuple[Pin, ...]
    catalogs: Catalogs
    parts: Mapping[str, PartIndex]
    """By the catalog's name."""
    warnings: tuple[str, ...] = ()
    rights: Rights = field(default_factory=Rights, repr=False)
    hidden: frozenset[tuple[int, str]] = frozenset()
    """Tables of these catalogs that are not there for this caller."""
    uploads: Uploads = NO_UPLOADS
    """The tables that came with the query."""
    _tap_rows: dict[str, pa.Table] = field(default_factory=dict, repr=False, compare=False)
    _callers: dict[frozenset[str], tuple[Sight, Pinned]] = field(
        default_factory=dict, repr=False, compare=False
    )
    """What is there for whom, by whose permissions they have."""
    _views: dict[Hashable, Pinned] = field(default_factory=dict, repr=False, compare=False)
    """The same by what is there: callers who see the same share a view."""

    @property
    def manifests(self) -> dict[str, Manifest]:
        """The pinned manifest of each catalog, by its name."""
        return {name: index.manifest for name, index in self.parts.items()}

    def tap_rows(self) -> Mapping[str, pa.Table]:
        """The rows of TAP_SCHEMA for these catalogs."""
        if not self._tap_rows:
            own = [c for c in self.catalogs.catalogs if c.name not in HELD_CATALOGS]
            self._tap_rows.update(tap_schema.rows(own))
        return self._tap_rows

    def with_uploads(self, uploads: Uploads) -> Pinned:
        """The same with the tables that come with one query, as the catalog TAP_UPLOAD."""
        if not uploads:
            return self
        known, catalog = self.catalogs, uploads.catalog()
        whole = None if known.whole is None else (*known.whole, catalog)
        catalogs = Catalogs((*known.catalogs, catalog), known.default, whole=whole)
        return replace(self, catalogs=catalogs, uploads=uploads, _callers={}, _views={})

    def seen_by(self, caller: Caller) -> Pinned:
        """What is there for this caller; all of it for an administrator."""
        if caller.is_admin:
            return self
        now, grantees = datetime.now(UTC), self.rights.grantees(caller.name, caller.groups)
        kept = self._callers.get(grantees)
        if kept is not None and (kept[0].until is None or now < kept[0].until):
            return kept[1]
        sight = self.rights.sight(grantees, now)
        key = (sight.catalogs, sight.tables)
        view = self._views.get(key) or self._view(sight)
        if len(self._views) >= KEPT_VIEWS or len(self._callers) >= KEPT_CALLERS:
            self._views.clear()
            self._callers.clear()
        self._views[key] = view
        self._callers[grantees] = (sight, view)
        return view

    def _view(self, sight: Sight) -> Pinned:
        """These catalogs without what `sight` leaves out; one of which nothing is left is not there."""
        ids = {pin.name: pin.catalog_id for pin in self.pins}
        whole, told, hidden = [], [], set()
        for catalog in self.catalogs.catalogs:
            number = ids.get(catalog.name)
            if number is None:  # TAP_SCHEMA
                whole.append(catalog)
                told.append(catalog)
                continue
            left_out = {t.name for t in catalog.tables if not sight.sees(number, t.name)}
            if len(left_out) < len(catalog.tables) or number in sight.catalogs:
                whole.append(catalog)
                told.append(without(catalog, left_out) if left_out else catalog)
                hidden |= {(number, name.casefold()) for name in left_out}
        names = {catalog.name for catalog in told}
        default = self.catalogs.default
        is_there = default is not None and default.casefold() in {n.casefold() for n in names}
        known = Catalogs(tuple(told), default if is_there else None, whole=tuple(whole))
        pins = tuple(pin for pin in self.pins if pin.name in names)
        parts = {name: index for name, index in self.parts.items() if name in names}
        return Pinned(pins, known, parts, self.warnings, self.rights, frozenset(hidden))


def without(catalog: Catalog, names: set[str]) -> Catalog:
    """A catalog as it is told to who does not see those tables, nor that others refer to them."""
    tables = tuple(
        replace(table, foreign_keys=tuple(k for k in table.foreign_keys if k.target not in names))
        for table in catalog.tables
        if table.name not in names
    )
    return replace(catalog, tables=tables)


class Pinner:
    """Pins what queries read. Thread-safe."""

    def __init__(self, pools: Pools, default_catalog: str | None = None) -> None:
        self._pools, self._default = pools, default_catalog
        self._reading = threading.Lock()
        self._models: dict[tuple[int, int], Catalog] = {}
        self._rights = Rights(version=-1)
        self._indexes: dict[Pin, PartIndex] = {}
        self._last: Pinned | None = None
        self._back: dict[tuple[Pin, ...], Pinned] = {}
        self._away_until = 0.0

    @property
    def rights(self) -> Rights:
        """Those that were read last."""
        return self._rights

    def pin(self, as_of: Sequence[AsOf] = (), caller: Caller = OPERATOR) -> Pinned:
        """The newest published versions; the last known ones while the coordinator is away.

        What the caller may not read is not in it. Raises Unavailable where the coordinator is away and
        nothing is known yet; UnknownSnapshot, SnapshotDropped of older versions that are asked for by
        name.
        """
        newest = self._newest()
        seen = newest.seen_by(caller)
        if not as_of:
            return seen
        names = [pin.name for pin in seen.pins]
        for one in as_of:
            if one.catalog.casefold() not in {name.casefold() for name in names}:
                raise UnknownSnapshot(
                    f"no snapshot {one.catalog}@{one.snapshot}: there is no such catalog"
                    f"{hint(one.catalog, names)}"
                )
        return self._older(newest, as_of).seen_by(caller)

    def _newest(self) -> Pinned:
        if self._last is not None and time.monotonic() < self._away_until:
            return self._last_known()
        try:
            with self._pools.coordinator() as connection:
                connection.autocommit = True  # one statement needs no BEGIN and ROLLBACK around it
                version, pins = current_state(connection)
            pinned = self._at(pins, version)
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
                if pins == newest.pins:
                    return newest
                found = self._back.get(pins) or self._read_back(connection, pins)
                return replace(found, rights=newest.rights, _callers={}, _views={})
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
        return replace(last, warnings=(warning,), _callers={}, _views={})

    def _at(self, pins: tuple[Pin, ...], version: int) -> Pinned:
        """What these versions hold; read once, however many queries meet a new one together.

        Rights may be newer than the version that was asked for, never older.
        """
        last = self._last
        if last is not None and last.pins == pins and last.rights.version == version:
            return last
        with self._reading:
            last = self._last
            if last is None or last.pins != pins or last.rights.version != version:
                with self._pools.coordinator() as connection:
                    connection.autocommit = True
                    last = self._last = self._read(connection, pins, version)
            return last

    def _read(self, connection: Connection, pins: tuple[Pin, ...], version: int) -> Pinned:
        """Read what is not known yet of these versions; others are forgotten."""
        if self._rights.version != version:
            self._rights = read_rights(connection)
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
        parts = {pin.name: index for pin, index in indexes.items()}
        return Pinned(pins, known, parts, rights=self._rights)

    def _chosen_default(self, catalogs: list[Catalog]) -> str | None:
        names = {catalog.name.casefold() for catalog in catalogs}
        wanted = self._default
        return wanted if wanted is not None and wanted.casefold() in names else None


def _found(connection: Connection, asked: AsOf) -> Pin:
    return find_pin(connection, asked.catalog, asked.snapshot)
