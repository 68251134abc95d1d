"""HEALPix arithmetic, NESTED everywhere. The one file that calls the HEALPix libraries.

Górski et al. 2005, ApJ 622, 759. Positions are ICRS degrees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAX_ORDER = 29


@dataclass(frozen=True, slots=True, order=True)
class Pixel:
    """One HEALPix pixel: `number` in [0, 12 * 4**order), NESTED."""

    order: int
    number: int

    def __post_init__(self) -> None:
        if not 0 <= self.order <= MAX_ORDER:
            raise ValueError(f"order {self.order} outside 0..{MAX_ORDER}")
        if not 0 <= self.number < 12 * 4**self.order:
            raise ValueError(f"pixel {self.number} outside order {self.order}")

    def __str__(self) -> str:
        return f"{self.order}/{self.number}"

    def parent(self) -> Pixel:
        """The pixel of the next coarser order that holds this one."""
        return self.ancestor(self.order - 1)

    def ancestor(self, order: int) -> Pixel:
        """The pixel of the given coarser (or equal) order that holds this one."""
        return Pixel(order, self.number >> (2 * (self.order - order)))

    def children(self) -> Iterator[Pixel]:
        """The four pixels of the next finer order."""
        return (Pixel(self.order + 1, 4 * self.number + k) for k in range(4))

    @property
    def first_29(self) -> int:
        """The first order-29 pixel inside."""
        return self.number << (2 * (MAX_ORDER - self.order))

    @property
    def last_29(self) -> int:
        """The last order-29 pixel inside (inclusive)."""
        return ((self.number + 1) << (2 * (MAX_ORDER - self.order))) - 1

    def contains(self, other: Pixel) -> bool:
        """Whether `other` lies inside this pixel (or is it)."""
        return other.order >= self.order and other.ancestor(self.order) == self
