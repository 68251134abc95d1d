"""What single visits measure: Source (detections) and ForcedSource (at every Object's place)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schema.catalog import Catalog, Table
from workers.simulate.cadence import Visits
from workers.simulate.model_tables import Values, model_table, words
from workers.simulate.object_tables import PSF_PIXELS2
from workers.simulate.observing import Sightings
from workers.simulate.photometry import BANDS, flux_error, flux_njy
from workers.simulate.population import Kind, Population
from workers.simulate.sky import F64, I64, tracts
from workers.simulate.variability import Variability, magnitude_change
from workers.simulate.visit_tables import FILTERS

SATURATION_MAG = 16.0
DETECTION_SIGMA = 5.0
_EDGE_PIXELS = 20.0


@dataclass(frozen=True, slots=True)
class Sky:
    """The truth that is observed."""

    population: Population
    variability: Variability
    ids: I64


@dataclass(frozen=True, slots=True)
class Epochs:
    """Sightings with the fluxes measured in them, nJy."""

    sightings: Sightings
    band: npt.NDArray[np.int8]
    mjd: F64
    flux: F64
    error: F64
    mean_flux: F64
    depth: F64


def measure(sky: Sky, visits: Visits, seen: Sightings, rng: np.random.Generator) -> Epochs:
    """Forced photometry of every sighting."""
    band, mjd = visits.band[seen.visits], visits.mjd[seen.visits]
    depth = visits.depth[seen.visits]
    mean = flux_njy(sky.population.magnitudes[seen.objects, band].astype(np.float64))
    change = magnitude_change(sky.variability, seen.objects, mjd, band)
    true = mean * np.power(10.0, -0.4 * change)
    error = flux_error(true, depth)
    flux = true + error * rng.standard_normal(len(seen))
    return Epochs(seen, band, mjd, flux, error, mean, depth)


def detected(epochs: Epochs) -> npt.NDArray[np.bool_]:
    """Which sightings would be found without knowing that there is something."""
    return epochs.flux > DETECTION_SIGMA * epochs.error


def forced_source_table(table: Table, sky: Sky, visits: Visits, epochs: Epochs) -> pa.Table:
    """One row a sighting, at the Object's own position."""
    seen = epochs.sightings
    objects = seen.objects
    ra, dec = sky.population.ra[objects], sky.population.dec[objects]
    key = table.key
    assert key is not None
    tract, patch = tracts(ra, dec)
    return model_table(
        table,
        len(seen),
        {
            key: sky.ids[objects],
            "coord_ra": ra,
            "coord_dec": dec,
            "parentObjectId": np.zeros(len(seen), dtype=np.int64),
            "visit": visits.number[seen.visits],
            "detector": seen.detector,
            "band": words(epochs.band, tuple(BANDS)),
            "tract": tract,
            "patch": patch,
            **forced_fluxes(epochs),
        },
    )


def forced_fluxes(epochs: Epochs) -> dict[str, Values]:
    """Direct and difference flux, and the flags that follow from place and brightness."""
    is_edge = _near_edge(epochs.sightings)
    is_saturated = epochs.flux > _saturation()
    return {
        "psfFlux": epochs.flux,
        "psfFluxErr": epochs.error,
        "psfDiffFlux": epochs.flux - epochs.mean_flux,
        "psfDiffFluxErr": epochs.error,
        "pixelFlags_edge": is_edge,
        "pixelFlags_saturated": is_saturated,
        "pixelFlags_saturatedCenter": is_saturated,
    }


def _saturation() -> float:
    return float(flux_njy(np.array(SATURATION_MAG)))


def _near_edge(seen: Sightings) -> npt.NDArray[np.bool_]:
    nearest = np.minimum(np.minimum(seen.x, 4000.0 - seen.x), np.minimum(seen.y, 4000.0 - seen.y))
    return nearest < _EDGE_PIXELS


