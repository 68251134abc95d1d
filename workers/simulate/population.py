"""What is in the sky: galaxies, quasars, stars of the Galaxy and of two globular clusters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from workers.simulate.sky import F64, SURVEY, galactic

_CELLS = (480, 240)
"""Cells of the footprint, in right ascension and sine of declination, that stars are spread over."""


class Kind(IntEnum):
    """What an object is, in truth."""

    GALAXY = 0
    STAR = 1
    CLUSTER_STAR = 2
    QUASAR = 3


@dataclass(frozen=True, slots=True)
class Cluster:
    """A globular cluster: centre, Plummer radius (degrees), distance modulus, share of all objects."""

    ra: float
    dec: float
    radius_deg: float
    distance_modulus: float
    share: float


CLUSTERS = (
    Cluster(294.9988, -30.9647, radius_deg=0.15, distance_modulus=13.7, share=0.05),
    Cluster(13.1885, -26.5826, radius_deg=0.12, distance_modulus=14.8, share=0.03),
)
"""Where M 55 and NGC 288 are."""
SHARES = {Kind.GALAXY: 0.46, Kind.QUASAR: 0.01, Kind.STAR: 0.45}


@dataclass(frozen=True, slots=True)
class Population:
    """The true sky: positions (degrees), kinds, AB magnitudes (n, 6), half-light radii (arcsec)."""

    ra: F64
    dec: F64
    kind: npt.NDArray[np.int8]
    magnitudes: npt.NDArray[np.float32]
    radius_arcsec: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ra)


def draw_population(rng: np.random.Generator, count: int) -> Population:
    """About `count` objects (exactly, but for rounding of each kind's share), in random order."""
    parts = [
        _galaxies(rng, round(count * SHARES[Kind.GALAXY])),
        _quasars(rng, round(count * SHARES[Kind.QUASAR])),
        _field_stars(rng, round(count * SHARES[Kind.STAR])),
        *(_cluster_stars(rng, round(count * c.share), c) for c in CLUSTERS),
    ]
    order = rng.permutation(sum(len(part) for part in parts))
    return Population(
        *(
            np.concatenate([getattr(part, name) for part in parts])[order]
            for name in ("ra", "dec", "kind", "magnitudes", "radius_arcsec")
        )
    )


def _population(ra: F64, dec: F64, kind: Kind, bands: list[F64], radius: F64 | None) -> Population:
    kinds = np.full(len(ra), kind, dtype=np.int8)
    sizes = np.zeros(len(ra)) if radius is None else radius
    magnitudes = np.stack(bands, axis=1).astype(np.float32)
    return Population(ra, dec, kinds, magnitudes, sizes.astype(np.float32))


def _counts(rng: np.random.Generator, count: int, bright: float, faint: float, slope: float) -> F64:
    """Magnitudes whose numbers grow as 10^(slope m)."""
    lowest = float(10.0 ** (-slope * (faint - bright)))
    return faint + np.log10(lowest + (1.0 - lowest) * rng.random(count)) / slope


def _galaxies(rng: np.random.Generator, count: int) -> Population:
    """Evenly spread; a red sequence and a blue cloud."""
    ra, dec = SURVEY.scatter(rng, count)
    r = _counts(rng, count, 17.5, 25.5, 0.36)
    is_red = rng.random(count) < 0.3
    redness = np.where(is_red, rng.normal(0.95, 0.15, count), rng.normal(0.45, 0.18, count))
    ug = 0.5 + 0.9 * redness + rng.normal(0.0, 0.15, count)
    ri = 0.08 + 0.42 * redness + rng.normal(0.0, 0.06, count)
    iz = 0.05 + 0.25 * redness + rng.normal(0.0, 0.05, count)
    g, i = r + redness, r - ri
    z = i - iz
    radius = np.exp(rng.normal(-0.6, 0.4, count) - 0.18 * (r - 22.0))
    bands = [g + ug, g, r, i, z, z - 0.5 * iz]
    return _population(ra, dec, Kind.GALAXY, bands, np.clip(radius, 0.1, 12.0))


def _quasars(rng: np.random.Generator, count: int) -> Population:
    """Evenly spread points, blue and flat (Richards et al. 2002, AJ 123, 2945)."""
    ra, dec = SURVEY.scatter(rng, count)
    i = _counts(rng, count, 17.0, 23.5, 0.45)
    colours = rng.normal([0.15, 0.12, 0.1, 0.05, 0.05], 0.12, (count, 5)).T
    r = i + colours[2]
    g = r + colours[1]
    z = i - colours[3]
    bands = [g + colours[0], g, r, i, z, z - colours[4]]
    return _population(ra, dec, Kind.QUASAR, bands, None)


def _field_stars(rng: np.random.Generator, count: int) -> Population:
    """Dense at the galactic plane and around the Galaxy's centre."""
    ra, dec = _galactic_positions(rng, count)
    r = _counts(rng, count, 14.5, 25.0, 0.22)
    is_dwarf = rng.random(count) < 0.25 + 0.045 * (r - 14.5)
    gi = np.where(is_dwarf, rng.normal(2.3, 0.45, count), rng.normal(0.65, 0.22, count))
    return _population(ra, dec, Kind.STAR, _on_locus(rng, r, np.clip(gi, -0.4, 3.9), 0.02), None)


def _galactic_positions(rng: np.random.Generator, count: int) -> tuple[F64, F64]:
    """Positions drawn from a disc and a bulge, cell by cell of a grid of equal areas."""
    columns, rows = _CELLS
    south, north = np.sin(np.radians([SURVEY.dec_south, SURVEY.dec_north]))
    height = (north - south) / rows
    sines = south + height * (np.arange(rows) + 0.5)
    ra = (SURVEY.ra_west + SURVEY.ra_width * (np.arange(columns) + 0.5) / columns) % 360.0
    grid_ra, grid_sine = (axis.ravel() for axis in np.meshgrid(ra, sines))
    weights = _star_density(grid_ra, np.degrees(np.arcsin(grid_sine)))
    cells = rng.choice(len(weights), size=count, p=weights / weights.sum())
    width = SURVEY.ra_width / columns
    ra_in = (grid_ra[cells] + width * (rng.random(count) - 0.5)) % 360.0
    sine_in = grid_sine[cells] + height * (rng.random(count) - 0.5)
    return ra_in, np.degrees(np.arcsin(np.clip(sine_in, south, north)))


def _star_density(ra: F64, dec: F64) -> F64:
    """Stars a unit area, relative: a halo, a disc 9 degrees thick, a bulge."""
    longitude, latitude = galactic(ra, dec)
    from_centre = np.minimum(longitude, 360.0 - longitude)
    disc = np.exp(-np.abs(latitude) / 9.0) * (1.0 + 1.5 * np.exp(-from_centre / 45.0))
    bulge = 5.0 * np.exp(-np.hypot(from_centre / 9.0, latitude / 6.0))
    return 0.06 + disc + bulge


def _cluster_stars(rng: np.random.Generator, count: int, cluster: Cluster) -> Population:
    """A Plummer sphere seen from afar; main sequence, turn-off and giants at one distance."""
    radius = cluster.radius_deg / np.sqrt(1.0 / np.maximum(rng.random(count), 1e-12) - 1.0)
    radius = np.minimum(radius, 12.0 * cluster.radius_deg)
    angle = rng.uniform(0.0, 2.0 * np.pi, count)
    dec = cluster.dec + radius * np.sin(angle)
    ra = (cluster.ra + radius * np.cos(angle) / np.cos(np.radians(dec))) % 360.0
    absolute = _counts(rng, count, -0.5, 9.5, 0.16)
    gi = np.interp(
        absolute,
        [-0.5, 1.0, 2.5, 3.3, 4.0, 5.0, 6.5, 9.5],
        [1.5, 1.1, 0.9, 0.7, 0.5, 0.65, 1.2, 2.5],
    )
    r = absolute + cluster.distance_modulus
    return _population(ra, dec, Kind.CLUSTER_STAR, _on_locus(rng, r, gi, 0.01), None)


_LOCUS_GI = [-0.5, 0.0, 0.3, 0.6, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
_LOCUS_UG = [0.3, 1.0, 0.95, 1.15, 1.6, 2.2, 2.5, 2.6, 2.6, 2.6, 2.6]
_LOCUS_GR = [-0.35, -0.02, 0.23, 0.44, 0.72, 1.05, 1.27, 1.36, 1.42, 1.48, 1.55]
_LOCUS_IZ = [-0.2, -0.08, 0.0, 0.06, 0.14, 0.25, 0.40, 0.60, 0.84, 1.05, 1.25]


def _on_locus(rng: np.random.Generator, r: F64, gi: F64, scatter: float) -> list[F64]:
    """Six magnitudes of stars of a colour g-i (stellar locus as in Covey et al. 2007, AJ 134, 2398)."""
    gr = np.interp(gi, _LOCUS_GI, _LOCUS_GR) + rng.normal(0.0, scatter, len(r))
    ug = np.interp(gi, _LOCUS_GI, _LOCUS_UG) + rng.normal(0.0, 2.0 * scatter, len(r))
    iz = np.interp(gi, _LOCUS_GI, _LOCUS_IZ) + rng.normal(0.0, scatter, len(r))
    g = r + gr
    i = g - gi
    z = i - iz
    return [g + ug, g, r, i, z, z - 0.45 * iz]
