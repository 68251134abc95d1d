"""An ingest on the coordinator, as the loader that has its lease reads and writes it.

Every change of state locks the ingest's row and sees that the lease is still ours, so that a loader
that was held up while another went on changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loaders.lease import IngestEnded, Lease
from loaders.state import IngestState, may_follow
from procedures.ingest_plans import PlannedPart, mark_loaded, read_plan, write_plan
from procedures.ingests import (
    ContributionRow,
    IngestRow,
    change_state,
    log_event,
    read_contributions,
    read_ingest,
    record_contribution,
)
from procedures.manifests import allocate_parts, record_parts
from procedures.pools import Pools
from procedures.repairs import queue_missing
from schema.manifest import IngestId, Part, PartId

OnConnection = Callable[[Any], None]


@dataclass(slots=True)
class Journal:
    """The books of one ingest. `row` is what was read last."""

    pools: Pools
    lease: Lease
    row: IngestRow = field(init=False)

    def __post_init__(self) -> None:
        self.read()

    @property
    def ingest_id(self) -> IngestId:
        return self.lease.ingest_id

    @property
    def state(self) -> IngestState:
        return IngestState(self.row.state)

    def read(self) -> IngestRow:
        """Look again."""
        with self.pools.coordinator() as connection:
            self.row = read_ingest(connection, self.ingest_id)
        return self.row

    def read_state(self) -> IngestState:
        """The state as it is now."""
        return IngestState(self.read().state)

    def contributions(self) -> list[ContributionRow]:
        """The input files, in their order."""
        with self.pools.coordinator() as connection:
            return read_contributions(connection, self.ingest_id)

    def record(self, found: ContributionRow) -> None:
        """Write down what an attempt at a contribution came to."""
        with self.pools.coordinator() as connection:
            self._ours(connection)
            record_contribution(connection, self.ingest_id, found)
            facts = {"bytes": found.size_bytes, "rows": found.rows, "number": found.number}
            kind = "staged" if found.error is None else "not staged"
            log_event(connection, self.ingest_id, kind, found.error or found.source, **facts)
            connection.commit()

    def planned(self) -> list[PlannedPart]:
        """The parts that were planned; none before."""
        with self.pools.coordinator() as connection:
            return read_plan(connection, self.ingest_id)

    def new_ids(self, count: int) -> list[PartId]:
        """Ids for new parts."""
        with self.pools.coordinator() as connection:
            found = allocate_parts(connection, count)
            connection.commit()
        return found

    def plan(
        self, parts: Sequence[PlannedPart], *, snapshot: int, facts: Mapping[str, object]
    ) -> None:
        """Write down the parts before the first is loaded."""
        with self.pools.coordinator() as connection:
            self._ours(connection)
            write_plan(connection, self.ingest_id, parts, snapshot=snapshot, facts=facts)
            rows = sum(part.rows for part in parts)
            log_event(connection, self.ingest_id, "planned", f"{len(parts)} parts", rows=rows)
            connection.commit()
        self.read()

    def parts_loaded(self, parts: Sequence[Part]) -> None:
        """Write down that some parts are on all their shards."""
        self.lease.check()
        with self.pools.coordinator() as connection:
            mark_loaded(connection, [part.part_id for part in parts])
            connection.commit()

    def loaded(self, parts: Sequence[Part]) -> None:
        """Every part is where it belongs: write down what they are, and that nothing is left to load."""

        def record(connection: Any) -> None:
            record_parts(connection, self.row.catalog, parts)
            lacking = queue_missing(connection, self.ingest_id)
            if lacking:
                message = f"{lacking} copies are missing, and queued to be made"
                log_event(connection, self.ingest_id, "degraded", message, copies=lacking)
            mark_loaded(connection, [part.part_id for part in parts])

        self.change(IngestState.LOADED, "loaded", f"{len(parts)} parts", also=record)

    def change(
        self, state: IngestState, kind: str, message: str = "", *, also: OnConnection | None = None
    ) -> None:
        """Go on to another state, and what belongs to that, in one transaction."""
        with self.pools.coordinator() as connection:
            before = self._ours(connection)
            assert may_follow(before, state), f"{before} is not followed by {state}"
            if also is not None:
                also(connection)
            change_state(connection, self.ingest_id, state)
            log_event(connection, self.ingest_id, kind, message)
            connection.commit()
        self.read()

    def note(self, kind: str, message: str = "", **facts: object) -> None:
        """Write down something that happened."""
        with self.pools.coordinator() as connection:
            log_event(connection, self.ingest_id, kind, message, **facts)
            connection.commit()

    def stopped(self, reason: str) -> None:
        """Write down why a loader stopped; the ingest stays where it is, for the next one."""
        with self.pools.coordinator() as connection:
            state = self._ours(connection)
            change_state(connection, self.ingest_id, state, error=reason)
            log_event(connection, self.ingest_id, "stopped", reason)
            connection.commit()

    def _ours(self, connection: Any) -> IngestState:
        """The state; raises LeaseLost and IngestEnded."""
        state = IngestState(self.lease.locked_state(connection))
        if state in (IngestState.FAILED, IngestState.ABORTED):
            raise IngestEnded(self.ingest_id, state)
        return state
