"""A writer of units in a process of its own, which a test may kill: visit after visit.

`python -m tests.support.unit_process ORDER`: the order names the servers and the visits.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pyarrow as pa

from loaders.fail_points import VARIABLE
from loaders.live.unit import open_unit
from procedures.pools import Pools
from schema.topology import Shard, ShardId, Topology
from tests.support.live_rows import objects, sources

ROOT = Path(__file__).parents[2]
OBJECTS = 60


def start(topology: Topology, visits: Iterable[int], *, fail: str = "") -> subprocess.Popen[str]:
    """A process that writes some visits and prints each that is committed; it fails where it is told."""
    order = {
        "coordinator": topology.coordinator,
        "shards": [[int(shard.shard_id), shard.dsn] for shard in topology.shards],
        "visits": list(visits),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.unit_process", json.dumps(order)],
        cwd=ROOT,
        env={**os.environ, VARIABLE: fail},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def write_visit(pools: Pools, topology: Topology, visit: int) -> int:
    """One visit: all objects are renewed, each has one more source; the snapshot."""
    before = objects(OBJECTS)
    renewed = before.set_column(4, "n", pa.array([visit] * OBJECTS, pa.int32()))
    with open_unit(pools, topology, "night", label=f"visit {visit}") as unit:
        unit.upsert("Object", renewed)
        unit.insert("Source", sources(before, visit))
        unit.upsert("Visit", pa.table({"visit": [visit], "band": ["g"]}))
    assert unit.snapshot is not None
    return unit.snapshot


def main() -> None:
    """Write the visits."""
    order = json.loads(sys.argv[1])
    shards = tuple(Shard(ShardId(number), dsn) for number, dsn in order["shards"])
    topology = Topology(order["coordinator"], shards)
    with closing(Pools(topology)) as pools:
        for visit in order["visits"]:
            write_visit(pools, topology, visit)
            sys.stdout.write(f"{visit}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
