"""Joins that are wrong on purpose: feeds that drop rows, anti-joins by chunk, pairs lost or doubled.

As in `test_mutants`: the plan as it was agrees with the oracle, the mutant must not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from qserv import chunk_sql
from qserv.bound import Column
from qserv.dispatch import feeding
from qserv.planned import ChunkSource, Feed, Fragment, KeyFeed, NearFeed, Reading
from qserv.spool import Rows
from qserv.store import Store
from tests.paths.test_mutants import answer_of, assert_caught, mutated, plan_of, with_sources
from tests.support import diff_sky
from tests.support.agreement import assert_agrees
from tests.support.postgres import Server
from tests.support.sharded import Oracle, bound, sharded_store

pytestmark = pytest.mark.postgres

FAR_PAIRS = (
    "SELECT s.sourceId, m.pairId, o.nDet FROM Source s JOIN ObjectSource m ON m.sourceId = s.sourceId"
    " JOIN Object o ON o.objectId = m.objectId WHERE s.visit BETWEEN 3 AND 9"
)
NEAR_PAIRS = (
    "SELECT m.pairId, d.diaObjectId FROM ObjectDia m"
    " JOIN DiaObject d ON d.diaObjectId = m.diaObjectId"
)


@pytest.fixture(scope="module")
def store(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = Path(tmp_path_factory.mktemp("join-mutants"))
    with sharded_store(
        server, diff_sky.CATALOG, diff_sky.as_ingests(1), shards=2, folder=folder
    ) as sharded:
        yield sharded.store


def feeds_of(text: str, store: Store) -> list[Feed]:
    return [feed for fragment in plan_of(text, store).fragments for feed in fragment.feeds]


@pytest.mark.parametrize(
    "kept", [slice(None, None, 2), slice(0, 20)], ids=["every other", "all but 20"]
)
def test_a_feed_that_drops_keys_is_caught(
    kept: slice, store: Store, the_oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, plan = bound(FAR_PAIRS, store), plan_of(FAR_PAIRS, store)
    wanted = the_oracle.rows(query)
    assert feeds_of(FAR_PAIRS, store)
    assert_agrees(query, answer_of(plan, store), wanted)
    whole = feeding.values_in

    def some(rows: Iterable[Rows], output: int) -> pa.Array | None:
        values = whole(rows, output)
        assert values is not None
        return values.take(pc.sort_indices(values))[kept]

    monkeypatch.setattr(feeding, "values_in", some)
    with pytest.raises(AssertionError):
        assert_agrees(query, answer_of(plan, store), wanted)


def test_a_feed_of_too_small_a_radius_is_caught(store: Store, the_oracle: Oracle) -> None:
    text = (
        "SELECT o.objectId, s.sourceId FROM Object o JOIN Source s"
        " ON DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 0.1 WHERE o.nDet > 15 AND o.nDet <= 20"
    )

    def shrink(fragment: Fragment) -> Fragment:
        feeds = (replace(f, radius_arcsec=0.0) for f in fragment.feeds if isinstance(f, NearFeed))
        return replace(fragment, feeds=tuple(feeds))

    assert any(isinstance(feed, NearFeed) for feed in feeds_of(text, store))
    assert_caught(text, mutated(plan_of(text, store), shrink), store, the_oracle)


def test_a_feed_that_bounds_the_kept_side_of_an_anti_join_is_caught(
    store: Store, the_oracle: Oracle
) -> None:
    text = (
        "SELECT f.forcedSourceId FROM ForcedSource f WHERE NOT EXISTS"
        " (SELECT 1 FROM Source s WHERE s.visit = f.visit AND s.flux > 150)"
    )
    plan = plan_of(text, store)
    outer, inner = sorted(plan.fragments, key=lambda f: f.sources[0].table.name)
    place = next(o.expression for o in outer.query.outputs if o.name == "visit")
    assert isinstance(place, Column)
    assert not outer.feeds
    backwards = KeyFeed(inner.name, 0, place.relation, "visit")
    mutant = (replace(outer, feeds=(backwards,)), replace(inner, feeds=()))
    assert_caught(text, replace(plan, fragments=mutant), store, the_oracle)


def test_not_in_with_nulls_by_each_chunk_alone_is_caught(store: Store, the_oracle: Oracle) -> None:
    """A chunk without a NULL would give the rows that it does not find among its own values."""
    by_chunk = (
        "SELECT o.objectId FROM Object o WHERE o.objectId NOT IN"
        " (SELECT m.objectId FROM ObjectSource m WHERE m.objectId IS NOT NULL)"
    )
    text = by_chunk.replace(" WHERE m.objectId IS NOT NULL", "")
    (local,) = plan_of(by_chunk, store).fragments
    assert len(plan_of(text, store).fragments) == 2
    mutant = replace(plan_of(by_chunk, store), fragments=(local,))
    assert_caught(text, mutant, store, the_oracle)


def test_an_anti_join_that_reads_no_overlap_is_caught(store: Store, the_oracle: Oracle) -> None:
    text = (
        "SELECT o.objectId FROM Object o WHERE NOT EXISTS (SELECT 1 FROM Source s"
        " WHERE DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 0.016)"
    )
    plan = mutated(plan_of(text, store), lambda f: with_sources(f, own_only))
    assert_caught(text, plan, store, the_oracle)


def test_a_match_join_without_the_overlap_is_caught(store: Store, the_oracle: Oracle) -> None:
    plan = mutated(plan_of(NEAR_PAIRS, store), lambda f: with_sources(f, own_only))
    assert_caught(NEAR_PAIRS, plan, store, the_oracle)


def test_a_match_join_that_gives_pairs_twice_is_caught(
    store: Store, the_oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Overlap rows that lie in a chunk of the same statement come as own rows already."""
    query, plan = bound(NEAR_PAIRS, store), plan_of(NEAR_PAIRS, store)
    wanted = the_oracle.rows(query)
    assert_agrees(query, answer_of(plan, store), wanted)
    monkeypatch.setattr(chunk_sql, "_outside", lambda _: "TRUE")
    with pytest.raises(AssertionError):
        assert_agrees(query, answer_of(plan, store), wanted)


def own_only(source: ChunkSource) -> ChunkSource:
    return replace(source, reading=Reading.OWN)
