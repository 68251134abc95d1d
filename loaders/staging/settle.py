"""All rejects of an ingest in one file, and whether they are too many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loaders.staging.rejects import Reject, RejectFile, TooManyRejects, first_reasons, join_rejects
from loaders.staging.resolve import Resolved
from loaders.staging.stage import Staged, StageTask, reject_path


@dataclass(frozen=True, slots=True)
class Rejects:
    """How many rows were rejected, and the file that has them; None where there are none."""

    count: int
    path: Path | None


def reject_file(spool: Path, catalog: str, ingest_id: int) -> Path:
    """Where an ingest's rejects are written."""
    return spool / "rejects" / f"{catalog}-ingest-{ingest_id}.csv"


def settle_rejects(
    staged: Sequence[Staged], resolved: Resolved, path: Path, *, folder: Path, limit: int
) -> Rejects:
    """Join all rejects at `path`; raises TooManyRejects above the limit. `folder`: for pieces."""
    count = sum(contribution.rejects for contribution in staged) + resolved.rejected
    late = _write_late_rejects(resolved, folder)
    pieces = [*(reject_path(contribution.task) for contribution in staged), *late]
    written = join_rejects(pieces, path)
    if count > limit:
        assert written is not None, "rejects without a file"
        raise TooManyRejects(count, limit, written, first_reasons(written))
    return Rejects(count, written)


def _write_late_rejects(resolved: Resolved, folder: Path) -> list[Path]:
    """The rejects of resolving, a file for each contribution that has some."""
    by_task: dict[int, tuple[StageTask, list[Reject]]] = {}
    for contribution, reject in resolved.rejects:
        by_task.setdefault(contribution.task.number, (contribution.task, []))[1].append(reject)
    paths = []
    for number, (task, rejects) in sorted(by_task.items()):
        paths.append(folder / f"rejects-resolve-{number}.csv")
        with RejectFile(paths[-1], task.table.name, task.source) as file:
            file.write(sorted(rejects, key=lambda reject: reject.number))
    return paths
