"""The chunks of a local, and where its members' rows lie among them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qserv.analyse import key_condition
from qserv.bound import BaseTable, Column, Expression, RelationId
from qserv.plan.local import Local, Member, Separations, is_position
from qserv.planned import Reading
from schema.cover import Bools, PixelList, Ranges, around, of_pixels, touching
from schema.manifest import Manifest
from schema.statistics import ColumnStatistics, statistics_columns

Located = Mapping[tuple[str, str], Mapping[int, int | None]]
"""(catalog, table) -> key -> `_healpix_29` of its director, None for a key that the index does not
know; of the keys that were looked up."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the store while a query is planned."""

    manifests: Mapping[str, Manifest]
    """The pinned snapshot of each catalog, by its name."""
    located: Located
    separations: Separations


def statistics_of(column: Column, local: Local, known: Known) -> ColumnStatistics | None:
    """What the manifest knows of an own member's column; None where no part is known."""
    member = local.member(column.relation)
    if member is None or member.reading is not Reading.OWN:
        return None
    if column.name not in statistics_columns(member.table):
        return None
    manifest = known.manifests[member.base.catalog.name]
    found = manifest.statistics(member.table.name, column.name, column.type)
    return found if found.is_known.any() else None


@dataclass(frozen=True, slots=True)
class Found:
    """Where the keys of a condition lie, grown by each of the local's distances."""

    homes: tuple[Ranges, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Places:
    """One local's chunks: those where its anchor has rows, outermost ones numbered in NESTED order.

    `growths` are 0 and the distances, arcsec, that overlap members may lie from a row's home.
    """

    local: Local
    known: Known
    pixels: PixelList
    growths: tuple[float, ...]

    @classmethod
    def of(cls, local: Local, known: Known) -> Places:
        """Of a local that has an anchor."""
        anchor = local.member(local.anchor) if local.anchor is not None else None
        assert anchor is not None, "a local of replicated tables has no chunks"
        far = {m.reach_arcsec for m in local.members if m.reading is Reading.OVERLAP}
        pixels = known.manifests[anchor.base.catalog.name].own_pixels(anchor.table.name)
        return cls(local, known, pixels, (0.0, *sorted(far)))

    def member(self, relation: RelationId) -> Member:
        """The member of that id, which must be one."""
        found = self.local.member(relation)
        assert found is not None, f"{relation} is no member"
        return found

    def owner(self, ra: Expression, dec: Expression) -> RelationId | None:
        """The partitioned member whose own position (ra, dec) is."""
        if not isinstance(ra, Column):
            return None
        found = self.local.member(ra.relation)
        if found is None or found.reading is Reading.WHOLE:
            return None
        return ra.relation if is_position(found.base, ra, dec) else None

    def growths_of(self, member: Member) -> tuple[float, ...]:
        """How far a member's row may lie from its home grown by each distance, arcsec."""
        own = member.reach_arcsec + self.known.separations.of(member.base)
        return tuple(own + grow for grow in self.growths)

    def located(self, condition: Expression) -> Found | None:
        """The homes of the keys that a condition names; None where they were not looked up."""
        bases: dict[RelationId, BaseTable] = {
            m.base.relation: m.base for m in self.local.members if m.reading is Reading.OWN
        }
        key = key_condition(condition, bases)
        if key is None:
            return None
        looked_up = self.known.located.get((bases[key.relation].catalog.name, key.family), {})
        if not all(one in looked_up for one in key.keys):
            return None
        places = [looked_up[one] for one in key.keys]
        pixels = [pixel for pixel in places if pixel is not None]
        homes = tuple(around(pixels, grow) if grow else of_pixels(pixels) for grow in self.growths)
        return Found(homes, f"keys of {key.family}: {len(pixels)} of {len(places)} found")

    def statistics(self, column: Column) -> ColumnStatistics | None:
        """What the manifest knows of a member's column; None where no part is known."""
        return statistics_of(column, self.local, self.known)

    def chunks_of(
        self, home: Ranges | None, parts: Mapping[RelationId, Bools], chunks: Bools | None
    ) -> Bools:
        """The chunks where rows may be that lie in a home, in some parts, and in some chunks."""
        first, last = self.pixels.outer_first, self.pixels.outer_last
        found = np.ones(len(first), np.bool_) if home is None else touching(home, first, last)
        for relation, kept in parts.items():
            found &= self._holding(self.member(relation), kept)
        return found if chunks is None else found & chunks

    def _holding(self, member: Member, kept: Bools) -> Bools:
        """The chunks that some of a member's parts lie in, or that lie in them."""
        rows = self.known.manifests[member.base.catalog.name].table_rows(member.table.name)
        first, last = rows.first_29[kept], rows.last_29[kept]
        starts = np.searchsorted(self.pixels.outer_last, first)
        ends = np.searchsorted(self.pixels.outer_first, last, side="right")
        change = np.zeros(len(self.pixels.outer_first) + 1, np.int64)
        is_any = starts < ends
        np.add.at(change, starts[is_any], 1)
        np.add.at(change, ends[is_any], -1)
        return np.asarray(np.cumsum(change)[:-1] > 0, np.bool_)
