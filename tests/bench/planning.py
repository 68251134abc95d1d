"""Figure: from a text to a plan over the whole sky in 200 chunks; pure, no server."""

from __future__ import annotations

from datetime import datetime

from qserv.adql import parse_adql
from qserv.analyse import analyse
from qserv.bind import bind
from qserv.bind.names import Catalogs
from qserv.plan.make import make_plan
from schema.healpix import Pixel
from schema.manifest import IngestId, Manifest, Part, PartId, PartKind, Replica
from schema.topology import ShardId
from tests.bench.figures import Figure, Mark, interleaved, median_ms
from tests.bench.rows import catalog
from tests.bench.scans import SCANS

CHUNKS = 200
ROUNDS = 20
_NOW = datetime(2026, 7, 22)  # noqa: DTZ001 (ADQL's timestamps have no zone)
_NEIGHBOURS = (
    "SELECT a.objectId, b.objectId AS other FROM bench.Object AS a JOIN bench.Object AS b"
    " ON 1 = CONTAINS(POINT(b.ra, b.dec), CIRCLE(a.ra, a.dec, 0.001)) AND a.objectId < b.objectId"
    " WHERE a.r_psfMag < 20"
)


def planning() -> Figure:
    """The slowest of several queries, each the median of `ROUNDS`."""
    manifest = _manifest()
    texts = [*(scan.adql for scan in SCANS), _NEIGHBOURS]
    works = [lambda text=text: _plan(text, manifest) for text in texts]
    slowest = max(map(median_ms, interleaved(works, ROUNDS)))
    return Figure(
        f"planning a query of the whole sky, {len(manifest.chunks)} chunks",
        slowest,
        "ms",
        Mark.AT_MOST,
        50.0,
        f"parse to plan, slowest of {len(texts)} queries",
    )


def _plan(text: str, manifest: Manifest) -> int:
    query = bind(parse_adql(text), Catalogs((catalog("bench"),)), now=_NOW, random=0.5)
    plan = make_plan(analyse(query).query, {"bench": manifest}, {})
    return sum(len(fragment.pixels) for fragment in plan.fragments)


def _manifest() -> Manifest:
    """The sky in pixels of order 2, the first few of them split to come to `CHUNKS`."""
    split = -(-(CHUNKS - 192) // 3)
    coarse = [Pixel(2, number) for number in range(192)]
    chunks = [child for pixel in coarse[:split] for child in pixel.children()] + coarse[split:]
    parts = tuple(
        Part(
            part_id=PartId(number),
            table="Object",
            kind=PartKind.ROWS,
            pixel=pixel,
            bucket=None,
            ingest_id=IngestId(1),
            rows=100_000,
            overlap_rows=1_000,
            low_29=pixel.first_29,
            high_29=pixel.last_29,
            replicas=(Replica(ShardId(number % 4 + 1), has_twin=True),),
        )
        for number, pixel in enumerate(chunks, start=1)
    )
    return Manifest("bench", 1, tuple(chunks), parts)
