"""The rows that everybody holds: a director table of 20 columns, seeded, half of it in dense fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from schema.catalog import HEALPIX_29, Catalog, Column, Role, Table
from schema.healpix import pixels_29
from schema.types import Type

_SEED = 20260722
FIELDS, FIELD_RADIUS = 24, 1.5
"""Dense fields, and their radius, degrees."""
BANDS = "ugrizy"

OBJECT = Table(
    "Object",
    (
        Column("objectId", Type.LONG, nullable=False, ucd="meta.id;meta.main"),
        Column("ra", Type.DOUBLE, nullable=False, unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("dec", Type.DOUBLE, nullable=False, unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("parentId", Type.LONG),
        Column("tract", Type.INT),
        Column("isPrimary", Type.BOOLEAN),
        Column("extendedness", Type.FLOAT),
        Column("shapeXX", Type.DOUBLE, unit="arcsec**2"),
        *(Column(f"{band}_psfMag", Type.FLOAT, unit="mag") for band in BANDS),
        *(Column(f"{band}_psfMagErr", Type.FLOAT, unit="mag") for band in BANDS),
    ),
    Role.DIRECTOR,
    primary_key=("objectId",),
    key="objectId",
    ra="ra",
    dec="dec",
)


def catalog(name: str) -> Catalog:
    """A catalog of that one table, each chunk on one shard."""
    return Catalog(name, (OBJECT,), replicas=1)


@dataclass(frozen=True, slots=True, eq=False)
class BenchRows:
    """`given` as a survey delivers them, in no order; `ordered` with `_healpix_29`, sorted by it."""

    given: pa.Table
    ordered: pa.Table


def make_rows(count: int) -> BenchRows:
    """So many rows of `OBJECT`, the same for the same count."""
    random = np.random.default_rng(_SEED)
    ra, dec = _positions(random, count)
    star = random.random(count) < 0.4
    base = 27.5 - random.gamma(2.0, 1.2, count)
    color = np.where(star, random.normal(0.8, 0.4, count), random.normal(0.4, 0.3, count))
    columns = {
        "objectId": random.permutation(count).astype(np.int64) * 7 + 2_000_000_000_000,
        "ra": ra,
        "dec": dec,
        "parentId": pa.array(random.integers(0, count, count), mask=random.random(count) < 0.7),
        "tract": pixels_29(ra, dec) >> 46,
        "isPrimary": random.random(count) < 0.9,
        "extendedness": (~star).astype(np.float32),
        "shapeXX": random.gamma(2.0, 0.3, count),
    }
    for number, band in enumerate(BANDS):
        magnitude = base - number * color * 0.5 + random.normal(0, 0.05, count)
        missing = magnitude > 27.5
        columns[f"{band}_psfMag"] = pa.array(magnitude.astype(np.float32), mask=missing)
        error = (0.005 + 10 ** (0.4 * (magnitude - 26.5)) / 5.0).astype(np.float32)
        columns[f"{band}_psfMagErr"] = pa.array(error, mask=missing)
    columns["tract"] = columns["tract"].astype(np.int32)
    given = pa.table(columns)
    pixel = pixels_29(ra, dec)
    order = np.argsort(pixel)
    ordered = given.take(order).append_column(HEALPIX_29, pa.array(pixel[order]))
    return BenchRows(given, ordered.combine_chunks())


def _positions(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Half over the whole sky, half in the fields; degrees."""
    inside = random.random(count) < 0.5
    field = random.integers(0, FIELDS, count)
    centre_ra, centre_dec = random.uniform(0, 360, FIELDS), random.uniform(-60, 60, FIELDS)
    r = FIELD_RADIUS * np.sqrt(random.random(count))
    angle = random.uniform(0, 2 * np.pi, count)
    near_dec = centre_dec[field] + r * np.sin(angle)
    near_ra = centre_ra[field] + r * np.cos(angle) / np.cos(np.radians(near_dec))
    dec = np.where(inside, near_dec, np.degrees(np.arcsin(random.uniform(-1, 1, count))))
    ra = np.where(inside, near_ra, random.uniform(0, 360, count))
    return ra % 360.0, dec
