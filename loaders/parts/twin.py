"""Columnar twins: a part's rows as Parquet beside the shard, complete or not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schema.errors import StoreError

ROW_GROUP = 100_000
_PARTIAL = ".partial"
_CODEC = "lz4"
"""Decodes in half of zstd's time, for a sixth more disk (docs/adr/0005-twins-in-lz4.md)."""


class TwinMismatch(StoreError):
    """A twin's footer tells another number of rows than were written."""

    code = "TWIN_MISMATCH"

    def __init__(self, path: Path, found: int, expected: int) -> None:
        super().__init__(f"{path} holds {found} rows, {expected} were written")
        self.path = path


def twin_path(folder: Path, name: str) -> Path:
    """Where the twin of the part table `name` lies."""
    return folder / f"{name}.parquet"


def write_twins(
    folder: Path, tables: Mapping[str, pa.Table], *, made_in: Path | None = None
) -> None:
    """Write rows as twins by their tables' names: under other names, synced, checked, renamed.

    Another shard's folder that they were `made_in` just now saves to encode them again.
    """
    if not tables:
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = [twin_path(folder, name) for name in tables]
    for path, rows in zip(paths, tables.values(), strict=True):
        partial = path.with_suffix(_PARTIAL)
        if made_in is None:
            _encode(partial, rows)
        else:
            shutil.copyfile(made_in / path.name, partial)
        found = pq.read_metadata(partial).num_rows
        if found != rows.num_rows:
            raise TwinMismatch(path, found, rows.num_rows)
    for path in paths:
        sync(path.with_suffix(_PARTIAL))
    for path in paths:
        path.with_suffix(_PARTIAL).rename(path)
    sync(folder)


def _encode(path: Path, rows: pa.Table) -> None:
    texts = [
        f.name for f in rows.schema if pa.types.is_string(f.type) or pa.types.is_binary(f.type)
    ]
    pq.write_table(
        rows,
        path,
        row_group_size=ROW_GROUP,
        compression=_CODEC,
        use_dictionary=texts,
    )


def drop_twins(folder: Path | None, part_ids: Iterable[int]) -> None:
    """Remove the twins of parts' own and overlap rows; nothing happens where there are none."""
    if folder is None:
        return
    for part_id in part_ids:
        drop_twin(folder, f"p{part_id}")
        drop_twin(folder, f"o{part_id}")


def drop_twin(folder: Path, name: str) -> None:
    """Remove a twin, complete or not; nothing happens where there is none."""
    path = twin_path(folder, name)
    path.unlink(missing_ok=True)
    path.with_suffix(_PARTIAL).unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Make a file's or a folder's content survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
