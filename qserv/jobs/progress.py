"""How far a job has come: chunks, rows, bytes, and when it may end. Pure but for the clock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from qserv.running import Running

LEAST_SHARE = 0.02
"""Below that share of the chunks an extrapolation says nothing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What an attempt has done. `chunks` of `all_chunks` (None: not planned yet) were read.

    `shard_rows` came from the shards, `rows` and `bytes` were written to the result; times in seconds,
    `eta_s` from now (None: not known).
    """

    elapsed_s: float
    chunks: int = 0
    all_chunks: int | None = None
    shard_rows: int = 0
    shard_bytes: int = 0
    rows: int = 0
    bytes: int = 0
    eta_s: float | None = None
    query_id: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it is kept on the coordinator."""
        return asdict(self)


def progress_of(
    running: Running, *, rows: int, size_bytes: int, expected_s: float | None
) -> Progress:
    """How far a running query has come. `expected_s`: what it was estimated to take."""
    elapsed = time.monotonic() - running.began
    asked = (
        [] if running.trace is None else [one for one in list(running.trace.asked) if not one.error]
    )
    chunks = sum(one.asking.chunks for one in asked)
    return Progress(
        elapsed_s=round(elapsed, 3),
        chunks=chunks,
        all_chunks=running.all_chunks,
        shard_rows=sum(one.rows for one in asked),
        shard_bytes=sum(one.size_bytes for one in asked),
        rows=rows,
        bytes=size_bytes,
        eta_s=remaining_s(elapsed, chunks, running.all_chunks, expected_s),
        query_id=running.query_id,
    )


def remaining_s(
    elapsed_s: float, chunks: int, all_chunks: int | None, expected_s: float | None
) -> float | None:
    """Seconds to go: by the chunks that were read, else by what was expected."""
    if all_chunks and chunks >= LEAST_SHARE * all_chunks:
        return round(elapsed_s * max(0, all_chunks - chunks) / chunks, 3)
    return None if expected_s is None else round(max(0.0, expected_s - elapsed_s), 3)


def eta_of(progress: Mapping[str, Any]) -> float | None:
    """The seconds to go of a kept progress."""
    eta = progress.get("eta_s")
    return None if eta is None else float(eta)
