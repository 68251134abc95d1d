"""Figure: a three-way match join of 1,000 selected rows, which reads their chunks only.

Stars and detections over the whole sky and in dense fields, each star with one detection 0.5 arcsec
away at most; keys in no order. The selected stars are a list of keys from all over the sky, or all of
a small region.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from loaders.ingest import Contribution, ingest
from procedures.catalogs import create_catalog
from qserv.answer import explain
from qserv.store import Store
from schema.catalog import Catalog, Column, Role, Table
from schema.types import Type
from tests.bench.figures import Figure, Mark, seconds
from tests.bench.rows import BenchRows
from tests.bench.scans import own_rows
from tests.bench.store import Bench

SELECTED = 1_000
ROUNDS = 7
_SEED = 20261124


def _director(name: str, key: str) -> Table:
    columns = (
        Column(key, Type.LONG, nullable=False),
        Column("ra", Type.DOUBLE, nullable=False),
        Column("dec", Type.DOUBLE, nullable=False),
        Column("mag", Type.DOUBLE),
    )
    return Table(name, columns, Role.DIRECTOR, primary_key=(key,), key=key, ra="ra", dec="dec")


STAR, DETECTION = _director("Star", "starId"), _director("Detection", "detectionId")
PAIR = Table(
    "Pair",
    (
        Column("starId", Type.LONG, nullable=False),
        Column("detectionId", Type.LONG, nullable=False),
        Column("score", Type.DOUBLE),
    ),
    Role.MATCH,
    key="starId",
    parent="Star",
    parent_key="starId",
    match=("Detection", "detectionId"),
)
_JOIN = (
    "SELECT s.starId, s.mag, p.score, d.detectionId, d.mag AS other FROM matched.Star s"
    " JOIN matched.Pair p ON p.starId = s.starId"
    " JOIN matched.Detection d ON d.detectionId = p.detectionId WHERE "
)


def match_times(bench: Bench, rows: BenchRows) -> list[Figure]:
    """Load the three tables; the time of each selection."""
    ra, dec = (np.asarray(rows.given[name]) for name in ("ra", "dec"))
    keys = _load(bench, ra, dec)
    chosen = np.random.default_rng(1).choice(keys, SELECTED, replace=False)
    listed = f"{_JOIN}s.starId IN ({', '.join(map(str, chosen.tolist()))})"
    radius = _radius_of(ra, dec, SELECTED)
    around = f"CIRCLE({float(ra[0])!r}, {float(dec[0])!r}, {radius!r})"
    near = f"{_JOIN}1 = CONTAINS(POINT(s.ra, s.dec), {around})"
    return [
        _figure(f"match join of {SELECTED:,} keys", listed, bench.store, len(ra)),
        _figure(f"match join of {SELECTED:,} rows of a region", near, bench.store, len(ra)),
    ]


def _load(bench: Bench, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Ingest the tables as one ingest; the stars' keys."""
    random, count = np.random.default_rng(_SEED), len(ra)
    keys, others = random.permutation(count), random.permutation(count) + 10**12
    step = random.uniform(-0.35, 0.35, (2, count)) / 3600
    near_dec = np.clip(dec + step[0], -90, 90)
    near_ra = (ra + step[1] / np.maximum(np.cos(np.radians(dec)), 1e-6)) % 360
    tables = {
        "Star": {"starId": keys, "ra": ra, "dec": dec, "mag": random.uniform(15, 27, count)},
        "Detection": {
            "detectionId": others,
            "ra": near_ra,
            "dec": near_dec,
            "mag": random.uniform(15, 27, count),
        },
        "Pair": {"starId": keys, "detectionId": others, "score": random.random(count)},
    }
    with bench.store.pools.coordinator() as connection:
        create_catalog(connection, Catalog("matched", (STAR, DETECTION, PAIR), replicas=1))
        connection.commit()
    given = []
    for name, columns in tables.items():
        path = bench.folder / f"matched-{name}.parquet"
        pyarrow.parquet.write_table(pa.table(columns), path)
        given.append(Contribution(name, path))
    ingest(
        "matched",
        given,
        pools=bench.store.pools,
        topology=bench.store.topology,
        spool=bench.settings.spool / "matched",
    )
    return keys


def _radius_of(ra: np.ndarray, dec: np.ndarray, rows: int) -> float:
    """How far from the first row its nearest neighbours lie, degrees."""
    apart = np.hypot((ra - ra[0] + 180) % 360 - 180, dec - dec[0])
    return float(np.partition(apart, rows)[rows])


def _figure(name: str, adql: str, store: Store, rows: int) -> Figure:
    found = own_rows(adql, store)
    assert found.num_rows > SELECTED / 3, f"{name}: {found.num_rows} rows"
    taken = min(seconds(lambda: own_rows(adql, store)) for _ in range(ROUNDS))
    return Figure(
        f"{name} in {rows:,}, three tables",
        taken,
        "s",
        Mark.AT_MOST,
        0.3,
        f"{found.num_rows:,} rows; {explain(adql, store).summary()}",
    )
