"""Pools are bounded, notice servers that went away, and can cancel what a shard runs."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import adbc_driver_manager
import psycopg2
import pyarrow as pa
import pytest
from psycopg2.extensions import make_dsn

from procedures.pools import (
    PoolBusy,
    Pools,
    ServerUnavailable,
    backend_pid,
    to_uri,
)
from schema.errors import Unavailable
from schema.topology import Shard, ShardId, Topology
from tests.support.postgres import Server, free_port, running_server

pytestmark = pytest.mark.postgres
FIRST = ShardId(1)


def topology(coordinator: str, shard: str) -> Topology:
    return Topology(coordinator=coordinator, shards=(Shard(FIRST, shard),))


@pytest.fixture
def pools(server: Server) -> Iterator[Pools]:
    """A coordinator and one shard, two connections each, short waits."""
    servers = topology(server.new_database("coordinator"), server.new_database("shard"))
    with closing(Pools(servers, size=2, wait_s=0.2, application_name="skyshard test")) as made:
        yield made


def rows(connection: Any, statement: str) -> pa.Table:
    """What an Arrow connection's statement gives."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetch_arrow_table()


def test_a_returned_connection_is_used_again(pools: Pools) -> None:
    with pools.shard(FIRST) as first:
        pid = backend_pid(first)
    with pools.shard(FIRST) as second:
        assert backend_pid(second) == pid


def test_what_was_not_committed_is_rolled_back(pools: Pools) -> None:
    with pools.coordinator() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE forgotten (a int)")
    with pools.coordinator() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('forgotten')")
        assert cursor.fetchone() == (None,)


