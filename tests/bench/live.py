"""Visits of 10,000 sources into the live catalog `prompt`: the region's rows read, the visit written.

The region of 10 square degrees holds 100,000 objects and a million rows of history: 300,000 sources and
700,000 forced ones. A reader takes them as Arrow batches (24 columns of sources, all of the others); the
write is one unit of 49,500 rows in four tables.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import numpy as np

from loaders.live.clean import clean
from loaders.live.unit import open_unit
from procedures.catalogs import create_catalog
from qserv.answer import answer
from qserv.limits import Limits
from schema.felis import read_catalog
from tests.bench.figures import Figure, Mark
from tests.bench.store import Bench
from tests.support.prompt_sky import PromptSky, region_queries

OBJECTS, SOURCES_EACH, FORCED_EACH = 100_000, 3, 7
VISIT_SOURCES = 10_000
CLEAN_EVERY = 20
"""Visits between two cleanings, as an operator's schedule has them."""
_LIMITS = replace(Limits(), max_rows=10_000_000)


def visit_times(bench: Bench, visits: int = 100) -> list[Figure]:
    """Read and write visit after visit; the times of both together."""
    catalog = replace(read_catalog("prompt", "apdb"), replicas=1)
    with bench.store.pools.coordinator() as connection:
        create_catalog(connection, catalog)
        connection.commit()
    topology, pools = bench.store.topology, bench.store.pools
    sky = PromptSky(catalog, OBJECTS)
    with open_unit(pools, topology, "prompt", label="history") as unit:
        sky.write_history(unit, sources=SOURCES_EACH, forced=FORCED_EACH)
    clean(pools, "prompt", now_mjd=61_000.0)
    reads, writes = [], []
    for number in range(visits + 1):
        visit = sky.visit(VISIT_SOURCES)
        started = time.perf_counter()
        rows = read_region(bench, sky)
        read = time.perf_counter()
        assert rows >= OBJECTS * (1 + SOURCES_EACH + FORCED_EACH)
        with open_unit(pools, topology, "prompt", label=f"visit {number}") as unit:
            visit.write(unit)
        if number:  # the first one warms caches
            reads.append(read - started)
            writes.append(time.perf_counter() - read)
        if number % CLEAN_EVERY == 0:
            clean(pools, "prompt", now_mjd=61_000.0)
    return _figures(np.array(reads), np.array(writes))


def read_region(bench: Bench, sky: PromptSky) -> int:
    """All that prompt processing reads before a visit, its three queries at once; the rows."""

    def read(text: str) -> int:
        with closing(answer(text, bench.store, limits=_LIMITS)) as found:
            return sum(batch.num_rows for batch in found.batches)

    with ThreadPoolExecutor(3) as threads:
        return sum(threads.map(read, region_queries(sky)))


def _figures(reads: np.ndarray, writes: np.ndarray) -> list[Figure]:
    both = reads + writes
    half = len(both) // 2
    told = (
        f"{len(both)} visits; read {np.median(reads):.2f} s, write {np.median(writes):.2f} s,"
        f" first half {np.median(both[:half]):.2f} s, second {np.median(both[half:]):.2f} s"
    )
    flat = float(np.median(both[half:]) / np.median(both[:half]))
    work = "visit of 10k DiaSources, region of 100k objects and 1M rows"
    return [
        Figure(f"{work}, p50", float(np.median(both)), "s", Mark.AT_MOST, 3.0, told),
        Figure(f"{work}, p98", float(np.percentile(both, 98)), "s", Mark.AT_MOST, 6.0, told),
        Figure(f"{work}, second half / first", flat, "x", Mark.AT_MOST, 1.15, told),
    ]
