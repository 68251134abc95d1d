"""The live parts of one unit: known by place, made where it wants to write, written down before it does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from loaders.live.target import LiveTarget
from procedures.live_parts import live_parts, make_parts, note_parts
from procedures.live_tables import UnitEnded
from procedures.pools import Pools
from procedures.units import Begun
from schema.live_parts import LivePart, LivePlace
from schema.manifest import PartId


class PartBook:
    """What a unit knows of the coordinator's live parts. Not for threads."""

    def __init__(self, pools: Pools, target: LiveTarget, begun: Begun) -> None:
        self._pools, self._target, self._begun = pools, target, begun
        self._by_table: dict[str, dict[LivePlace, LivePart]] = {}
        self._noted: set[PartId] = set()

    def of_table(self, table: str) -> list[LivePart]:
        """The parts of a table (the model's spelling), its index's too."""
        if table not in self._by_table:
            self._read({table})
        return list(self._by_table[table].values())

    def at(
        self, places: Iterable[LivePlace], tables: AbstractSet[str]
    ) -> dict[LivePlace, LivePart]:
        """The parts of some tables; those at the given places are made where they are not there."""
        unread = tables - self._by_table.keys()
        if unread:
            self._read(unread)
        known = {at: part for name in tables for at, part in self._by_table[name].items()}
        missing = {at: self._target.new_part(at) for at in places if at not in known}
        if not missing:
            return known
        with self._pools.coordinator() as connection:
            make_parts(connection, self._begun.catalog_id, missing)
            connection.commit()
        self._read({at.table for at in missing})
        return {at: part for name in tables for at, part in self._by_table[name].items()}

    def note(self, parts: Sequence[LivePart]) -> None:
        """Write down that the unit may write to parts. Raises UnitEnded."""
        fresh = {part.part_id for part in parts} - self._noted
        if not fresh:
            return
        with self._pools.coordinator() as connection:
            if not note_parts(connection, self._begun.unit_id, sorted(fresh)):
                raise UnitEnded(self._begun.unit_id)
            connection.commit()
        self._noted |= fresh

    def _read(self, tables: AbstractSet[str]) -> None:
        with self._pools.coordinator() as connection:
            found = live_parts(connection, self._begun.catalog_id, sorted(tables))
            connection.rollback()
        for name in tables:
            self._by_table[name] = {p.place: p for p in found if p.place.table == name}
