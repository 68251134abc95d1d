"""The parts of a manifest by table and chunk: what dispatch asks for, thousands of times a query."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from schema.healpix import Pixel
from schema.manifest import Manifest, Part, PartKind


@dataclass(frozen=True, slots=True)
class _TableParts:
    """One table's parts in NESTED order, beside the first pixel of each."""

    first_29: list[int]
    parts: list[Part]
    by_pixel: dict[Pixel, tuple[Part, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartIndex:
    """A manifest that answers "which parts of this table lie in this chunk".

    Built lazily and kept as long as the manifest; safe in threads, because what two threads compute
    at once is the same.
    """

    manifest: Manifest
    _tables: dict[str, _TableParts] = field(default_factory=dict, repr=False, compare=False)

    def in_chunk(self, table: str, pixel: Pixel) -> tuple[Part, ...]:
        """The parts of kind ROWS whose pixel is this one or lies inside it."""
        rows = self._tables.get(table) or self._arrange(table)
        found = rows.by_pixel.get(pixel)
        if found is None:
            start = bisect_left(rows.first_29, pixel.first_29)
            stop = bisect_left(rows.first_29, pixel.last_29 + 1)
            found = tuple(
                part
                for part in rows.parts[start:stop]
                if part.pixel is not None and pixel.contains(part.pixel)
            )
            rows.by_pixel[pixel] = found
        return found

    def in_chunks(self, table: str, pixels: Iterable[Pixel]) -> tuple[Part, ...]:
        """The parts of several chunks, in the order of the chunks."""
        return tuple(part for pixel in pixels for part in self.in_chunk(table, pixel))

    def whole(self, table: str) -> tuple[Part, ...]:
        """The parts of a replicated table."""
        return self.manifest.parts_of(table, PartKind.WHOLE)

    def _arrange(self, table: str) -> _TableParts:
        parts = [p for p in self.manifest.parts_of(table, PartKind.ROWS) if p.pixel is not None]
        parts.sort(key=_place)
        arranged = _TableParts([_place(part)[0] for part in parts], parts)
        self._tables[table] = arranged
        return arranged


def _place(part: Part) -> tuple[int, int]:
    """Where a part stands in NESTED order; older parts of a chunk first."""
    assert part.pixel is not None
    return part.pixel.first_29, part.part_id
