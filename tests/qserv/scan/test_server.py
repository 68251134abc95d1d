"""The engine behind Flight, and its client: tokens, errors, cancellation, losses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pyarrow as pa
import pytest

from qserv.running import QueryCancelled, QueryTimeout, Running
from qserv.scan.client import ScanClient, ScanLimit
from qserv.scan.engine import EngineSettings
from qserv.scan.server import ScanServer
from schema.errors import ConfigError, QueryError, StoreError, Unavailable
from tests.qserv.scan.conftest import TOKEN
from tests.qserv.scan.test_engine import ENDLESS
from tests.support.postgres import free_port


def rows_of(client: ScanClient, sql: str, running: Running) -> int:
    return sum(batch.num_rows for batch in client.scan(sql, running))


def test_rows_stream_over_the_network(
    client: ScanClient, running: Running, files: Callable[..., str]
) -> None:
    batches = list(client.scan(f"SELECT id AS c0 FROM {files(1, 2)} ORDER BY id", running))
    assert pa.Table.from_batches(batches)["c0"].to_pylist() == list(range(1000, 3000))


def test_another_token_is_refused(server: ScanServer, running: Running) -> None:
    stranger = ScanClient(server.address, "another token")
    with pytest.raises(ConfigError, match="token"):
        rows_of(stranger, "SELECT 1 AS c0", running)
    with pytest.raises(ConfigError, match="token"):
        stranger.cancel("a-query")


def test_an_engine_needs_a_token(settings: EngineSettings) -> None:
    with pytest.raises(ValueError, match="token"):
        ScanServer(settings, token="")


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT CAST('x' AS INTEGER) AS c0", QueryError),
        ("SELECT nothing AS c0", StoreError),
        ("SELECT * FROM read_parquet('/none.parquet')", StoreError),
        ("SELECT repeat(md5(i::VARCHAR), 9) AS s FROM range(1500000) t(i) ORDER BY s", ScanLimit),
    ],
)
def test_errors_keep_their_kind(
    client: ScanClient, running: Running, sql: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        rows_of(client, sql, running)


def test_a_missing_twin_may_be_had_elsewhere(
    client: ScanClient, running: Running, files: Callable[..., str]
) -> None:
    with pytest.raises(Unavailable):
        rows_of(client, f"SELECT id FROM {files(3)}", running)


def test_a_deadline_travels_to_the_engine(server: ScanServer, client: ScanClient) -> None:
    late = Running("late", 0.3, time.monotonic() + 0.3)
    with pytest.raises(QueryTimeout, match=r"0\.3 s"):
        rows_of(client, ENDLESS, late)
    assert server.engine.status()["running"] == 0


def test_stopping_the_query_ends_its_statements(
    server: ScanServer, client: ScanClient, running: Running
) -> None:
    threading.Timer(0.3, running.cancel).start()
    with pytest.raises(QueryCancelled):
        rows_of(client, ENDLESS, running)
    deadline = time.monotonic() + 2
    while server.engine.status()["running"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.engine.status()["running"] == 0


def test_a_stream_that_is_left_frees_its_place(
    server: ScanServer, client: ScanClient, running: Running
) -> None:
    stream = client.scan("SELECT * FROM range(100000000)", running)
    next(stream)
    stream.close()
    deadline = time.monotonic() + 5
    while server.engine.status()["running"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.engine.status()["running"] == 0


def test_an_engine_that_is_not_there_is_unavailable(running: Running) -> None:
    client = ScanClient(f"grpc://127.0.0.1:{free_port()}", TOKEN)
    with pytest.raises(Unavailable, match="does not answer"):
        rows_of(client, "SELECT 1 AS c0", running)
    with pytest.raises(Unavailable):
        client.status()


def test_an_engine_that_goes_down_while_it_answers_is_unavailable(
    server: ScanServer, client: ScanClient, running: Running
) -> None:
    threading.Timer(0.3, server.shutdown).start()
    with pytest.raises(Unavailable):
        rows_of(client, ENDLESS, running)


def test_a_client_finds_an_engine_that_came_back(
    settings: EngineSettings, running: Running
) -> None:
    port = free_port()
    client = ScanClient(f"grpc://127.0.0.1:{port}", TOKEN)
    with pytest.raises(Unavailable):
        client.status()
    with ScanServer(settings, port=port, token=TOKEN):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                assert client.status()["shard_id"] == 7
            except Unavailable:
                time.sleep(0.05)
            else:
                return
        pytest.fail("the client did not find the engine")
