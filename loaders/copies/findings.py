"""What a verification found: a line for each thing that is not as the manifest says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from typing_extensions import override

from schema.manifest import PartId
from schema.topology import ShardId


class Fault(StrEnum):
    """What is wrong, and so what mends it."""

    COPY = "copy"
    """A copy in PostgreSQL is missing or differs: it is copied anew from a good one."""
    TWIN = "twin"
    """A Parquet twin is missing or differs: it is written anew from PostgreSQL."""
    TOO_FEW = "too few"
    """A part has fewer copies than its catalog asks for: the shard gets one."""
    AWAY = "away"
    """A shard does not answer: nothing is known of what it holds."""
    ORPHAN = "orphan"
    """Tables or files that no manifest names and no ingest may still want: they are dropped."""
    UNKNOWN = "unknown"
    """A part of an ingest that the coordinator does not know: it stays until somebody decides."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `part_id` and `table` are None where it is of no part."""

    fault: Fault
    shard_id: ShardId
    detail: str
    catalog: str | None = None
    table: str | None = None
    part_id: PartId | None = None
    name: str | None = None
    """Of a table or a file that belongs to no part."""

    @override
    def __str__(self) -> str:
        place = f"shard {self.shard_id}"
        if self.part_id is not None:
            place += f", part {self.part_id}"
        if self.table is not None:
            place += f" of {self.catalog}.{self.table}"
        return f"{self.fault}: {place}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what was found."""

    parts: int
    copies: int
    twins: int
    rows: int
    """Rows of copies and twins that were read."""
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def is_clean(self) -> bool:
        return not self.findings

    def counts(self) -> dict[str, int]:
        """How often each fault was found."""
        return dict(Counter(str(finding.fault) for finding in self.findings))
