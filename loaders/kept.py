"""Staged contributions kept in the ingest's spool folder: what a restart need not read again.

A contribution is staged into `contribution-N.partial`, its facts are written beside its runs, and the
folder is renamed to `contribution-N`. What is found there is taken if each run has its size and was
written since this machine was started; else only if it has its digest, too, where there is one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from loaders.fail_points import reach
from loaders.lease import boot_id
from loaders.staging.spool import make_private
from loaders.staging.stage import Run, Staged, StageTask, stage
from loaders.tasks import SpoolUnseen

_FACTS = "facts.json"
_ARRAYS = ("pixels", "counts")
_HEADER_BYTES = 128
"""Of NumPy's files, without a value."""
_FORM = 2
"""The form of the facts; those of another are not read."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A staged contribution. `is_reused`: it was there already; `seconds` that staging it took."""

    staged: Staged
    is_reused: bool
    seconds: float


def stage_once(task: StageTask, *, with_digests: bool = False) -> Kept:
    """Stage a contribution, unless it is in the spool already; can run in any process.

    `with_digests` costs a second for each GB, and lets another machine that sees the spool, or this
    one started anew, trust it.
    """
    if not task.spool.is_dir():
        raise SpoolUnseen(task.spool)
    folder = task.spool / f"contribution-{task.number}"
    found = _read(folder, task)
    if found is not None:
        return Kept(found, True, 0.0)
    started = time.monotonic()
    for old in (folder, partial := folder.with_suffix(".partial")):
        if old.exists():
            shutil.rmtree(old)
    make_private(partial)
    staged = stage(replace(task, spool=partial))
    _write(partial, staged, with_digests=with_digests)
    partial.rename(folder)
    reach("stage.done")
    return Kept(_moved(staged, folder), False, time.monotonic() - started)


def _moved(staged: Staged, folder: Path) -> Staged:
    """A staged contribution whose files are in another folder."""
    runs = tuple(replace(run, path=folder / run.path.name) for run in staged.runs)
    return mapped(replace(staged, task=replace(staged.task, spool=folder), runs=runs))


def mapped(staged: Staged) -> Staged:
    """A staged contribution that is in the spool, whose arrays lie there and not in memory."""
    return replace(staged, **_arrays(staged.task.spool))


def _arrays(folder: Path) -> dict[str, Any]:
    return {name: _array(folder / f"{name}.npy") for name in _ARRAYS}


def _array(path: Path) -> Any:
    """An array as it lies in its file; an empty one cannot be mapped."""
    found = np.load(path, mmap_mode="r") if path.stat().st_size > _HEADER_BYTES else np.load(path)
    return np.asarray(found)


def _write(folder: Path, staged: Staged, *, with_digests: bool) -> None:
    """Write down everything of a staged contribution but its task."""
    plain: dict[str, object] = {}
    for field in dataclasses.fields(staged):
        value = getattr(staged, field.name)
        if field.name in _ARRAYS:
            np.save(folder / f"{field.name}.npy", value)
        elif field.name not in ("task", "runs"):
            plain[field.name] = value
    document = {
        "form": _FORM,
        "boot": boot_id(),
        "source": _identity(staged.task),
        "reject_limit": staged.task.reject_limit,
        "runs": [
            {
                "name": run.path.name,
                "rows": run.rows,
                "size_bytes": run.size_bytes,
                "sha256": _digest(run.path) if with_digests else None,
            }
            for run in staged.runs
        ],
        "staged": plain,
    }
    (folder / _FACTS).write_text(json.dumps(document), encoding="utf-8")


def _identity(task: StageTask) -> list[object]:
    """What must be the same for a staged contribution to be taken again."""
    piece = None if task.piece is None else str(task.piece)
    mapping = None if task.mapping is None else task.mapping.to_document()
    return [task.source, task.table.name, task.form.to_document(), piece, mapping]


def _read(folder: Path, task: StageTask) -> Staged | None:
    """A staged contribution that is there, whole; None where it is not, or not to be trusted."""
    try:
        document = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        if document["form"] != _FORM or document["source"] != _identity(task):
            return None
        if not all(_is_whole(folder, run, document["boot"]) for run in document["runs"]):
            return None
        plain = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in document["staged"].items()
        }
        found: dict[str, Any] = {**plain, **_arrays(folder)}
        runs = tuple(
            Run(folder / run["name"], run["rows"], run["size_bytes"]) for run in document["runs"]
        )
        staged = Staged(task=replace(task, spool=folder), runs=runs, **found)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # A file with too many rejects was not read to its end.
    return staged if staged.rejects < document["reject_limit"] else None


def _is_whole(folder: Path, run: dict[str, Any], boot: str) -> bool:
    path = folder / str(run["name"])
    if path.stat().st_size != run["size_bytes"]:
        return False
    return boot == boot_id() or (run["sha256"] is not None and _digest(path) == run["sha256"])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
