"""Merging sub-queries: the work and the result grow with the text, not with its powers."""

from __future__ import annotations

import time

import pytest

from tests.qserv.plan.test_cases import plan_text

DEPTH = 28


def doubled(depth: int) -> str:
    """Common table expressions that each use the one before twice."""
    tables = ["a0 AS (SELECT objectId AS x FROM Object)"]
    tables += [f"a{k} AS (SELECT x + x AS x FROM a{k - 1})" for k in range(1, depth)]
    return f"WITH {', '.join(tables)} SELECT x FROM a{depth - 1}"


def nested(depth: int) -> str:
    """EXISTS inside EXISTS."""
    text = "SELECT 1 FROM Object"
    for _ in range(depth):
        text = f"SELECT 1 FROM Object WHERE EXISTS ({text})"
    return text


@pytest.mark.parametrize("text", [doubled(DEPTH), nested(DEPTH)], ids=["doubled", "nested"])
def test_deep_sub_queries_are_planned_in_no_time(text: str) -> None:
    started = time.process_time()
    plan = plan_text(text)
    assert len(plan) < 100_000
    assert time.process_time() - started < 1.0
