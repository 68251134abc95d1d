"""How far an ingest and its contributions have come, and what may follow.

    OPEN -> COMMITTED -> LOADED -> PUBLISHING -> PUBLISHED

An OPEN ingest takes contributions, each staged as a loader comes to it. COMMITTED, it is closed to
more of them: keys are resolved, parts planned and loaded. LOADED, every part is on every replica.
PUBLISHING says that only the coordinator knows whether the one transaction was done. A crash leaves
the state where it was, and whoever works on the ingest next goes on from there. What is not published
may end FAILED, from where `retry` leads back to COMMITTED, or ABORTED.
"""

from __future__ import annotations

from enum import StrEnum


class IngestState(StrEnum):
    """The state of an ingest."""

    OPEN = "open"
    COMMITTED = "committed"
    LOADED = "loaded"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    FAILED = "failed"
    ABORTED = "aborted"
    RETRACTED = "retracted"
    """Published once; later snapshots are without its rows."""

    @property
    def is_final(self) -> bool:
        """Whether no loader may work on it."""
        return self not in _OPEN


_OPEN = frozenset(
    {IngestState.OPEN, IngestState.COMMITTED, IngestState.LOADED, IngestState.PUBLISHING}
)


class ContributionState(StrEnum):
    """The state of a contribution."""

    WAITING = "waiting"
    STAGED = "staged"
    FAILED = "failed"
    """It could not be read; `retry` lets it wait again."""
    IGNORED = "ignored"
    """Its content is in its table already, and the ingest ignores such."""


_NEXT = {
    IngestState.OPEN: {IngestState.COMMITTED},
    IngestState.COMMITTED: {IngestState.LOADED},
    IngestState.LOADED: {IngestState.PUBLISHING, IngestState.COMMITTED},
    IngestState.PUBLISHING: {IngestState.PUBLISHED, IngestState.COMMITTED},
    IngestState.PUBLISHED: {IngestState.RETRACTED},
    IngestState.FAILED: {IngestState.COMMITTED, IngestState.ABORTED},
    IngestState.ABORTED: set[IngestState](),
    IngestState.RETRACTED: set[IngestState](),
}


def may_follow(state: IngestState, after: IngestState) -> bool:
    """Whether an ingest may come from one state into another.

    LOADED and PUBLISHING lead back to COMMITTED where another ingest was published that has to do with
    this one: then it is planned anew.
    """
    if after in (IngestState.FAILED, IngestState.ABORTED) and not state.is_final:
        return True
    return after in _NEXT[state]
