"""Two shards with all the rows twice (R = 2): PostgreSQL databases, and scan engines over twins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from procedures.director_index import EMPTY, KeyMap
from procedures.pools import Pools
from qserv.bound import Select
from qserv.dispatch.loop import dispatch
from qserv.dispatch.shards import LaneLimits, Shards
from qserv.parts import PartIndex
from qserv.planned import Fragment, Plan
from qserv.running import Running
from qserv.scan.engine import EngineSettings
from qserv.scan.server import ScanServer
from qserv.spool import Rows, Spool, SpoolLimits
from schema.healpix import I64
from schema.topology import Shard, ShardId, Topology
from tests.qserv.rows_of_chunks import fill_postgres, fill_twins, manifest
from tests.support.postgres import Server

TOKEN = "token"
PARTS = {"tiny": PartIndex(manifest([[1, 2]] * 8))}
LIMITS = SpoolLimits(2**20, 2**30, 10**6)


@dataclass
class Cluster:
    """The shards as they are, and the ways to them as a test would have them."""

    topology: Topology
    engines: dict[int, ScanServer]
    spool_folder: Path
    running: Running = field(default_factory=lambda: Running("a-query"))
    spool_limits: SpoolLimits = LIMITS

    def set_port(self, shard_id: int, port: int) -> None:
        """Reach a shard's PostgreSQL by another port."""
        words = parse_dsn(self.topology.shard(ShardId(shard_id)).dsn)
        self._change(shard_id, dsn=make_dsn(**{**words, "port": port}))

    def set_scan_port(self, shard_id: int, port: int) -> None:
        """Reach a shard's scan engine by another port."""
        self._change(shard_id, scan=f"grpc://127.0.0.1:{port}")

    def port(self, shard_id: int) -> int:
        return int(parse_dsn(self.topology.shard(ShardId(shard_id)).dsn)["port"])

    def _change(self, shard_id: int, **words: str) -> None:
        shards = tuple(
            replace(shard, **words) if shard.shard_id == shard_id else shard  # type: ignore[arg-type]
            for shard in self.topology.shards
        )
        self.topology = replace(self.topology, shards=shards)

    def find(self, catalog: str, table: str, keys: I64) -> KeyMap:
        """No key is known."""
        return EMPTY

    def rows(self, *fragments: Fragment) -> list[Rows]:
        """What a dispatch of these fragments gives."""
        with self.asked(Plan(fragments, Select(()), (), ())) as (rows, _):
            return list(rows)

    @contextmanager
    def asked(self, plan: Plan) -> Iterator[tuple[Iterator[Rows], Spool]]:
        """A dispatch of a plan: its rows as they come, and where they wait."""
        pools = Pools(self.topology, size=8)
        shards = Shards(self.topology, pools, LaneLimits(suspect_s=60.0))
        spool = Spool(self.spool_folder / "query", self.spool_limits)
        try:
            yield dispatch(plan, PARTS, shards, self.running, spool, find=self.find), spool
        finally:
            shards.close()
            pools.close()

    def ids(self, *fragments: Fragment) -> list[int]:
        """The first column of all rows, sorted."""
        return sorted(ids_of(self.rows(*fragments)))


def ids_of(rows: Sequence[Rows]) -> list[int]:
    return [i for found in rows for batch in found.batches() for i in batch["c0"].to_pylist()]


@pytest.fixture(scope="session")
def shard_dsns(server: Server) -> tuple[str, str]:
    dsns = (server.new_database("exec"), server.new_database("exec"))
    for dsn in dsns:
        fill_postgres(dsn, range(8))
    return dsns


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Callable[[int], ScanServer]]:
    """Starts a scan engine of a shard, with all twins."""
    with ExitStack() as stack:

        def start(shard_id: int) -> ScanServer:
            twins = tmp_path / f"shard-{shard_id}" / "twins"
            fill_twins(twins, range(8))
            settings = EngineSettings(shard_id, twins, memory_bytes=2**27, threads=1)
            return stack.enter_context(ScanServer(settings, token=TOKEN))

        yield start


@pytest.fixture
def cluster(
    shard_dsns: tuple[str, str], engines: Callable[[int], ScanServer], tmp_path: Path
) -> Cluster:
    servers = {number: engines(number) for number in (1, 2)}
    shards = tuple(
        Shard(
            ShardId(number),
            dsn,
            scan=servers[number].address,
            twins=servers[number].engine.settings.twins,
        )
        for number, dsn in enumerate(shard_dsns, start=1)
    )
    return Cluster(Topology(shard_dsns[0], shards, TOKEN), servers, tmp_path / "spool")
