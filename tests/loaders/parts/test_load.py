"""Which parts are written together, and what is said of a shard that goes away meanwhile."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from loaders.options import IngestOptions
from loaders.parts.cut import Cut
from loaders.parts.degraded import Degraded
from loaders.parts.load import BATCH_PARTS, BATCH_ROWS, batches_of
from procedures.pools import Pools, ServerUnavailable
from schema.manifest import PartId, PartKind
from schema.topology import ShardId
from tests.loaders.lab import lab
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
