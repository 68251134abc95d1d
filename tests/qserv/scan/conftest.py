"""A real scan engine over two small twins, by itself and behind Flight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qserv.running import Running
from qserv.scan.client import ScanClient
from qserv.scan.engine import EngineSettings, ScanEngine
from qserv.scan.server import ScanServer

TOKEN = "a token of the cluster"


@pytest.fixture
def settings(tmp_path: Path) -> EngineSettings:
    twins = tmp_path / "twins"
    twins.mkdir()
    for number in (1, 2):
        ids = pa.array(range(1000 * number, 1000 * number + 1000), pa.int64())
        pq.write_table(pa.table({"id": ids}), twins / f"p{number}.parquet")
    return EngineSettings(7, twins, memory_bytes=100 * 2**20, threads=2, temp_bytes=20 * 2**20)


@pytest.fixture
def engine(settings: EngineSettings) -> Iterator[ScanEngine]:
    started = ScanEngine(settings)
    yield started
    started.close()


@pytest.fixture
def server(settings: EngineSettings) -> Iterator[ScanServer]:
    with ScanServer(settings, token=TOKEN) as started:
        yield started


@pytest.fixture
def client(server: ScanServer) -> Iterator[ScanClient]:
    connected = ScanClient(server.address, TOKEN)
    yield connected
    connected.close()


@pytest.fixture
def running() -> Running:
    return Running("a-query")


@pytest.fixture
def files(settings: EngineSettings) -> Callable[..., str]:
    """DuckDB's reader of twins by number: `files(1, 2)`."""

    def reader(*numbers: int) -> str:
        paths = ", ".join(f"'{settings.twins / f'p{number}.parquet'}'" for number in numbers)
        return f"read_parquet([{paths}])"

    return reader
