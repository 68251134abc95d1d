"""With two replicas, the loss of any one shard changes no answer; with one, it is said.

A ninth of the corpora is asked in `make test`, all of them in `make nightly` (see `conftest`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from qserv.answer import explain
from qserv.planned import Engine
from schema.errors import Unavailable
from tests.support import diff_sky
from tests.support.agreement import assert_agrees
from tests.support.corpus import Case, every_corpus
from tests.support.postgres import Server, running_server
from tests.support.sharded import Oracle, Sharded, bound, rows_of, sharded_store

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def wounded(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sharded]:
    """Three shards with two copies of every part, the last of them stopped with its engine."""
    catalog = replace(diff_sky.CATALOG, replicas=2)
    folder = Path(tmp_path_factory.mktemp("lost"))
    with (
        running_server() as last,
        sharded_store(
            server, catalog, diff_sky.as_ingests(1), shards=3, folder=folder, last_on=last
        ) as sharded,
    ):
        last.stop()
        sharded.engines[-1].shutdown()
        yield sharded


@pytest.mark.parametrize("case", every_corpus(), ids=lambda case: case.name)
def test_answers_are_whole_without_one_of_three_shards(
    case: Case, wounded: Sharded, the_oracle: Oracle
) -> None:
    query = bound(case.text, wounded.store, case.language)
    _, found = rows_of(case.text, wounded.store, case.language)
    assert_agrees(query, found, the_oracle.rows(query))


def test_without_a_second_copy_the_loss_is_an_error_not_a_short_answer(
    server: Server, tmp_path: Path
) -> None:
    catalog = replace(diff_sky.CATALOG, replicas=1)
    text = "SELECT objectId FROM Object WHERE nDet > 0"
    with (
        running_server() as last,
        sharded_store(
            server, catalog, diff_sky.as_ingests(1), shards=2, folder=tmp_path, last_on=last
        ) as sharded,
    ):
        last.stop()
        sharded.engines[-1].shutdown()
        with pytest.raises(Unavailable):
            rows_of(text, sharded.store)


def test_a_lost_scan_engine_is_replaced_by_its_shards_postgresql(
    server: Server, tmp_path: Path, the_oracle: Oracle
) -> None:
    text = (
        "SELECT a.objectId FROM Object a JOIN Object b"
        " ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.001 AND a.objectId < b.objectId"
    )
    catalog = replace(diff_sky.CATALOG, replicas=1)
    with sharded_store(
        server, catalog, diff_sky.as_ingests(1), shards=2, folder=tmp_path
    ) as sharded:
        assert explain(text, sharded.store).fragments[0].engine == Engine.SCAN
        sharded.engines[0].shutdown()
        query = bound(text, sharded.store)
        assert_agrees(query, rows_of(text, sharded.store)[1], the_oracle.rows(query))
