"""The bounds of a query; every wait, row count and size has one. Configured as `[limits]`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may use. Sizes in bytes, times in seconds; None: no bound.

    `max_rows` cuts the answer (it overflows); all others end the query with LimitExceeded.
    """

    timeout_s: float | None = 3600.0
    max_rows: int | None = None
    max_spool_bytes: int = 16 * 2**30
    spool_memory_bytes: int = 256 * 2**20
    merge_memory_bytes: int = 2 * 2**30
    merge_temp_bytes: int = 16 * 2**30
    max_text_bytes: int = 1_000_000
    max_nesting: int = 64
    max_tokens: int = 200_000
    max_fragment_rows: int = 200_000_000
    max_merge_rows: int = 200_000_000


ANONYMOUS = Limits(
    timeout_s=60.0,
    max_rows=2_000_000,
    max_spool_bytes=4 * 2**30,
    merge_memory_bytes=1 * 2**30,
    merge_temp_bytes=4 * 2**30,
    max_merge_rows=50_000_000,
)
"""What users who did not log in may use, unless configuration says otherwise."""
