"""Sharded equals unsharded: a corpus of queries over 1, 2 and 5 shards, against one PostgreSQL.

The oracle answers the bound SQL over the same rows in plain tables. With scan engines a plan uses
both engines; without, PostgreSQL alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from qserv.store import Store
from schema.errors import QueryError
from tests.support import diff_sky
from tests.support.agreement import assert_agrees
from tests.support.corpus import Case, every_corpus
from tests.support.postgres import Server
from tests.support.sharded import Oracle, bound, rows_of, sharded_store

pytestmark = pytest.mark.postgres

SKIES = {
    "1-shard": (1, 1, True),
    "2-shards-3-ingests": (2, 3, True),
    "5-shards": (5, 1, True),
    "2-shards-no-engines": (2, 1, False),
}
"""(shards, ingests, with scan engines)"""


@pytest.fixture(scope="module", params=SKIES.values(), ids=SKIES)
def store(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    shards, ingests, engines = request.param
    folder = Path(tmp_path_factory.mktemp("sharded"))
    with ExitStack() as stack:
        sharded = stack.enter_context(
            sharded_store(
                server,
                diff_sky.CATALOG,
                diff_sky.as_ingests(ingests),
                shards=shards,
                folder=folder,
                engines=engines,
            )
        )
        yield sharded.store


@pytest.mark.parametrize("case", every_corpus(), ids=lambda case: case.name)
def test_sharded_equals_unsharded(case: Case, store: Store, the_oracle: Oracle) -> None:
    query = bound(case.text, store, case.language)
    _, found = rows_of(case.text, store, case.language)
    assert_agrees(query, found, the_oracle.rows(query))


def test_explain_before_a_query_answers_with_its_plan(store: Store) -> None:
    names, lines = rows_of("EXPLAIN SELECT objectId FROM Object WHERE objectId = 1001", store)
    assert names == ["plan"]
    assert any("chunks 1 of" in str(line[0]) for line in lines)


def test_an_error_after_explain_names_its_place_in_the_whole_text(store: Store) -> None:
    with pytest.raises(QueryError) as caught:
        rows_of("EXPLAIN SELECT nothing FROM Object", store)
    assert (caught.value.line, caught.value.column) == (1, 16)
