"""Figures: cones and objects by id, in the czar over the bare best statement, and by HTTP."""

from __future__ import annotations

import http.client
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import numpy as np

from qserv.answer import answer
from qserv.store import Store
from schema.cover import cover
from schema.region import Shape, ShapeKind
from tests.bench.figures import Figure, Mark, interleaved, median_ms
from tests.bench.rows import BenchRows
from tests.bench.store import Bench

ROUNDS = 50
_COLUMNS = "objectId, ra, dec, g_psfMag, r_psfMag"
_PLAIN = '"objectId", "ra", "dec", "g_psfMag", "r_psfMag"'


@dataclass(frozen=True, slots=True)
class Probe:
    """One kind of question: by each target, in ADQL and as the bare best PostgreSQL statement."""

    name: str
    adql: tuple[str, ...]
    plain: tuple[str, ...]


def probes(rows: BenchRows) -> list[Probe]:
    """Cones of 10 arcsec and 1 arcmin, and objects by id, around rows all over the sky."""
    random = np.random.default_rng(7)
    chosen = rows.given.take(random.integers(0, rows.given.num_rows, ROUNDS + 1))
    ids = chosen["objectId"].to_pylist()
    places = list(zip(chosen["ra"].to_pylist(), chosen["dec"].to_pylist(), strict=True))
    return [
        _cones('cone of 10"', places, 10.0),
        _cones("cone of 1'", places, 60.0),
        Probe(
            "object by id",
            tuple(f"SELECT {_COLUMNS} FROM bench.Object WHERE objectId = {i}" for i in ids),
            tuple(f'SELECT {_PLAIN} FROM object WHERE "objectId" = {i}' for i in ids),
        ),
    ]


def _cones(name: str, places: Sequence[tuple[float, float]], radius_arcsec: float) -> Probe:
    radius = radius_arcsec / 3600.0
    adql = tuple(
        f"SELECT {_COLUMNS} FROM bench.Object"
        f" WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE({ra!r}, {dec!r}, {radius!r}))"
        for ra, dec in places
    )
    return Probe(name, adql, tuple(_plain_cone(ra, dec, radius) for ra, dec in places))


def _plain_cone(ra: float, dec: float, radius: float) -> str:
    """Ranges on the B-tree, then the exact chord, with all constants folded."""
    ranges = cover(Shape(ShapeKind.CIRCLE, (ra, dec, radius))).pairs
    near = " OR ".join(f'"_healpix_29" BETWEEN {low} AND {high}' for low, high in ranges)
    a, d = math.radians(ra), math.radians(dec)
    x, y, z = math.cos(d) * math.cos(a), math.cos(d) * math.sin(a), math.sin(d)
    chord = 4.0 * math.sin(math.radians(radius) / 2.0) ** 2
    return (
        f"SELECT {_PLAIN} FROM object WHERE ({near})"
        f" AND (cosd(dec) * cosd(ra) - {x!r}) ^ 2 + (cosd(dec) * sind(ra) - {y!r}) ^ 2"
        f" + (sind(dec) - {z!r}) ^ 2 <= {chord!r}"
    )


def czar_times(bench: Bench, rows: BenchRows) -> list[Figure]:
    """What the czar adds to each, from the text to the last row, median of `ROUNDS` targets.

    In a thread, as its HTTP server answers.
    """
    with ThreadPoolExecutor(1) as thread:
        return [thread.submit(_czar_time, probe, bench).result() for probe in probes(rows)]


def _czar_time(probe: Probe, bench: Bench) -> Figure:
    _check_same(probe, bench)
    adql, plain = iter(probe.adql), iter(probe.plain)
    works = [lambda: _own(next(adql), bench.store), lambda: _bare(next(plain), bench)]
    own, bare = map(median_ms, interleaved(works, ROUNDS))
    name = f"{probe.name}: czar over the bare statement"
    times = f"czar {own:.2f} ms, PostgreSQL {bare:.2f} ms"
    return Figure(name, own - bare, "ms more", Mark.AT_MOST, 5.0, times)


def http_times(bench: Bench, rows: BenchRows) -> list[Figure]:
    """The same by TAP sync, one client that keeps its connection."""
    return [_http_time(probe, bench) for probe in probes(rows)]


def _http_time(probe: Probe, bench: Bench) -> Figure:
    with closing(http.client.HTTPConnection(*bench.tap, timeout=60)) as client:
        texts = iter(probe.adql)
        (taken,) = interleaved([lambda: tap_sync(client, next(texts))], ROUNDS)
    most = f"slowest {1000 * max(taken):.1f} ms"
    name = f"{probe.name}: TAP sync by HTTP, p50"
    return Figure(name, median_ms(taken), "ms", Mark.AT_MOST, 20.0, most)


def tap_sync(client: http.client.HTTPConnection, adql: str) -> bytes:
    """One round trip; the VOTable."""
    body = urlencode({"LANG": "ADQL", "QUERY": adql})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    client.request("POST", "/tap/sync", body, headers)
    response = client.getresponse()
    document = response.read()
    assert response.status == 200, document
    return document


def _own(adql: str, store: Store) -> list[tuple[Any, ...]]:
    found = answer(adql, store)
    try:
        return [
            row
            for batch in found.batches
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ]
    finally:
        found.close()


def _bare(sql: str, bench: Bench) -> list[tuple[Any, ...]]:
    with bench.peers.postgres.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _check_same(probe: Probe, bench: Bench) -> None:
    """Both give the same objects: else the comparison means nothing."""
    for adql, plain in zip(probe.adql[:5], probe.plain[:5], strict=True):
        own, bare = _own(adql, bench.store), _bare(plain, bench)
        assert own, adql
        assert sorted(row[0] for row in own) == sorted(row[0] for row in bare), adql
