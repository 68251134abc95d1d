"""A small sky in the shape of dp1: two directors, a child and a replicated table, with rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from schema.catalog import Catalog, Column, ForeignKey, Role, Table
from schema.types import Type
from tests.support.sky import Sky, sky_of

_SEED = 20250701
_OBJECTS, _SOURCES, _VISITS = 400, 800, 12

_OBJECT = Table(
    "Object",
    (
        Column("objectId", Type.LONG, nullable=False),
        Column("coord_ra", Type.DOUBLE, unit="deg"),
        Column("coord_dec", Type.DOUBLE, unit="deg"),
        Column("g_psfFlux", Type.FLOAT, unit="nJy"),
        Column("r_psfMag", Type.DOUBLE, unit="mag"),
        Column("tract", Type.INT),
        Column("refBand", Type.TEXT),
        Column("detect_isPrimary", Type.BOOLEAN),
    ),
    Role.DIRECTOR,
    key="objectId",
    ra="coord_ra",
    dec="coord_dec",
)
_SOURCE = Table(
    "Source",
    (
        Column("sourceId", Type.LONG, nullable=False),
        Column("ra", Type.DOUBLE, unit="deg"),
        Column("dec", Type.DOUBLE, unit="deg"),
        Column("visit", Type.LONG),
        Column("psfFlux", Type.DOUBLE, unit="nJy"),
        Column("size", Type.DOUBLE),
    ),
    Role.DIRECTOR,
    key="sourceId",
    ra="ra",
    dec="dec",
    foreign_keys=(ForeignKey("visit", ("visit",), "Visit", ("visit",)),),
)
_FORCED = Table(
    "ForcedSource",
    (
        Column("objectId", Type.LONG),
        Column("visit", Type.LONG),
        Column("band", Type.TEXT),
        Column("psfFlux", Type.DOUBLE, unit="nJy"),
    ),
    Role.CHILD,
    key="objectId",
    parent="Object",
    parent_key="objectId",
    foreign_keys=(ForeignKey("visit", ("visit",), "Visit", ("visit",)),),
)
_VISIT = Table(
    "Visit",
    (
        Column("visit", Type.LONG, nullable=False),
        Column("band", Type.TEXT),
        Column("expMidptMJD", Type.DOUBLE, unit="d"),
    ),
    Role.REPLICATED,
    primary_key=("visit",),
)
SMALL_CATALOG = Catalog("small", (_OBJECT, _SOURCE, _FORCED, _VISIT))


def _rows() -> dict[str, pa.Table]:
    random = np.random.default_rng(_SEED)
    objects = np.arange(_OBJECTS) + 1000
    sources = np.arange(_SOURCES) + 5000
    visits = np.arange(_VISITS) + 70
    bands = np.array(list("ugrizy"))
    of_object = random.integers(0, _OBJECTS, _SOURCES)
    ra, dec = random.uniform(52.0, 54.0, _OBJECTS), random.uniform(-29.0, -27.0, _OBJECTS)
    is_missing = random.random(_OBJECTS) < 0.1
    return {
        "Object": pa.table(
            {
                "objectId": objects,
                "coord_ra": ra,
                "coord_dec": dec,
                "g_psfFlux": pa.array(random.normal(100, 80, _OBJECTS), pa.float32()),
                "r_psfMag": pa.array(random.normal(22, 2, _OBJECTS), mask=is_missing),
                "tract": pa.array(random.integers(1, 5, _OBJECTS), pa.int32()),
                "refBand": bands[random.integers(0, 6, _OBJECTS)],
                "detect_isPrimary": random.random(_OBJECTS) < 0.5,
            }
        ),
        "Source": pa.table(
            {
                "sourceId": sources,
                "ra": ra[of_object] + random.normal(0, 1e-4, _SOURCES),
                "dec": dec[of_object] + random.normal(0, 1e-4, _SOURCES),
                "visit": random.choice(visits, _SOURCES),
                "psfFlux": random.normal(100, 80, _SOURCES),
                "size": random.exponential(1.0, _SOURCES),
            }
        ),
        "ForcedSource": pa.table(
            {
                "objectId": objects[of_object],
                "visit": random.choice(visits, _SOURCES),
                "band": bands[random.integers(0, 6, _SOURCES)],
                "psfFlux": random.normal(100, 80, _SOURCES),
            }
        ),
        "Visit": pa.table(
            {
                "visit": visits,
                "band": bands[random.integers(0, 6, _VISITS)],
                "expMidptMJD": np.sort(random.uniform(60000, 60100, _VISITS)),
            }
        ),
    }


SMALL_ROWS = _rows()
SMALL_SKY: Sky = sky_of(SMALL_CATALOG, SMALL_ROWS)
