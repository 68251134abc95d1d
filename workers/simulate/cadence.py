"""When the camera looks where: fields over the footprint in six bands, and one deep field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workers.simulate.photometry import VISIT_DEPTH
from workers.simulate.sky import F64, I64, SURVEY

FIRST_NIGHT_MJD = 60460
"""2024 May 30."""
NIGHTS = 200
LATITUDE, LONGITUDE = -30.2446, -70.7494
FIELD_STEP_DEG = 2.95
"""Between neighbouring fields: they overlap, so that no gap is left."""
DITHER_DEG = 0.25
DEEP_FIELD = (9.45, -44.02)
"""ELAIS S1."""
DEEP_VISITS_A_BAND = 30
_NIGHT = (-0.02, 0.43)
"""When it is dark at the site, in days after midnight UTC."""
_TURNS_A_DAY = 1.00273790935


@dataclass(frozen=True, slots=True)
class Visits:
    """Exposures in order of time: pointing, rotation (degrees), band 0..5, MJD of the middle, depth."""

    number: I64
    ra: F64
    dec: F64
    rotation: F64
    band: npt.NDArray[np.int8]
    mjd: F64
    depth: F64

    def __len__(self) -> int:
        return len(self.number)


def plan_visits(rng: np.random.Generator) -> Visits:
    """All visits of the survey; they do not depend on how many objects there are."""
    field_ra, field_dec = _fields()
    ra = np.concatenate([np.repeat(field_ra, 6), np.full(6 * DEEP_VISITS_A_BAND, DEEP_FIELD[0])])
    dec = np.concatenate([np.repeat(field_dec, 6), np.full(6 * DEEP_VISITS_A_BAND, DEEP_FIELD[1])])
    band = np.tile(np.arange(6, dtype=np.int8), len(field_ra) + DEEP_VISITS_A_BAND)
    ra, dec = _dithered(rng, ra, dec)
    mjd = _times(rng, ra)
    order = np.argsort(mjd, kind="stable")
    depth = VISIT_DEPTH[band] + rng.normal(0.0, 0.15, len(ra))
    rotation = rng.uniform(0.0, 360.0, len(ra))
    night = np.floor(mjd[order] - 0.5).astype(np.int64)
    return Visits(
        _numbers(night),
        ra[order],
        dec[order],
        rotation[order],
        band[order],
        mjd[order],
        depth[order],
    )


def _fields() -> tuple[F64, F64]:
    """Field centres in rings of declination."""
    rings = int(np.ceil((SURVEY.dec_north - SURVEY.dec_south) / FIELD_STEP_DEG))
    decs = SURVEY.dec_south + (np.arange(rings) + 0.5) * (
        (SURVEY.dec_north - SURVEY.dec_south) / rings
    )
    ras, repeated = [], []
    for dec in decs:
        count = int(np.ceil(SURVEY.ra_width * np.cos(np.radians(dec)) / FIELD_STEP_DEG))
        ras.append(SURVEY.ra_west + (np.arange(count) + 0.5) * (SURVEY.ra_width / count))
        repeated.append(np.full(count, dec))
    return np.concatenate(ras) % 360.0, np.concatenate(repeated)


def _dithered(rng: np.random.Generator, ra: F64, dec: F64) -> tuple[F64, F64]:
    east, north = rng.uniform(-DITHER_DEG, DITHER_DEG, (2, len(ra)))
    return (ra + east / np.cos(np.radians(dec))) % 360.0, dec + north


def _times(rng: np.random.Generator, ra: F64) -> F64:
    """A dark time for each pointing, on a night when it stands within two hours of the meridian."""
    mjd = np.full(len(ra), np.nan)
    hour_angle = rng.uniform(-30.0, 30.0, len(ra))
    for _ in range(60):
        missing = np.flatnonzero(np.isnan(mjd))
        night = FIRST_NIGHT_MJD + rng.integers(0, NIGHTS, len(missing)).astype(np.float64)
        wait = (ra[missing] + hour_angle[missing] - sidereal_degrees(night + _NIGHT[0])) % 360.0
        time = night + _NIGHT[0] + wait / 360.0 / _TURNS_A_DAY
        is_dark = time < night + _NIGHT[1]
        mjd[missing[is_dark]] = time[is_dark]
    return np.where(np.isnan(mjd), FIRST_NIGHT_MJD + NIGHTS / 2, mjd)


def sidereal_degrees(mjd: F64) -> F64:
    """Local mean sidereal time at the site, degrees (Meeus, Astronomical Algorithms, 12.4)."""
    return (280.46061837 + 360.98564736629 * (mjd - 51544.5) + LONGITUDE) % 360.0


def altitude_azimuth(visits: Visits) -> tuple[F64, F64]:
    """Where the telescope points, degrees; azimuth from north through east."""
    hour = np.radians(sidereal_degrees(visits.mjd) - visits.ra)
    dec, latitude = np.radians(visits.dec), np.radians(LATITUDE)
    sine = np.sin(latitude) * np.sin(dec) + np.cos(latitude) * np.cos(dec) * np.cos(hour)
    east = -np.cos(dec) * np.sin(hour)
    north = np.cos(latitude) * np.sin(dec) - np.sin(latitude) * np.cos(dec) * np.cos(hour)
    return np.degrees(np.arcsin(sine)), np.degrees(np.arctan2(east, north)) % 360.0


def _numbers(night: I64) -> I64:
    """Visit numbers as the observatory gives them: YYYYMMDD of the night, then a count."""
    dates = np.datetime64("1858-11-17") + night
    text = np.char.replace(dates.astype(str), "-", "")
    first = np.searchsorted(night, night, side="left")
    return text.astype(np.int64) * 100_000 + 1 + np.arange(len(night)) - first
