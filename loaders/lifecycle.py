"""The steps of an ingest one by one, each of which may be asked for again.

`begin`, `add` files as they come, `run` stages them; `commit` closes the ingest, `run` loads it, `publish`
makes it visible. `abort` drops it everywhere, `retry` puts back what failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from loaders.contributions import to_row
from loaders.discard import collect, discard
from loaders.ending import clear, end, give_up
from loaders.journal import Journal
from loaders.lease import IngestEnded, is_gone, leased
from loaders.options import IngestOptions, OnProgress, Site, ignore
from loaders.parts.publish import AlreadyIngested
from loaders.publishing import copies_left_out, left_out_in_words, publish_loaded, renew_views
from loaders.run import Redone, Work, run
from loaders.staging.settle import reject_file
from loaders.staging.stage import Contribution
from loaders.staging.target import open_target
from loaders.state import ContributionState, IngestState
from procedures.ingests import (
    ContributionRow,
    IngestRow,
    Repeated,
    add_contributions,
    begin_ingest,
    change_contributions,
    change_options,
    change_state,
    log_event,
    read_contributions,
    read_ingest,
)
from schema.errors import SkyshardError, Unavailable, UsageError
from schema.manifest import IngestId


class WrongState(UsageError):
    """The ingest is not where this can be done."""

    code = "INGEST_STATE"

    def __init__(self, row: IngestRow, wanted: str) -> None:
        reason = f" ({row.error})" if row.error else ""
        super().__init__(f"ingest {row.ingest_id} is {row.state}{reason}: {wanted}")
        self.state = row.state


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run came to."""

    ingest_id: IngestId
    state: IngestState
    redone: Redone
    snapshot: int | None = None
    warnings: tuple[str, ...] = ()
    missing_copies: int = 0
    """Copies that a shard which was away should have, and that are queued to be made."""


def begin(
    site: Site,
    catalog_name: str,
    *,
    label: str | None = None,
    options: IngestOptions | None = None,
) -> IngestId:
    """A new, open ingest. Raises UnknownCatalog, NotSupportedYet."""
    target = open_target(site.pools, catalog_name, (), site.topology)
    document = (options or IngestOptions()).to_document()
    with site.pools.coordinator() as connection:
        ingest_id = begin_ingest(
            connection, target.catalog.name, IngestState.OPEN, label=label, options=document
        )
        log_event(connection, ingest_id, "begun", label or "")
        connection.commit()
    return ingest_id


def add(site: Site, ingest_id: int, given: Sequence[Contribution]) -> list[int]:
    """Add files to an open ingest; their numbers.

    A file that it has already for the same table is refused with AlreadyIngested, or left out, or taken,
    as the ingest's options say. Raises UnknownIngest, UnknownTable, WrongState.
    """
    with site.pools.coordinator() as connection:
        catalog_name = read_ingest(connection, ingest_id).catalog
    target = open_target(site.pools, catalog_name, given, site.topology)
    with site.pools.coordinator() as connection:
        row = read_ingest(connection, ingest_id, is_locked=True)
        if row.state != IngestState.OPEN:
            raise WrongState(row, "only an open one takes files; begin another")
        known = read_contributions(connection, row.ingest_id)
        taken = {(one.table, one.source, one.piece): one for one in known}
        options = IngestOptions().of_ingest(row.options)
        fresh: list[ContributionRow] = []
        for one, table in zip(given, target.tables, strict=True):
            made = to_row(len(known) + len(fresh), one, table)
            if (made.table, made.source, made.piece) in taken and not options.again:
                if options.ignore_repeated:
                    continue
                found = Repeated(made.source, made.table, made.source, row.ingest_id)
                raise AlreadyIngested(catalog_name, found, row.ingest_id)
            taken[made.table, made.source, made.piece] = made
            fresh.append(made)
        add_contributions(connection, row.ingest_id, fresh)
        log_event(connection, row.ingest_id, "added", f"{len(fresh)} files")
        connection.commit()
    return [made.number for made in fresh]


def commit(site: Site, ingest_id: int) -> None:
    """Close an ingest to more files; nothing happens to one that is closed. Raises WrongState."""
    with site.pools.coordinator() as connection:
        row = read_ingest(connection, ingest_id, is_locked=True)
        if row.state in (IngestState.FAILED, IngestState.ABORTED, IngestState.RETRACTED):
            raise WrongState(row, "it cannot be committed")
        if row.state == IngestState.OPEN:
            change_state(connection, row.ingest_id, IngestState.COMMITTED)
            log_event(connection, row.ingest_id, "committed")
            connection.commit()


