"""Fluxes in nJy, AB magnitudes, and the noise that a depth means."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BANDS = "ugrizy"
ZERO_POINT_NJY = 31.4
"""AB magnitude of 1 nJy (Oke & Gunn 1983, ApJ 266, 713)."""

COADD_DEPTH = np.array([25.0, 26.2, 26.3, 25.7, 25.0, 24.1])
"""Magnitude at 5 sigma of the coadds, by band."""
VISIT_DEPTH = np.array([23.7, 24.6, 24.2, 23.6, 23.0, 22.1])
"""Of one visit of 30 s (Ivezic et al. 2019, ApJ 873, 111, table 1, rounded)."""
_SYSTEMATIC = 0.005
"""Relative error that no exposure is long enough for."""
_PHOTONS = 0.04
"""The error's square grows by this share of the limiting noise for each nJy of flux over it."""

Floats = npt.NDArray[np.float64]


def flux_njy(magnitude: Floats) -> Floats:
    """Flux of AB magnitudes, nJy."""
    return np.power(10.0, 0.4 * (ZERO_POINT_NJY - magnitude))


def magnitude(flux: Floats) -> Floats:
    """AB magnitude of fluxes in nJy; NaN where the flux is not positive."""
    positive = np.where(flux > 0.0, flux, np.nan)
    return ZERO_POINT_NJY - 2.5 * np.log10(positive)


def flux_error(flux: Floats, depth: Floats | float) -> Floats:
    """Standard error of a measured flux (nJy), of the sky's noise, photons and calibration.

    `depth` is the magnitude at 5 sigma.
    """
    sky = flux_njy(np.asarray(depth, dtype=np.float64)) / 5.0
    bright = np.maximum(flux, 0.0)
    return np.sqrt(sky**2 + _PHOTONS * sky * bright + (_SYSTEMATIC * bright) ** 2)
