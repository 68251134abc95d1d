"""Visit, CoaddPatches, and the visits' footprints (a file of its own: dp1's Visit has none)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from schema.catalog import Table
from workers.simulate.cadence import Visits, altitude_azimuth
from workers.simulate.model_tables import model_table, words
from workers.simulate.observing import outline
from workers.simulate.photometry import BANDS
from workers.simulate.sky import F64, SURVEY, patches_of

EXPOSURE_S = 30.0
FILTERS = ("u_24", "g_6", "r_57", "i_39", "z_20", "y_10")


def visit_table(table: Table, visits: Visits) -> pa.Table:
    """One row a visit."""
    altitude, azimuth = altitude_azimuth(visits)
    start = visits.mjd - EXPOSURE_S / 2.0 / 86400.0
    return model_table(
        table,
        len(visits),
        {
            "visit": visits.number,
            "band": words(visits.band, tuple(BANDS)),
            "physical_filter": words(visits.band, FILTERS),
            "ra": visits.ra,
            "dec": visits.dec,
            "skyRotation": visits.rotation,
            "azimuth": azimuth,
            "altitude": altitude,
            "zenithDistance": 90.0 - altitude,
            "airmass": 1.0 / np.maximum(np.sin(np.radians(altitude)), 0.1),
            "expTime": np.full(len(visits), EXPOSURE_S),
            "expMidptMJD": visits.mjd,
            "expMidpt": timestamps(visits.mjd),
            "obsStartMJD": start,
            "obsStart": timestamps(start),
        },
    )


def timestamps(mjd: F64) -> pa.Array:
    """MJD as timestamps of microseconds."""
    microseconds = np.round((mjd - 40587.0) * 86_400e6).astype(np.int64)
    return pa.array(microseconds).cast(pa.timestamp("us"))


def patch_table(table: Table) -> pa.Table:
    """CoaddPatches of the footprint."""
    patches = patches_of(SURVEY)
    west, south, east, north = patches.bounds.T
    corners = zip(west, south, east, north, strict=True)
    regions = [
        f"POLYGON ICRS {w:.6f} {s:.6f} {e:.6f} {s:.6f} {e:.6f} {n:.6f} {w:.6f} {n:.6f}"
        for w, s, e, n in corners
    ]
    return model_table(
        table,
        len(regions),
        {
            "lsst_tract": patches.tract,
            "lsst_patch": patches.patch,
            "s_ra": (west + east) / 2.0,
            "s_dec": (south + north) / 2.0,
            "s_region": pa.array(regions),
        },
    )


def footprint_table(visits: Visits) -> pa.Table:
    """Each visit's outline on the sky, as DALI polygon text."""
    outlines = [
        outline(ra, dec, rotation)
        for ra, dec, rotation in zip(visits.ra, visits.dec, visits.rotation, strict=True)
    ]
    regions = [
        "POLYGON ICRS " + " ".join(f"{ra:.6f} {dec:.6f}" for ra, dec in corners)
        for corners in outlines
    ]
    return pa.table({"visit": visits.number, "s_region": pa.array(regions)})
