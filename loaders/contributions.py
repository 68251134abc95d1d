"""An ingest's contributions: as the coordinator keeps them, and all of them staged, in parallel."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from loaders.journal import Journal
from loaders.kept import Kept, mapped, stage_once
from loaders.options import IngestOptions, OnProgress, Progress
from loaders.readers.form import form_of, piece_of
from loaders.staging.download import is_url, name_of
from loaders.staging.mapping import mapping_of
from loaders.staging.pieces import size_of_piece
from loaders.staging.stage import Contribution, Staged, StageTask
from loaders.state import ContributionState
from loaders.tasks import Settled, SpoolUnseen, an_executor, outcome, settled
from procedures.ingests import ContributionRow
from schema.catalog import Table
from schema.errors import InputError

_SHOWN = 3


class SourceChanged(InputError):
    """A file is not the one that was staged before."""

    code = "SOURCE_CHANGED"

    def __init__(self, source: str) -> None:
        super().__init__(
            f"{source} has changed since it was staged; abort the ingest and begin another"
        )
        self.source = source


class ContributionsFailed(InputError):
    """Some of an ingest's files could not be staged; the others are."""

    code = "CONTRIBUTIONS_FAILED"

    def __init__(self, failed: Sequence[ContributionRow], count: int) -> None:
        shown = "; ".join(f"{row.source}: {row.error}" for row in failed[:_SHOWN])
        super().__init__(
            f"{len(failed)} of {count} files could not be staged: {shown}; when that is mended,"
            " `skyshard ingest retry` and run again"
        )


def to_row(number: int, given: Contribution, table: Table) -> ContributionRow:
    """A contribution for the coordinator; `table` is the model's."""
    source = given.url or str(given.path.absolute())
    path, piece = Path(source), given.piece
    size = size_of_piece(given) if path.is_file() else None
    options: dict[str, object] = {}
    if said := given.form.to_document():
        options["form"] = said
    if piece is not None:
        options["rows_before"] = piece.rows_before
    if given.mapping is not None:
        options["mapping"] = given.mapping.to_document()
    return ContributionRow(
        number,
        table.name,
        source,
        piece=None if piece is None else str(piece),
        options=options,
        size_bytes=size,
    )


def from_row(row: ContributionRow) -> Contribution:
    """A contribution as it was given."""
    said = row.options
    mapping = said.get("mapping")
    url = row.source if is_url(row.source) else None
    return Contribution(
        row.table,
        Path(row.source if url is None else name_of(url)),
        form=form_of(said.get("form", {})),
        piece=piece_of(row.piece, said.get("rows_before", 0)),
        mapping=None if mapping is None else mapping_of(mapping),
        url=url,
    )


@dataclass(frozen=True, slots=True)
class Staging:
    """What staging an ingest's contributions needs. `tables` are the catalog's by name."""

    journal: Journal
    tables: Mapping[str, Table]
    folder: Path
    options: IngestOptions
    progress: OnProgress


def stage_all(staging: Staging, rows: Sequence[ContributionRow]) -> list[Staged]:
    """Stage the contributions, in parallel; in their order. What is in the spool is not read again.

    Each is written down when it is done. Raises what the first bad file raised, or, to `keep_going`,
    ContributionsFailed when the others are done.
    """
    total = sum(row.size_bytes or 0 for row in rows)
    done = 0
    staged: dict[int, Staged] = {}
    failed = [row for row in rows if row.state == ContributionState.FAILED]
    wanted = {row.number: row for row in rows if row.state != ContributionState.FAILED}
    with _staged_as_they_come(staging, list(wanted.values())) as attempts:
        for task, future in attempts:
            row = wanted[task.number]
            try:
                kept = outcome(future)
                _see_runs(kept.staged)
                kept = replace(kept, staged=mapped(kept.staged))
                staged[row.number] = _settle(staging, row, kept)
            except InputError as error:
                failed.append(_failed(staging, row, error))
                if not staging.options.keep_going:
                    raise
            done += row.size_bytes or 0
            staging.progress(Progress("stage", done, total))
    if failed:
        raise ContributionsFailed(sorted(failed, key=lambda row: row.number), len(rows))
    return [staged[number] for number in sorted(staged)]


@contextmanager
def _staged_as_they_come(
    staging: Staging, rows: Sequence[ContributionRow]
) -> Iterator[Iterator[Settled[StageTask, Kept]]]:
    """The contributions' tasks on the executor or on threads; none runs any more at the end."""
    options = staging.options
    # Staging computes and seldom waits: more threads than cores only hold more memory.
    threads = min(options.workers, os.cpu_count() or 1)
    work = partial(stage_once, with_digests=options.with_digests)
    tasks = (_task(staging, row) for row in rows)
    with (
        an_executor(options.executor, threads, "stage") as executor,
        closing(settled(executor, work, tasks, at_a_time=2 * options.workers)) as attempts,
    ):
        yield attempts


def _see_runs(staged: Staged) -> None:
    """Raise SpoolUnseen where what a task wrote is not there for this process."""
    for run in staged.runs:
        if not run.path.exists():
            raise SpoolUnseen(run.path)


def _task(staging: Staging, row: ContributionRow) -> StageTask:
    given = from_row(row)
    table = staging.tables[row.table]
    limit = staging.options.reject_limit
    return StageTask(
        row.number,
        table,
        given.path,
        given.form,
        staging.folder,
        limit,
        piece=given.piece,
        mapping=given.mapping,
        url=given.url,
        remote=staging.options.remote,
    )


def _settle(staging: Staging, row: ContributionRow, kept: Kept) -> Staged:
    """Write down a staged contribution, unless the coordinator knows of it."""
    staged = kept.staged
    if row.sha256 is not None and row.sha256 != staged.sha256:
        raise SourceChanged(row.source)
    if not (kept.is_reused and row.state == ContributionState.STAGED):
        unknown = ", ".join(staged.unknown)
        ignored = f"ignored columns that {row.table} has not: {unknown}"
        staging.journal.record(
            replace(
                row,
                sha256=staged.sha256,
                rows=staged.rows,
                rejects=staged.rejects,
                state=ContributionState.STAGED,
                attempts=row.attempts + (not kept.is_reused),
                error=None,
                warnings=(ignored,) if unknown else (),
                seconds=round(kept.seconds, 3),
            )
        )
    return staged


def _failed(staging: Staging, row: ContributionRow, error: InputError) -> ContributionRow:
    """Write down why a contribution could not be staged."""
    found = replace(
        row,
        state=ContributionState.FAILED,
        attempts=row.attempts + 1,
        error=f"{error} [{error.code}]",
    )
    staging.journal.record(found)
    return found
