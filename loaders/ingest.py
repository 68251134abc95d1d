"""Files become rows that every reader sees at once, or nothing changes: an ingest in one call.

Begun, its files added, closed, run and published by one process; `lifecycle` has the steps one by one.
Until the publish commits, the parts are tables that no snapshot names; whatever fails before it is
dropped again, as far as the servers answer. A process that is killed leaves an ingest that the same
call, or `lifecycle.run`, goes on with.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loaders.contributions import to_row
from loaders.ending import clear, give_up
from loaders.fail_points import reach
from loaders.journal import Journal
from loaders.lease import is_gone, leased
from loaders.options import IngestOptions, OnProgress, Progress, Site, ignore
from loaders.publishing import (
    OutcomeUnknown,
    copies_left_out,
    left_out_in_words,
    publish_loaded,
    renew_views,
)
from loaders.run import Redone, Work, run
from loaders.staging.stage import Contribution
from loaders.staging.target import open_target
from loaders.state import IngestState
from procedures.ingests import (
    ContributionRow,
    add_contributions,
    begin_ingest,
    find_open,
    log_event,
)
from procedures.pools import Pools
from schema.manifest import IngestId
from schema.topology import Topology

__all__ = ["Contribution", "IngestOptions", "IngestReport", "Progress", "ingest"]


DEFAULTS = IngestOptions()


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did."""

    ingest_id: IngestId
    catalog: str
    snapshot: int
    rows: Mapping[str, int]
    """Published rows by table."""
    parts: int
    rejects: int
    reject_file: Path | None
    seconds: float
    warnings: tuple[str, ...] = ()
    missing_copies: int = 0
    """Copies that a shard which was away should have, and that are queued to be made."""

    @property
    def rows_per_s(self) -> float:
        return sum(self.rows.values()) / max(self.seconds, 1e-9)


def ingest(
    catalog_name: str,
    contributions: Sequence[Contribution],
    *,
    pools: Pools,
    topology: Topology,
    spool: Path,
    options: IngestOptions = DEFAULTS,
    progress: OnProgress = ignore,
) -> IngestReport:
    """Load files into a catalog's tables and publish them as one new snapshot.

    `spool` is a folder for runs (about the size of the input, unpacked) and reject files. Raises
    UnknownCatalog, UnknownTable, InputError for files that are wrong, TooManyRejects, PublishConflict
    (transient), Unavailable; then nothing has changed.
    """
    started = time.monotonic()
    site = Site(pools, topology, spool)
    ingest_id, is_old = _begin(site, catalog_name, contributions, options)
    reach("ingest.begun")
    with leased(pools, ingest_id) as lease:
        work = Work(site, Journal(pools, lease), options, progress)
        try:
            redone = run(work)
            told = _warnings(work)
            snapshot = publish_loaded(work)
        except OutcomeUnknown:
            raise
        except BaseException as error:
            give_up(work, error)
            raise
        finally:
            clear(site, ingest_id)
        views = renew_views(work, snapshot)
    missing = copies_left_out(work)
    before = (_went_on(ingest_id, redone),) if is_old else ()
    plan = work.journal.row.plan or {}
    file = plan.get("reject_file")
    return IngestReport(
        ingest_id=ingest_id,
        catalog=work.journal.row.catalog,
        snapshot=snapshot,
        rows=plan.get("rows", {}),
        parts=plan.get("parts", 0),
        rejects=plan.get("rejects", 0),
        reject_file=None if file is None else Path(file),
        seconds=time.monotonic() - started,
        warnings=(*before, *told, *left_out_in_words(missing), *views),
        missing_copies=missing,
    )


def _begin(
    site: Site,
    catalog_name: str,
    contributions: Sequence[Contribution],
    options: IngestOptions,
) -> tuple[IngestId, bool]:
    """An ingest of these files, closed to others; and whether a call that was cut off had begun it."""
    target = open_target(site.pools, catalog_name, contributions, site.topology)
    rows = [
        to_row(number, given, table)
        for number, (given, table) in enumerate(zip(contributions, target.tables, strict=True))
    ]
    label = _label(rows, options)
    with site.pools.coordinator() as connection:
        found = find_open(connection, target.catalog.name, label)
        if found is not None and found.state != IngestState.OPEN:
            owner = found.lease_owner
            if owner is None or found.lease_left_s <= 0 or is_gone(owner):
                return found.ingest_id, True
        ingest_id = begin_ingest(
            connection,
            target.catalog.name,
            IngestState.COMMITTED,
            label=label,
            options=options.to_document(),
        )
        add_contributions(connection, ingest_id, rows)
        log_event(connection, ingest_id, "begun", f"{len(rows)} files in one call")
        connection.commit()
    return ingest_id, False


def _label(rows: Sequence[ContributionRow], options: IngestOptions) -> str:
    """The same for the same files, as long as they are not written to, and the same options."""
    files = [
        [
            row.table,
            row.source,
            row.piece,
            row.size_bytes,
            _changed_at(row.source),
            dict(row.options),
        ]
        for row in rows
    ]
    document = json.dumps([files, options.to_document()], sort_keys=True)
    return f"files {hashlib.sha256(document.encode()).hexdigest()[:16]}"


def _changed_at(source: str) -> int | None:
    path = Path(source)
    return path.stat().st_mtime_ns if path.is_file() else None


def _went_on(ingest_id: IngestId, redone: Redone) -> str:
    parts = redone.loaded_before + redone.loaded
    there = f"{redone.loaded_before} of {parts} parts were there"
    return f"went on with ingest {ingest_id}, which was cut off: {there}"


def _warnings(work: Work) -> tuple[str, ...]:
    """What the caller should know of files that were taken."""
    return tuple(
        f"{row.source}: {warning}"
        for row in work.journal.contributions()
        for warning in row.warnings
    )
