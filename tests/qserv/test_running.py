"""Running queries: ids, deadlines, and that stopping one ends all it waits for."""

from __future__ import annotations

import threading
import time
import uuid

import pytest

from qserv.running import REPEAT_S, QueryCancelled, QueryTimeout, Running, Watch, new_query_id
from schema.errors import StoreError


def test_ids_are_uuids_that_sort_by_time() -> None:
    first = new_query_id()
    time.sleep(0.002)
    second = new_query_id()
    assert first < second
    assert uuid.UUID(first).version == 7
    assert uuid.UUID(first).variant == uuid.RFC_4122


def test_stopping_ends_every_wait_with_the_first_error() -> None:
    running, first, second = Running("q"), threading.Event(), threading.Event()
    with running.stoppable(first.set), running.stoppable(second.set):
        running.stop(StoreError("first"))
        running.stop(StoreError("second"))
        assert first.wait(2)
        assert second.wait(2)
    with pytest.raises(StoreError, match="first"):
        running.check()


def test_a_wait_is_ended_again_until_it_is_over() -> None:
    running, ended, thrice = Running("q"), [], threading.Event()

    def forgotten() -> None:
        ended.append(1)
        if len(ended) == 3:
            thrice.set()

    with running.stoppable(forgotten):
        running.cancel()
        assert thrice.wait(2)
    count = len(ended)
    time.sleep(3 * REPEAT_S)
    assert len(ended) == count


def test_a_server_that_hangs_does_not_keep_the_end_of_others() -> None:
    watch, released = Watch(), threading.Event()
    own, others = threading.Event(), threading.Event()
    late, other = watch.begin(0.05), watch.begin(0.05)

    def hang() -> None:
        released.wait(5)

    with late.stoppable(hang), late.stoppable(own.set), other.stoppable(others.set):
        assert own.wait(2)
        assert others.wait(2)
        released.set()
    watch.close()


def test_a_wait_that_begins_after_the_end_does_not_begin() -> None:
    running = Running("q")
    running.cancel()
    with pytest.raises(QueryCancelled), running.stoppable(lambda: None):
        pytest.fail("it began")


def test_a_wait_that_cannot_be_ended_does_not_keep_others() -> None:
    running, ended = Running("q"), threading.Event()

    def broken() -> None:
        raise OSError

    with running.stoppable(broken), running.stoppable(ended.set):
        running.cancel()
        assert ended.wait(2)


def test_the_watch_stops_what_is_late() -> None:
    watch, ended = Watch(), threading.Event()
    running = watch.begin(0.05)
    with running.stoppable(ended.set):
        assert ended.wait(2)
    with pytest.raises(QueryTimeout, match=r"0\.05 s"):
        running.check()
    watch.close()


def test_the_watch_finds_queries_by_id_until_they_end() -> None:
    watch = Watch()
    running = watch.begin(None)
    watch.end(running)
    assert not watch.cancel(running.query_id)
    assert running.remaining_s() is None
    watch.close()


def test_closing_the_watch_cancels_what_runs() -> None:
    watch = Watch()
    running = watch.begin(10.0)
    watch.close()
    with pytest.raises(QueryCancelled):
        running.check()


def test_what_is_left_is_not_ended_any_more() -> None:
    running, ended = Running("q"), []
    with running.stoppable(lambda: ended.append(1)):
        pass
    running.cancel()
    assert ended == []
