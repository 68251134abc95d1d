"""What a czar and a scan engine say to each other: a request, and what an error was."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Why a request failed, so that the czar can act on it."""

    QUERY = "query"
    """The data do not allow the expression: a conversion, an overflow."""
    LIMIT = "limit"
    """Memory or temporary space ran out, or too many requests wait."""
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    NO_TWIN = "no twin"
    """A Parquet file is missing or unreadable; another replica may answer."""
    STORE = "store"
    """Anything else: the statement does not fit the files."""


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """One statement for one engine. `deadline_s` counts from its arrival; None for no bound.

    Interactive requests do not queue behind scans.
    """

    query_id: str
    sql: str
    deadline_s: float | None = None
    is_interactive: bool = False

    def to_ticket(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_ticket(cls, ticket: bytes) -> ScanRequest:
        """Raises ValueError where the ticket is not one of `to_ticket`."""
        try:
            return cls(**json.loads(ticket))
        except TypeError as error:
            raise ValueError(f"not a scan request: {error}") from error
