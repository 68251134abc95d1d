"""Columnar twins: a part's rows as Parquet beside the shard, complete or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schema.errors import StoreError

ROW_GROUP = 100_000
_LEVEL = 1
"""zstd's; 3 is 5 % smaller and 40 % slower."""


class TwinMismatch(StoreError):
    """A twin's footer tells another number of rows than were written."""

    code = "TWIN_MISMATCH"

    def __init__(self, path: Path, found: int, expected: int) -> None:
        super().__init__(f"{path} holds {found} rows, {expected} were written")
        self.path = path


def twin_path(folder: Path, name: str) -> Path:
    """Where the twin of the part table `name` lies."""
    return folder / f"{name}.parquet"


def write_twin(folder: Path, name: str, rows: pa.Table) -> None:
    """Write rows as the twin `name`: under another name, synced, checked, renamed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = twin_path(folder, name)
    partial = path.with_suffix(".partial")
    texts = [
        f.name for f in rows.schema if pa.types.is_string(f.type) or pa.types.is_binary(f.type)
    ]
    pq.write_table(
        rows,
        partial,
        row_group_size=ROW_GROUP,
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=texts,
    )
    found = pq.read_metadata(partial).num_rows
    if found != rows.num_rows:
        raise TwinMismatch(partial, found, rows.num_rows)
    sync(partial)
    partial.rename(path)
    sync(folder)


def drop_twin(folder: Path, name: str) -> None:
    """Remove a twin, complete or not; nothing happens where there is none."""
    path = twin_path(folder, name)
    path.unlink(missing_ok=True)
    path.with_suffix(".partial").unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Make a file's or a folder's content survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
