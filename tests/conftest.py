"""What every test may ask for: a PostgreSQL server a session, fresh databases in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from tests.support.postgres import Server, running_server

settings.register_profile("skyshard", deadline=None)  # the machine may be busy
settings.load_profile("skyshard")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-cases", action="store_true", help="rewrite tests/cases/*.case as they come out"
    )
    parser.addoption(
        "--nightly", action="store_true", help="ten times the random queries, all of the corpora"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits most (clusters of processes, then servers) first: no worker ends long after the others."""
    items.sort(
        key=lambda item: [item.get_closest_marker(m) is None for m in ("cluster", "postgres")]
    )


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One PostgreSQL server for the session (one each under pytest-xdist)."""
    with running_server() as started:
        yield started


@pytest.fixture
def new_database(server: Server) -> Callable[..., str]:
    """Makes databases: `new_database("shard") -> dsn`; with `prepare=`, clones of a template."""
    return server.new_database


@pytest.fixture
def database(server: Server) -> str:
    """The DSN of one fresh, empty database."""
    return server.new_database()
