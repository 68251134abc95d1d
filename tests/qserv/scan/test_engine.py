"""The engine without its network: results, lock-down, lanes, deadlines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pytest

from qserv.scan.engine import EngineSettings, ScanEngine, ScanFault
from qserv.scan.messages import Fault, ScanRequest

ENDLESS = (
    "SELECT count(*) AS c0 FROM range(1000000) a, range(10000000) b WHERE a.range * b.range % 7 = 3"
)


def run(engine: ScanEngine, sql: str, **words: object) -> pa.Table:
    schema, batches = engine.run(ScanRequest("a-query", sql, **words))  # type: ignore[arg-type]
    return pa.Table.from_batches(batches, schema)


def fault_of(engine: ScanEngine, sql: str, **words: object) -> Fault:
    with pytest.raises(ScanFault) as caught:
        run(engine, sql, **words)
    return caught.value.fault


def test_it_reads_twins(engine: ScanEngine, files: Callable[..., str]) -> None:
    rows = run(engine, f"SELECT min(id) AS c0, count(*) AS c1 FROM {files(1, 2)}")
    assert rows.to_pylist() == [{"c0": 1000, "c1": 2000}]


def test_an_empty_result_has_its_columns(engine: ScanEngine, files: Callable[..., str]) -> None:
    rows = run(engine, f"SELECT id AS c0 FROM {files(1)} WHERE id < 0")
    assert rows.schema.names == ["c0"]
    assert rows.num_rows == 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('{twins}/../../../../../../etc/passwd')",
        "ATTACH '/tmp/other.db'",
        "COPY (SELECT 1) TO '{twins}/p9.parquet'",
        "SET threads = 1",
        "INSTALL httpfs",
        "SELECT 1; SELECT 2",
        "SELECT * FROM settings",
        "PRAGMA database_list",
    ],
)
def test_it_is_locked_down(engine: ScanEngine, settings: EngineSettings, sql: str) -> None:
    assert fault_of(engine, sql.format(twins=settings.twins)) in (Fault.STORE, Fault.NO_TWIN)
    assert not (settings.twins / "p9.parquet").exists()


def test_a_missing_twin_is_told_apart(engine: ScanEngine, files: Callable[..., str]) -> None:
    assert fault_of(engine, f"SELECT id FROM {files(3)}") is Fault.NO_TWIN


def test_rows_that_do_not_allow_the_expression_are_the_query_s_fault(engine: ScanEngine) -> None:
    sql = "SELECT CAST(CASE WHEN i < 900000 THEN '1' ELSE 'x' END AS INTEGER) FROM range(1000000) t(i)"
    assert fault_of(engine, sql) is Fault.QUERY


def test_memory_and_temporary_space_are_bounded(engine: ScanEngine) -> None:
    sql = "SELECT repeat(md5(i::VARCHAR), 9) AS s FROM range(1500000) t(i) ORDER BY s"
    assert fault_of(engine, sql) is Fault.LIMIT


def test_a_deadline_ends_a_statement(engine: ScanEngine) -> None:
    started = time.monotonic()
    assert fault_of(engine, ENDLESS, deadline_s=0.2) is Fault.TIMEOUT
    assert time.monotonic() - started < 2.0


def test_a_cancel_ends_a_statement_and_frees_its_place(engine: ScanEngine) -> None:
    timer = threading.Timer(0.2, lambda: engine.cancel("a-query"))
    timer.start()
    assert fault_of(engine, ENDLESS) is Fault.CANCELLED
    assert engine.status() == {"shard_id": 7, "running": 0, "waiting": 0}


def test_interactive_statements_do_not_wait_behind_scans(settings: EngineSettings) -> None:
    engine = ScanEngine(replace(settings, scan_places=1))
    scan = threading.Thread(target=fault_of, args=(engine, ENDLESS), daemon=True)
    scan.start()
    assert fault_of(engine, "SELECT 1 AS c0", deadline_s=0.3) is Fault.TIMEOUT
    assert run(engine, "SELECT 1 AS c0", is_interactive=True).num_rows == 1
    engine.cancel("a-query")
    scan.join(5)
    engine.close()


def test_a_full_queue_refuses(settings: EngineSettings) -> None:
    engine = ScanEngine(replace(settings, scan_places=1, max_waiting=0))
    assert fault_of(engine, "SELECT 1 AS c0") is Fault.LIMIT
    engine.close()


def test_an_abandoned_stream_gives_its_place_back(engine: ScanEngine) -> None:
    for _ in range(10):
        _, batches = engine.run(ScanRequest("a-query", "SELECT * FROM range(10000000)"))
        next(batches)
        batches.close()  # type: ignore[attr-defined]
    assert engine.status()["running"] == 0
