"""Coordinates: the footprint, galactic latitude, tracts and patches. Degrees, ICRS, arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

TRACT_DEG = 1.5
PATCHES_A_SIDE = 4

_TO_GALACTIC = np.array(
    [
        [-0.0548755604162154, -0.8734370902348850, -0.4838350155487132],
        [0.4941094278755837, -0.4448296299600112, 0.7469822444972189],
        [-0.8676661490190047, -0.1980763734312015, 0.4559837761750669],
    ]
)
"""ICRS to galactic (The Hipparcos and Tycho Catalogues, ESA SP-1200, volume 1, section 1.5.3)."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """A range of right ascension, eastward from `ra_west`, and of declination."""

    ra_west: float = 255.0
    ra_width: float = 120.0
    dec_south: float = -50.0
    dec_north: float = 0.0

    def area_deg2(self) -> float:
        """Its area, square degrees (5,267 as it stands)."""
        south, north = np.sin(np.radians([self.dec_south, self.dec_north]))
        return float(self.ra_width * np.degrees(north - south))

    def contains(self, ra: F64, dec: F64) -> npt.NDArray[np.bool_]:
        """Whether each position lies inside."""
        east = (ra - self.ra_west) % 360.0 < self.ra_width
        return east & (dec >= self.dec_south) & (dec <= self.dec_north)

    def scatter(self, rng: np.random.Generator, count: int) -> tuple[F64, F64]:
        """Positions spread evenly over its area."""
        south, north = np.sin(np.radians([self.dec_south, self.dec_north]))
        ra = (self.ra_west + self.ra_width * rng.random(count)) % 360.0
        return ra, np.degrees(np.arcsin(rng.uniform(south, north, count)))


SURVEY = Footprint()


def unit_vectors(ra: F64, dec: F64) -> F64:
    """Cartesian unit vectors, shape (n, 3)."""
    phi, theta = np.radians(ra), np.radians(dec)
    flat = np.cos(theta)
    return np.stack([flat * np.cos(phi), flat * np.sin(phi), np.sin(theta)], axis=-1)


def galactic(ra: F64, dec: F64) -> tuple[F64, F64]:
    """Galactic longitude in [0, 360) and latitude."""
    x, y, z = (unit_vectors(ra, dec) @ _TO_GALACTIC.T).T
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arcsin(np.clip(z, -1.0, 1.0)))


def tracts(ra: F64, dec: F64) -> tuple[I64, I64]:
    """Tract and patch of each position: cells of rings 1.5 degrees high, each cut 4 by 4."""
    ring, height = _cell(dec + 90.0, TRACT_DEG)
    in_ring = _tracts_of_rings()[ring]
    first = np.concatenate([[0], np.cumsum(_tracts_of_rings())])[ring]
    cell, width = _cell(ra / 360.0 * in_ring, 1.0)
    row = np.minimum((height * PATCHES_A_SIDE).astype(np.int64), PATCHES_A_SIDE - 1)
    column = np.minimum((width * PATCHES_A_SIDE).astype(np.int64), PATCHES_A_SIDE - 1)
    return first + np.minimum(cell, in_ring - 1), row * PATCHES_A_SIDE + column


def _cell(value: F64, width: float) -> tuple[I64, F64]:
    """Which cell of a line each value is in, and how far into it, in [0, 1)."""
    scaled = value / width
    cell = np.floor(scaled).astype(np.int64)
    return cell, scaled - cell


def _tracts_of_rings() -> I64:
    """How many tracts each ring has, from the south; the last one is for the pole itself."""
    middle = -90.0 + TRACT_DEG * (np.arange(int(180 / TRACT_DEG) + 1) + 0.5)
    around = 360.0 * np.abs(np.cos(np.radians(middle))) / TRACT_DEG
    numbers: I64 = np.maximum(1, np.ceil(around)).astype(np.int64)
    return numbers


def galactic_equator() -> tuple[F64, F64]:
    """Points along the plane of the Galaxy, a degree apart."""
    longitude = np.radians(np.arange(361.0))
    in_plane = np.stack([np.cos(longitude), np.sin(longitude), np.zeros(361)], axis=1)
    x, y, z = (in_plane @ _TO_GALACTIC).T
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arcsin(z))


@dataclass(frozen=True, slots=True)
class Patches:
    """Patches of the footprint: corners as (west, south, east, north) columns."""

    tract: I64
    patch: I64
    bounds: F64


def patches_of(footprint: Footprint) -> Patches:
    """Every patch whose centre lies in the footprint, in order."""
    numbers = _tracts_of_rings()
    ring = np.repeat(np.arange(len(numbers)), numbers)
    cell = np.arange(len(ring)) - np.concatenate([[0], np.cumsum(numbers)])[ring]
    tract = np.repeat(np.arange(len(ring)), PATCHES_A_SIDE**2)
    patch = np.tile(np.arange(PATCHES_A_SIDE**2), len(ring))
    row, column = np.divmod(patch, PATCHES_A_SIDE)
    width = 360.0 / numbers[ring][tract] / PATCHES_A_SIDE
    west = cell[tract] * width * PATCHES_A_SIDE + column * width
    south = -90.0 + TRACT_DEG * (ring[tract] + row / PATCHES_A_SIDE)
    bounds = np.stack([west, south, west + width, south + TRACT_DEG / PATCHES_A_SIDE], axis=1)
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    kept = footprint.contains(middle[:, 0], middle[:, 1])
    return Patches(tract[kept], patch[kept], bounds[kept])
