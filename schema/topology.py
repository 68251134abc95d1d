"""Where the servers of one cluster are. Values only; `workers` reads them from configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NewType

ShardId = NewType("ShardId", int)


@dataclass(frozen=True, slots=True)
class Shard:
    """One PostgreSQL server (`dsn`, libpq form) and the scan engine beside it.

    `scan` is the engine's Flight address (`grpc://host:port`) and `twins` the folder of its Parquet
    files; both are None for a shard that answers from PostgreSQL alone.
    """

    shard_id: ShardId
    dsn: str = field(repr=False)
    scan: str | None = None
    twins: Path | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Topology:
    """A coordinator and its shards, ordered by shard id."""

    coordinator: str = field(repr=False)
    shards: tuple[Shard, ...]
    scan_token: str = field(default="", repr=False)

    def shard(self, shard_id: ShardId) -> Shard:
        """The shard of that id; KeyError where there is none."""
        for shard in self.shards:
            if shard.shard_id == shard_id:
                return shard
        raise KeyError(shard_id)
