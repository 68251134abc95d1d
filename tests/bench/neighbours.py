"""Figures: neighbour pairs in a dense field against Q3C in one plain PostgreSQL, and none lost.

The field lies across ra = 0. All sides count the same pairs; ours are also compared one by one with
those of a k-d tree. Where the extension q3c cannot be had, a zone join in plain SQL stands in for it.
"""

from __future__ import annotations

import math

import numpy as np
import psycopg2
import pyarrow as pa
import pyarrow.parquet
from scipy.spatial import cKDTree

from loaders.ingest import Contribution, ingest
from loaders.parts.encode import CopyStream
from procedures.catalogs import create_catalog
from schema.catalog import Catalog, Column, Role, Table
from schema.healpix import F64, I64, unit_vectors
from schema.types import SPELLINGS, Type
from tests.bench.figures import Figure, Mark, seconds
from tests.bench.scans import own_rows
from tests.bench.store import Bench

ROWS = 1_000_000
RADIUS = 1.2
"""Of the field, degrees: a twentieth of a row within 2 arcsec of each."""
RADII_ARCSEC = (2.0, 10.0)
OWN_ROUNDS, PEER_ROUNDS = 3, 1
_SEED = 20261123
DENSE = Table(
    "Dense",
    (
        Column("denseId", Type.LONG, nullable=False),
        Column("ra", Type.DOUBLE, nullable=False),
        Column("dec", Type.DOUBLE, nullable=False),
        Column("mag", Type.DOUBLE),
    ),
    Role.DIRECTOR,
    primary_key=("denseId",),
    key="denseId",
    ra="ra",
    dec="dec",
)
_PAIRS = (
    "FROM dense.Dense a JOIN dense.Dense b"
    " ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < {radius!r} AND a.denseId < b.denseId"
)
_BY_Q3C = (
    'SELECT count(*) FROM dense a JOIN dense b ON q3c_join(a."ra", a."dec", b."ra", b."dec", {radius!r})'
    ' AND a."denseId" < b."denseId"'
)
_BY_ZONES = (
    "SELECT count(*) FROM dense a JOIN dense b"
    ' ON b.zone BETWEEN a.zone - 1 AND a.zone + 1 AND b."dec" BETWEEN a."dec" - {radius!r}'
    ' AND a."dec" + {radius!r} AND b.x BETWEEN a.x - {chord!r} AND a.x + {chord!r}'
    " AND (a.x - b.x) ^ 2 + (a.y - b.y) ^ 2 + (a.z - b.z) ^ 2 < {chord!r} ^ 2"
    ' AND a."denseId" < b."denseId"'
)


def pair_times(bench: Bench) -> list[Figure]:
    """Load the field twice; the time of each radius."""
    rows = _field()
    _load(bench, rows)
    peer = _load_peer(bench, rows)
    return [_figure(bench, rows, radius, peer) for radius in RADII_ARCSEC]


def _field() -> pa.Table:
    """Rows spread evenly over a disc at dec -30, across ra = 0."""
    random = np.random.default_rng(_SEED)
    r = RADIUS * np.sqrt(random.random(ROWS))
    angle = random.uniform(0, 2 * np.pi, ROWS)
    dec = -30 + r * np.sin(angle)
    ra = (r * np.cos(angle) / np.cos(np.radians(dec))) % 360
    return pa.table(
        {
            "denseId": random.permutation(ROWS).astype(np.int64),
            "ra": ra,
            "dec": dec,
            "mag": random.uniform(15, 27, ROWS),
        }
    )


def _load(bench: Bench, rows: pa.Table) -> None:
    with bench.store.pools.coordinator() as connection:
        create_catalog(connection, Catalog("dense", (DENSE,), replicas=1))
        connection.commit()
    path = bench.folder / "dense.parquet"
    pyarrow.parquet.write_table(rows, path)
    ingest(
        "dense",
        [Contribution("Dense", path)],
        pools=bench.store.pools,
        topology=bench.store.topology,
        spool=bench.settings.spool / "dense",
    )


