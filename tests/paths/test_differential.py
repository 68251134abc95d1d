"""Sharded equals unsharded: a corpus of queries over 1, 2 and 5 shards, against one PostgreSQL.

The oracle answers the bound SQL over the same rows in plain tables. With scan engines a plan uses
both engines; without, PostgreSQL alone. Random queries follow, which are not trivial: it is counted.

With `--nightly` all of it on every sky, and forty times the random queries, others each day, in
slices that may run one by one. Without, the skies have random queries of their own, and some have a
third of the corpora (see `conftest`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from qserv.answer import explain
from qserv.store import Store
from schema.errors import QueryError
from tests.support import diff_sky
from tests.support.agreement import assert_agrees
from tests.support.corpus import Case, every_corpus
from tests.support.postgres import Server
from tests.support.queries import LANGUAGES, Query, query_of
from tests.support.sharded import Oracle, bound, rows_of, sharded_store
from tests.support.sky import sky_of

pytestmark = pytest.mark.postgres

SKIES = {
    "1-shard": (1, 1, True),
    "2-shards-3-ingests": (2, 3, True),
    "5-shards": (5, 1, True),
    "2-shards-no-engines": (2, 1, False),
}
"""(shards, ingests, with scan engines)"""
SKY = sky_of(diff_sky.CATALOG, diff_sky.rows())
A_SKY, A_SLICE, SLICES = 52, 300, 7
"""Different random queries on each sky: in the tests its own; in a night so many slices, the same on
all."""
WIDE = {"overlap", "match", "child"}


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


@dataclass(slots=True)
class Asked:
    """The random queries that were asked, and what each did."""

    facts: dict[tuple[str, str], tuple[bool, bool, bool]] = field(default_factory=dict)
    """(language, text) -> (it gave rows, read two chunks or more, used WIDE)."""

    def told(self) -> str:
        rows, chunks, wide = self.shares()
        return (
            f"{len(self.facts)} different queries: {rows:.0%} gave rows, {chunks:.0%} read two"
            f" chunks or more, {wide:.0%} used overlap, match tables or children"
        )

    def shares(self) -> list[float]:
        return [sum(column) / len(self.facts) for column in zip(*self.facts.values(), strict=True)]

    def ask(self, query: Query, store: Store, the_oracle: Oracle) -> None:
        """Ask both; AssertionError where they differ."""
        tree = bound(query.text, store, query.language)
        _, found = rows_of(query.text, store, query.language)
        assert_agrees(tree, found, the_oracle.rows(tree))
        plan = explain(query.text, store, language=query.language)
        chunks = max((fragment.chunks for fragment in plan.fragments), default=0)
        key = (query.language, query.text)
        self.facts[key] = (bool(found), chunks > 1, bool(query.uses & WIDE))


@pytest.mark.parametrize("number", range(SLICES))
def test_random_queries_equal_the_oracle(
    number: int, store: Store, the_oracle: Oracle, request: pytest.FixtureRequest
) -> None:
    """A seed gives a query; so they differ, and one can be asked again."""
    is_nightly = request.config.getoption("--nightly")
    place = list(SKIES.values()).index(request.node.callspec.params["store"])
    wanted = A_SLICE if is_nightly else A_SKY
    today = datetime.now(tz=UTC).toordinal()
    asked = Asked()

    @seed(SLICES * today + number if is_nightly else place)
    @settings(
        max_examples=wanted + wanted // 4,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(chosen=st.integers(0, 2**62), language=st.sampled_from(LANGUAGES))
    def check(chosen: int, language: str) -> None:
        query = query_of(SKY, language, chosen)
        if len(asked.facts) < wanted and (language, query.text) not in asked.facts:
            asked.ask(query, store, the_oracle)

    check()
    print(asked.told())  # noqa: T201
    rows, chunks, wide = asked.shares()
    assert len(asked.facts) == wanted
    assert rows >= 0.7
    assert chunks >= 0.5
    assert wide >= 0.3


def test_explain_before_a_query_answers_with_its_plan(store: Store) -> None:
    names, lines = rows_of("EXPLAIN SELECT objectId FROM Object WHERE objectId = 1001", store)
    assert names == ["plan"]
    assert any("chunks 1 of" in str(line[0]) for line in lines)


def test_an_error_after_explain_names_its_place_in_the_whole_text(store: Store) -> None:
    with pytest.raises(QueryError) as caught:
        rows_of("EXPLAIN SELECT nothing FROM Object", store)
    assert (caught.value.line, caught.value.column) == (1, 16)
