"""Catalogs written by hand, for tests that need names, types and roles but no schema package.

`DP1` has every role and every column type, names in mixed case, keys of several kinds; `DEEP` is a
second catalog of the same family, with a table whose name `DP1` has too.
"""

from __future__ import annotations

from qserv.bind import Catalogs
from schema.catalog import Catalog, Column, ForeignKey, Role, Table
from schema.types import Type


def _key(name: str, description: str = "") -> Column:
    return Column(name, Type.LONG, nullable=False, ucd="meta.id", description=description)


def _position(ra: str, dec: str) -> tuple[Column, Column]:
    return (
        Column(ra, Type.DOUBLE, unit="deg", ucd="pos.eq.ra", nullable=False, principal=True),
        Column(dec, Type.DOUBLE, unit="deg", ucd="pos.eq.dec", nullable=False, principal=True),
    )


def _flux(name: str, kind: Type = Type.FLOAT) -> Column:
    return Column(name, kind, unit="nJy", ucd="phot.flux")


OBJECT = Table(
    "Object",
    (
        _key("objectId", "Unique id."),
        *_position("coord_ra", "coord_dec"),
        Column("tract", Type.INT, nullable=False),
        Column("patch", Type.SHORT, nullable=False),
        _flux("g_psfFlux"),
        _flux("g_psfFluxErr"),
        _flux("r_psfFlux"),
        _flux("r_psfFluxErr"),
        _flux("i_cModelFlux", Type.DOUBLE),
        Column("r_psfMag", Type.FLOAT, unit="mag", ucd="phot.mag"),
        Column("r_extendedness", Type.DOUBLE),
        Column("r_pixelFlags_saturated", Type.BOOLEAN),
        Column("detect_isPrimary", Type.BOOLEAN, nullable=False),
        Column("nDetections", Type.SHORT),
        Column("parentObjectId", Type.LONG, nullable=False),
        Column("refBand", Type.TEXT, length=1),
        Column("psf", Type.BINARY),
    ),
    Role.DIRECTOR,
    primary_key=("objectId",),
    key="objectId",
    ra="coord_ra",
    dec="coord_dec",
)
SOURCE = Table(
    "Source",
    (
        _key("sourceId"),
        *_position("ra", "dec"),
        Column("visit", Type.LONG),
        Column("detector", Type.SHORT, nullable=False),
        Column("band", Type.TEXT, length=1, nullable=False),
        _flux("psfFlux", Type.DOUBLE),
        Column("extendedness", Type.FLOAT),
    ),
    Role.DIRECTOR,
    primary_key=("sourceId",),
    key="sourceId",
    ra="ra",
    dec="dec",
)
DIA_OBJECT = Table(
    "DiaObject",
    (
        _key("diaObjectId"),
        *_position("ra", "dec"),
        Column("validityStart", Type.TIMESTAMP, nullable=False),
        Column("validityEnd", Type.TIMESTAMP),
        Column("nDiaSources", Type.INT, nullable=False),
        Column("pmRa", Type.FLOAT, unit="mas/yr", ucd="pos.pm"),
    ),
    Role.DIRECTOR,
    primary_key=("diaObjectId", "validityStart"),
    key="diaObjectId",
    ra="ra",
    dec="dec",
)
FORCED_SOURCE = Table(
    "ForcedSource",
    (
        Column("objectId", Type.LONG, nullable=False),
        Column("visit", Type.LONG, nullable=False),
        Column("detector", Type.SHORT, nullable=False),
        *_position("coord_ra", "coord_dec"),
        Column("band", Type.TEXT, length=1),
        _flux("psfFlux"),
        _flux("psfFluxErr"),
        Column("psfFlux_flag", Type.BOOLEAN),
    ),
    Role.CHILD,
    key="objectId",
    ra="coord_ra",
    dec="coord_dec",
    parent="Object",
    sentinels=(0,),
    foreign_keys=(ForeignKey("fs_object", ("objectId",), "Object", ("objectId",)),),
)
DIA_SOURCE = Table(
    "DiaSource",
    (
        _key("diaSourceId"),
        Column("diaObjectId", Type.LONG),
        Column("visit", Type.LONG, nullable=False),
        *_position("ra", "dec"),
        Column("midpointMjdTai", Type.DOUBLE, unit="d", nullable=False),
        _flux("psfFlux"),
        Column("isNegative", Type.BOOLEAN),
    ),
    Role.CHILD,
    primary_key=("diaSourceId",),
    key="diaObjectId",
    ra="ra",
    dec="dec",
    parent="DiaObject",
    sentinels=(0,),
)
VISIT = Table(
    "Visit",
    (
        Column("visit", Type.LONG, nullable=False),
        *_position("ra", "dec"),
        Column("band", Type.TEXT, length=1),
        Column("expTime", Type.DOUBLE, unit="s"),
        Column("expMidpt", Type.TIMESTAMP),
        Column("expMidptMJD", Type.DOUBLE, unit="d"),
        Column("skyRotation", Type.FLOAT, unit="deg"),
    ),
    Role.REPLICATED,
    primary_key=("visit",),
    ra="ra",
    dec="dec",
)
BAND = Table(
    "Band",
    (
        Column("band", Type.TEXT, length=1, nullable=False),
        Column("centralWavelength", Type.FLOAT, unit="nm"),
        Column("rank", Type.SHORT),
    ),
    Role.REPLICATED,
)
DP1 = Catalog(
    "dp1",
    (OBJECT, SOURCE, DIA_OBJECT, FORCED_SOURCE, DIA_SOURCE, VISIT, BAND),
    margin_arcsec=60.0,
)
DEEP = Catalog(
    "deep",
    (
        Table(
            "Object",
            (_key("id"), *_position("ra", "dec"), Column("Class", Type.TEXT)),
            Role.DIRECTOR,
            primary_key=("id",),
            key="id",
            ra="ra",
            dec="dec",
        ),
        Table(
            "Match",
            (_key("objectId"), _key("id"), Column("separation", Type.DOUBLE, unit="arcsec")),
            Role.MATCH,
            key="id",
            parent="Object",
        ),
    ),
)
SKIES = Catalogs((DP1, DEEP))
"""Both catalogs; `Object` must be qualified."""
DP1_FIRST = Catalogs((DP1, DEEP), default="dp1")
"""Both catalogs; an unqualified name is dp1's where it can be."""
