"""Figure: ingest to indexed, published parts with twins, against a bare sorted COPY with the same indexes."""

from __future__ import annotations

import pyarrow.parquet

from loaders.ingest import Contribution, ingest
from tests.bench.figures import Figure, Mark, seconds
from tests.bench.rows import BenchRows
from tests.bench.store import Bench, copy_plain, finish_peers

CATALOG = "bench"
FILES = 4


def load_all(bench: Bench, rows: BenchRows) -> Figure:
    """Load cluster and peers; the catalog `bench` and the table `object` stay for the other figures."""
    files = _files(bench, rows)
    bench.register(CATALOG)
    own = seconds(lambda: _ingest(bench, files))
    bare = seconds(lambda: copy_plain(bench.peers.postgres, "object", rows.ordered))
    finish_peers(bench.peers, rows.ordered)
    count = rows.given.num_rows
    return Figure(
        f"ingest of {count:,} rows x 20 columns to published parts with twins, R=1",
        bare / own,
        "x bare COPY",
        Mark.AT_LEAST,
        0.5,
        f"{own:.1f} s ({count / own:,.0f} rows/s); COPY BINARY and indexes"
        f" {bare:.1f} s ({count / bare:,.0f} rows/s)",
    )


def _files(bench: Bench, rows: BenchRows) -> list[Contribution]:
    """The rows as Parquet files, as a production hands them over."""
    size = -(-rows.given.num_rows // FILES)
    made = []
    for number in range(FILES):
        path = bench.folder / f"object-{number}.parquet"
        pyarrow.parquet.write_table(rows.given.slice(number * size, size), path)
        made.append(Contribution("Object", path))
    return made


def _ingest(bench: Bench, files: list[Contribution]) -> None:
    store = bench.store
    spool = bench.settings.spool / "bench"
    report = ingest(CATALOG, files, pools=store.pools, topology=store.topology, spool=spool)
    assert report.rejects == 0
