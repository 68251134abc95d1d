"""The folder of an export: what was asked, which files are finished, whether all are.

`manifest.json` tells it to those who read the files. While the export is at work its memory is a journal
beside it, one synced line a file, so that a killed export goes on where it was: a file that is not in the
journal is written again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from loaders.parts.twin import sync
from schema.checksum import combine
from schema.errors import StoreError, UsageError

MANIFEST = "manifest.json"
JOURNAL = ".export.jsonl"
LOCK = ".export.lock"
UNFINISHED = ".part"
"""Ends the name of a file that is being written."""
_KIND = "skyshard export 1"


class ExportMismatch(UsageError):
    """The folder holds something else than this export."""

    code = "EXPORT_MISMATCH"


class ExportBusy(UsageError):
    """Another process exports into the folder."""

    code = "EXPORT_BUSY"

    def __init__(self, folder: Path) -> None:
        super().__init__(f"another export is at work in {folder}")


class ExportUnwritable(StoreError):
    """The folder takes no more: its disk is full, or it may not be written."""

    code = "EXPORT_UNWRITABLE"

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(
            f"cannot write in {folder}: {error}; finished files stay, the same command goes on there"
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What an export writes, exactly: two equal ones give files of equal rows."""

    catalog: str
    catalog_id: int
    snapshot: int
    version: int
    tables: tuple[str, ...]
    condition: str | None
    format: str
    cluster: str
    asked_at: str
    """What NOW means in the condition: ISO, UTC."""


