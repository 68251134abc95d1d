"""Merges: DuckDB instances admitted by memory and used again; errors as ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import duckdb
import pyarrow as pa
import pytest

from qserv.bound import (
    Call,
    Cast,
    Column,
    Expression,
    Fetched,
    Join,
    JoinKind,
    Literal,
    Output,
    RelationId,
    Select,
    SortKey,
    Source,
)
from qserv.merge import MergeInput, MergeOutOfMemory, Merges, MergeSettings, merge, merged
from qserv.planned import Plan
from qserv.running import REPEAT_S, QueryCancelled, Running
from qserv.spool import Spool, SpoolLimits
from schema.errors import QueryError
from schema.types import Type
from tests.qserv.rows_of_chunks import fragment

ONE = RelationId("f0")
ID = Column(ONE, "c0", Type.LONG)
MIB = 2**20


@pytest.fixture
def merges(tmp_path: Path) -> Iterator[Merges]:
    settings = MergeSettings(budget_bytes=300 * MIB, small_bytes=20 * MIB, threads=1)
    made = Merges(settings, tmp_path / "merges")
    yield made
    made.close()


@pytest.fixture
def running() -> Running:
    return Running("q")


def given(
    tmp_path: Path, numbers: range, *outputs: Expression, size: int = 1, times: int = 1
) -> MergeInput:
    """A merge of one fragment with one column, sorted by its first output.

    The fragment is joined to itself, without condition, where `times` is more than 1.
    """
    source: Source = Fetched(ONE, "f0")
    for number in range(1, times):
        source = Join(JoinKind.CROSS, source, Fetched(RelationId(f"r{number}"), "f0"), None)
    block = Select(
        tuple(Output(expression, "x") for expression in outputs),
        source,
        order=(SortKey(outputs[0], descending=True),),
    )
    schema = pa.schema([("c0", pa.int64())])
    writer = Spool(tmp_path / "spool", SpoolLimits(MIB, 2**30, 10**9)).writer("f0", schema)
    writer.write(pa.record_batch([pa.array(numbers, pa.int64())], schema=schema))
    plan = Plan((fragment(),), block, block.outputs, ())
    return MergeInput(plan, [writer.complete()], dict, size)


def run(merges: Merges, what: MergeInput, running: Running) -> pa.Table:
    batches = merged(what, merges, running, memory_bytes=200 * MIB, temp_bytes=MIB)
    return pa.Table.from_batches(list(batches))


def text_of(expression: Expression) -> Expression:
    return Cast(expression, Type.TEXT)


def test_rows_are_merged_with_the_outputs_types(
    merges: Merges, running: Running, tmp_path: Path
) -> None:
    small = Cast(ID, Type.SHORT)
    rows = run(merges, given(tmp_path, range(3), ID, small), running)
    assert rows.schema.types == [pa.int64(), pa.int16()]
    assert rows["c0"].to_pylist() == [2, 1, 0]


def test_an_instance_is_used_again_without_what_was_in_it(merges: Merges, running: Running) -> None:
    with merges.instance(20 * MIB, MIB, running) as first:
        first.register("relation_x", pa.table({"c0": [1]}))
        first.unregister("relation_x")
    with merges.instance(20 * MIB, MIB, running) as second:
        assert second is first
        with pytest.raises(duckdb.CatalogException):
            second.execute("SELECT * FROM relation_x")


def test_an_instance_is_locked_down(merges: Merges, running: Running) -> None:
    table = pa.table({"a": [1]})
    with merges.instance(20 * MIB, MIB, running) as connection:
        for sql in (
            "SELECT * FROM read_text('/etc/passwd')",
            "ATTACH '/tmp/other.db'",
            "SELECT * FROM table",
            "SET memory_limit = '1TB'",
            "COPY (SELECT 1) TO '/tmp/x.csv'",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
    assert table.num_rows == 1


def test_memory_is_admitted(merges: Merges, running: Running) -> None:
    entered = threading.Event()

    def second() -> None:
        with merges.instance(200 * MIB, MIB, running):
            entered.set()

    with merges.instance(200 * MIB, MIB, running):
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not entered.wait(0.3)
    assert entered.wait(2)
    waiting.join()


def test_a_query_that_waits_for_memory_can_be_stopped(merges: Merges, running: Running) -> None:
    with merges.instance(200 * MIB, MIB, Running("other")):
        threading.Timer(0.2, running.cancel).start()
        with pytest.raises(QueryCancelled), merges.instance(200 * MIB, MIB, running):
            pytest.fail("it was admitted")


def test_a_small_merge_that_was_none_gets_more_memory(
    merges: Merges, running: Running, tmp_path: Path
) -> None:
    padded = Call("||", (Literal("x" * 100, Type.TEXT), text_of(ID)), Type.TEXT)
    rows = run(merges, given(tmp_path, range(300_000), padded, size=1), running)
    assert rows.num_rows == 300_000


def test_a_merge_beyond_its_memory_is_an_error_that_says_what_to_do(
    merges: Merges, running: Running, tmp_path: Path
) -> None:
    padded = Call("||", (Literal("x" * 1000, Type.TEXT), text_of(ID)), Type.TEXT)
    with pytest.raises(MergeOutOfMemory, match="merge_memory_bytes"):
        run(merges, given(tmp_path, range(500_000), padded), running)


def test_what_the_rows_do_not_allow_is_the_query_s_error(
    merges: Merges, running: Running, tmp_path: Path
) -> None:
    with pytest.raises(QueryError):
        run(merges, given(tmp_path, range(100_000), Cast(ID, Type.SHORT)), running)


def test_a_constant_beyond_64_bits_is_the_query_s_error(
    merges: Merges, running: Running, tmp_path: Path
) -> None:
    beyond = Call("neg", (Literal(-(2**63), Type.LONG),), Type.LONG)
    with pytest.raises(QueryError, match="does not fit"):
        run(merges, given(tmp_path, range(3), beyond), running)


def test_a_short_answer_s_slow_reader_holds_no_instance(
    merges: Merges, running: Running, tmp_path: Path
) -> None:
    what = given(tmp_path, range(3), ID)
    slow = merged(what, merges, running, memory_bytes=300 * MIB, temp_bytes=MIB)
    assert next(slow).num_rows == 3
    with merges.instance(300 * MIB, MIB, running):
        pass
    slow.close()  # type: ignore[attr-defined]


class Slow:
    """A connection that is told to stop a moment before it executes, when DuckDB still forgets it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, running: Running) -> None:
        self.connection, self.running = connection, running

    def sql(self, text: str) -> duckdb.DuckDBPyRelation:
        self.running.cancel()
        time.sleep(2 * REPEAT_S)
        return self.connection.sql(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self.connection, name)


def test_a_merge_that_is_stopped_just_before_it_executes_ends(
    merges: Merges, running: Running, tmp_path: Path
) -> None:
    endless = given(tmp_path, range(100_000), ID, times=4)
    with (
        pytest.raises(QueryCancelled),
        merges.instance(200 * MIB, MIB, running) as connection,
    ):
        list(merge(endless, cast("duckdb.DuckDBPyConnection", Slow(connection, running)), running))