def run_ingest(
    site: Site,
    ingest_id: int,
    *,
    options: IngestOptions | None = None,
    progress: OnProgress = ignore,
    and_publish: bool = False,
) -> Ran:
    """Bring an ingest as far as it may come, redoing only what is not done.

    An open one is staged, a committed one loaded and, if wanted, published; a published one is left as it
    is. Where servers do not answer it stays where it is, for the next run; where its input is wrong it
    has failed. Raises IngestBusy while another loader is at work on it, and what `loaders.run.run` does.
    """
    collect(site)
    with leased(site.pools, IngestId(ingest_id)) as lease:
        journal = Journal(site.pools, lease)
        if journal.state.is_final and journal.state is not IngestState.PUBLISHED:
            raise WrongState(journal.row, "`skyshard ingest retry` puts back one that has failed")
        chosen = (options or IngestOptions()).of_ingest(journal.row.options)
        work = Work(site, journal, chosen, progress)
        redone, snapshot = Redone(), None
        warnings: tuple[str, ...] = ()
        try:
            redone = run(work)
            # One that is published already is told to who missed it.
            if and_publish and journal.state is not IngestState.OPEN:
                snapshot = publish_loaded(work)
                warnings = renew_views(work, snapshot)
            if journal.read_state() is IngestState.PUBLISHED:
                clear(site, lease.ingest_id)
        except (SkyshardError, psycopg2.Error, OSError) as error:
            _stop(work, error)
            raise
        missing = copies_left_out(work)
        warnings = (*left_out_in_words(missing), *warnings)
        return Ran(lease.ingest_id, journal.state, redone, snapshot, warnings, missing)


def publish_ingest(site: Site, ingest_id: int, *, options: IngestOptions | None = None) -> Ran:
    """Publish a loaded ingest; one that is published keeps its snapshot. Raises WrongState."""
    with leased(site.pools, IngestId(ingest_id)) as lease:
        journal = Journal(site.pools, lease)
        if journal.state not in (
            IngestState.LOADED,
            IngestState.PUBLISHING,
            IngestState.PUBLISHED,
        ):
            raise WrongState(
                journal.row, "it is published once `skyshard ingest run` has loaded it"
            )
        chosen = (options or IngestOptions()).of_ingest(journal.row.options)
        work = Work(site, journal, chosen)
        try:
            snapshot = publish_loaded(work)
        except (SkyshardError, psycopg2.Error) as error:
            _stop(work, error)
            raise
        warnings = renew_views(work, snapshot)
        clear(site, lease.ingest_id)
        missing = copies_left_out(work)
        warnings = (*left_out_in_words(missing), *warnings)
        state = journal.read_state()
        return Ran(lease.ingest_id, state, Redone(), snapshot, warnings, missing)


def _stop(work: Work, error: Exception) -> None:
    """Say why a loader stops: the ingest has failed, or waits for the next run."""
    is_lasting = isinstance(error, SkyshardError) and not error.transient
    if is_lasting and (
        isinstance(error, IngestEnded) or work.journal.state is not IngestState.OPEN
    ):
        give_up(work, error)
        return
    with suppress(Unavailable, psycopg2.Error, IngestEnded):  # the first error is the one to tell
        work.journal.stopped(str(error) or type(error).__name__)


def abort(site: Site, ingest_id: int, *, reason: str = "aborted") -> bool:
    """End an ingest that is not published, and drop what it has, everywhere.

    False where that is left to others: a loader that is at work on it stops at its next step, and what a
    server that is down holds goes with the next run. Raises WrongState for a published one.
    """
    with site.pools.coordinator() as connection:
        row = read_ingest(connection, ingest_id)
    if row.state != IngestState.ABORTED and not end(
        site, row.ingest_id, IngestState.ABORTED, reason
    ):
        raise WrongState(row, "`skyshard snapshot retract` takes a published one back")
    if _is_held(row):
        return False
    clear(site, row.ingest_id)
    return discard(site, row.ingest_id)


def _is_held(row: IngestRow) -> bool:
    """Whether a loader is at work on an ingest."""
    return row.lease_owner is not None and row.lease_left_s > 0 and not is_gone(row.lease_owner)


def retry(site: Site, ingest_id: int, *, max_rejects: int | None = None) -> int:
    """Put an ingest that failed, and its files that could not be staged, back; how many files.

    `max_rejects` allows another number from now on. Raises WrongState where nothing has failed.
    """
    with site.pools.coordinator() as connection:
        row = read_ingest(connection, ingest_id, is_locked=True)
        state = IngestState(row.state)
        has_failed = state is IngestState.FAILED
        if state is IngestState.PUBLISHING or (state.is_final and not has_failed):
            raise WrongState(row, "nothing of it is to be tried again")
        count = change_contributions(
            connection, row.ingest_id, ContributionState.FAILED, ContributionState.WAITING
        )
        if not count and not has_failed and max_rejects is None:
            raise WrongState(row, "nothing of it has failed")
        if max_rejects is not None:
            change_options(connection, row.ingest_id, max_rejects=max_rejects)
        after = IngestState.COMMITTED if has_failed else row.state
        change_state(connection, row.ingest_id, after)
        log_event(connection, row.ingest_id, "retried", f"{count} files")
        connection.commit()
    return count


def rejects(site: Site, ingest_id: int) -> Path | None:
    """The file of an ingest's rejected rows on this machine; None where there is none."""
    with site.pools.coordinator() as connection:
        row: Any = read_ingest(connection, ingest_id)
    path = reject_file(site.spool, row.catalog, row.ingest_id)
    return path if path.exists() else None
