"""The states of an ingest."""

from __future__ import annotations

from itertools import pairwise

import pytest

from loaders.state import IngestState, next_state


def test_the_way_to_a_published_ingest() -> None:
    way = [IngestState.STAGING]
    while not way[-1].is_final:
        way.append(next_state(way[-1], has_failed=False))
    assert way == ["staging", "loading", "publishing", "published"]


@pytest.mark.parametrize("state", [s for s in IngestState if not s.is_final])
def test_every_open_state_can_fail(state: IngestState) -> None:
    assert next_state(state, has_failed=True) is IngestState.FAILED


@pytest.mark.parametrize("has_failed", [True, False])
def test_final_states_stay(*, has_failed: bool) -> None:
    for state in (IngestState.PUBLISHED, IngestState.FAILED):
        assert next_state(state, has_failed=has_failed) is state


def test_the_order_of_the_enum_is_the_order_of_the_way() -> None:
    states = list(IngestState)[:-1]
    assert all(next_state(a, has_failed=False) is b for a, b in pairwise(states))
