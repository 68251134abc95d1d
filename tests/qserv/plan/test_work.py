"""Long and deep texts: the work of binding and planning grows with the text, not with its square.

Work is counted in calls of functions, which are the same on any machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from tests.qserv.plan.test_cases import plan_text

LEAST, MOST = 60, 240


def calls_of(text: str) -> int:
    """How many functions are called from the text to its plan."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        plan_text(text)
    finally:
        sys.setprofile(before)
    return count


def where(connective: str, condition: Callable[[int], str]) -> Callable[[int], str]:
    """A text of so many conditions."""
    return lambda n: (
        f"SELECT objectId FROM Object WHERE {connective.join(condition(k) for k in range(n))}"
    )


TEXTS = {
    "keys under OR": where(" OR ", lambda k: f"objectId = {k}"),
    "values under OR": where(" OR ", lambda k: f"nDet = {k}"),
    "inequalities under AND": where(" AND ", lambda k: f"nDet <> {k}"),
    "pairs under OR": where(" OR ", lambda k: f"(objectId = {k} AND nDet > {k})"),
    "pairs under AND": where(" AND ", lambda k: f"(objectId = {k} OR nDet > {k})"),
    "terms under OR": where(" OR ", lambda k: f"nDet + {k} = {k}"),
    "a list": lambda n: (
        f"SELECT objectId FROM Object WHERE nDet IN ({', '.join(map(str, range(n)))})"
    ),
    "not in a list": lambda n: (
        "SELECT objectId FROM Object WHERE gFlux > 1 OR objectId NOT IN"
        f" ({', '.join(map(str, range(n)))})"
    ),
    "outputs": lambda n: f"SELECT {', '.join(f'nDet + {k} AS c{k}' for k in range(n))} FROM Object",
    "sums": lambda n: (
        f"SELECT {', '.join(f'SUM(nDet + {k}) AS c{k}' for k in range(n))} FROM Object GROUP BY gFlux"
    ),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_work_of_planning_grows_with_the_text(text: Callable[[int], str]) -> None:
    calls_of(text(LEAST))  # what is reckoned once
    fewer, more = calls_of(text(LEAST)), calls_of(text(MOST))
    assert more < 1.2 * (MOST / LEAST) * fewer


def test_many_arms_of_a_union_are_planned_one_by_one() -> None:
    def union(n: int) -> str:
        return " UNION ALL ".join(f"SELECT objectId FROM Object WHERE nDet = {k}" for k in range(n))

    calls_of(union(10))
    assert calls_of(union(80)) < 1.2 * 4 * calls_of(union(20))
