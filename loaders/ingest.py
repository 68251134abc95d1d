"""An ingest's path: files become rows that every reader sees at once, or nothing changes.

The straight line of the design's two phases. Until `publish` commits, the parts are tables that no
snapshot names; whatever fails before it is dropped again, as far as the servers answer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from loaders.cut import Placement, choose_chunks, cut_parts
from loaders.hats import write_views
from loaders.journal import Journal, journalled
from loaders.known import PublishedRows
from loaders.load import Loading, load
from loaders.publish import Loaded
from loaders.rehome import rehome
from loaders.rejects import (
    KEPT_REJECTS,
    RejectFile,
    TooManyRejects,
    first_reasons,
    join_rejects,
)
from loaders.resolve import Resolved, resolve
from loaders.stage import Contribution, Staged, StageTask, reject_path, stage
from loaders.target import Target, check_growth, open_target
from loaders.validate import Reject
from procedures.manifests import read_manifest
from procedures.pools import Pools
from schema.healpix import Pixel
from schema.manifest import IngestId, Part, PartKind
from schema.partition import Tiling
from schema.topology import Topology

__all__ = ["Contribution", "IngestOptions", "IngestReport", "Progress", "ingest"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one phase has come: `stage` counts bytes of input, `load` rows."""

    phase: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How to ingest. `workers`: files staged, and parts loaded, at a time."""

    max_rejects: int = 0
    verify: bool = False
    """Read every replica back and compare its checksum."""
    again: bool = False
    """Take files whose content is in their table already; their rows are doubled."""
    workers: int = 4
    executor: Executor | None = None
    """Where contributions are staged; threads of this process where there is none."""
    hats: Path | None = None
    """The folder of the HATS views, which the ingest renews (default: `hats` in the spool)."""

    @property
    def reject_limit(self) -> int:
        """A file, or a table's keys, with so many rejects are looked at no further."""
        return max(self.max_rejects + 1, KEPT_REJECTS)


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

    @property
    def rows_per_s(self) -> float:
        return sum(self.rows.values()) / max(self.seconds, 1e-9)


def _ignore(_: Progress) -> None:
    """Progress that nobody looks at."""


def ingest(
    catalog_name: str,
    contributions: Sequence[Contribution],
    *,
    pools: Pools,
    topology: Topology,
    spool: Path,
    options: IngestOptions = IngestOptions(),
    progress: Callable[[Progress], None] = _ignore,
) -> IngestReport:
    """Load files into a catalog's tables and publish them as one new snapshot.

    `spool` is a folder for runs (about the size of the input, unpacked) and reject files. Raises
    UnknownCatalog, UnknownTable, InputError for files that are wrong, TooManyRejects, PublishConflict
    (transient), Unavailable; then nothing has changed.
    """
    started = time.monotonic()
    target = open_target(pools, catalog_name, contributions, topology)
    with journalled(pools, target, contributions, spool) as journal:
        staged = _stage(target, contributions, journal, options, progress)
        check_growth(target, staged)
        known = PublishedRows(pools, target.catalog, target.manifest)
        resolved = resolve(target.catalog, staged, known, limit=options.reject_limit)
        rejects, reject_file = _settle_rejects(staged, resolved, journal, options, spool)
        rows = resolved.rows_by_table()
        resolved, retired = rehome(resolved, known)
        chunks = target.manifest.chunks or choose_chunks(
            target.catalog, staged, coarsest=target.family.order
        )
        parts = _load(resolved, chunks, journal, options=options, progress=progress)
        loaded = Loaded(
            ingest_id=journal.ingest_id,
            base=target.manifest,
            parts=tuple(parts),
            chunks=chunks,
            index=resolved.index,
            retired=retired,
            children=frozenset(table.name for table in target.catalog.tables if table.parent),
            matches=tuple((t.name, t.match[0]) for t in target.catalog.tables if t.match),
            has_rehomed=bool(resolved.rehomed),
            is_again=options.again,
        )
        snapshot = journal.publish(loaded, counts=(sum(rows.values()), rejects))
    warnings = (
        *_warnings(staged),
        *_write_views(journal, snapshot, options.hats or spool / "hats"),
    )
    return IngestReport(
        ingest_id=journal.ingest_id,
        catalog=target.catalog.name,
        snapshot=snapshot,
        rows=rows,
        parts=len(parts),
        rejects=rejects,
        reject_file=reject_file,
        seconds=time.monotonic() - started,
        warnings=warnings,
    )


