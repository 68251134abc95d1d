"""The Object table as a pipeline would measure it on coadds, and the truth behind it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schema.catalog import Table
from workers.simulate.model_tables import Values, model_table, words
from workers.simulate.photometry import BANDS, COADD_DEPTH, flux_error, flux_njy, magnitude
from workers.simulate.population import Kind, Population
from workers.simulate.sky import F64, I64, galactic, tracts
from workers.simulate.variability import Variability, Variable

PSF_PIXELS2 = 4.2
"""Second moment of the point spread function, pixels^2."""
_PIXEL_ARCSEC = 0.2
_SHAPE_BANDS = "gri"


def object_ids(ra: F64, dec: F64) -> I64:
    """Ids that name their tract, as the pipelines' do: tract in the high bits, then a count."""
    tract, _ = tracts(ra, dec)
    return (tract << 40) + np.arange(len(ra), dtype=np.int64) + 1


def object_table(
    table: Table, sky: Population, ids: I64, rows: slice, rng: np.random.Generator
) -> pa.Table:
    """The Object rows of a range of the population."""
    ra, dec = sky.ra[rows], sky.dec[rows]
    magnitudes = sky.magnitudes[rows].astype(np.float64)
    tract, patch = tracts(ra, dec)
    _, latitude = galactic(ra, dec)
    is_extended = sky.kind[rows] == Kind.GALAXY
    count = len(ra)
    columns: dict[str, Values] = {
        "objectId": ids[rows],
        "coord_ra": ra,
        "coord_dec": dec,
        "tract": tract,
        "patch": patch,
        "parentObjectId": np.zeros(count, dtype=np.int64),
        "refBand": words(_reference_band(magnitudes), tuple(BANDS)),
        "ebv": 0.015 + 0.35 * np.exp(-np.abs(latitude) / 9.0) * rng.uniform(0.8, 1.2, count),
        "detect_isIsolated": rng.random(count) < 0.72,
        "deblend_nChild": np.zeros(count, dtype=np.int32),
        **_shape(sky.radius_arcsec[rows].astype(np.float64), rng),
    }
    columns["detect_fromBlend"] = ~np.asarray(columns["detect_isIsolated"])
    for number, band in enumerate(BANDS):
        columns |= _band_columns(band, number, magnitudes[:, number], is_extended, rng)
        if band in _SHAPE_BANDS:
            columns[f"{band}_extendedness"] = _seen_extended(is_extended, magnitudes[:, 2], rng)
    columns["refExtendedness"] = columns["i_extendedness"]
    columns["refSizeExtendedness"] = columns["i_extendedness"]
    return model_table(table, count, columns)


def _reference_band(magnitudes: F64) -> npt.NDArray[np.int64]:
    """i where it is detected well, else r, else the band of highest signal."""
    excess = COADD_DEPTH - magnitudes
    best = np.argmax(excess, axis=1)
    return np.where(excess[:, 3] > 0.75, 3, np.where(excess[:, 2] > 0.75, 2, best))


def _band_columns(
    band: str, number: int, true: F64, is_extended: npt.NDArray[np.bool_], rng: np.random.Generator
) -> dict[str, Values]:
    flux = flux_njy(true)
    count = len(flux)
    error = flux_error(flux, float(COADD_DEPTH[number]))
    is_bad = rng.random(count) < 0.003
    in_psf = flux * np.where(is_extended, 0.62, 1.0) + error * rng.standard_normal(count)
    in_model = flux + 1.15 * error * rng.standard_normal(count)
    in_psf[is_bad] = np.nan
    psf_magnitude = magnitude(in_psf)
    model_error = 1.15 * error
    return {
        f"{band}_psfFlux": in_psf,
        f"{band}_psfFluxErr": np.where(is_bad, np.nan, error),
        f"{band}_psfMag": psf_magnitude,
        f"{band}_psfMagErr": np.where(np.isnan(psf_magnitude), np.nan, 1.0857 * error / in_psf),
        f"{band}_psfFlux_flag": is_bad,
        f"{band}_cModelFlux": in_model,
        f"{band}_cModelFluxErr": model_error,
        f"{band}_cModelMag": magnitude(in_model),
    }


def _seen_extended(
    is_extended: npt.NDArray[np.bool_], r: F64, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """1 for galaxies, 0 for points; mistaken ever more often beyond magnitude 23."""
    mistake = np.clip(0.01 + 0.12 * (r - 23.0), 0.01, 0.4)
    return (is_extended ^ (rng.random(len(r)) < mistake)).astype(np.float32)


def _shape(radius_arcsec: F64, rng: np.random.Generator) -> dict[str, Values]:
    """Second moments: the point spread function's, and a random ellipse's for galaxies."""
    size = (radius_arcsec / _PIXEL_ARCSEC) ** 2 / 2.0
    e1, e2 = rng.normal(0.0, 0.2, (2, len(size))).clip(-0.9, 0.9)
    area = np.pi * (3.0**2) * (PSF_PIXELS2 + size)
    return {
        "shape_xx": PSF_PIXELS2 + size * (1.0 + e1),
        "shape_yy": PSF_PIXELS2 + size * (1.0 - e1),
        "shape_xy": size * e2,
        "footprintArea": area.astype(np.int32),
    }


_KINDS = tuple(kind.name.lower() for kind in Kind)
_VARIABLES = tuple(variable.name.lower() for variable in Variable)


def truth_table(sky: Population, ids: I64, variability: Variability) -> pa.Table:
    """What every object really is; not part of the catalog."""
    columns: dict[str, Values] = {
        "objectId": ids,
        "ra": sky.ra,
        "dec": sky.dec,
        "kind": words(sky.kind, _KINDS),
        "variable": words(variability.kind, _VARIABLES),
        "period_d": variability.period_d,
        "amplitude_g_mag": variability.amplitude,
        "phase_at_mjd_0": variability.phase,
        "radius_arcsec": sky.radius_arcsec,
        **{f"{band}_mag": sky.magnitudes[:, number] for number, band in enumerate(BANDS)},
    }
    return pa.table({name: pa.array(values) for name, values in columns.items()})
