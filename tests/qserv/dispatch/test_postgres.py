"""One statement asked of a shard: all at once or streamed, over connections that may have been lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pyarrow as pa
import pytest

from procedures.pools import Pools
from qserv.dispatch.postgres import OutOfRange, ShardUnavailable, read_postgres
from qserv.running import Running
from schema.errors import QueryError, SkyshardError
from schema.topology import Shard, ShardId, Topology
from tests.support.postgres import Server

pytestmark = pytest.mark.postgres
SHARD = ShardId(1)
BOTH = pytest.mark.parametrize("is_small", [True, False])
LOST = "SELECT pg_terminate_backend(pg_backend_pid())"
OF_ALL_TYPES = """
SELECT n::smallint AS c0, n::bigint AS c1, n * 1.5::real AS c2, n * 0.1::float8 AS c3, n > 1 AS c4,
       nullif('a' || n, 'a2') AS c5, '2026-07-22'::timestamp AS c6, '\\x00ff'::bytea AS c7
FROM generate_series(1, 3) AS n
"""


@pytest.fixture
def pools(server: Server) -> Iterator[Pools]:
    dsn = server.dsn()
    with closing(Pools(Topology(dsn, (Shard(SHARD, dsn),), "token"), size=2)) as pools:
        yield pools


def rows(sql: str, pools: Pools, *, is_small: bool) -> list[tuple[object, ...]]:
    batches = list(read_postgres(sql, SHARD, pools, Running("a-query"), is_small=is_small))
    return [tuple(row.values()) for row in pa.Table.from_batches(batches).to_pylist() if batches]


def test_all_types_come_at_once_as_they_are_streamed(pools: Pools) -> None:
    at_once = rows(OF_ALL_TYPES, pools, is_small=True)
    assert len(at_once) == 3
    assert at_once == rows(OF_ALL_TYPES, pools, is_small=False)


@BOTH
def test_a_statement_names_its_query(pools: Pools, is_small: bool) -> None:
    shown = "SELECT query AS c0 FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    ((text,),) = rows(shown, pools, is_small=is_small)
    assert "/* query a-query */ SELECT query" in str(text)


@BOTH
@pytest.mark.parametrize(
    "expression", ["1e308::float8 * (n + 9)", "1e-308::float8 / 10 ^ (n + 99)"]
)
def test_a_double_out_of_range_is_an_error_of_its_own(
    pools: Pools, is_small: bool, expression: str
) -> None:
    with pytest.raises(OutOfRange):
        rows(f"SELECT {expression} AS c0 FROM generate_series(1, 3) AS n", pools, is_small=is_small)


@BOTH
def test_rows_that_do_not_allow_the_expression_are_an_error(pools: Pools, is_small: bool) -> None:
    with pytest.raises(QueryError, match="division by zero"):
        rows("SELECT 1 / (n - 2) AS c0 FROM generate_series(1, 3) AS n", pools, is_small=is_small)


@BOTH
def test_a_connection_lost_while_it_lay_idle_is_replaced(
    pools: Pools, server: Server, is_small: bool
) -> None:
    with pools.arrow(SHARD), pools.arrow(SHARD):
        pass
    _end_sessions(server)
    assert rows("SELECT 7 AS c0", pools, is_small=is_small) == [(7,)]


@BOTH
def test_a_statement_that_loses_its_server_each_time_is_an_error(
    pools: Pools, is_small: bool
) -> None:
    with pytest.raises(ShardUnavailable):
        rows(LOST, pools, is_small=is_small)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("pg_terminate_backend(pg_backend_pid())", ShardUnavailable),
        ("pg_cancel_backend(pg_backend_pid())", ShardUnavailable),
        ("(1 / (n - 40000))::int::bool", QueryError),
    ],
)
def test_a_fault_amid_the_rows_is_told_for_what_it_is(
    pools: Pools, fault: str, error: type[SkyshardError]
) -> None:
    faulty = f"repeat('x', 1000) AS c0, CASE WHEN n = 40000 THEN {fault} END AS c1"
    sql = f"SELECT {faulty} FROM generate_series(1, 60000) AS n"
    stream = read_postgres(sql, SHARD, pools, Running("a-query"))
    assert next(stream).num_rows
    with pytest.raises(error):
        list(stream)


def _end_sessions(server: Server) -> None:
    """End every session of the server but our own."""
    with closing(psycopg2.connect(server.dsn())) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
