"""EXPLAIN and EXPLAIN ANALYZE over real servers: as text in the answer, as facts, and none when not asked."""

from __future__ import annotations

import json

import pytest

from qserv.answer import answer, explain, explain_analyze
from qserv.explain import Actual, FragmentFacts, explain_plan, with_actual
from qserv.languages import LANGUAGES
from qserv.planned import Plan
from qserv.store import Store
from qserv.trace import Asked, Asking, Trace
from schema.errors import QueryError
from tests.qserv.conftest import SmallStore
from tests.qserv.plan.test_cases import planned
from tests.qserv.test_answer import rows_of

COUNTED = "SELECT COUNT(*) AS n FROM tiny.Object WHERE flux > 3"
ALL = "SELECT id, flux FROM tiny.Object"


@pytest.fixture
def store(small_store: SmallStore) -> Store:
    return small_store.store


def lines_of(text: str, store: Store) -> list[str]:
    return [str(row[0]) for row in rows_of(answer(text, store))]


@pytest.mark.postgres
def test_explain_before_a_query_gives_its_plan_and_asks_nothing(store: Store) -> None:
    lines = lines_of(f"EXPLAIN {COUNTED}", store)
    assert lines[0].startswith("cost: ")
    assert lines[-1].startswith("merge: ")
    assert not [line for line in lines if "actual" in line]


@pytest.mark.postgres
@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_is_explained(language: str, store: Store) -> None:
    for word in ("EXPLAIN", "EXPLAIN ANALYZE"):
        lines = rows_of(answer(f"{word} {COUNTED}", store, language=language))
        assert any("fragment f0: chunks 8 of 8" in str(line) for line in lines)


@pytest.mark.postgres
def test_explain_analyze_tells_rows_and_time_by_stage_and_shard(store: Store) -> None:
    explained = explain_analyze(COUNTED, store)
    assert explained.actual is not None
    assert explained.actual.rows == 1
    assert {"parse", "bind", "analyse", "locate", "plan", "dispatch", "merge"} <= set(
        explained.actual.stages
    )
    assert sum(explained.actual.stages.values()) <= explained.actual.elapsed_s
    shards = explained.fragments[0].actual
    assert sum(one.chunks for one in shards) == explained.fragments[0].chunks == 8
    assert sum(one.rows for one in shards) == sum(one.batches for one in shards)
    assert all(one.bytes > 0 and one.elapsed_s > 0 and one.retries == 0 for one in shards)


@pytest.mark.postgres
def test_explain_analyze_before_a_query_runs_it(store: Store) -> None:
    lines = lines_of(f"explain\n analyze {ALL}", store)
    assert [line for line in lines if line.startswith("  actual: shard ")]
    assert lines[-1].startswith("answer: 80 rows in ")
    assert len(store.watch) == 0


@pytest.mark.postgres
def test_explain_analyze_tells_what_a_limit_cut(store: Store) -> None:
    given = answer(f"EXPLAIN ANALYZE {ALL}", store, maxrec=7)
    assert str(rows_of(given)[-1][0]).startswith("answer: 7 rows (cut by a limit) in ")


@pytest.mark.postgres
def test_an_error_after_explain_analyze_names_its_place(store: Store) -> None:
    with pytest.raises(QueryError) as caught:
        answer("EXPLAIN ANALYZE\nSELECT flix FROM tiny.Object", store)
    assert (caught.value.line, caught.value.column) == (2, 8)
    assert len(store.watch) == 0


@pytest.mark.postgres
def test_json_has_all_of_it(store: Store) -> None:
    planned = json.loads(json.dumps(explain(COUNTED, store).to_json()))
    assert set(planned) == {"cost", "snapshots", "fragments", "merge"}
    analyzed = json.loads(json.dumps(explain_analyze(COUNTED, store).to_json()))
    assert set(analyzed) == {"cost", "snapshots", "fragments", "merge", "actual"}
    assert set(analyzed["fragments"][0]) == set(FragmentFacts.__dataclass_fields__)
    assert set(planned["fragments"][0]) == set(FragmentFacts.__dataclass_fields__) - {"actual"}


@pytest.mark.postgres
def test_a_query_is_not_traced_unless_asked(store: Store) -> None:
    running = store.watch.begin(None)
    store.watch.end(running)
    assert running.trace is None


def test_statements_that_failed_count_as_retries_not_as_rows(scan_plan: Plan) -> None:
    trace = Trace()
    trace.asked += [
        Asked(Asking("f0", 2, "scan", 4, 1), 0.5, error="SERVER_UNAVAILABLE"),
        Asked(Asking("f0", 2, "scan", 4, 2), 0.25, rows=3, size_bytes=1500),
        Asked(Asking("f0", 1, "scan", 2, 1), 0.125, rows=1, size_bytes=8),
    ]
    actual = Actual(4, overflowed=False, elapsed_s=1.5, stages={"dispatch": 0.75})
    text = with_actual(explain_plan(scan_plan), trace, actual).to_text().splitlines()
    one, other = text[-5:-3]
    assert one == (
        "  actual: shard 1 by scan: 1 statement, 2 chunks, 1 rows, 8 B, 125.0 ms (slowest 125.0 ms)"
    )
    assert other == (
        "  actual: shard 2 by scan: 1 statement, 1 failed, 4 chunks, 3 rows, 1.5 kB,"
        " 750.0 ms (slowest 500.0 ms)"
    )
    assert text[-2:] == ["stages: dispatch 750.0 ms", "answer: 4 rows in 1.50 s"]


@pytest.fixture
def scan_plan() -> Plan:
    return planned("SELECT ra FROM Object WHERE nDet > 0")
