"""What the tests of jobs share: one small sky for the session, a czar for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY
from tests.qserv.jobs.czars import Czar, czar, objects
from tests.support.postgres import Server


@pytest.fixture(scope="session")
def sky(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One shard, 600 objects."""
    with lab(server, SKY, tmp_path_factory.mktemp("jobs"), shards=1) as made:
        made.ingest(Object=objects())
        yield made


@pytest.fixture(scope="module")
def one(sky: Lab) -> Iterator[Czar]:
    """A czar of the module."""
    with czar(sky, "one") as made:
        yield made
