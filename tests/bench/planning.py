"""Figures: from a text to a plan, as the czar does it, over made-up manifests; no server is asked."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from procedures.pins import Pin
from qserv.answer import plan_text
from qserv.bind.names import Catalogs
from qserv.limits import Limits
from qserv.parts import PartIndex
from qserv.pinned import Pinned
from qserv.planned import Plan
from qserv.store import Store, open_store
from schema.healpix import Pixel
from schema.manifest import IngestId, Manifest, Part, PartId, PartKind, Replica
from schema.statistics import describe
from schema.topology import ShardId, Topology
from tests.bench.figures import Figure, Mark, interleaved, median_ms, seconds
from tests.bench.rows import OBJECT, catalog, make_rows
from tests.bench.scans import SCANS

ROUNDS = 20
_NEIGHBOURS = (
    "SELECT a.objectId, b.objectId AS other FROM bench.Object AS a JOIN bench.Object AS b"
    " ON 1 = CONTAINS(POINT(b.ra, b.dec), CIRCLE(a.ra, a.dec, 0.001)) AND a.objectId < b.objectId"
    " WHERE a.r_psfMag < 20"
)
_REGIONS = (
    "SELECT objectId, ra, dec, r_psfMag FROM bench.Object WHERE r_psfMag < 24"
    " AND (1 = CONTAINS(POINT(ra, dec), CIRCLE(10.1, 5.5, 20)) OR ra BETWEEN 100 AND 140)"
)
_CONE = (
    "SELECT objectId, ra, dec, g_psfMag FROM bench.Object"
    " WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(62.0, -37.0, 0.02)) ORDER BY g_psfMag"
)
_TWO_REGIONS = (
    "SELECT objectId FROM bench.Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(62.0, -37.0, 0.02))"
    " OR 1 = CONTAINS(POINT(ra, dec), CIRCLE(150.1, 2.2, 0.02))"
)
TEXTS = (*(scan.adql for scan in SCANS), _NEIGHBOURS, _REGIONS, _CONE)
"""Scans, a near-neighbour join, two regions under OR, a cone."""


def planning() -> Iterator[Figure]:
    """Over 200 and 1,000 chunks and 100,000 parts: new texts; one asked again; a new snapshot."""
    with _store() as store:
        few = _pinned(_manifest(chunks=200))
        yield _new_texts("the whole sky in 201 chunks", few, store, 50.0)
        thousand = _pinned(_manifest(chunks=1_000))
        yield _new_texts("1,002 chunks", thousand, store, 5.0)
        yield _asked_again(thousand, store)
        yield _chunks_of_two_regions(thousand, store)
        many = _manifest(chunks=50_000, ingests=2)
        yield _first(many, store)
        yield _new_texts(f"{len(many.parts):,} parts", _pinned(many), store, 200.0)


def _new_texts(over: str, pinned: Pinned, store: Store, most_ms: float) -> Figure:
    """The slowest of the texts, each the median of `ROUNDS`; no round's text was asked before."""
    numbers = count()
    works = [lambda text=text: _plan(f"{text} -- {next(numbers)}", pinned, store) for text in TEXTS]
    medians = [median_ms(taken) for taken in interleaved(works, ROUNDS)]
    least = f"fastest of {len(TEXTS)} {min(medians):.2f} ms"
    work = f"parse to plan over {over}, slowest query"
    return Figure(work, max(medians), "ms", Mark.AT_MOST, most_ms, least)


def _asked_again(pinned: Pinned, store: Store) -> Figure:
    """The same texts once more: bound and planned already."""
    works = [lambda text=text: _plan(text, pinned, store) for text in TEXTS]
    slowest = max(map(median_ms, interleaved(works, ROUNDS)))
    work = "text to plan over 1,002 chunks, asked again"
    return Figure(work, slowest, "ms", Mark.AT_MOST, 1.0, f"slowest of {len(TEXTS)} queries")


def _chunks_of_two_regions(pinned: Pinned, store: Store) -> Figure:
    """How many chunks two small regions under OR read: each lies in one or at a border."""
    (fragment,) = _plan(_TWO_REGIONS, pinned, store).fragments
    work = f"chunks that two small regions under OR read, of {fragment.all_pixels:,}"
    return Figure(work, len(fragment.pixels), "chunks", Mark.AT_MOST, 4.0)


def _first(given: Manifest, store: Store) -> Figure:
    """A new snapshot's first query: its parts are grouped and put into arrays."""

    def work() -> None:
        fresh = Manifest(given.catalog, given.snapshot, given.chunks, given.parts)
        _plan(f"{_REGIONS} -- first", _pinned(fresh), store)

    name = f"the first plan over a new snapshot of {len(given.parts):,} parts"
    return Figure(name, 1000.0 * seconds(work), "ms", Mark.AT_MOST, 2_000.0)


def _plan(text: str, pinned: Pinned, store: Store) -> Plan:
    return plan_text(text, pinned, store, limits=Limits(), language="ADQL")


@contextmanager
def _store() -> Iterator[Store]:
    """A czar's store that has no servers."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(Topology("", ()), spool=Path(folder) / "spool") as store,
    ):
        yield store


def _pinned(manifest: Manifest) -> Pinned:
    pin = Pin(manifest.catalog, 1, 1, manifest.snapshot)
    known = Catalogs((catalog(manifest.catalog),))
    return Pinned((pin,), known, {manifest.catalog: PartIndex(manifest)})


def _manifest(*, chunks: int, ingests: int = 1) -> Manifest:
    """The sky in about so many chunks, each with a part of every ingest; snapshots differ."""
    pixels = _tiling(chunks)
    statistics = describe(make_rows(1_000).given, OBJECT)
    parts = tuple(
        Part(
            part_id=PartId(number * ingests + ingest),
            table=OBJECT.name,
            kind=PartKind.ROWS,
            pixel=pixel,
            bucket=None,
            ingest_id=IngestId(ingest),
            rows=100_000,
            overlap_rows=1_000,
            low_29=pixel.first_29,
            high_29=pixel.last_29,
            replicas=(Replica(ShardId(number % 4 + 1), has_twin=True),),
            statistics=statistics,
        )
        for number, pixel in enumerate(pixels)
        for ingest in range(1, ingests + 1)
    )
    return Manifest("bench", chunks, tuple(pixels), parts)


def _tiling(wanted: int) -> list[Pixel]:
    """The sky in pixels of one order, the first few of them split to come to `wanted`."""
    order = max(n for n in range(10) if 12 * 4**n <= wanted)
    coarse = [Pixel(order, number) for number in range(12 * 4**order)]
    split = -(-(wanted - len(coarse)) // 3)
    return [child for pixel in coarse[:split] for child in pixel.children()] + coarse[split:]
