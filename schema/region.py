"""Regions of the sky with constant coordinates, and the exact test of a point against them.

Positions and lengths are ICRS degrees. Edges belong to a region.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ShapeKind(StrEnum):
    """Regions that a query can name by numbers."""

    CIRCLE = "circle"
    POLYGON = "polygon"
    BOX = "box"


@dataclass(frozen=True, slots=True)
class Shape:
    """A region with constant coordinates.

    CIRCLE: (ra, dec, radius); BOX: (ra, dec, width, height) as ADQL 2.1, section 4.2.9: centred, its
    sides on the parallels and meridians at half a width and half a height; POLYGON: (ra1, dec1, ra2,
    dec2, ...), at least three vertices joined by great circles, the smaller side of the sphere.
    """

    kind: ShapeKind
    numbers: tuple[float, ...]
