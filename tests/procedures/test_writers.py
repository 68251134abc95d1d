"""Who writes an ingest's parts on a shard: a takeover waits for them, one writer a part."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import psycopg2
import pytest

from procedures.writers import wait_for_writers, writing
from schema.manifest import IngestId, PartId

pytestmark = pytest.mark.postgres

INGEST, OTHER = IngestId(7), IngestId(8)


@pytest.fixture
def connect(database: str) -> Iterator[Callable[[], Any]]:
    """Connections to one shard."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(psycopg2.connect(database)))


@pytest.fixture
def aside() -> Iterator[Callable[..., Future[None]]]:
    """Runs a call in another thread."""
    with ThreadPoolExecutor(4) as threads:
        yield threads.submit


def waits(call: Future[None]) -> bool:
    with pytest.raises(TimeoutError):
        call.result(timeout=0.3)
    return True


def test_who_takes_over_waits_for_those_who_write(
    connect: Callable[[], Any], aside: Callable[..., Future[None]]
) -> None:
    with writing(connect(), INGEST, PartId(1)), writing(connect(), INGEST, PartId(2)):
        wait_for_writers(connect(), OTHER)
        taken = aside(wait_for_writers, connect(), INGEST)
        assert waits(taken)
    taken.result(timeout=60)


def test_a_part_has_one_writer_at_a_time_over_his_transactions(
    connect: Callable[[], Any], aside: Callable[..., Future[None]]
) -> None:
    first, entered = connect(), threading.Event()

    def write() -> None:
        with writing(connect(), INGEST, PartId(1)):
            entered.set()

    with writing(first, INGEST, PartId(1)):
        second = aside(write)
        first.commit()
        assert waits(second)
        assert not entered.is_set()
    second.result(timeout=60)


def test_a_writer_that_fails_leaves_no_lock(connect: Callable[[], Any]) -> None:
    connection = connect()
    with pytest.raises(psycopg2.Error), writing(connection, INGEST, PartId(1)):
        connection.cursor().execute("SELECT nothing")
    wait_for_writers(connect(), INGEST)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone() == (0,)
