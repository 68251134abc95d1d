"""Figures of loading: its rate beside a bare sorted COPY, with two copies, its memory, its restart.

The loader is a process of its own, as `skyshard ingest` is; its memory is what it and its children hold
besides mapped files, looked at twenty times a second.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet

from loaders import lifecycle
from loaders.ingest import Contribution
from loaders.options import Site
from loaders.parts.encode import CopyStream
from procedures.catalogs import create_catalog
from procedures.ingest_plans import read_plan
from schema.catalog import HEALPIX_29, Catalog, Column, Role, Table
from schema.ddl import quote
from schema.manifest import IngestId, PartKind
from schema.types import SPELLINGS, Type
from tests.bench.figures import Figure, Mark, seconds
from tests.bench.rows import OBJECT, BenchRows
from tests.bench.store import Bench, copy_plain, finish_peers
from tests.support.loader_process import start

CATALOG = "bench"
FILES = 4
WORKERS = 4
NARROW_TIMES = 4
"""The narrow table has so many times the rows of the others."""
_LOOK_S = 0.05
_MIB = 1 << 20
NARROW = Table(
    "Object",
    (
        Column("objectId", Type.LONG, nullable=False),
        Column("ra", Type.DOUBLE, nullable=False),
        Column("dec", Type.DOUBLE, nullable=False),
        Column("mag", Type.FLOAT),
    ),
    Role.DIRECTOR,
    primary_key=("objectId",),
    key="objectId",
    ra="ra",
    dec="dec",
)


def load_all(bench: Bench, rows: BenchRows, *, is_measured: bool) -> list[Figure]:
    """Load cluster and peers; the catalog `bench` and the table `object` stay for the other figures."""
    files = object_files(bench, rows)
    bench.register(CATALOG)
    own = _loaded(bench, CATALOG, files)
    figures = []
    if is_measured:
        figures = [_rate(bench, rows, own), _memory("20 columns", rows.given.num_rows, own)]
    copy_plain(bench.peers.postgres, "object", rows.ordered)
    finish_peers(bench.peers, rows.ordered)
    return figures


def _rate(bench: Bench, rows: BenchRows, own: Loaded) -> Figure:
    bare = seconds(lambda: copy_on_both_cores(bench, rows.ordered))
    count = rows.given.num_rows
    return Figure(
        f"ingest of {count:,} rows x 20 columns to published parts with twins, R=1",
        bare / own.seconds,
        "x bare COPY",
        Mark.AT_LEAST,
        0.6,
        f"{own.seconds:.1f} s ({count / own.seconds:,.0f} rows/s); two sorted COPY BINARY at a time, then two"
        f" indexes at a time {bare:.1f} s ({count / bare:,.0f} rows/s)",
    )


def copy_on_both_cores(bench: Bench, ordered: pa.Table) -> None:
    """The peer: two halves by COPY BINARY into one table at a time, then its two indexes at a time."""
    names = [*(c.name for c in OBJECT.columns), HEALPIX_29]
    columns = [f"{quote(c.name)} {SPELLINGS[c.type].postgres}" for c in OBJECT.columns]
    columns.append(f"{quote(HEALPIX_29)} bigint")
    half = ordered.num_rows // 2
    halves = [ordered.select(names).slice(0, half), ordered.select(names).slice(half)]
    indexes = [
        f"CREATE INDEX ON bare ({quote(HEALPIX_29)})",
        f"CREATE UNIQUE INDEX ON bare ({quote(OBJECT.key or '')})",
    ]
    links = [bench.peers.connect() for _ in halves]

    def run(link: Any, statement: str, rows: pa.Table | None = None) -> None:
        with link, link.cursor() as cursor:
            if rows is None:
                cursor.execute(statement)
            else:
                cursor.copy_expert(statement, CopyStream(rows), 1 << 20)

    copies = ["COPY bare FROM STDIN (FORMAT BINARY)"] * 2
    try:
        run(links[0], f"CREATE TABLE bare ({', '.join(columns)})")
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(run, links, copies, halves))
            list(threads.map(run, links, indexes))
    finally:
        run(links[0], "DROP TABLE IF EXISTS bare")
        for link in links:
            link.close()


# ------------------------------------------------------------------ two copies


def replicas(bench: Bench, rows: BenchRows) -> list[Figure]:
    """Rows and copies a second of two copies, beside those of one; in turns, the faster of two each."""
    files = object_files(bench, rows)
    taken: dict[int, float] = {}
    for copies in (1, 2, 1, 2):
        name = f"copies{copies}_{len(taken)}_{time.monotonic_ns()}"
        _create(bench, Catalog(name, (OBJECT,), replicas=copies))
        found = _loaded(bench, name, files).seconds
        taken[copies] = min(found, taken.get(copies, found))
    count = rows.given.num_rows
    return [
        Figure(
            f"ingest of {count:,} rows, R=2: rows x copies a second over those of R=1",
            2 * taken[1] / taken[2],
            "x R=1",
            Mark.AT_LEAST,
            0.9,
            f"R=1 {taken[1]:.1f} s, R=2 {taken[2]:.1f} s",
        )
    ]


# ------------------------------------------------------------------ memory


def narrow(bench: Bench, rows: BenchRows) -> list[Figure]:
    """A loader's memory for a file of many more rows."""
    count = NARROW_TIMES * rows.given.num_rows
    path = bench.folder / "narrow.parquet"
    random = np.random.default_rng(7)
    fields = [pa.field(c.name, t) for c, t in zip(NARROW.columns, _NARROW_TYPES, strict=True)]
    ids = random.permutation(count)
    with pyarrow.parquet.ParquetWriter(path, pa.schema(fields)) as file:
        for ids_here in np.array_split(ids, -(-count // 1_000_000)):
            size = len(ids_here)
            columns = [
                pa.array(ids_here),
                random.uniform(0, 360, size),
                np.degrees(np.arcsin(random.uniform(-1, 1, size))),
                pa.array(random.normal(22, 2, size).astype(np.float32)),
            ]
            file.write_table(pa.table(columns, schema=pa.schema(fields)))
    _create(bench, Catalog("narrow", (NARROW,), replicas=1))
    own = _loaded(bench, "narrow", [Contribution("Object", path)])
    return [_memory("4 columns", count, own)]


_NARROW_TYPES = (pa.int64(), pa.float64(), pa.float64(), pa.float32())


def _memory(what: str, count: int, own: Loaded) -> Figure:
    return Figure(
        f"peak memory of a loader, {count:,} rows of {what}",
        own.peak_bytes / _MIB,
        "MiB",
        Mark.AT_MOST,
        1024,
        f"{own.seconds:.1f} s; beside it {own.mapped_bytes / _MIB:,.0f} MiB of mapped files at most",
    )


# ------------------------------------------------------------------ restart


def restart(bench: Bench, rows: BenchRows) -> list[Figure]:
    """A loader is killed when half of the rows are loaded: what the next one does again of those."""
    _create(bench, Catalog("restart", (OBJECT,), replicas=2))
    site = _site(bench)
    ingest_id = lifecycle.begin(site, "restart")
    lifecycle.add(site, ingest_id, object_files(bench, rows))
    lifecycle.commit(site, ingest_id)
    step = {"step": "run", "ingest": ingest_id, "publish": True, "workers": WORKERS}
    process = start(site, step)
    total = 0
    while 2 * (done := _rows_loaded(site, ingest_id)) < total or not done:
        assert process.poll() is None, "the loader ended before it was killed"
        total = total or _rows_planned(site, ingest_id)
        time.sleep(_LOOK_S)
    process.kill()
    process.communicate()
    before = _written(site, ingest_id)
    again = seconds(lambda: _finish(site, step))
    after = _written(site, ingest_id)
    redone = sum(size for name, (file, size) in before.items() if after[name][0] != file)
    whole = sum(size for _, size in before.values())
    return [
        Figure(
            "restart after a kill at 50 %: part of the finished work that is done again",
            100.0 * redone / whole,
            "%",
            Mark.AT_MOST,
            5.0,
            f"{whole / _MIB:,.0f} MiB of tables were there, {redone / _MIB:,.0f} are written anew; the"
            f" other half took {again:.1f} s, with the start of the process",
        )
    ]


def _finish(site: Site, step: dict[str, object]) -> None:
    told, errors = start(site, step).communicate()
    assert json.loads(told)["state"] == "published", errors


def _rows_planned(site: Site, ingest_id: IngestId) -> int:
    with site.pools.coordinator() as connection:
        planned = read_plan(connection, ingest_id)
    return sum(part.rows for part in planned if part.kind is not PartKind.INDEX)


def _rows_loaded(site: Site, ingest_id: IngestId) -> int:
    with site.pools.coordinator() as connection:
        planned = read_plan(connection, ingest_id)
    loaded = [part for part in planned if part.is_loaded and part.kind is not PartKind.INDEX]
    return sum(part.rows for part in loaded)


def _written(site: Site, ingest_id: IngestId) -> dict[tuple[int, int], tuple[int, int]]:
    """Every part of an ingest on every shard: the file of its table, and its size in bytes."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for shard in site.topology.shards:
        with site.pools.shard(shard.shard_id) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT part_id, pg_relation_filenode(format('parts.p%%s', part_id)), size_bytes"
                " FROM skyshard.part WHERE ingest_id = %s",
                (ingest_id,),
            )
            found |= {(int(shard.shard_id), part): (file, size) for part, file, size in cursor}
    return found


# ------------------------------------------------------------------ a loader


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an ingest in a process of its own took: seconds, and bytes at their peak."""

    seconds: float
    peak_bytes: int
    mapped_bytes: int


def _site(bench: Bench) -> Site:
    store = bench.store
    return Site(store.pools, store.topology, bench.settings.spool / "bench")


def _create(bench: Bench, model: Catalog) -> None:
    with bench.store.pools.coordinator() as connection:
        create_catalog(connection, model)
        connection.commit()


def _loaded(bench: Bench, name: str, files: Sequence[Contribution]) -> Loaded:
    given = [[one.table, str(one.path)] for one in files]
    step = {"step": "ingest", "catalog": name, "files": given, "workers": WORKERS}
    process = start(_site(bench), step)
    held = mapped = 0
    while process.poll() is None:
        anonymous, files_now = _memory_of(process.pid)
        held, mapped = max(held, anonymous), max(mapped, files_now)
        time.sleep(_LOOK_S)
    told, errors = process.communicate()
    assert process.returncode == 0, errors
    return Loaded(json.loads(told)["seconds"], held, mapped)


def _memory_of(pid: int) -> tuple[int, int]:
    """What a process and its children hold in memory, and what they map from files, bytes."""
    held = mapped = 0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for process in family:
            words = dict(
                line.split(":", 1)
                for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            )
            held += _kib(words, "RssAnon") + _kib(words, "RssShmem")
            mapped += _kib(words, "RssFile")
    except (psutil.Error, OSError):
        return 0, 0
    return held, mapped


def _kib(words: dict[str, str], name: str) -> int:
    return 1024 * int(words.get(name, "0 kB").split()[0])


def object_files(bench: Bench, rows: BenchRows) -> list[Contribution]:
    """The rows as Parquet files, as a production hands them over."""
    size = -(-rows.given.num_rows // FILES)
    made = []
    for number in range(FILES):
        path = bench.folder / f"object-{number}.parquet"
        if not path.exists():
            pyarrow.parquet.write_table(rows.given.slice(number * size, size), path)
        made.append(Contribution("Object", path))
    return made
