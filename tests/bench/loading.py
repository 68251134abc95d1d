"""Figure: ingest to indexed, published parts with twins, against a bare sorted COPY with the same indexes."""

from __future__ import annotations

from functools import partial

import pyarrow.parquet

from loaders.ingest import Contribution, IngestOptions, ingest
from procedures.catalogs import drop_catalog, drop_parts
from tests.bench.figures import Figure, Mark, seconds
from tests.bench.rows import BenchRows
from tests.bench.store import Bench, copy_plain, finish_peers

CATALOG = "bench"
FILES = 4
ROUNDS = 2


def load_all(bench: Bench, rows: BenchRows, rounds: int = ROUNDS) -> Figure:
    """Load cluster and peers; the catalog `bench` and the table `object` stay for the other figures."""
    files = _files(bench, rows)
    own, bare = [], []
    for number in reversed(range(rounds)):
        name, table = (f"{CATALOG}{number or ''}", f"object{number or ''}")
        bench.register(name)
        own.append(seconds(partial(_ingest, bench, name, files)))
        bare.append(seconds(partial(copy_plain, bench.peers.postgres, table, rows.ordered)))
        if number:
            _drop(bench, name, table)
    finish_peers(bench.peers, rows.ordered)
    count = rows.given.num_rows
    return Figure(
        f"ingest of {count:,} rows x 20 columns to published parts with twins, R=1",
        min(bare) / min(own),
        "x bare COPY",
        Mark.AT_LEAST,
        0.5,
        f"{min(own):.1f} s ({count / min(own):,.0f} rows/s); COPY BINARY and indexes"
        f" {min(bare):.1f} s ({count / min(bare):,.0f} rows/s)",
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


def _ingest(bench: Bench, name: str, files: list[Contribution]) -> None:
    store = bench.store
    spool = bench.settings.spool / "bench"
    options = IngestOptions()
    report = ingest(
        name, files, pools=store.pools, topology=store.topology, spool=spool, options=options
    )
    assert report.rejects == 0


def _drop(bench: Bench, name: str, table: str) -> None:
    """What was only loaded to be timed."""
    store = bench.store
    with store.pools.coordinator() as connection:
        dropped = drop_catalog(connection, name)
        connection.commit()
    for shard_id, part_ids in dropped.items():
        with store.pools.shard(shard_id) as connection:
            drop_parts(connection, list(part_ids))
    with bench.peers.postgres.cursor() as cursor:
        cursor.execute(f"DROP TABLE {table}")
