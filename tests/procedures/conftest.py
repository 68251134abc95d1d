"""The two engines, each once a session."""

from __future__ import annotations

import pytest

from tests.procedures.engines import Engine, in_memory_duckdb, postgres
from tests.support.postgres import Server


@pytest.fixture(scope="session")
def _duckdb() -> Engine:
    return in_memory_duckdb()


@pytest.fixture(scope="session")
def _postgres(server: Server) -> Engine:
    return postgres(server.new_database("functions"))


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    found = request.getfixturevalue(f"_{request.param}")
    assert isinstance(found, Engine)
    return found
