"""Conditions carried over equalities: which are said of which tables, and when none are."""

from __future__ import annotations

import pytest

from tests.qserv.plan.test_cases import planned

PAIRS = "SELECT o.objectId FROM Object o JOIN Source s ON s.visit = o.nDet"


def conditions(text: str) -> dict[str, int]:
    """How many conditions each fragment has, by the table that it reads."""
    found = {}
    for fragment in planned(text).fragments:
        where = fragment.query.where
        parts = getattr(where, "arguments", ()) if getattr(where, "name", "") == "and" else (where,)
        found[fragment.sources[0].table.name] = len([part for part in parts if part is not None])
    return found


@pytest.mark.parametrize(
    "condition",
    ["s.visit = 5", "o.nDet = 5", "o.nDet IN (5, 6)", "5 < s.visit", "s.visit BETWEEN 4 AND 4"],
)
def test_a_comparison_with_constants_is_said_of_both(condition: str) -> None:
    each = 2 if "BETWEEN" in condition else 1
    assert conditions(f"{PAIRS} WHERE {condition}") == {"Object": each, "Source": each}


@pytest.mark.parametrize(
    "condition", ["s.visit <> 5", "s.visit IS NOT NULL", "s.visit + 1 = 5", "s.visit NOT IN (5, 6)"]
)
def test_others_are_said_of_their_own_table_only(condition: str) -> None:
    assert conditions(f"{PAIRS} WHERE {condition}")["Object"] == 0


def test_a_value_that_the_other_type_does_not_hold_is_not_carried() -> None:
    assert conditions(f"{PAIRS} WHERE s.visit = 5000000000")["Source"] == 1


@pytest.mark.parametrize("kind", ["LEFT", "FULL"])
def test_an_outer_join_carries_nothing(kind: str) -> None:
    text = (
        f"SELECT o.objectId FROM Object o {kind} JOIN Source s ON s.visit = o.nDet WHERE s.flux > 1"
    )
    assert conditions(f"{text} AND o.nDet = 5")["Source"] <= 1


def test_floats_carry_nothing() -> None:
    text = "SELECT o.objectId FROM Object o JOIN Source s ON s.flux = o.gFlux WHERE s.flux = 0.5"
    assert conditions(text) == {"Object": 0, "Source": 1}
