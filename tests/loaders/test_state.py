"""The states of an ingest."""

from __future__ import annotations

from itertools import pairwise

import pytest

from loaders.state import IngestState, may_follow

WAY = [
    IngestState.OPEN,
    IngestState.COMMITTED,
    IngestState.LOADED,
    IngestState.PUBLISHING,
    IngestState.PUBLISHED,
]


def test_the_way_to_a_published_ingest() -> None:
    assert all(may_follow(one, other) for one, other in pairwise(WAY))


@pytest.mark.parametrize("number", range(len(WAY)))
def test_no_step_is_left_out(number: int) -> None:
    assert not any(may_follow(WAY[number], later) for later in WAY[number + 2 :])


@pytest.mark.parametrize("state", WAY[:-1])
@pytest.mark.parametrize("end", [IngestState.FAILED, IngestState.ABORTED])
def test_every_ingest_on_its_way_can_fail_or_be_aborted(
    state: IngestState, end: IngestState
) -> None:
    assert may_follow(state, end)


def test_a_conflict_leads_back_to_planning_and_nowhere_else() -> None:
    back = {(a, b) for i, a in enumerate(WAY) for b in WAY[:i] if may_follow(a, b)}
    committed = IngestState.COMMITTED
    assert back == {(IngestState.LOADED, committed), (IngestState.PUBLISHING, committed)}


@pytest.mark.parametrize("state", [IngestState.RETRACTED, IngestState.ABORTED])
def test_some_ends_are_final(state: IngestState) -> None:
    assert state.is_final
    assert not [after for after in IngestState if may_follow(state, after)]


def test_a_published_ingest_can_only_be_retracted() -> None:
    after = [state for state in IngestState if may_follow(IngestState.PUBLISHED, state)]
    assert after == [IngestState.RETRACTED]


def test_a_failed_ingest_may_be_tried_again_or_aborted() -> None:
    after = {state for state in IngestState if may_follow(IngestState.FAILED, state)}
    assert after == {IngestState.COMMITTED, IngestState.ABORTED}
