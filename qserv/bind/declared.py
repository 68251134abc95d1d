"""Functions that bind has no procedure of their own for: their forms, as /capabilities lists them."""

from __future__ import annotations

from dataclasses import dataclass

from procedures.functions import FUNCTIONS


@dataclass(frozen=True, slots=True)
class Declared:
    """One function: its form as TAPRegExt 1.0, section 2.3, writes it, and what it gives."""

    form: str
    description: str

    @property
    def name(self) -> str:
        """The function's name."""
        return self.form.partition("(")[0]


SKY_FUNCTIONS: tuple[Declared, ...] = (
    Declared(
        "ivo_healpix_index(hpxOrder INTEGER, p POINT) -> BIGINT",
        "the NESTED HEALPix pixel of an order (0..29) that holds a point",
    ),
    Declared(
        "ivo_geom_transform(from_sys VARCHAR, to_sys VARCHAR, geo GEOMETRY) -> GEOMETRY",
        "a POINT, CIRCLE or POLYGON turned from one reference frame to another, both literals:"
        " ICRS, FK5 (taken for ICRS), FK4, GALACTIC, SUPER_GALACTIC or ECLIPTIC",
    ),
    Declared(
        "ivo_nocasematch(value VARCHAR, pattern VARCHAR) -> INTEGER",
        "1 where value matches a pattern of LIKE in any case of ASCII's letters, else 0",
    ),
    Declared(
        "ivo_normal_random(mu DOUBLE, sigma DOUBLE) -> DOUBLE",
        "a random number of a normal distribution: one deviate for each place in the statement,"
        " the same for all rows",
    ),
    Declared(
        "ivo_interval_has(val DOUBLE, low DOUBLE, high DOUBLE) -> INTEGER",
        "1 where val lies in [low, high], else 0",
    ),
    Declared(
        "ivo_interval_has(val DOUBLE, iv DOUBLE[]) -> INTEGER",
        "1 where val lies in the interval of two numbers, ends included, else 0",
    ),
    Declared(
        "angSep(lon1 DOUBLE, lat1 DOUBLE, lon2 DOUBLE, lat2 DOUBLE) -> DOUBLE",
        "degrees between two positions; sciSQL's, as are those whose names begin with s2",
    ),
    Declared(
        "s2PtInBox(lon DOUBLE, lat DOUBLE, lonMin DOUBLE, latMin DOUBLE, lonMax DOUBLE,"
        " latMax DOUBLE) -> INTEGER",
        "1 where (lon, lat) lies between the longitudes and the latitudes, else 0",
    ),
    Declared(
        "s2PtInCircle(lon DOUBLE, lat DOUBLE, centerLon DOUBLE, centerLat DOUBLE, radius DOUBLE)"
        " -> INTEGER",
        "1 where (lon, lat) lies in the circle, degrees, else 0",
    ),
    Declared(
        "s2PtInEllipse(lon DOUBLE, lat DOUBLE, centerLon DOUBLE, centerLat DOUBLE,"
        " semiMajorAxis DOUBLE, semiMinorAxis DOUBLE, positionAngle DOUBLE) -> INTEGER",
        "1 where (lon, lat) lies in the ellipse, its axes in arcsec, its angle from north to east"
        " in degrees, else 0",
    ),
    Declared(
        "s2PtInCPoly(lon DOUBLE, lat DOUBLE, v1Lon DOUBLE, v1Lat DOUBLE, v2Lon DOUBLE,"
        " v2Lat DOUBLE, v3Lon DOUBLE, v3Lat DOUBLE) -> INTEGER",
        "1 where (lon, lat) lies in the convex polygon of three vertices or more, else 0",
    ),
    Declared(
        "s2PtInCPoly(lon DOUBLE, lat DOUBLE, poly BLOB) -> INTEGER",
        "1 where (lon, lat) lies in a polygon that s2CPolyToBin made of constants, else 0",
    ),
    Declared(
        "s2CPolyToBin(v1Lon DOUBLE, v1Lat DOUBLE, v2Lon DOUBLE, v2Lat DOUBLE, v3Lon DOUBLE,"
        " v3Lat DOUBLE) -> BLOB",
        "the convex polygon of three constant vertices or more, as bytes",
    ),
    Declared("isNan(x DOUBLE) -> INTEGER", "0: a NaN is stored as NULL"),
    Declared("isInf(x DOUBLE) -> INTEGER", "1 where x is infinite, else 0"),
)

STATISTICS: tuple[Declared, ...] = (
    Declared(
        "ivo_string_agg(expression VARCHAR, delimiter VARCHAR) -> VARCHAR",
        "the texts of a group, in their order, with the delimiter between; NULLs leave no trace",
    ),
    Declared(
        "ivo_histogram(val DOUBLE, lower DOUBLE, upper DOUBLE, nbins INTEGER) -> BIGINT[]",
        "how many of a group lie below lower (NULLs too), in each of nbins equal bins, and at upper"
        " or above",
    ),
    Declared("median(value DOUBLE) -> DOUBLE", "the middle value of a group"),
    Declared(
        "percentile(value DOUBLE, percent DOUBLE) -> DOUBLE",
        "the value that percent (0..100, constant) of a group lie below, between two interpolated",
    ),
)
"""Aggregates beside SQL's."""


def advertised() -> list[Declared]:
    """Every function that ADQL itself has not."""
    procedures = (f for f in FUNCTIONS.values() if f.is_public and f.names)
    return [*(Declared(f.form, f.description) for f in procedures), *SKY_FUNCTIONS, *STATISTICS]
