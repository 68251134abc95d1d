"""The sky of the differential tests: awkward on purpose.

A third of it lies across ra = 0, a sixth at each pole, some around (45, 0), where base pixels meet,
the rest in five fields; a fifth of the objects has a neighbour within some arcsec. Fluxes are NULL,
NaN, zero and negative.
Children have their director's position give or take an arcsec, no director (orphans), a sentinel or
a NULL key. Some objects have no children, some visits no sources. Of two match tables one is as bad as
can be (pairs far apart, twice, with NULLs and with keys that nobody has on either side), the other joins
neighbours only, so that its second director is found in the overlap.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schema.catalog import Catalog, Column, Role, Table
from schema.healpix import unit_vectors
from schema.types import Type

F64 = npt.NDArray[np.float64]
SEED = 20261122
OBJECTS, SOURCES, DIA_OBJECTS, VISITS = 3000, 3000, 600, 60
FIELDS = np.array([(60.0, -35.0), (150.1, 2.2), (185.0, 41.8), (270.0, -66.6), (330.0, 20.0)])
"""Centres of fields, degrees."""
BANDS = np.array(["u", "g", "r", "i", "z"])
FIRST_ORPHAN = 900001
"""The least key of a director that is not there."""


def _column(name: str, kind: Type, *, unit: str | None = None, null: bool = True) -> Column:
    return Column(name, kind, nullable=null, unit=unit)


CATALOG = Catalog(
    name="diff",
    margin_arcsec=60.0,
    chunk_rows=700,
    placement_order=2,
    tables=(
        Table(
            "Object",
            (
                _column("objectId", Type.LONG, null=False),
                _column("ra", Type.DOUBLE, unit="deg", null=False),
                _column("dec", Type.DOUBLE, unit="deg", null=False),
                _column("gFlux", Type.DOUBLE, unit="nJy"),
                _column("rFlux", Type.FLOAT, unit="nJy"),
                _column("nDet", Type.INT, null=False),
                _column("flag", Type.BOOLEAN),
                _column("kind", Type.TEXT),
            ),
            Role.DIRECTOR,
            primary_key=("objectId",),
            key="objectId",
            ra="ra",
            dec="dec",
        ),
        Table(
            "ForcedSource",
            (
                _column("forcedSourceId", Type.LONG, null=False),
                _column("objectId", Type.LONG),
                _column("visit", Type.LONG, null=False),
                _column("band", Type.TEXT),
                _column("ra", Type.DOUBLE, unit="deg"),
                _column("dec", Type.DOUBLE, unit="deg"),
                _column("psfFlux", Type.FLOAT, unit="nJy"),
                _column("mjd", Type.DOUBLE, unit="d"),
                _column("flag", Type.BOOLEAN),
            ),
            Role.CHILD,
            primary_key=("forcedSourceId",),
            key="objectId",
            ra="ra",
            dec="dec",
            parent="Object",
            parent_key="objectId",
            sentinels=(0,),
        ),
        Table(
            "Source",
            (
                _column("sourceId", Type.LONG, null=False),
                _column("ra", Type.DOUBLE, unit="deg", null=False),
                _column("dec", Type.DOUBLE, unit="deg", null=False),
                _column("visit", Type.LONG),
                _column("flux", Type.DOUBLE, unit="nJy"),
                _column("footprint", Type.POLYGON, unit="deg"),
            ),
            Role.DIRECTOR,
            primary_key=("sourceId",),
            key="sourceId",
            ra="ra",
            dec="dec",
        ),
        Table(
            "DiaObject",
            (
                _column("diaObjectId", Type.LONG, null=False),
                _column("ra", Type.DOUBLE, null=False),
                _column("dec", Type.DOUBLE, null=False),
                _column("nDiaSources", Type.SHORT),
            ),
            Role.DIRECTOR,
            primary_key=("diaObjectId",),
            key="diaObjectId",
            ra="ra",
            dec="dec",
        ),
        Table(
            "DiaSource",
            (
                _column("diaSourceId", Type.LONG, null=False),
                _column("diaObjectId", Type.LONG),
                _column("ra", Type.DOUBLE),
                _column("dec", Type.DOUBLE),
                _column("flux", Type.FLOAT),
            ),
            Role.CHILD,
            primary_key=("diaSourceId",),
            key="diaObjectId",
            ra="ra",
            dec="dec",
            parent="DiaObject",
            parent_key="diaObjectId",
        ),
        Table(
            "SSSource",
            (
                _column("diaSourceId", Type.LONG, null=False),
                _column("ssObjectId", Type.LONG),
                _column("phase", Type.DOUBLE),
            ),
            Role.CHILD,
            primary_key=("diaSourceId",),
            key="diaSourceId",
            parent="DiaSource",
            parent_key="diaSourceId",
        ),
        Table(
            "ObjectSource",
            (
                _column("pairId", Type.LONG, null=False),
                _column("objectId", Type.LONG),
                _column("sourceId", Type.LONG),
                _column("score", Type.DOUBLE),
            ),
            Role.MATCH,
            primary_key=("pairId",),
            key="objectId",
            parent="Object",
            parent_key="objectId",
            match=("Source", "sourceId"),
        ),
        Table(
            "ObjectDia",
            (
                _column("pairId", Type.LONG, null=False),
                _column("objectId", Type.LONG),
                _column("diaObjectId", Type.LONG),
                _column("score", Type.DOUBLE),
            ),
            Role.MATCH,
            primary_key=("pairId",),
            key="objectId",
            parent="Object",
            parent_key="objectId",
            match=("DiaObject", "diaObjectId"),
        ),
        Table(
            "Visit",
            (
                _column("visit", Type.LONG, null=False),
                _column("band", Type.TEXT, null=False),
                _column("mjd", Type.DOUBLE, null=False),
                _column("obsStart", Type.TIMESTAMP),
                _column("ra", Type.DOUBLE),
                _column("dec", Type.DOUBLE),
                _column("seeing", Type.FLOAT),
                _column("centre", Type.POINT, unit="deg"),
                _column("field", Type.CIRCLE, unit="deg"),
                _column("ccds", Type.LONGS),
            ),
            Role.REPLICATED,
            primary_key=("visit",),
            ra="ra",
            dec="dec",
        ),
        Table(
            "Filter",
            (
                _column("band", Type.TEXT, null=False),
                _column("wavelength", Type.DOUBLE, null=False),
            ),
            Role.REPLICATED,
            primary_key=("band",),
        ),
    ),
)


def rows() -> dict[str, pa.Table]:
    """The rows of every table, the same each time."""
    rng = np.random.default_rng(SEED)
    visits = _visits(rng)
    objects = _objects(rng)
    dia_objects = _dia_objects(rng)
    dia_sources = _dia_sources(rng, dia_objects)
    forced, sources = _forced(rng, objects, visits), _sources(rng, objects)
    return {
        "Object": objects,
        "ForcedSource": forced,
        "Source": sources,
        "ObjectSource": _far_pairs(objects, sources),
        "ObjectDia": _near_pairs(objects, dia_objects),
        "DiaObject": dia_objects,
        "DiaSource": dia_sources,
        "SSSource": _ss_sources(rng, dia_sources),
        "Visit": visits,
        "Filter": pa.table({"band": BANDS[1:], "wavelength": [480.0, 620.0, 750.0, 870.0]}),
    }


def thirds(table: pa.Table, key: str) -> list[pa.Table]:
    """The rows in three by their key, as three ingests would bring them."""
    group = np.asarray(table[key].fill_null(0)) % 3
    return [table.filter(pa.array(group == k)) for k in range(3)]


def positions(rng: np.random.Generator, n: int) -> tuple[F64, F64]:
    """Positions across ra = 0, at the poles, at a corner of base pixels, and in some fields."""
    field = rng.integers(0, len(FIELDS), n)
    ra = (FIELDS[field, 0] + rng.normal(0, 1.5, n)) % 360
    dec = FIELDS[field, 1] + rng.normal(0, 1.5, n)
    where = rng.choice(5, n, p=[0.3, 0.15, 0.15, 0.2, 0.2])
    count = [int(np.sum(where == k)) for k in range(5)]
    ra[where == 0], dec[where == 0] = (
        rng.normal(0, 0.4, count[0]) % 360,
        rng.normal(0, 0.4, count[0]),
    )
    dec[where == 1] = 90 - np.abs(rng.normal(0, 0.3, count[1]))
    dec[where == 2] = -90 + np.abs(rng.normal(0, 0.3, count[2]))
    ra[where == 3], dec[where == 3] = rng.normal(45, 0.1, count[3]), rng.normal(0, 0.1, count[3])
    near = rng.choice(n, n // 5, replace=False)
    twin = (near + 1) % n
    step = rng.uniform(0.3, 20, len(near)) / 3600
    angle = rng.uniform(0, 2 * np.pi, len(near))
    dec[near] = np.clip(dec[twin] + step * np.sin(angle), -90, 90)
    stretch = np.maximum(np.cos(np.radians(dec[near])), 1e-6)
    ra[near] = (ra[twin] + step * np.cos(angle) / stretch) % 360
    ra[0], dec[0] = 0.0, 0.0
    dec[1], dec[2] = 90.0, -90.0
    ra[ra == 360.0] = 0.0
    return ra, dec


def _with_nulls(rng: np.random.Generator, values: F64, share: float = 0.1) -> pa.Array:
    """Some values NULL, some NaN (which ingest stores as NULL)."""
    values = np.where(rng.random(len(values)) < share / 2, np.nan, values)
    return pa.array(values, mask=rng.random(len(values)) < share / 2, from_pandas=False)


def _objects(rng: np.random.Generator) -> pa.Table:
    ra, dec = positions(rng, OBJECTS)
    flux = rng.lognormal(3, 1.2, OBJECTS) * np.where(rng.random(OBJECTS) < 0.1, -1, 1)
    red = np.where(rng.random(OBJECTS) < 0.05, 0.1, flux * rng.uniform(0.5, 2, OBJECTS))
    red[rng.random(OBJECTS) < 0.02] = 0.0
    kinds = np.array(["star", "galaxy", "Quasar", "éclair"])[rng.integers(0, 4, OBJECTS)]
    return pa.table(
        {
            "objectId": np.arange(1001, 1001 + OBJECTS),
            "ra": ra,
            "dec": dec,
            "gFlux": _with_nulls(rng, flux),
            "rFlux": _with_nulls(rng, red).cast(pa.float32()),
            "nDet": rng.geometric(0.12, OBJECTS).astype(np.int32),
            "flag": pa.array(rng.random(OBJECTS) < 0.3, mask=rng.random(OBJECTS) < 0.1),
            "kind": pa.array(kinds, mask=rng.random(OBJECTS) < 0.1),
        }
    )


def _forced(rng: np.random.Generator, objects: pa.Table, visits: pa.Table) -> pa.Table:
    """Four a star on average, none for a tenth; orphans, sentinels and NULL keys at the end."""
    n = 12000
    chosen = rng.integers(0, OBJECTS, n)
    chosen = np.where(chosen % 10 == 0, chosen + 1, chosen)
    ids = np.asarray(objects["objectId"])[chosen].copy()
    ids[: n // 50] = 0
    ids[n // 50 : n // 25] = FIRST_ORPHAN + rng.integers(0, 40, n // 25 - n // 50)
    null = np.zeros(n, bool)
    null[n // 25 : n // 20] = True
    ra, dec = _jittered(rng, objects, chosen, 1.0)
    visit = rng.integers(0, VISITS - 5, n)
    return pa.table(
        {
            "forcedSourceId": np.arange(5_000_001, 5_000_001 + n),
            "objectId": pa.array(ids, mask=null),
            "visit": np.asarray(visits["visit"])[visit],
            "band": pa.array(BANDS[rng.integers(0, 5, n)], mask=rng.random(n) < 0.02),
            "ra": ra,
            "dec": dec,
            "psfFlux": _with_nulls(rng, rng.normal(50, 150, n)).cast(pa.float32()),
            "mjd": np.asarray(visits["mjd"])[visit] + rng.uniform(0, 0.01, n),
            "flag": rng.random(n) < 0.1,
        }
    )


def _jittered(
    rng: np.random.Generator, around: pa.Table, chosen: npt.NDArray[np.int64], arcsec: float
) -> tuple[F64, F64]:
    """Positions about those of the chosen rows."""
    n = len(chosen)
    dec = np.clip(np.asarray(around["dec"])[chosen] + rng.normal(0, arcsec / 3600, n), -90, 90)
    stretch = np.maximum(np.cos(np.radians(dec)), 1e-4)
    ra = (np.asarray(around["ra"])[chosen] + rng.normal(0, arcsec / 3600, n) / stretch) % 360
    ra[ra == 360.0] = 0.0
    return ra, dec


def _sources(rng: np.random.Generator, objects: pa.Table) -> pa.Table:
    """Half about objects, half anywhere."""
    ra, dec = positions(rng, SOURCES)
    half = SOURCES // 2
    ra[:half], dec[:half] = _jittered(rng, objects, rng.integers(0, OBJECTS, half), 0.7)
    return pa.table(
        {
            "sourceId": np.arange(50_001, 50_001 + SOURCES),
            "ra": ra,
            "dec": dec,
            "visit": pa.array(
                rng.integers(1, VISITS + 10, SOURCES), mask=rng.random(SOURCES) < 0.1
            ),
            "flux": _with_nulls(rng, rng.lognormal(3, 1, SOURCES)),
            "footprint": _arrays(_triangles(ra, dec), 7),
        }
    )


def _triangles(ra: F64, dec: F64) -> F64:
    """Triangles of a twentieth of a degree beside positions, away from the poles."""
    south = np.clip(dec, -89.5, 89.0)
    east = 0.05 / np.cos(np.radians(south))
    return np.stack([ra, south, (ra + east) % 360, south, ra, south + 0.05], axis=1)


def _arrays(numbers: F64, every: int) -> pa.Array:
    """A row's numbers as an array; NULL in one of so many rows."""
    rows: list[list[float] | None] = numbers.tolist()
    rows[::every] = [None] * len(rows[::every])
    return pa.array(rows, pa.list_(pa.float64()))


