"""Planners that are wrong on purpose: each mutant's answer must differ from the oracle's.

A differential test is worth what it can catch. Each test plans a query as `answer` does, breaks one
rule of soundness in the plan, runs it, and expects the comparison to fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qserv.analyse import analyse
from qserv.answer import _Asked, _started, plan_text
from qserv.bound import Join, JoinKind
from qserv.limits import Limits
from qserv.plan.make import make_plan
from qserv.planned import ChunkSource, Fragment, Plan, Reading
from qserv.store import Store
from schema.catalog import DIRECTOR_29
from schema.healpix import separation_arcsec
from schema.manifest import Manifest, PartKind
from tests.support import diff_sky
from tests.support.agreement import assert_agrees
from tests.support.postgres import Server
from tests.support.sharded import Oracle, bound, sharded_store

pytestmark = pytest.mark.postgres

NEIGHBOURS = (
    "SELECT a.objectId AS one, b.objectId AS other FROM Object a JOIN Object b"
    " ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.005 AND a.objectId < b.objectId"
)


@pytest.fixture(scope="module")
def store(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = Path(tmp_path_factory.mktemp("mutants"))
    with sharded_store(
        server, diff_sky.CATALOG, diff_sky.as_ingests(1), shards=5, folder=folder
    ) as sharded:
        yield sharded.store


def answer_of(plan: Plan, store: Store) -> list[tuple[object, ...]]:
    """The rows of a plan, run as `answer` runs it."""
    running = store.watch.begin(60.0)
    asked = _Asked(Limits(), None, "ADQL", ())
    found = _started(plan, store.pin(), store, running, asked)
    try:
        table = pa.Table.from_batches(list(found.batches), found.arrow_schema())
    finally:
        found.close()
    return list(zip(*[column.to_pylist() for column in table.columns], strict=True))


def plan_of(text: str, store: Store) -> Plan:
    return plan_text(text, store.pin(), store, limits=Limits(), language="ADQL")


def mutated(plan: Plan, mutate: Callable[[Fragment], Fragment]) -> Plan:
    return replace(plan, fragments=tuple(mutate(fragment) for fragment in plan.fragments))


def with_sources(fragment: Fragment, mutate: Callable[[ChunkSource], ChunkSource]) -> Fragment:
    return replace(fragment, sources=tuple(mutate(source) for source in fragment.sources))


def assert_caught(text: str, mutant: Plan, store: Store, the_oracle: Oracle) -> None:
    """The plan as it was agrees with the oracle, and the mutant does not."""
    query = bound(text, store)
    wanted = the_oracle.rows(query)
    assert_agrees(query, answer_of(plan_of(text, store), store), wanted)
    with pytest.raises(AssertionError):
        assert_agrees(query, answer_of(mutant, store), wanted)


def test_a_plan_that_drops_the_overlap_is_caught(store: Store, the_oracle: Oracle) -> None:
    def drop(source: ChunkSource) -> ChunkSource:
        return replace(source, reading=Reading.OWN)

    plan = mutated(plan_of(NEIGHBOURS, store), lambda f: with_sources(f, drop))
    assert_caught(NEIGHBOURS, plan, store, the_oracle)


def test_a_plan_that_counts_the_overlap_twice_is_caught(store: Store, the_oracle: Oracle) -> None:
    def widen(source: ChunkSource) -> ChunkSource:
        return replace(source, reading=Reading.OVERLAP)

    plan = mutated(plan_of(NEIGHBOURS, store), lambda f: with_sources(f, widen))
    assert_caught(NEIGHBOURS, plan, store, the_oracle)


@pytest.mark.parametrize("skipped", [0, -1])
def test_a_plan_that_skips_a_chunk_is_caught(
    skipped: int, store: Store, the_oracle: Oracle
) -> None:
    text = "SELECT objectId FROM Object WHERE nDet > 0"

    def skip(fragment: Fragment) -> Fragment:
        pixels = list(fragment.pixels)
        del pixels[skipped]
        return replace(fragment, pixels=tuple(pixels))

    assert_caught(text, mutated(plan_of(text, store), skip), store, the_oracle)


def test_a_plan_that_takes_the_directors_position_for_the_rows_own_is_caught(
    store: Store, the_oracle: Oracle
) -> None:
    ra, dec = far_child()
    text = (
        "SELECT forcedSourceId FROM ForcedSource"
        f" WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE({ra!r}, {dec!r}, 0.0001))"
    )

    def swap(source: ChunkSource) -> ChunkSource:
        return replace(source, range_column=DIRECTOR_29)

    plan = mutated(plan_of(text, store), lambda f: with_sources(f, swap))
    assert_caught(text, plan, store, the_oracle)


def far_child() -> tuple[float, float]:
    """The position of a child more than 2 arcsec from its director."""
    rows = diff_sky.rows()
    children = rows["ForcedSource"].join(rows["Object"], "objectId", right_suffix="_o")
    ra, dec = np.asarray(children["ra"]), np.asarray(children["dec"])
    apart = separation_arcsec(
        ra, dec, np.nan_to_num(np.asarray(children["ra_o"])), np.nan_to_num(children["dec_o"])
    )
    k = int(np.flatnonzero((apart > 2) & (apart < 5) & (np.abs(dec) < 60))[0])
    return float(ra[k]), float(dec[k])


def test_a_left_join_anchored_on_the_replicated_side_is_caught(
    store: Store, the_oracle: Oracle
) -> None:
    inner = "SELECT v.visit, f.forcedSourceId FROM ForcedSource f JOIN Visit v ON f.visit = v.visit"
    outer = inner.replace("ForcedSource f JOIN Visit v", "Visit v LEFT JOIN ForcedSource f")

    def anchor_on_visit(fragment: Fragment) -> Fragment:
        source = fragment.query.source
        assert isinstance(source, Join)
        swapped = Join(JoinKind.LEFT, source.right, source.left, source.on)
        return replace(fragment, query=replace(fragment.query, source=swapped))

    assert_caught(outer, mutated(plan_of(inner, store), anchor_on_visit), store, the_oracle)


def test_a_plan_that_takes_or_for_and_is_caught(store: Store, the_oracle: Oracle) -> None:
    text = (
        "SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(60.0, -35.0, 1.0))"
        " OR 1 = CONTAINS(POINT(ra, dec), CIRCLE(185.0, 41.8, 1.0))"
    )
    (both,) = plan_of(text.replace(" OR ", " AND "), store).fragments

    def narrow(fragment: Fragment) -> Fragment:
        return replace(fragment, pixels=both.pixels, sources=both.sources)

    assert_caught(text, mutated(plan_of(text, store), narrow), store, the_oracle)


def test_a_plan_by_the_statistics_of_other_parts_is_caught(
    store: Store, the_oracle: Oracle
) -> None:
    text = "SELECT objectId FROM Object WHERE nDet > 40"
    pinned = store.pin()
    manifest = pinned.manifests["diff"]
    parts = manifest.parts_of("Object", PartKind.ROWS)
    swapped = tuple(
        replace(part, statistics=other.statistics)
        for part, other in zip(parts, parts[1:] + parts[:1], strict=True)
    )
    wrong = Manifest("diff", manifest.snapshot, manifest.chunks, swapped)
    analysed = analyse(bound(text, store))
    (mutant,) = make_plan(analysed.query, {"diff": wrong}, {}).fragments

    def choose(fragment: Fragment) -> Fragment:
        return replace(fragment, pixels=mutant.pixels)

    assert_caught(text, mutated(plan_of(text, store), choose), store, the_oracle)
