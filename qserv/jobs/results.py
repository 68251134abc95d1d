"""Results as files in one folder that all czars see: whole under their name, or not there.

`JOB.ATTEMPT.EXTENSION`; while it is written `.part` follows. A name has its attempt, so that no two
czars ever write the same file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from loaders.staging.download import Remote
from qserv.jobs.errors import ResultsUnwritable
from qserv.uploads.files import NO_ADDRESSES, UploadFiles

_PART = ".part"
YOUNG_S = 60.0
"""Files younger than that are not swept: their row may not be committed yet."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the coordinator says of a job whose files there are; `file` is that of its result."""

    phase: str
    attempt: int
    file: str | None


@dataclass(frozen=True, slots=True)
class ResultFiles:
    """The folder of results, and of the uploads of queries."""

    folder: Path
    remote: Remote = NO_ADDRESSES
    """Which addresses uploads may be fetched from."""

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def uploads(self) -> UploadFiles:
        """The tables that come with jobs, and with queries that may become jobs."""
        return UploadFiles(self.folder / "uploads", remote=self.remote)

    def path(self, file: str) -> Path:
        """Where a result lies."""
        return self.folder / Path(file).name

    def writer(self, job_id: str, attempt: int, extension: str) -> ResultWriter:
        """A new result; raises ResultsUnwritable."""
        return ResultWriter(self.folder, f"{job_id}.{attempt}.{extension}")

    def remove(self, job_id: str) -> None:
        """Remove all files of a job. Idempotent."""
        for path in self.folder.glob(f"{job_id}.*"):
            path.unlink(missing_ok=True)

    def job_ids(self) -> set[str]:
        """The jobs that have files."""
        return {path.name.split(".")[0] for path in self.folder.glob("*-*.*.*")}

    def sweep(self, known: Mapping[str, Kept]) -> int:
        """Remove what is no job's result, nor about to become one; how many files."""
        swept = 0
        for path in list(self.folder.glob("*-*.*.*")):
            with suppress(FileNotFoundError):
                is_young = time.time() - path.stat().st_mtime < YOUNG_S
                if not is_young and not _is_wanted(path.name, known):
                    path.unlink()
                    swept += 1
        return swept


def _is_wanted(name: str, known: Mapping[str, Kept]) -> bool:
    job_id, attempt, *_ = name.split(".")
    job = known.get(job_id)
    if job is None:
        return False
    return name == job.file or (job.phase == "EXECUTING" and str(job.attempt) == attempt)


@dataclass(eq=False, slots=True)
class ResultWriter:
    """One result while it is written; `keep` or `discard` ends it."""

    folder: Path
    file: str
    size_bytes: int = 0
    _open: IO[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            self._open = self._part.open("xb")
            self._part.chmod(0o600)
        except OSError as error:
            raise ResultsUnwritable(self.folder, error) from error

    @property
    def _part(self) -> Path:
        return self.folder / f"{self.file}{_PART}"

    def write(self, chunk: bytes) -> None:
        """Append; raises ResultsUnwritable."""
        try:
            self._open.write(chunk)
        except OSError as error:
            raise ResultsUnwritable(self.folder, error) from error
        self.size_bytes += len(chunk)

    def keep(self) -> str:
        """On disk, under its name; the name."""
        try:
            self._open.flush()
            os.fsync(self._open.fileno())
            self._open.close()
            self._part.rename(self.folder / self.file)
            _sync_folder(self.folder)
        except OSError as error:
            raise ResultsUnwritable(self.folder, error) from error
        return self.file

    def discard(self) -> None:
        """Forget it, kept or not. Idempotent."""
        with suppress(OSError):
            self._open.close()
        self._part.unlink(missing_ok=True)
        (self.folder / self.file).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
