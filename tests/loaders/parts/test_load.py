"""Which parts are written together, and what is said of a shard that goes away meanwhile."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from typing_extensions import override

from loaders import lifecycle
from loaders.lease import LeaseLost, leased
from loaders.options import IngestOptions, Site
from loaders.parts.cut import Cut
from loaders.parts.cut import empty as empty_table
from loaders.parts.degraded import Degraded
from loaders.parts.load import (
    BATCH_PARTS,
    BATCH_ROWS,
    CutPart,
    Loading,
    batches_of,
    load_parts,
)
from loaders.staging.resolve import PlacedRun
from procedures.pools import Pools, ServerUnavailable
from schema.manifest import PartId, PartKind
from schema.topology import ShardId
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import FILTER, SKY
from tests.support.postgres import Server


def empty(number: int) -> Cut:
    return Cut(FILTER, PartKind.WHOLE, None, None, (ShardId(number),))


def test_a_transaction_creates_a_bounded_number_of_parts() -> None:
    parts = [(empty(1 + n % 2), PartId(n)) for n in range(2 * BATCH_PARTS + 100)]
    batches = batches_of(parts)
    assert sorted(len(batch) for batch in batches) == [50, 50, BATCH_PARTS, BATCH_PARTS]
    assert all(len({cut.shards for cut, _ in batch}) == 1 for batch in batches)
    assert sorted(part_id for batch in batches for _, part_id in batch) == list(range(len(parts)))
    assert BATCH_ROWS > BATCH_PARTS


class Cutting(Pools):
    """Ends the server's process behind each connection to a shard that is lent."""

    @override
    @contextmanager
    def shard(self, shard_id: ShardId) -> Iterator[Any]:
        with super().shard(shard_id) as connection, super().shard(shard_id) as other:
            with other.cursor() as cursor:
                pid = connection.info.backend_pid
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            yield connection


@pytest.mark.postgres
def test_a_shard_that_goes_away_while_rows_are_sent_is_named(
    server: Server, tmp_path: Path
) -> None:
    with lab(server, SKY, tmp_path, shards=1) as sky:
        cutting = Cutting(sky.topology)
        with pytest.raises(ServerUnavailable, match="shard 1 does not answer"):
            dataclasses.replace(sky, pools=cutting).ingest(
                IngestOptions(degraded=Degraded.REFUSE), Filter={"filterId": [1]}
            )
        cutting.close()
        assert (sky.snapshot(), sky.part_tables()) == (0, 0)


def two_filters(sky: Lab) -> tuple[Loading, list[CutPart]]:
    """A part of two rows for the one shard, and what loading it needs."""
    names = [column.name for column in FILTER.columns]
    rows = empty_table(FILTER).select(names)
    ids = pa.table({name: [1, 2] if name == "filterId" else pa.nulls(2) for name in names})
    rows = pa.concat_tables([rows, ids.cast(rows.schema)])
    run = PlacedRun(rows, np.arange(2), np.zeros(2, np.int64))
    cut = Cut(FILTER, PartKind.WHOLE, None, None, (ShardId(1),), own=(run,))
    ingest_id = lifecycle.begin(Site(sky.pools, sky.topology, sky.folder), sky.catalog.name)
    loading = Loading(sky.catalog, ingest_id, sky.pools, sky.topology, verify=True)
    return loading, [(cut, PartId(1))]


@pytest.mark.postgres
def test_a_task_that_outlives_its_lease_writes_nothing(server: Server, tmp_path: Path) -> None:
    with lab(server, SKY, tmp_path, shards=1) as sky:
        loading, batch = two_filters(sky)
        with leased(sky.pools, loading.ingest_id) as lease:
            late = dataclasses.replace(loading, owner=f"{lease.owner} before")
            with pytest.raises(LeaseLost):
                load_parts(late, batch)
            assert (sky.part_tables(), sky.twin_files()) == (0, [])
            load_parts(dataclasses.replace(loading, owner=lease.owner), batch)
            assert (sky.part_tables(), sky.twin_files()) == (1, ["p1.parquet"])


@pytest.mark.postgres
def test_a_task_that_is_done_twice_at_a_time_writes_its_rows_once(
    server: Server, tmp_path: Path
) -> None:
    with lab(server, SKY, tmp_path, shards=1) as sky:
        loading, batch = two_filters(sky)
        with ThreadPoolExecutor(3) as threads:
            found = list(threads.map(lambda _: load_parts(loading, batch), range(3)))
        assert found[0] == found[1] == found[2]
        assert found[0][0].rows == 2
        assert (sky.part_tables(), sky.twin_files()) == (1, ["p1.parquet"])


@pytest.mark.postgres
def test_what_a_task_needs_can_be_sent_to_another_process(server: Server, tmp_path: Path) -> None:
    with lab(server, SKY, tmp_path, shards=1) as sky:
        sent, batch = pickle.loads(pickle.dumps(two_filters(sky)))
        try:
            assert [part.rows for part in load_parts(sent, batch)] == [2]
            assert sent.pools is pickle.loads(pickle.dumps(sky.pools))
        finally:
            sent.pools.close()