@dataclass(frozen=True, slots=True)
class Written:
    """One finished file. `checksum` is that of its rows (`schema.checksum`) over the table's columns.

    `size_bytes` is 0 where there were no rows, and then there is no file.
    """

    path: str
    table: str
    rows: int
    size_bytes: int
    sha256: str
    checksum: int

    def to_json(self) -> dict[str, object]:
        """As the manifest has it; the checksum as text, it is larger than JSON's numbers."""
        return {
            "path": self.path,
            "table": self.table,
            "rows": self.rows,
            "bytes": self.size_bytes,
            "sha256": self.sha256,
            "checksum": str(self.checksum),
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Written:
        """The inverse of `to_json`."""
        numbers = (int(facts["rows"]), int(facts["bytes"]))
        return cls(facts["path"], facts["table"], *numbers, facts["sha256"], int(facts["checksum"]))


@dataclass(slots=True)
class ExportFolder:
    """An export's folder while this process has it. Thread-safe."""

    path: Path
    request: Request
    written: dict[str, Written] = field(default_factory=dict)
    is_finished: bool = False
    _lock: Lock = field(default_factory=Lock, repr=False)

    def has(self, path: str) -> bool:
        """Whether a file is finished, and as long as it was then."""
        known = self.written.get(path)
        if known is None or known.size_bytes == 0:
            return known is not None
        with suppress(OSError):
            return (self.path / path).stat().st_size == known.size_bytes
        return False

    def record(self, written: Written) -> None:
        """Write down that a file is finished; it has its name and is synced."""
        line = json.dumps(written.to_json()) + "\n"
        with self._lock, (self.path / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(line)
            journal.flush()
            os.fsync(journal.fileno())
            self.written[written.path] = written

    def total(self, table: str) -> tuple[int, int]:
        """Rows and checksum of what is written of a table."""
        found = [one for one in self.written.values() if one.table == table]
        return sum(one.rows for one in found), combine(one.checksum for one in found)

    def write_manifest(self, *, is_finished: bool) -> None:
        """Write `manifest.json`; of a finished export it is all there is to remember."""
        files = sorted(self.written.values(), key=lambda one: one.path)
        totals = {}
        for table in self.request.tables:
            rows, checksum = self.total(table)
            totals[table] = {"rows": rows, "checksum": str(checksum)}
        document = {
            "kind": _KIND,
            "state": "finished" if is_finished else "unfinished",
            **asdict(self.request),
            "totals": totals,
            "files": [one.to_json() for one in files if one.size_bytes],
        }
        write_text(self.path / MANIFEST, json.dumps(document, indent=1) + "\n")
        if is_finished:
            (self.path / JOURNAL).unlink(missing_ok=True)
            sync(self.path)
        self.is_finished = is_finished


def write_text(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    unfinished = path.with_name(path.name + UNFINISHED)
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    sync(path.parent)


def asked_before(folder: Path) -> Request | None:
    """What is exported into the folder; None where nothing is yet.

    Raises ExportMismatch where the folder holds something else.
    """
    if not folder.exists() or not any(name != LOCK for name in _names(folder)):
        return None
    finished = _finished(folder)
    if finished is not None:
        return _request(finished)
    lines = _journal(folder)
    if lines:
        return _request(lines[0])
    if set(_names(folder)) <= {LOCK, JOURNAL, MANIFEST, JOURNAL + UNFINISHED}:
        return None  # killed before anything was written down
    raise ExportMismatch(f"{folder} holds other files; an export takes an empty folder")


@contextmanager
def open_folder(
    path: Path, request: Request, *, is_checked: bool = False
) -> Iterator[ExportFolder]:
    """Have the folder for this request alone; what is finished in it is known, the rest removed.

    Finished files are known by their length, or, where that `is_checked`, by their digest.

    Raises ExportMismatch where another request is exported there, ExportBusy, ExportUnwritable.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with (path / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ExportBusy(path) from None
            folder = _resumed(path, request) or _begun(path, request)
            if is_checked:
                folder = _intact(folder)
            try:
                yield folder
            except BaseException:
                with suppress(OSError):
                    folder.write_manifest(is_finished=False)
                raise
    except OSError as error:
        raise ExportUnwritable(path, error) from error


def _resumed(path: Path, request: Request) -> ExportFolder | None:
    """The folder as an earlier process left it; None where none did."""
    before = asked_before(path)
    if before is None:
        return None
    _check(path, before, request)
    finished = _finished(path)
    if finished is not None:
        files = {facts["path"]: Written.from_json(facts) for facts in finished["files"]}
        folder = ExportFolder(path, before, files, is_finished=True)
        if all(folder.has(name) for name in files):
            return folder
        return _begun(path, before, files)
    for unfinished in path.rglob("*" + UNFINISHED):
        unfinished.unlink()
    files = {facts["path"]: Written.from_json(facts) for facts in _journal(path)[1:]}
    return _begun(path, before, files)


def _intact(folder: ExportFolder) -> ExportFolder:
    """The folder without files whose content is not what was written."""
    good = {name: one for name, one in folder.written.items() if _is_intact(folder.path, one)}
    if len(good) == len(folder.written):
        return folder
    return _begun(folder.path, folder.request, good)


def _is_intact(folder: Path, written: Written) -> bool:
    if written.size_bytes == 0:
        return True
    try:
        with (folder / written.path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == written.sha256
    except FileNotFoundError:
        return False


def _begun(
    path: Path, request: Request, files: Mapping[str, Written] | None = None
) -> ExportFolder:
    """A folder at work: its journal whole, its manifest unfinished."""
    folder = ExportFolder(path, request, dict(files or {}))
    lines = [
        {"kind": _KIND, **asdict(request)},
        *(one.to_json() for one in folder.written.values()),
    ]
    write_text(path / JOURNAL, "".join(json.dumps(line) + "\n" for line in lines))
    folder.write_manifest(is_finished=False)
    return folder


def _check(path: Path, before: Request, request: Request) -> None:
    """Refuse to mix two exports in one folder."""
    old, new = asdict(before), asdict(request)
    differ = [name for name in old if name != "asked_at" and old[name] != new[name]]
    if differ:
        told = "; ".join(f"{name} {old[name]!r}, not {new[name]!r}" for name in differ)
        raise ExportMismatch(f"{path} holds another export ({told}); choose another folder")


def _finished(folder: Path) -> dict[str, Any] | None:
    """The manifest of a finished export."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_ours = isinstance(found, dict) and found.get("kind") == _KIND
    return found if is_ours and found["state"] == "finished" else None


def _journal(folder: Path) -> list[dict[str, Any]]:
    """The journal's lines, but for one that a kill has torn."""
    try:
        text = (folder / JOURNAL).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    lines = text.split("\n")[:-1]
    return [json.loads(line) for line in lines]


def _request(facts: Mapping[str, Any]) -> Request:
    names = Request.__dataclass_fields__
    found = {name: facts[name] for name in names}
    return Request(**{**found, "tables": tuple(found["tables"])})


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
