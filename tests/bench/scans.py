"""Figures: whole scans through dispatch and the shards' scan engines, against both peers."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from qserv.answer import answer
from qserv.store import Store
from tests.bench.figures import Figure, Mark, interleaved
from tests.bench.store import Bench

ROUNDS = 7
CELL_SHIFT = 46
"""From order 29 to order 6."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One question in ADQL, and as SQL that both peers take; `{table}` stands for theirs."""

    name: str
    adql: str
    sql: str


SCANS = (
    Scan(
        "colour-cut count",
        "SELECT COUNT(*) AS n FROM bench.Object"
        " WHERE g_psfMag - r_psfMag > 0.6 AND r_psfMag < 24.5 AND extendedness < 0.5",
        'SELECT COUNT(*) AS n FROM {table} WHERE "g_psfMag" - "r_psfMag" > 0.6::double precision'
        ' AND "r_psfMag" < 24.5::double precision AND "extendedness" < 0.5::double precision',
    ),
    Scan(
        "AVG by HEALPix cell",
        "SELECT ivo_healpix_index(6, ra, dec) AS cell, COUNT(*) AS n, AVG(r_psfMag) AS r"
        " FROM bench.Object GROUP BY ivo_healpix_index(6, ra, dec)",
        f'SELECT "_healpix_29" >> {CELL_SHIFT} AS cell, COUNT(*) AS n,'
        f' AVG("r_psfMag"::double precision) AS r FROM {{table}} GROUP BY 1',
    ),
    Scan(
        "top 100",
        "SELECT TOP 100 objectId, ra, dec, g_psfMag FROM bench.Object"
        " WHERE g_psfMag IS NOT NULL ORDER BY g_psfMag, objectId",
        'SELECT "objectId", "ra", "dec", "g_psfMag" FROM {table} WHERE "g_psfMag" IS NOT NULL'
        ' ORDER BY "g_psfMag", "objectId" LIMIT 100',
    ),
)


def scan_times(bench: Bench) -> list[Figure]:
    """Each scan's fastest of `ROUNDS`, in turns."""
    return [figure for scan in SCANS for figure in _figures(scan, bench)]


def _figures(scan: Scan, bench: Bench) -> tuple[Figure, Figure]:
    _check_same(scan, bench)
    works = [
        lambda: own_rows(scan.adql, bench.store),
        lambda: _duck_rows(scan.sql, bench),
        lambda: _plain_rows(scan.sql, bench),
    ]
    own, duck, plain = map(min, interleaved(works, ROUNDS))
    times = (
        f"Skyshard {own * 1000:.0f} ms, DuckDB {duck * 1000:.0f} ms,"
        f" PostgreSQL {plain * 1000:.0f} ms"
    )
    name = f"{scan.name}: time over DuckDB's on one Parquet file"
    over_duck = Figure(name, own / duck, "x", Mark.AT_MOST, 1.5, times)
    name = f"{scan.name}: PostgreSQL's time (parallel workers) over ours"
    return over_duck, Figure(name, plain / own, "x", Mark.AT_LEAST, 3.0, times)


def own_rows(adql: str, store: Store) -> pa.Table:
    """The answer of the store, as Arrow."""
    found = answer(adql, store)
    try:
        return pa.Table.from_batches(found.batches, found.arrow_schema())
    finally:
        found.close()


def _duck_rows(sql: str, bench: Bench) -> pa.Table:
    source = f"read_parquet('{bench.peers.parquet}')"
    return bench.peers.duck.sql(sql.format(table=source)).to_arrow_table()


def _plain_rows(sql: str, bench: Bench) -> list[tuple[object, ...]]:
    with bench.peers.postgres.cursor() as cursor:
        cursor.execute(sql.format(table="object"))
        return list(cursor.fetchall())


def _check_same(scan: Scan, bench: Bench) -> None:
    """All three agree on the first two columns: else the comparison means nothing."""
    own, duck = own_rows(scan.adql, bench.store), _duck_rows(scan.sql, bench)
    plain = sorted(row[:2] for row in _plain_rows(scan.sql, bench))
    for found in (own, duck):
        columns = [column.to_pylist() for column in found.columns[:2]]
        assert sorted(zip(*columns, strict=True)) == plain, scan.name