def _stage(
    target: Target,
    contributions: Sequence[Contribution],
    journal: Journal,
    options: IngestOptions,
    progress: Callable[[Progress], None],
) -> list[Staged]:
    """Stage all contributions, in parallel; in their order."""
    tasks = [
        StageTask(number, table, given.path, given.columns, journal.folder, options.reject_limit)
        for number, (table, given) in enumerate(zip(target.tables, contributions, strict=True))
    ]
    sizes = {task.number: task.path.stat().st_size for task in tasks if task.path.is_file()}
    done = 0
    # Staging computes and seldom waits: more threads than cores only hold more memory.
    workers = min(options.workers, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers, thread_name_prefix="stage") as threads:
        futures = [(options.executor or threads).submit(stage, task) for task in tasks]
        try:
            for future in as_completed(futures):
                done += sizes.get(future.result().task.number, 0)
                progress(Progress("stage", done, sum(sizes.values())))
        finally:
            for future in futures:
                future.cancel()
    staged = [future.result() for future in futures]
    journal.staged(staged, is_again=options.again)
    return staged


def _settle_rejects(
    staged: Sequence[Staged],
    resolved: Resolved,
    journal: Journal,
    options: IngestOptions,
    spool: Path,
) -> tuple[int, Path | None]:
    """Join all rejects in one file; raises TooManyRejects above the limit."""
    count = sum(contribution.rejects for contribution in staged) + resolved.rejected
    late = _write_late_rejects(resolved, journal.folder)
    name = f"{journal.target.catalog.name}-ingest-{journal.ingest_id}.csv"
    pieces = [*(reject_path(contribution.task) for contribution in staged), *late]
    path = join_rejects(pieces, spool / "rejects" / name)
    if count > options.max_rejects:
        assert path is not None, "rejects without a file"
        raise TooManyRejects(count, options.max_rejects, path, first_reasons(path))
    return count, path


def _write_late_rejects(resolved: Resolved, folder: Path) -> list[Path]:
    """The rejects of resolving, a file for each contribution that has some."""
    by_task: dict[int, tuple[StageTask, list[Reject]]] = {}
    for contribution, reject in resolved.rejects:
        by_task.setdefault(contribution.task.number, (contribution.task, []))[1].append(reject)
    paths = []
    for number, (task, rejects) in sorted(by_task.items()):
        paths.append(folder / f"rejects-resolve-{number}.csv")
        with RejectFile(paths[-1], task.table.name, task.path) as file:
            file.write(sorted(rejects, key=lambda reject: reject.number))
    return paths


def _load(
    resolved: Resolved,
    chunks: Sequence[Pixel],
    journal: Journal,
    *,
    options: IngestOptions,
    progress: Callable[[Progress], None],
) -> list[Part]:
    """Cut the rows into parts and load them."""
    target = journal.target
    tiling = Tiling(tuple(chunks)) if chunks else None
    placement = Placement(
        target.catalog, target.family, tiling, target.topology.shards, target.replicas
    )
    cuts = cut_parts(resolved, placement)
    ids = journal.load(len(cuts))
    total = sum(cut.rows for cut in cuts if cut.kind is not PartKind.INDEX)
    counter = _Counter(total, progress)
    loading = Loading(
        target.catalog, journal.ingest_id, journal.pools, target.topology, options.verify
    )
    return load(loading, cuts, ids, workers=options.workers, loaded=counter.add)


@dataclass(slots=True)
class _Counter:
    """Rows loaded so far, by several threads."""

    total: int
    progress: Callable[[Progress], None]
    done: int = 0
    lock: Lock = field(default_factory=Lock)

    def add(self, part: Part) -> None:
        if part.kind is PartKind.INDEX:
            return
        with self.lock:
            self.done += part.rows
            self.progress(Progress("load", self.done, self.total))


def _write_views(journal: Journal, snapshot: int, folder: Path) -> tuple[str, ...]:
    """Renew the HATS views; the ingest is published, so whatever happens is only a warning."""
    catalog = journal.target.catalog
    try:
        with journal.pools.coordinator() as connection:
            manifest = read_manifest(connection, catalog.name, snapshot)
        write_views(folder, catalog, manifest, journal.target.topology)
    except Exception as error:  # noqa: BLE001
        return (f"the HATS view in {folder} is not renewed: {error}",)
    return ()


def _warnings(staged: Sequence[Staged]) -> tuple[str, ...]:
    """What the caller should know of files that were taken."""
    return tuple(
        f"{contribution.task.path}: ignored columns that {contribution.task.table.name} has not:"
        f" {', '.join(contribution.unknown)}"
        for contribution in staged
        if contribution.unknown
    )
