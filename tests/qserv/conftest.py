"""A small store: a coordinator that publishes the rows of `rows_of_chunks` on two shards (R = 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from migrations.upgrade import upgrade
from procedures.catalogs import create_catalog
from procedures.ingests import begin_ingest
from procedures.manifests import publish_ingest, record_parts, register_shards
from qserv.merge import MergeSettings
from qserv.scan.engine import EngineSettings
from qserv.scan.server import ScanServer
from qserv.store import Store, StoreSettings, open_store
from schema.topology import Shard, ShardId, Topology
from tests.qserv.rows_of_chunks import CATALOG, fill_postgres, fill_twins, manifest
from tests.support.postgres import Server

TOKEN = "token"


def publish(dsn: str) -> None:
    """Publish the made-up parts as the catalog's first snapshot."""
    connection = psycopg2.connect(dsn)
    with connection:
        register_shards(connection, {ShardId(1): 1.0, ShardId(2): 1.0})
        create_catalog(connection, CATALOG)
        ingest_id = begin_ingest(connection, CATALOG.name, "published")
        assert ingest_id == 1, "the parts name the first ingest"
        record_parts(connection, CATALOG.name, manifest([[1, 2]] * 8).parts)
        publish_ingest(connection, CATALOG.name, ingest_id)
    connection.close()


@dataclass(frozen=True)
class SmallStore:
    """A store and what it stands on, to be broken by tests."""

    store: Store
    topology: Topology
    engines: tuple[ScanServer, ...]
    spool: Path


@pytest.fixture(scope="module")
def shard_dsns(server: Server) -> tuple[str, str]:
    dsns = (server.new_database("rows"), server.new_database("rows"))
    for dsn in dsns:
        fill_postgres(dsn, range(8))
    return dsns


@pytest.fixture(scope="module")
def coordinator_dsn(server: Server) -> str:
    return server.new_database("coordinator", prepare=_published)


@pytest.fixture
def own_coordinator_dsn(server: Server) -> str:
    """A coordinator that a test may break."""
    return server.new_database("coordinator", prepare=_published)


def _published(dsn: str) -> None:
    upgrade(dsn, "coordinator")
    publish(dsn)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ScanServer, ...]]:
    twins = tmp_path_factory.mktemp("shards") / "twins"
    fill_twins(twins, range(8))
    settings = EngineSettings(1, twins, memory_bytes=2**27, threads=1)
    with ScanServer(settings, token=TOKEN) as one, ScanServer(settings, token=TOKEN) as two:
        yield one, two


@pytest.fixture
def own_store(
    own_coordinator_dsn: str,
    shard_dsns: tuple[str, str],
    engines: tuple[ScanServer, ...],
    tmp_path: Path,
) -> Iterator[SmallStore]:
    """A small store whose coordinator is the test's own."""
    yield from _opened(own_coordinator_dsn, shard_dsns, engines, tmp_path)


@pytest.fixture
def small_store(
    coordinator_dsn: str,
    shard_dsns: tuple[str, str],
    engines: tuple[ScanServer, ...],
    tmp_path: Path,
) -> Iterator[SmallStore]:
    yield from _opened(coordinator_dsn, shard_dsns, engines, tmp_path)


def _opened(
    coordinator_dsn: str, shard_dsns: tuple[str, str], engines: tuple[ScanServer, ...], folder: Path
) -> Iterator[SmallStore]:
    shards = tuple(
        Shard(ShardId(number), dsn, engine.address, engine.engine.settings.twins)
        for number, dsn, engine in zip((1, 2), shard_dsns, engines, strict=True)
    )
    topology = Topology(coordinator_dsn, shards, TOKEN)
    settings = StoreSettings(merges=MergeSettings(budget_bytes=2**28, threads=1))
    with open_store(topology, spool=folder / "spool", settings=settings) as store:
        yield SmallStore(store, topology, engines, folder / "spool")
