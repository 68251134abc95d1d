"""Covers: a region as ranges of order-29 pixels, for choosing chunks and for index conditions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ranges:
    """Disjoint, ascending, inclusive ranges of order-29 NESTED pixels."""

    pairs: tuple[tuple[int, int], ...]
