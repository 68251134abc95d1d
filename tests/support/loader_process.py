"""A loader in a process of its own, which a test may kill: one step of an ingest, told as JSON.

`python -m tests.support.loader_process ORDER`: the order names the servers, the spool and the step.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from loaders import lifecycle
from loaders.fail_points import VARIABLE
from loaders.ingest import Contribution, IngestOptions, ingest
from loaders.options import Site
from procedures.pools import Pools
from schema.topology import Shard, ShardId, Topology

ROOT = Path(__file__).parents[2]


def start(site: Site, step: Mapping[str, object], *, fail: str = "") -> subprocess.Popen[str]:
    """A process that does one step, and fails where it is told."""
    document = {
        "coordinator": site.topology.coordinator,
        "shards": [[int(s.shard_id), s.dsn, str(s.twins)] for s in site.topology.shards],
        "spool": str(site.spool),
        **step,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.loader_process", json.dumps(document)],
        cwd=ROOT,
        env={**os.environ, VARIABLE: fail},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _site(document: Mapping[str, Any]) -> Site:
    shards = tuple(
        Shard(ShardId(number), dsn, twins=Path(twins)) for number, dsn, twins in document["shards"]
    )
    topology = Topology(document["coordinator"], shards)
    return Site(Pools(topology), topology, Path(document["spool"]))


def _files(document: Mapping[str, Any]) -> list[Contribution]:
    return [Contribution(table, Path(path)) for table, path in document["files"]]


def main() -> None:
    """Do the step and print what came of it as JSON."""
    document = json.loads(sys.argv[1])
    site = _site(document)
    options = IngestOptions(workers=document.get("workers", 2))
    with closing(site.pools):
        match document["step"]:
            case "ingest":
                report = ingest(
                    document["catalog"],
                    _files(document),
                    pools=site.pools,
                    topology=site.topology,
                    spool=site.spool,
                    options=options,
                )
                told: dict[str, object] = {
                    "ingest": report.ingest_id,
                    "warnings": report.warnings,
                    "seconds": report.seconds,
                }
            case "run":
                ran = lifecycle.run_ingest(
                    site, document["ingest"], options=options, and_publish=document["publish"]
                )
                redone = ran.redone
                told = {
                    "state": ran.state,
                    "staged": redone.staged,
                    "staged_before": redone.staged_before,
                    "loaded": redone.loaded,
                    "loaded_before": redone.loaded_before,
                }
            case "publish":
                told = {"snapshot": lifecycle.publish_ingest(site, document["ingest"]).snapshot}
            case other:
                raise ValueError(other)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
