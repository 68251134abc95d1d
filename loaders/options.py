"""What an ingest is told: where it works, how, and whom it tells of its progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loaders.parts.degraded import Degraded, Patience
from loaders.staging.download import NOWHERE, Remote
from loaders.staging.rejects import KEPT_REJECTS
from procedures.pools import Pools
from schema.topology import Topology

OnProgress = Callable[["Progress"], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one phase has come: `stage` counts bytes of input, `load` rows."""

    phase: str
    done: int
    total: int


def ignore(_: Progress) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True, slots=True)
class Site:
    """The servers of an ingest, and a folder of its own machine for runs and reject files.

    The folder takes about the size of the input, unpacked.
    """

    pools: Pools
    topology: Topology
    spool: Path
    degraded: Degraded = Degraded.WAIT
    """What is done where a shard that should hold a copy does not answer."""
    wait_s: float = 60.0
    """How long such a shard is waited for, seconds."""

    def folder(self, ingest_id: int) -> Path:
        """The spool folder of one ingest."""
        return self.spool / f"ingest-{ingest_id}"


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How to ingest. `workers`: files staged, and parts loaded, at a time."""

    max_rejects: int = 0
    verify: bool = False
    """Read every replica back and compare its checksum."""
    again: bool = False
    """Take files whose content is in their table already; their rows are doubled."""
    ignore_repeated: bool = False
    """Leave such files out, instead of refusing them."""
    workers: int = 4
    executor: Executor | None = None
    """Where contributions are staged and parts loaded; threads of this process where there is none."""
    remote: Remote = NOWHERE
    """Which addresses files may be fetched from."""
    hats: Path | None = None
    """The folder of the HATS views, which the ingest renews (default: `hats` in the spool)."""
    keep_going: bool = False
    """Stage the other files where one is wrong, so that all that are wrong are told."""
    degraded: Degraded | None = None
    """What to do where a shard that should hold a copy does not answer; the site's policy where None."""
    wait_s: float | None = None
    """How long to wait for such a shard, seconds; as the site says where None."""
    with_digests: bool = False
    """Let other machines that see the spool trust what was staged; a second for each GB."""

    @property
    def reject_limit(self) -> int:
        """A file, or a table's keys, with so many rejects are looked at no further."""
        return max(self.max_rejects + 1, KEPT_REJECTS)

    def patience(self, site: Site) -> Patience:
        """What a load does where a shard is away."""
        wait_s = site.wait_s if self.wait_s is None else self.wait_s
        return Patience(self.degraded or site.degraded, wait_s=wait_s)

    def to_document(self) -> dict[str, object]:
        """Those that belong to the ingest, for the coordinator; the others are each loader's own."""
        return {name: getattr(self, name) for name in _KEPT}

    def of_ingest(self, document: Mapping[str, Any]) -> IngestOptions:
        """A loader's options, with those that the coordinator has of the ingest."""
        return replace(self, **{name: document[name] for name in _KEPT if name in document})


_KEPT = ("max_rejects", "verify", "again", "ignore_repeated")
