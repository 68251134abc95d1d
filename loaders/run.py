"""An ingest's path up to where it may be published: files become parts that no snapshot names.

The straight line of the design's two phases, which goes on where an earlier attempt was cut off:
contributions that are in the spool are not read again, parts that their shards hold not written again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loaders.contributions import Staging, from_row, stage_all
from loaders.discard import discard
from loaders.fail_points import reach
from loaders.journal import Journal
from loaders.memory import give_back, keep_large_apart
from loaders.options import IngestOptions, OnProgress, Progress, Site, ignore
from loaders.parts.cut import Cut, Placement, choose_chunks, cut_parts
from loaders.parts.load import Loading, load, see_twins
from loaders.parts.publish import AlreadyIngested
from loaders.resume import Found, fingerprint, is_same_plan, look_for, planned_part
from loaders.rewrites.split import refine
from loaders.staging.keys import Scratch
from loaders.staging.known import PublishedRows
from loaders.staging.rehome import rehome
from loaders.staging.resolve import resolve
from loaders.staging.settle import reject_file, settle_rejects
from loaders.staging.spool import make_private
from loaders.staging.stage import Staged
from loaders.staging.target import Target, check_growth, open_target, settle_placement
from loaders.state import ContributionState, IngestState
from loaders.tasks import an_executor
from procedures.identity import check_cluster
from procedures.ingests import find_repeated, ignore_contribution
from procedures.manifests import read_manifest, register_shards
from schema.errors import Unavailable
from schema.manifest import Part, PartId, PartKind
from schema.partition import Tiling


@dataclass(frozen=True, slots=True)
class Work:
    """One loader at work on one ingest, whose lease it has."""

    site: Site
    journal: Journal
    options: IngestOptions
    progress: OnProgress = ignore


@dataclass(frozen=True, slots=True)
class Redone:
    """What a run did itself, and what was done before it: contributions and parts."""

    staged: int = 0
    staged_before: int = 0
    loaded: int = 0
    loaded_before: int = 0


def run(work: Work) -> Redone:
    """Bring an ingest to LOADED, or, while it is OPEN, stage what it has.

    Raises InputError for files that are wrong, TooManyRejects, Unavailable (then the next run goes on).
    """
    journal, options, site = work.journal, work.options, work.site
    if journal.state not in (IngestState.OPEN, IngestState.COMMITTED):
        return Redone()
    target = _target(work)
    folder = site.folder(journal.ingest_id)
    make_private(folder)
    keep_large_apart()
    staged, redone = _stage(work, target)
    give_back()
    if journal.state is IngestState.OPEN:
        return redone
    staged = _without_repeated(work, target, staged)
    reach("stage.recorded")
    check_growth(target, staged)
    target = settle_placement(site.pools, target, staged)
    inputs = fingerprint(target, staged, options.max_rejects)
    target = _base(work, target, inputs)
    known = PublishedRows(site.pools, target.catalog, target.manifest)
    limit, scratch = options.reject_limit, Scratch(folder)
    resolved = resolve(target.catalog, staged, known, limit=limit, scratch=scratch)
    path = reject_file(site.spool, target.catalog.name, journal.ingest_id)
    rejects = settle_rejects(staged, resolved, path, folder=folder, limit=options.max_rejects)
    rows = resolved.rows_by_table()
    resolved, retired = rehome(resolved, known)
    refined = refine(known, staged)
    chunks = refined.chunks or choose_chunks(target.catalog, staged, coarsest=target.family.order)
    tiling = Tiling(tuple(chunks)) if chunks else None
    placement = Placement(
        target.catalog, target.family, tiling, target.topology.shards, target.replicas
    )
    give_back()
    cuts = cut_parts(resolved, placement)
    give_back()
    facts = {
        "inputs": inputs,
        "rows": rows,
        "parts": len(cuts),
        "rejects": rejects.count,
        "reject_file": None if rejects.path is None else str(rejects.path),
        "chunks": [[chunk.order, chunk.number] for chunk in chunks],
        "splits": [[chunk.order, chunk.number] for chunk in refined.splits],
        "retired": list(retired),
        "has_rehomed": bool(resolved.rehomed),
    }
    ids, found = _plan(work, target, cuts, facts)
    reach("load.planned")
    parts = _load(work, target, list(zip(cuts, ids, strict=True)), found)
    reach("load.done")
    journal.loaded(parts)
    reach("load.recorded")
    before = len(found.complete)
    return replace(redone, loaded=len(parts) - before, loaded_before=before)


def _target(work: Work) -> Target:
    """Where the ingest goes, as it is now; shards that are new are written down."""
    rows = work.journal.contributions()
    contributions = [from_row(row) for row in rows]
    site, name = work.site, work.journal.row.catalog
    target = open_target(site.pools, name, contributions, site.topology)
    check_cluster(site.pools, site.topology)
    with site.pools.coordinator() as connection:
        register_shards(connection, {s.shard_id: s.weight for s in site.topology.shards})
        connection.commit()
    return target


def _stage(work: Work, target: Target) -> tuple[list[Staged], Redone]:
    """Everything that is to be staged, staged."""
    journal, fresh = work.journal, 0
    tables = {table.name: table for table in target.catalog.tables}
    folder = work.site.folder(journal.ingest_id)
    staging = Staging(journal, tables, folder, work.options, work.progress)
    while True:
        state = journal.state
        rows = [row for row in journal.contributions() if row.state != ContributionState.IGNORED]
        attempts = {row.number: row.attempts for row in rows}
        staged = stage_all(staging, rows)
        fresh += sum(row.attempts > attempts.get(row.number, 0) for row in journal.contributions())
        # What was added before somebody closed the ingest belongs to it.
        if journal.read().state == state:
            return staged, Redone(staged=fresh, staged_before=len(staged) - fresh)


def _without_repeated(work: Work, target: Target, staged: Sequence[Staged]) -> list[Staged]:
    """What was staged without content that its table has already, where that is to be ignored.

    Raises AlreadyIngested where it is refused.
    """
    journal, ignored = work.journal, set[int]()
    if work.options.again:
        return list(staged)
    with work.site.pools.coordinator() as connection:
        while (found := find_repeated(connection, journal.ingest_id)) is not None:
            if not work.options.ignore_repeated:
                raise AlreadyIngested(target.catalog.name, found, journal.ingest_id)
            ignore_contribution(connection, journal.ingest_id, found.number)
            ignored.add(found.number)
        connection.commit()
    return [one for one in staged if one.task.number not in ignored]


def _base(work: Work, target: Target, inputs: str) -> Target:
    """The target as of the snapshot that an earlier attempt planned against.

    If it planned from other inputs its plan is discarded, and the newest snapshot is the base.
    """
    row = work.journal.row
    if row.plan is None or row.snapshot is None:
        return target
    if row.plan["inputs"] != inputs:
        _discard_plan(work, "its inputs are others now")
        return target
    with work.site.pools.coordinator() as connection:
        manifest = read_manifest(connection, target.catalog.name, row.snapshot)
    return replace(target, manifest=manifest)


def _discard_plan(work: Work, reason: str) -> None:
    work.journal.note("planned anew", reason)
    if not discard(work.site, work.journal.ingest_id):
        raise Unavailable(
            f"ingest {work.journal.ingest_id} is to be planned anew ({reason}), but a server that may"
            " hold parts of the old plan does not answer"
        )
    work.journal.read()


def _plan(
    work: Work, target: Target, cuts: Sequence[Cut], facts: dict[str, object]
) -> tuple[list[PartId], Found]:
    """The parts' ids, written down before the first is loaded; and what is left of an old attempt."""
    journal = work.journal
    if journal.row.plan is not None:
        planned = journal.planned()
        if is_same_plan(planned, cuts):
            ids = [part.part_id for part in planned]
            is_allowed = work.options.patience(work.site).is_allowed()
            return ids, look_for(work.site, journal.ingest_id, cuts, ids, is_allowed=is_allowed)
        _discard_plan(work, "its parts are others now")
    ids = journal.new_ids(len(cuts))
    parts = [planned_part(cut, part_id) for cut, part_id in zip(cuts, ids, strict=True)]
    journal.plan(parts, snapshot=target.manifest.snapshot, facts=facts)
    return ids, Found()


