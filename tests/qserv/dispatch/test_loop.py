"""Dispatch over real shards: every row once, whatever is lost; errors, limits and cancels end it all."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pyarrow as pa
import pytest

from qserv.bound import (
    Aggregate,
    BaseTable,
    Call,
    Cast,
    Column,
    Join,
    JoinKind,
    Literal,
    Output,
    RelationId,
    Select,
    Source,
)
from qserv.dispatch.assign import NoReplica
from qserv.dispatch.loop import STREAM_BYTES, conform
from qserv.planned import Engine, Fragment, Plan, Reading
from qserv.running import QueryCancelled, QueryTimeout, Running
from qserv.spool import FragmentTooLong, SpoolFull, SpoolLimits
from schema.errors import QueryError, SkyshardError
from schema.types import Type
from tests.qserv.dispatch.conftest import Cluster, ids_of
from tests.qserv.dispatch.proxy import CuttingProxy
from tests.qserv.rows_of_chunks import (
    CATALOG,
    OBJECT,
    OBJECT_ROW,
    PIXELS,
    bands_fragment,
    fragment,
    source,
)
from tests.support.postgres import free_port

pytestmark = pytest.mark.postgres
ENGINES = pytest.mark.parametrize("engine", list(Engine))
ID = Column(OBJECT_ROW, "id", Type.LONG)
ALL = list(range(80))
TEXT = Cast(Literal("x", Type.TEXT), Type.INT)


def wide(engine: Engine) -> Fragment:
    """A fragment whose rows are far longer than what a cut connection lets through."""
    padding = Call("||", (Literal("x" * 20_000, Type.TEXT), Cast(ID, Type.TEXT)), Type.TEXT)
    return fragment((ID, padding), engine=engine)


def endless(engine: Engine) -> Fragment:
    """A fragment that runs until it is ended: the rows combined with themselves, seven times."""
    names = [RelationId(f"r{number}") for number in range(7)]
    bases = [BaseTable(name, CATALOG, OBJECT) for name in names]
    joined: Source = bases[0]
    for base in bases[1:]:
        joined = Join(JoinKind.CROSS, joined, base, None)
    ids = tuple(Column(name, "id", Type.LONG) for name in names)
    total = Call("=", (Call("+", ids, Type.LONG), Literal(-1, Type.LONG)), Type.BOOLEAN)
    count = Aggregate("count", None, distinct=False, type=Type.LONG)
    block = Select((Output(count, "n"),), joined, where=total, is_grouped=True)
    sources = tuple(replace(source(), relation=name) for name in names)
    return replace(fragment((count,), engine=engine), query=block, sources=sources)


@ENGINES
def test_every_row_comes_once(cluster: Cluster, engine: Engine) -> None:
    assert cluster.ids(fragment(engine=engine)) == ALL


@ENGINES
def test_overlap_is_read_once_whatever_the_split(cluster: Cluster, engine: Engine) -> None:
    ids = cluster.ids(fragment(engine=engine, reading=Reading.OVERLAP, pixels=PIXELS[2:4]))
    assert set(ids) == set(range(19, 41))


@ENGINES
def test_columns_have_the_fragment_s_types(cluster: Cluster, engine: Engine) -> None:
    flux = Column(OBJECT_ROW, "flux", Type.FLOAT)
    rows = cluster.rows(fragment((ID, flux), engine=engine))
    assert rows[0].schema == pa.schema([("c0", pa.int64()), ("c1", pa.float32())])


def test_replicated_tables_come_from_one_shard(cluster: Cluster) -> None:
    assert sorted(ids_of(cluster.rows(bands_fragment()))) == ["g", "i", "r"]


@ENGINES
def test_a_lost_shard_is_answered_by_the_other(cluster: Cluster, engine: Engine) -> None:
    cluster.set_port(1, free_port())
    cluster.engines[1].shutdown()
    assert cluster.ids(fragment(engine=engine)) == ALL


def test_lost_engines_are_answered_by_postgresql(cluster: Cluster) -> None:
    for engine in cluster.engines.values():
        engine.shutdown()
    assert cluster.ids(fragment(engine=Engine.SCAN)) == ALL


def test_a_lost_twin_is_answered_elsewhere(cluster: Cluster) -> None:
    (cluster.engines[1].engine.settings.twins / "p1.parquet").unlink()
    assert cluster.ids(fragment(engine=Engine.SCAN)) == ALL


def test_without_any_copy_the_query_fails(cluster: Cluster) -> None:
    cluster.set_port(1, free_port())
    cluster.set_port(2, free_port())
    with pytest.raises(NoReplica, match="no shard answers"):
        cluster.rows(fragment())


def test_rows_are_not_doubled_when_postgresql_is_cut_off_in_the_middle(cluster: Cluster) -> None:
    proxy = CuttingProxy(cluster.port(1), cut_after=100_000)
    cluster.set_port(1, proxy.port)
    assert cluster.ids(wide(Engine.POSTGRES)) == ALL
    assert proxy.cuts
    proxy.close()


def test_rows_are_not_doubled_when_an_engine_is_cut_off_in_the_middle(cluster: Cluster) -> None:
    proxy = CuttingProxy(cluster.engines[1].port, cut_after=100_000)
    cluster.set_scan_port(1, proxy.port)
    assert cluster.ids(wide(Engine.SCAN)) == ALL
    assert proxy.cuts
    proxy.close()


@ENGINES
def test_what_the_rows_do_not_allow_is_the_query_s_error(cluster: Cluster, engine: Engine) -> None:
    with pytest.raises(QueryError):
        cluster.rows(fragment((ID, TEXT), engine=engine))


@ENGINES
def test_a_full_spool_ends_the_query(cluster: Cluster, engine: Engine) -> None:
    cluster.spool_limits = SpoolLimits(100, 100_000, 10**6)
    with pytest.raises(SpoolFull):
        cluster.rows(wide(engine))


def test_too_many_rows_end_the_query(cluster: Cluster) -> None:
    cluster.spool_limits = SpoolLimits(2**20, 2**30, 50)
    with pytest.raises(FragmentTooLong):
        cluster.rows(fragment())


def test_enough_rows_leave_the_rest_unread(cluster: Cluster) -> None:
    many = replace(fragment(engine=Engine.SCAN), limit_total=1)
    assert 0 < len(cluster.ids(many)) <= 80


def test_shards_are_not_far_ahead_of_a_stream_s_slow_reader(cluster: Cluster) -> None:
    padding = Call("||", (Literal("x" * 500_000, Type.TEXT), Cast(ID, Type.TEXT)), Type.TEXT)
    wide = fragment((ID, padding), engine=Engine.SCAN)  # 20 MB of rows from each shard
    fragments = tuple(replace(wide, name=f"f{number}") for number in range(4))
    plan = Plan(fragments, Select(()), (), (), is_concatenation=True)
    with cluster.asked(plan) as (rows, spool):
        next(rows)
        time.sleep(5)  # long enough for all of them: 160 MB
        assert 40_000_000 <= spool.total_bytes <= STREAM_BYTES + 25_000_000


@ENGINES
def test_a_cancel_ends_every_statement(cluster: Cluster, engine: Engine) -> None:
    threading.Timer(0.5, cluster.running.cancel).start()
    assert isinstance(_ended(cluster, engine), QueryCancelled)


@ENGINES
def test_a_deadline_ends_every_statement(cluster: Cluster, engine: Engine) -> None:
    cluster.running = Running("late", 0.5, time.monotonic() + 0.5)
    assert isinstance(_ended(cluster, engine), QueryTimeout)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (pa.array([1, 2], pa.int32()), pa.int64()),
        (pa.array([1, None], pa.decimal128(38, 0)), pa.int64()),
        (pa.array(["a", None], pa.large_string()), pa.string()),
    ],
)
def test_an_engine_s_types_become_the_fragment_s(given: pa.Array, wanted: pa.DataType) -> None:
    batch = pa.record_batch([given], names=["any"])
    found = conform(batch, pa.schema([("c0", wanted)]))
    assert found.schema == pa.schema([("c0", wanted)])
    assert found["c0"].to_pylist() == given.to_pylist()


def _ended(cluster: Cluster, engine: Engine) -> SkyshardError:
    started = time.monotonic()
    with pytest.raises(SkyshardError) as caught:
        cluster.rows(endless(engine))
    assert time.monotonic() - started < 4.0
    return caught.value