def _load_peer(bench: Bench, rows: pa.Table) -> str:
    """The same rows in the plain PostgreSQL, sorted by its index; the statement that joins them."""
    columns = ", ".join(f'"{c.name}" {SPELLINGS[c.type].postgres}' for c in DENSE.columns)
    with bench.peers.postgres.cursor() as cursor:
        cursor.execute(f"CREATE TABLE dense ({columns})")
        cursor.copy_expert("COPY dense FROM STDIN (FORMAT BINARY)", CopyStream(rows), 1 << 20)
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'q3c'")
        if cursor.fetchone() is None:
            return _with_zones(cursor)
        cursor.execute('CREATE INDEX dense_q3c ON dense (q3c_ang2ipix("ra", "dec"))')
        cursor.execute("CLUSTER dense USING dense_q3c")
        cursor.execute("VACUUM ANALYZE dense")
    return _BY_Q3C


def _with_zones(cursor: psycopg2.extensions.cursor) -> str:
    for name, value in (
        ("x", 'cos(radians("dec")) * cos(radians("ra"))'),
        ("y", 'cos(radians("dec")) * sin(radians("ra"))'),
        ("z", 'sin(radians("dec"))'),
    ):
        cursor.execute(f"ALTER TABLE dense ADD COLUMN {name} double precision")
        cursor.execute(f"UPDATE dense SET {name} = {value}")
    cursor.execute("ALTER TABLE dense ADD COLUMN zone int")
    cursor.execute(f'UPDATE dense SET zone = floor("dec" * {3600 / max(RADII_ARCSEC)!r})')
    cursor.execute("CREATE INDEX dense_zone ON dense (zone, x)")
    cursor.execute("CLUSTER dense USING dense_zone")
    cursor.execute("VACUUM ANALYZE dense")
    return _BY_ZONES


def _figure(bench: Bench, rows: pa.Table, radius_arcsec: float, peer: str) -> Figure:
    radius = radius_arcsec / 3600.0
    pairs = _check_pairs(bench, rows, radius)
    counting = f"SELECT COUNT(*) AS n {_PAIRS.format(radius=radius)}"

    def ours() -> None:
        assert own_rows(counting, bench.store).column(0).to_pylist() == [pairs]

    def theirs() -> None:
        with bench.peers.postgres.cursor() as cursor:
            cursor.execute(peer.format(radius=radius, chord=2 * math.sin(math.radians(radius) / 2)))
            assert cursor.fetchone() == (pairs,)

    own = min(seconds(ours) for _ in range(OWN_ROUNDS))
    other = min(seconds(theirs) for _ in range(PEER_ROUNDS))
    name = "q3c_join" if peer is _BY_Q3C else "a zone join (q3c is not there)"
    return Figure(
        f'neighbour pairs within {radius_arcsec:g}" in a dense field of {ROWS:,} rows',
        other / own,
        f"x faster than {name}",
        Mark.AT_LEAST,
        8.0,
        f"{pairs:,} pairs, as a k-d tree has them: {own:.2f} s, {name} {other:.2f} s",
    )


def _check_pairs(bench: Bench, rows: pa.Table, radius: float) -> int:
    """How many pairs there are: each that a k-d tree has, no other, none twice."""
    found = own_rows(
        f"SELECT a.denseId AS one, b.denseId AS other {_PAIRS.format(radius=radius)}", bench.store
    )
    own = _sorted(np.asarray(found.column(0)), np.asarray(found.column(1)))
    ids = np.asarray(rows["denseId"])
    points = unit_vectors(np.asarray(rows["ra"]), np.asarray(rows["dec"]))
    near, far = (_of_tree(points, ids, radius * (1 + slack)) for slack in (-1e-9, 1e-9))
    assert len(np.unique(own)) == len(own), "a pair is there twice"
    assert np.isin(near, own).all(), "a pair is lost"
    assert np.isin(own, far).all(), "a pair is too far apart"
    return len(own)


def _of_tree(points: F64, ids: I64, radius: float) -> I64:
    chord = 2 * math.sin(math.radians(radius) / 2)
    pairs = cKDTree(points).query_pairs(chord, output_type="ndarray")
    one, other = ids[pairs[:, 0]], ids[pairs[:, 1]]
    return _sorted(np.minimum(one, other), np.maximum(one, other))


def _sorted(one: I64, other: I64) -> I64:
    """Pairs of keys as one ascending number each."""
    return np.sort(one * ROWS + other)