def test_a_failed_statement_does_not_spoil_the_next_borrower(pools: Pools) -> None:
    with (
        pytest.raises(psycopg2.errors.UndefinedTable),
        pools.shard(FIRST) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM missing")
    with pools.shard(FIRST) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("kind", ["shard", "arrow"])
def test_the_third_of_two_waits_and_is_refused(pools: Pools, kind: str) -> None:
    borrow = getattr(pools, kind)
    with (
        borrow(FIRST),
        borrow(FIRST),
        pytest.raises(PoolBusy, match="all 2 connections"),
        borrow(FIRST),
    ):
        pass


def test_the_third_of_two_gets_the_first_that_comes_back(pools: Pools) -> None:
    found: list[int] = []

    def borrow() -> None:
        with pools.shard(FIRST) as connection:
            found.append(backend_pid(connection))

    with pools.shard(FIRST):
        with pools.shard(FIRST) as second:
            pid = backend_pid(second)
            waiter = threading.Thread(target=borrow)
            waiter.start()
        waiter.join()
    assert found == [pid]


def test_connections_name_their_program_and_bound_their_waits(pools: Pools) -> None:
    with pools.shard(FIRST) as connection:
        parameters = connection.info.dsn_parameters
    assert parameters["application_name"] == "skyshard test"
    assert parameters["connect_timeout"] == "4"
    assert parameters["tcp_user_timeout"] == "4000"


def test_a_statement_that_hangs_is_ended(server: Server) -> None:
    servers = topology(server.dsn(), server.dsn())
    with (
        closing(Pools(servers, statement_s=0.1)) as pools,
        pools.shard(FIRST) as connection,
        connection.cursor() as cursor,
        pytest.raises(psycopg2.errors.QueryCanceled, match="statement timeout"),
    ):
        cursor.execute("SELECT pg_sleep(20)")


def test_a_server_s_own_options_win(server: Server) -> None:
    own = make_dsn(server.dsn(), options="-c statement_timeout=7s")
    with (
        closing(Pools(topology(own, own), statement_s=0.1)) as pools,
        pools.coordinator() as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("7s",)


def test_arrow_connections_give_tables(pools: Pools) -> None:
    with pools.arrow(FIRST) as connection:
        found = rows(connection, "SELECT n::bigint AS n FROM generate_series(1, 3) AS n")
    assert found.to_pydict() == {"n": [1, 2, 3]}


def test_arrow_connections_only_read(pools: Pools) -> None:
    with (
        pools.arrow(FIRST) as connection,
        pytest.raises(adbc_driver_manager.Error, match="read-only"),
    ):
        rows(connection, "CREATE TABLE t (a int)")


def test_a_time_limit_ends_its_borrower_s_statement_and_no_other_s(pools: Pools) -> None:
    with (
        pools.arrow(FIRST, timeout_s=0.05) as connection,
        pytest.raises(adbc_driver_manager.Error, match="statement timeout"),
    ):
        rows(connection, "SELECT pg_sleep(5)")
    with pools.arrow(FIRST) as connection:
        assert rows(connection, "SELECT pg_sleep(0.1)").num_rows == 1


def test_time_limits_of_about_one_length_are_one_bound(pools: Pools) -> None:
    bounds = [_shown_bound_ms(pools, timeout_s) for timeout_s in (None, 59.98, 59.4, 0.01, 3600.0)]
    assert bounds == [0, 61_440, 61_440, 10, 3_670_016]


def test_a_ready_connection_is_checked_unless_its_borrower_will(pools: Pools) -> None:
    with pools.arrow(FIRST) as connection, pools.shard(FIRST) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (backend_pid(connection),))
    with (
        pools.arrow(FIRST, is_checked=False) as connection,
        pytest.raises(adbc_driver_manager.Error),
    ):
        rows(connection, "SELECT 1")
    with pools.arrow(FIRST) as connection:
        assert rows(connection, "SELECT 1").num_rows == 1


def test_few_rows_come_in_one_trip(pools: Pools) -> None:
    with pools.arrow(FIRST) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n::bigint AS n FROM generate_series(1, 3) AS n", in_one_trip=True)
        assert cursor.fetch_arrow_table().to_pydict() == {"n": [1, 2, 3]}


def _shown_bound_ms(pools: Pools, timeout_s: float | None) -> int:
    shown = "SELECT setting::int AS bound FROM pg_settings WHERE name = 'statement_timeout'"
    with pools.arrow(FIRST, timeout_s=timeout_s, is_checked=False) as connection:
        (bound,) = rows(connection, shown)["bound"].to_pylist()
    return int(bound)


def test_a_running_statement_is_cancelled_from_beside(pools: Pools) -> None:
    with pools.arrow(FIRST) as connection:
        pid = backend_pid(connection)
        threading.Timer(0.2, pools.cancel, (FIRST, pid)).start()
        with pytest.raises(adbc_driver_manager.Error, match="user request"):
            rows(connection, "SELECT pg_sleep(20)")


@pytest.mark.parametrize("kind", ["shard", "arrow"])
def test_a_server_that_is_not_there_is_unavailable(server: Server, kind: str) -> None:
    nowhere = f"host=127.0.0.1 port={free_port()} user=nobody dbname=nothing"
    with (
        closing(Pools(topology(server.dsn(), nowhere))) as pools,
        pytest.raises(ServerUnavailable, match="shard 1 does not answer"),
        getattr(pools, kind)(FIRST),
    ):
        pass


def test_a_server_that_says_nothing_is_an_error_after_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dsn = f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=x connect_timeout=2"
        began = time.monotonic()
        with (
            closing(Pools(topology(dsn, dsn))) as pools,
            pytest.raises(Unavailable),
            pools.coordinator(),
        ):
            pass
    assert time.monotonic() - began < 4


def test_a_server_that_came_back_is_found_again() -> None:
    with running_server() as server:
        servers = topology(server.dsn(), server.dsn())
        with closing(Pools(servers, size=1)) as pools:
            with pools.shard(FIRST) as connection, pools.arrow(FIRST):
                old = backend_pid(connection)
            server.stop(signal.SIGQUIT)
            with pytest.raises(ServerUnavailable), pools.arrow(FIRST):
                pass
            server.start()
            with pools.shard(FIRST) as connection, pools.arrow(FIRST) as arrow:
                assert backend_pid(connection) != old
                assert backend_pid(arrow) > 0


def test_a_closed_pool_closes_what_comes_back(pools: Pools) -> None:
    with pools.shard(FIRST) as connection:
        pools.close()
        assert not connection.closed
    assert connection.closed


@pytest.mark.parametrize(
    "dsn", ["host=h port=5 user=u password='a b&c=d+e' dbname=d", "postgresql://u:p%20q@h:5/d"]
)
def test_a_uri_says_what_the_dsn_says(dsn: str) -> None:
    parse = psycopg2.extensions.parse_dsn
    assert parse(to_uri(dsn)) == parse(dsn)
