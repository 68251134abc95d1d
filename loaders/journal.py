"""An ingest's row on the coordinator, its spool folder, and the clean-up when it fails."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from loaders.publish import Loaded, publish
from loaders.stage import Contribution, Staged
from loaders.state import IngestState, next_state
from loaders.target import Target
from loaders.twin import drop_twin
from procedures.manifests import (
    ContributionRow,
    allocate_parts,
    begin_ingest,
    end_ingest,
    record_contributions,
    register_shards,
    set_ingest_state,
)
from procedures.parts import drop_ingest_parts
from procedures.pools import Pools
from schema.errors import Unavailable
from schema.manifest import IngestId, PartId
from schema.topology import Shard

_log = logging.getLogger(__name__)
_AWAY = (Unavailable, psycopg2.Error)


@dataclass(slots=True)
class Journal:
    """Writes down how far an ingest has come. `folder` is its own, gone when it ends."""

    pools: Pools
    target: Target
    ingest_id: IngestId
    folder: Path
    state: IngestState = IngestState.STAGING
    part_ids: list[PartId] = field(default_factory=list)

    def staged(self, contributions: Sequence[Staged]) -> None:
        """All contributions are read: write down what they hold."""
        rows = [
            ContributionRow(
                s.task.number, s.task.table.name, str(s.task.path), s.sha256, s.rows, s.rejects
            )
            for s in contributions
        ]
        with self.pools.coordinator() as connection:
            record_contributions(connection, self.ingest_id, rows)
            connection.commit()

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
        with self.pools.coordinator() as connection:
            snapshot = publish(connection, self.pools, loaded)
            end_ingest(connection, self.ingest_id, published, counts=counts)
            connection.commit()
        self.state = published
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
    folder.mkdir(parents=True, mode=0o700)
    journal = Journal(pools, target, ingest_id, folder)
    try:
        yield journal
    except BaseException as error:
        if not journal.state.is_final:
            _give_up(journal, str(error) or type(error).__name__)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give_up(journal: Journal, reason: str) -> None:
    """Drop the parts of a failed ingest and close its row, as far as the servers answer.

    What does not answer keeps tables that no snapshot names; its own books say whose they are.
    """
    for shard in journal.target.topology.shards:
        if journal.part_ids:
            _drop(journal, shard)
    failed = next_state(journal.state, has_failed=True)
    try:
        with journal.pools.coordinator() as connection:
            end_ingest(connection, journal.ingest_id, failed, counts=(None, None), error=reason)
            connection.commit()
    except _AWAY as error:
        _log.warning("ingest not closed", extra={"ingest": journal.ingest_id, "reason": str(error)})


def _drop(journal: Journal, shard: Shard) -> None:
    if shard.twins is not None:
        for part_id in journal.part_ids:
            drop_twin(shard.twins, f"p{part_id}")
            drop_twin(shard.twins, f"o{part_id}")
    try:
        with journal.pools.shard(shard.shard_id) as connection:
            drop_ingest_parts(connection, journal.ingest_id)
    except _AWAY as error:
        fields = {"ingest": journal.ingest_id, "shard": shard.shard_id, "reason": str(error)}
        _log.warning("parts of a failed ingest stay", extra=fields)
