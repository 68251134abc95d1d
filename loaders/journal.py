"""An ingest's row on the coordinator, its spool folder, and the clean-up when it fails."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from loaders.publish import Loaded, check_new, publish
from loaders.spool import make_private
from loaders.stage import Contribution, Staged
from loaders.state import IngestState, next_state
from loaders.target import Target
from loaders.twin import drop_twin
from procedures.catalogs import drop_parts
from procedures.manifests import (
    ContributionRow,
    allocate_parts,
    begin_ingest,
    end_ingest,
    fail_ingest,
    published_snapshot,
    record_contributions,
    register_shards,
    set_ingest_state,
)
from procedures.parts import held_parts
from procedures.pools import Pools
from schema.errors import Unavailable
from schema.manifest import IngestId, PartId
from schema.topology import Shard

_log = logging.getLogger(__name__)
_AWAY = (Unavailable, psycopg2.Error)


class OutcomeUnknown(Unavailable):
    """The coordinator went away while an ingest was being published, and does not say how it ended."""

    code = "OUTCOME_UNKNOWN"

    def __init__(self, ingest_id: IngestId) -> None:
        super().__init__(
            f"the coordinator went away while ingest {ingest_id} was being published: it may be"
            " published or not, and nothing of it was dropped; when the coordinator is back, ingest"
            " again: a file that is published already will be refused"
        )
        self.ingest_id = ingest_id


@dataclass(slots=True)
class Journal:
    """Writes down how far an ingest has come. `folder` is its own, gone when it ends."""

    pools: Pools
    target: Target
    ingest_id: IngestId
    folder: Path
    state: IngestState = IngestState.STAGING
    part_ids: list[PartId] = field(default_factory=list)

    def staged(self, contributions: Sequence[Staged], *, is_again: bool) -> None:
        """All contributions are read: write down what they hold.

        Raises AlreadyIngested for content that was ingested before, unless `is_again`.
        """
        rows = [
            ContributionRow(
                s.task.number, s.task.table.name, str(s.task.path), s.sha256, s.rows, s.rejects
            )
            for s in contributions
        ]
        with self.pools.coordinator() as connection:
            record_contributions(connection, self.ingest_id, rows)
            connection.commit()
            if not is_again:
                check_new(connection, self.target.catalog.name, self.ingest_id)

    def load(self, count: int) -> list[PartId]:
        """Loading begins: the ids of its parts."""
        self.state = next_state(self.state, has_failed=False)
        with self.pools.coordinator() as connection:
            set_ingest_state(connection, self.ingest_id, self.state)
            self.part_ids = allocate_parts(connection, count)
            connection.commit()
        return self.part_ids

    def publish(self, loaded: Loaded, *, counts: tuple[int, int]) -> int:
        """Make the loaded parts visible, in one transaction; `counts`: rows, rejects. The new snapshot."""
        self.state = next_state(self.state, has_failed=False)
        published = next_state(self.state, has_failed=False)
        try:
            with self.pools.coordinator() as connection:
                snapshot = publish(connection, self.pools, loaded)
                end_ingest(connection, self.ingest_id, published, counts=counts)
                connection.commit()
        except psycopg2.Error as error:
            # The answer to a commit that was done may be lost.
            if self.fail(str(error)):
                raise
            snapshot = self._snapshot()
        self.state = published
        return snapshot

    def fail(self, reason: str) -> bool:
        """Close the ingest's row as failed; False where it is published.

        Raises OutcomeUnknown where it may be published and the coordinator does not say.
        """
        failed = next_state(self.state, has_failed=True)
        try:
            with self.pools.coordinator() as connection:
                has_failed = fail_ingest(connection, self.ingest_id, failed, reason)
                connection.commit()
        except _AWAY as error:
            if self.state is IngestState.PUBLISHING:
                raise OutcomeUnknown(self.ingest_id) from error
            fields = {"ingest": self.ingest_id, "reason": str(error)}
            _log.warning("ingest not closed", extra=fields)
            return True
        return has_failed

    def _snapshot(self) -> int:
        """The snapshot that this ingest made."""
        try:
            with self.pools.coordinator() as connection:
                snapshot = published_snapshot(connection, self.ingest_id)
        except _AWAY as error:
            raise OutcomeUnknown(self.ingest_id) from error
        assert snapshot is not None, f"ingest {self.ingest_id} is published without a snapshot"
        return snapshot


@contextmanager
def journalled(
    pools: Pools, target: Target, sources: Sequence[Contribution], spool: Path
) -> Iterator[Journal]:
    """An ingest's journal; where the body fails, what it left is dropped and the row says why."""
    rows = [
        ContributionRow(number, table.name, str(source.path))
        for number, (table, source) in enumerate(zip(target.tables, sources, strict=True))
    ]
    with pools.coordinator() as connection:
        register_shards(connection, {s.shard_id: s.weight for s in target.topology.shards})
        ingest_id = begin_ingest(connection, target.catalog.name, IngestState.STAGING, rows)
        connection.commit()
    folder = spool / f"ingest-{ingest_id}"
    journal = Journal(pools, target, ingest_id, folder)
    try:
        make_private(folder)
        yield journal
    except OutcomeUnknown:
        raise
    except BaseException as error:
        if not journal.state.is_final:
            _give_up(journal, str(error) or type(error).__name__)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give_up(journal: Journal, reason: str) -> None:
    """Close the row of a failed ingest, then drop its parts, as far as the servers answer.

    What does not answer keeps tables that no snapshot names; its own books say whose they are.
    """
    if journal.fail(reason) and journal.part_ids:
        for shard in journal.target.topology.shards:
            _drop(journal, shard)


def _drop(journal: Journal, shard: Shard) -> None:
    """Drop what a shard holds of the parts that this ingest asked for."""
    try:
        with journal.pools.shard(shard.shard_id) as connection:
            held = held_parts(connection, journal.ingest_id, journal.part_ids)
            drop_parts(connection, held)
        if shard.twins is not None:
            for part_id in held:
                drop_twin(shard.twins, f"p{part_id}")
                drop_twin(shard.twins, f"o{part_id}")
    except (*_AWAY, OSError) as error:
        fields = {"ingest": journal.ingest_id, "shard": shard.shard_id, "reason": str(error)}
        _log.warning("parts of a failed ingest stay", extra=fields)