def _load(
    work: Work, target: Target, planned: Sequence[tuple[Cut, PartId]], found: Found
) -> list[Part]:
    """Load the parts that are not complete; all parts."""
    journal = work.journal
    complete = {part.part_id: part for part in found.complete}
    if found.is_resumed:
        left = len(planned) - len(complete)
        journal.note("resumed", f"{len(complete)} parts are complete, {left} are not")
    todo = [(cut, part_id) for cut, part_id in planned if part_id not in complete]
    total = sum(cut.rows for cut, _ in planned if cut.kind is not PartKind.INDEX)
    counter = _Counter(total, work.progress)
    counter.add(found.complete)

    def loaded(parts: Sequence[Part]) -> None:
        see_twins(target.topology, parts)
        journal.parts_loaded(parts)
        counter.add(parts)

    options = work.options
    loading = Loading(
        target.catalog,
        journal.ingest_id,
        work.site.pools,
        target.topology,
        options.verify,
        owner=journal.lease.owner,
        patience=options.patience(work.site),
    )
    with an_executor(options.executor, options.workers, "load") as executor:
        made = load(loading, todo, executor=executor, at_a_time=2 * options.workers, loaded=loaded)
    complete.update({part.part_id: part for part in made})
    return [complete[part_id] for _, part_id in planned]


@dataclass(slots=True)
class _Counter:
    """Rows loaded so far."""

    total: int
    progress: OnProgress
    done: int = 0

    def add(self, parts: Sequence[Part]) -> None:
        self.done += sum(part.rows for part in parts if part.kind is not PartKind.INDEX)
        self.progress(Progress("load", self.done, self.total))