def _dia_objects(rng: np.random.Generator) -> pa.Table:
    ra, dec = positions(rng, DIA_OBJECTS)
    return pa.table(
        {
            "diaObjectId": np.arange(7001, 7001 + DIA_OBJECTS),
            "ra": ra,
            "dec": dec,
            "nDiaSources": rng.integers(0, 20, DIA_OBJECTS).astype(np.int16),
        }
    )


def _dia_sources(rng: np.random.Generator, dia_objects: pa.Table) -> pa.Table:
    n = 2500
    chosen = rng.integers(0, DIA_OBJECTS, n)
    ra, dec = _jittered(rng, dia_objects, chosen, 0.5)
    ids = np.asarray(dia_objects["diaObjectId"])[chosen]
    return pa.table(
        {
            "diaSourceId": np.arange(70_001, 70_001 + n),
            "diaObjectId": pa.array(ids, mask=rng.random(n) < 0.1),
            "ra": ra,
            "dec": dec,
            "flux": _with_nulls(rng, rng.normal(0, 60, n)).cast(pa.float32()),
        }
    )


def _ss_sources(rng: np.random.Generator, dia_sources: pa.Table) -> pa.Table:
    chosen = rng.choice(len(dia_sources), 500, replace=False)
    return pa.table(
        {
            "diaSourceId": np.asarray(dia_sources["diaSourceId"])[np.sort(chosen)],
            "ssObjectId": rng.integers(1, 50, 500),
            "phase": rng.uniform(0, 180, 500),
        }
    )


