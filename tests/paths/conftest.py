"""What the path tests share."""

from __future__ import annotations

import pytest

from tests.support import diff_sky
from tests.support.postgres import Server
from tests.support.sharded import Oracle, oracle


@pytest.fixture(scope="session")
def the_oracle(server: Server) -> Oracle:
    """The differential sky in one plain PostgreSQL; it answers each statement once."""
    return oracle(server, diff_sky.CATALOG, diff_sky.rows())