def source_table(
    catalog: Catalog, sky: Sky, visits: Visits, epochs: Epochs, rng: np.random.Generator
) -> pa.Table:
    """The detections among the sightings, each where it was measured."""
    table = catalog.table("Source")
    assert table is not None
    found = select(epochs, np.flatnonzero(detected(epochs)))
    seen = found.sightings
    count = len(seen)
    wobble_deg = position_error_deg(found)
    dec = sky.population.dec[seen.objects] + wobble_deg * rng.standard_normal(count)
    shift = wobble_deg * rng.standard_normal(count) / np.cos(np.radians(dec))
    ra = (sky.population.ra[seen.objects] + shift) % 360.0
    is_galaxy = sky.population.kind[seen.objects] == Kind.GALAXY
    position: dict[str, Values] = {
        "sourceId": numbered(visits.number[seen.visits]),
        "coord_ra": ra,
        "coord_dec": dec,
        "ra": ra,
        "dec": dec,
        "raErr": wobble_deg,
        "decErr": wobble_deg,
        "x": single(seen.x),
        "y": single(seen.y),
        "xErr": wobble_deg * 18_000.0,
        "yErr": wobble_deg * 18_000.0,
        "visit": visits.number[seen.visits],
        "detector": seen.detector,
        "band": words(found.band, tuple(BANDS)),
        "physical_filter": words(found.band, FILTERS),
    }
    return model_table(table, count, position | _source_fluxes(found, is_galaxy, rng))


def _source_fluxes(
    found: Epochs, is_galaxy: npt.NDArray[np.bool_], rng: np.random.Generator
) -> dict[str, Values]:
    count = len(found.sightings)
    noise = found.error * rng.standard_normal(count)
    extended = (is_galaxy ^ (rng.random(count) < 0.03)).astype(np.float64)
    growth = np.where(is_galaxy, 1.25, 1.0)
    moment = PSF_PIXELS2 * np.where(is_galaxy, 1.6, 1.0) * rng.normal(1.0, 0.03, count)
    sky_level = flux_njy(found.depth) * 4.0
    is_saturated = found.flux > _saturation()
    is_calibrator = (found.flux > 100.0 * found.error) & ~is_saturated & (extended == 0.0)
    return {
        "psfFlux": single(found.flux),
        "psfFluxErr": single(found.error),
        "ap12Flux": single(found.flux * growth + 0.5 * noise),
        "ap12FluxErr": single(1.12 * found.error),
        "ap17Flux": single(found.flux * growth * 1.01 + 0.8 * noise),
        "ap17FluxErr": single(1.28 * found.error),
        "calibFlux": single(found.flux * growth * 1.02 + noise),
        "calibFluxErr": single(1.41 * found.error),
        "gaussianFlux": single(found.flux * 0.5 * (1.0 + growth) + 0.2 * noise),
        "gaussianFluxErr": single(1.02 * found.error),
        "sky": single(sky_level),
        "skyErr": single(sky_level * 0.01),
        "ixx": single(moment),
        "iyy": single(moment * 1.02),
        "ixy": single(moment * 0.01),
        "extendedness": extended,
        "sizeExtendedness": extended,
        "deblend_nChild": np.zeros(count, dtype=np.int32),
        "pixelFlags_edge": _near_edge(found.sightings),
        "pixelFlags_saturated": is_saturated,
        "calib_psf_used": is_calibrator,
        "calib_photometry_used": is_calibrator,
    }


def select(epochs: Epochs, rows: I64) -> Epochs:
    """Some of the epochs, in the order of `rows`."""
    seen = epochs.sightings
    kept = Sightings(
        seen.objects[rows], seen.visits[rows], seen.detector[rows], seen.x[rows], seen.y[rows]
    )
    return Epochs(
        kept,
        epochs.band[rows],
        epochs.mjd[rows],
        epochs.flux[rows],
        epochs.error[rows],
        epochs.mean_flux[rows],
        epochs.depth[rows],
    )


def position_error_deg(epochs: Epochs) -> F64:
    """Error of a centroid: 0.35 arcsec over the signal to noise, at least 0.01 arcsec."""
    signal = np.maximum(np.abs(epochs.flux) / epochs.error, 1.0)
    return np.hypot(0.35 / signal, 0.01) / 3600.0


def single(values: F64) -> F64:
    """Values that have only the precision of 32 bits, as pixels give; they also compress better."""
    return values.astype(np.float32).astype(np.float64)


def numbered(visit: I64) -> I64:
    """Ids: the visit, then a count within it. `visit` is sorted in runs."""
    starts = np.flatnonzero(np.diff(visit, prepend=-1))
    lengths = np.diff(np.append(starts, len(visit)))
    return visit * 4_000_000 + np.arange(len(visit)) - np.repeat(starts, lengths) + 1
