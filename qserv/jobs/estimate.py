"""What a query may take, before it has run: from its plan's counts. Pure.

The figures are those of docs/performance.md on two cores; `recent_speed` scales them to what jobs took
here.
"""

from __future__ import annotations

from qserv.explain import Explanation

LEAST_S = 0.02
"""Parsing, planning and one round trip."""
CHUNK_S = 0.002
ROWS_PER_S = {"postgres": 400_000.0, "duckdb": 20_000_000.0}
BYTES_PER_S = {"postgres": 40e6, "duckdb": 500e6}
SENT_PER_S = 2_000_000.0
"""Rows that shards send and the answer's writer takes."""


def seconds_of(explained: Explanation) -> float:
    """An estimate of a query's seconds; right within a factor of ten, before it is scaled."""
    seconds = LEAST_S
    for fragment in explained.fragments:
        rows_s = fragment.estimated_rows / ROWS_PER_S.get(fragment.engine, 1e6)
        bytes_s = fragment.estimated_bytes / BYTES_PER_S.get(fragment.engine, 1e8)
        seconds += max(rows_s, bytes_s) + CHUNK_S * fragment.chunks
        seconds += fragment.estimated_rows / SENT_PER_S / 10
    return seconds
