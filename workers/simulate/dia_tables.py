"""Difference imaging of what varies: DiaSource, DiaObject and ForcedSourceOnDiaObject."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schema.catalog import Catalog
from workers.simulate.cadence import Visits
from workers.simulate.epoch_tables import (
    DETECTION_SIGMA,
    Epochs,
    Sky,
    forced_source_table,
    numbered,
    position_error_deg,
    select,
)
from workers.simulate.model_tables import Values, model_table, words
from workers.simulate.observing import Sightings
from workers.simulate.photometry import BANDS
from workers.simulate.population import Kind
from workers.simulate.sky import F64, I64
from workers.simulate.visit_tables import timestamps

_TEMPLATE_NOISE = 1.05
"""How much noisier a difference is than the visit."""
_DIA_BIT = 1 << 39
"""What tells a DiaObject's id from that of the Object at its place."""


def of_variables(sky: Sky, epochs: Epochs) -> Epochs:
    """The epochs of objects that vary."""
    kind = sky.variability.kind[epochs.sightings.objects]
    return select(epochs, np.flatnonzero(kind))


def joined(parts: Sequence[Epochs]) -> Epochs:
    """Several groups of epochs, one after the other."""
    sightings = Sightings(
        *(
            np.concatenate([getattr(part.sightings, name) for part in parts])
            for name in ("objects", "visits", "detector", "x", "y")
        )
    )
    return Epochs(
        sightings,
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("band", "mjd", "flux", "error", "mean_flux", "depth")
        ),
    )


def dia_tables(
    catalog: Catalog, sky: Sky, visits: Visits, epochs: Epochs, rng: np.random.Generator
) -> dict[str, pa.Table]:
    """The three tables, from the epochs of variable objects."""
    change = epochs.flux - epochs.mean_flux
    found = select(
        epochs, np.flatnonzero(np.abs(change) > DETECTION_SIGMA * _TEMPLATE_NOISE * epochs.error)
    )
    objects = np.unique(found.sightings.objects)
    with_object = np.flatnonzero(np.isin(epochs.sightings.objects, objects))
    return {
        "DiaObject": _dia_objects(catalog, sky, found, objects),
        "DiaSource": _dia_sources(catalog, sky, visits, found, rng),
        "ForcedSourceOnDiaObject": _forced(catalog, sky, visits, select(epochs, with_object)),
    }


def _forced(catalog: Catalog, sky: Sky, visits: Visits, epochs: Epochs) -> pa.Table:
    table = catalog.table("ForcedSourceOnDiaObject")
    assert table is not None
    as_dia = Sky(sky.population, sky.variability, sky.ids + _DIA_BIT)
    return forced_source_table(table, as_dia, visits, epochs)


def _dia_sources(
    catalog: Catalog, sky: Sky, visits: Visits, found: Epochs, rng: np.random.Generator
) -> pa.Table:
    table = catalog.table("DiaSource")
    assert table is not None
    seen, count = found.sightings, len(found.sightings)
    error = _TEMPLATE_NOISE * found.error
    change = found.flux - found.mean_flux
    wobble_deg = position_error_deg(found)
    dec = sky.population.dec[seen.objects] + wobble_deg * rng.standard_normal(count)
    shift = wobble_deg * rng.standard_normal(count) / np.cos(np.radians(dec))
    ra = (sky.population.ra[seen.objects] + shift) % 360.0
    is_galaxy = sky.population.kind[seen.objects] == Kind.GALAXY
    columns: dict[str, Values] = {
        "diaSourceId": numbered(visits.number[seen.visits]),
        "diaObjectId": sky.ids[seen.objects] + _DIA_BIT,
        "visit": visits.number[seen.visits],
        "detector": seen.detector,
        "band": words(found.band, tuple(BANDS)),
        "midpointMjdTai": found.mjd,
        "time_processed": timestamps(found.mjd + 60.0 / 86400.0),
        "coord_ra": ra,
        "coord_dec": dec,
        "ra": ra,
        "dec": dec,
        "raErr": wobble_deg,
        "decErr": wobble_deg,
        "x": seen.x,
        "y": seen.y,
        "apFlux": change + 0.5 * error * rng.standard_normal(count),
        "apFluxErr": 1.12 * error,
        "psfFlux": change,
        "psfFluxErr": error,
        "scienceFlux": found.flux,
        "scienceFluxErr": found.error,
        "snr": np.abs(change) / error,
        "psfNdata": np.full(count, 1681, dtype=np.int32),
        "psfChi2": rng.chisquare(40.0, count) * 42.0,
        "extendedness": is_galaxy.astype(np.float64),
        "reliability": np.clip(1.0 - rng.exponential(0.08, count), 0.0, 1.0),
    }
    return model_table(table, count, columns)


def _dia_objects(catalog: Catalog, sky: Sky, found: Epochs, objects: I64) -> pa.Table:
    table = catalog.table("DiaObject")
    assert table is not None
    row = np.searchsorted(objects, found.sightings.objects)
    count = len(objects)
    last = np.zeros(count)
    np.maximum.at(last, row, found.mjd)
    columns: dict[str, Values] = {
        "diaObjectId": sky.ids[objects] + _DIA_BIT,
        "ra": sky.population.ra[objects],
        "dec": sky.population.dec[objects],
        "radecMjdTai": last,
        "nDiaSources": np.bincount(row, minlength=count),
    }
    for number, band in enumerate(BANDS):
        chosen = np.flatnonzero(found.band == number)
        columns |= _band_statistics(band, select(found, chosen), row[chosen], count)
    return model_table(table, count, columns)


def _band_statistics(band: str, found: Epochs, row: I64, count: int) -> dict[str, Values]:
    """Weighted means and scatter of the difference fluxes of each object; NaN where it has none."""
    change = found.flux - found.mean_flux
    weight = 1.0 / (_TEMPLATE_NOISE * found.error) ** 2

    def total(values: F64) -> F64:
        return np.bincount(row, values, minlength=count).astype(np.float64)

    number = np.bincount(row, minlength=count).astype(np.float64)
    weights = np.where(number > 0, total(weight), np.nan)
    mean = total(change * weight) / weights
    deviation = change - mean[row]
    lowest, highest = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(lowest, row, change)
    np.maximum.at(highest, row, change)
    several = np.where(number > 1, number - 1.0, np.nan)
    is_seen = number > 0
    return {
        f"{band}_psfFluxMean": mean,
        f"{band}_psfFluxMeanErr": 1.0 / np.sqrt(weights),
        f"{band}_psfFluxSigma": np.sqrt(total(deviation**2) / several),
        f"{band}_psfFluxChi2": np.where(is_seen, total(deviation**2 * weight), np.nan),
        f"{band}_psfFluxNdata": number,
        f"{band}_psfFluxMin": np.where(is_seen, lowest, np.nan),
        f"{band}_psfFluxMax": np.where(is_seen, highest, np.nan),
        f"{band}_scienceFluxMean": total(found.flux * weight) / weights,
    }