def _far_pairs(objects: pa.Table, sources: pa.Table) -> pa.Table:
    """Pairs of near and of far rows, some twice, some of keys that are NULL or that nobody has.

    A pair without a source is of an object of the first of three ingests, one of an unknown source
    comes with the last.
    """
    rng = np.random.default_rng(SEED + 1)
    n = 2400
    own = np.asarray(objects["objectId"])[rng.integers(0, OBJECTS, n)]
    other = np.asarray(sources["sourceId"])[rng.integers(0, SOURCES, n)]
    own[100:200], other[100:200] = own[:100], other[:100]
    own[200:260] = 800_001 + rng.integers(0, 20, 60)
    other[300:360] = 900_002 + 3 * rng.integers(0, 20, 60)
    own[400:460] = 1002 + 3 * rng.integers(0, OBJECTS // 3, 60)
    no_object, no_source = np.zeros(n, bool), np.zeros(n, bool)
    no_object[500:560] = True
    no_source[400:460] = True
    return pa.table(
        {
            "pairId": np.arange(1, n + 1),
            "objectId": pa.array(own, mask=no_object),
            "sourceId": pa.array(other, mask=no_source),
            "score": rng.uniform(0, 1, n),
        }
    )


def _near_pairs(objects: pa.Table, dia_objects: pa.Table) -> pa.Table:
    """All pairs within 40 arcsec, which the overlap of 60 holds."""
    points = [
        unit_vectors(np.asarray(table["ra"]), np.asarray(table["dec"]))
        for table in (objects, dia_objects)
    ]
    cosine = np.cos(np.radians(40 / 3600))
    one, other = np.nonzero(points[0] @ points[1].T > cosine)
    return pa.table(
        {
            "pairId": np.arange(1, len(one) + 1),
            "objectId": np.asarray(objects["objectId"])[one],
            "diaObjectId": np.asarray(dia_objects["diaObjectId"])[other],
            "score": np.linspace(0, 1, len(one)),
        }
    )


def _visits(rng: np.random.Generator) -> pa.Table:
    starts = [datetime(2026, 1, 1) + timedelta(hours=9.5 * k) for k in range(VISITS)]  # noqa: DTZ001
    bands = BANDS[rng.integers(0, 5, VISITS)]
    ra, dec = rng.uniform(0, 360, VISITS), rng.uniform(-80, 80, VISITS)
    circles = np.stack([ra, dec, np.full(VISITS, 1.75)], axis=1)
    return pa.table(
        {
            "visit": np.arange(1, VISITS + 1),
            "band": bands,
            "mjd": 61041 + 9.5 * np.arange(VISITS) / 24,
            "obsStart": pa.array(starts, pa.timestamp("us")),
            "ra": ra,
            "dec": dec,
            "seeing": _with_nulls(rng, rng.uniform(0.5, 1.5, VISITS)).cast(pa.float32()),
            "centre": _arrays(circles[:, :2], 5),
            "field": _arrays(circles, 6),
            "ccds": pa.array(
                [list(range(k % 4)) or None for k in range(VISITS)], pa.list_(pa.int64())
            ),
        }
    )


def as_ingests(count: int) -> list[dict[str, pa.Table]]:
    """All rows in one ingest, or in three: directors never come after their children."""
    tables = rows()
    if count == 1:
        return [tables]
    keys = {
        "Object": "objectId",
        "ForcedSource": "objectId",
        "Source": "sourceId",
        "DiaObject": "diaObjectId",
        "DiaSource": "diaObjectId",
        "ObjectSource": "sourceId",
    }
    pieces = {name: thirds(tables[name], key) for name, key in keys.items()}
    whole = {name: tables[name] for name in ("SSSource", "ObjectDia", "Visit", "Filter")}
    ingests = [{name: pieces[name][k] for name in keys} for k in range(3)]
    ingests[0] |= {name: whole[name] for name in ("Visit", "Filter")}
    ingests[2] |= {name: whole[name] for name in ("SSSource", "ObjectDia")}
    return ingests
