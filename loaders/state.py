"""How far an ingest has come: what its row on the coordinator says, and what may follow.

STAGING -> LOADING -> PUBLISHING -> PUBLISHED, and from any of the first three to FAILED. Nothing is
visible before PUBLISHED; a crash leaves the row where it was, and parts that no snapshot names.
"""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never


class IngestState(StrEnum):
    """The state of an ingest."""

    STAGING = "staging"
    LOADING = "loading"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (IngestState.PUBLISHED, IngestState.FAILED)


def next_state(state: IngestState, *, has_failed: bool) -> IngestState:
    """The state that follows; a final state stays."""
    if has_failed and not state.is_final:
        return IngestState.FAILED
    match state:
        case IngestState.STAGING:
            return IngestState.LOADING
        case IngestState.LOADING:
            return IngestState.PUBLISHING
        case IngestState.PUBLISHING:
            return IngestState.PUBLISHED
        case IngestState.PUBLISHED | IngestState.FAILED:
            return state
        case _:
            assert_never(state)
