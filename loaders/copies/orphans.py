"""What belongs to nobody: parts of aborted ingests, tables without books, files without a part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from loaders.copies.findings import Fault, Finding
from loaders.state import IngestState
from procedures.inventory import Booked, Inventory
from schema.manifest import PartId
from schema.topology import ShardId

GRACE_S = 3600.0
"""A part of a published ingest that the manifest does not name is an orphan only after so long."""
_TABLE = re.compile(r"[po]([0-9]+)")
_FILE = re.compile(r"[po]([0-9]+)\.(parquet|partial)")


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one shard has: books and tables, and the names in its folder of twins.

    Files are listed before the books are read, and these before the coordinator is asked: what is
    written meanwhile is then known to whom is asked later.
    """

    shard_id: ShardId
    inventory: Inventory
    files: tuple[str, ...]


def twin_files(folder: Path | None) -> tuple[str, ...]:
    """The names in a folder of twins."""
    if folder is None or not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir()))


def loose_parts(
    shelf: Shelf,
    held: AbstractSet[tuple[PartId, ShardId]],
    states: Mapping[int, str],
    *,
    grace_s: float = GRACE_S,
) -> Iterator[Finding]:
    """Parts on a shard that no manifest names there; `states` are those of their ingests."""
    for row in shelf.inventory.booked.values():
        if (row.part_id, shelf.shard_id) not in held:
            fault, told = _judge(row, states.get(row.ingest_id), grace_s)
            if fault is not None:
                yield Finding(fault, shelf.shard_id, told, row.catalog, None, row.part_id)


def _judge(row: Booked, state: str | None, grace_s: float) -> tuple[Fault | None, str]:
    """Whether a part that the manifest does not name here may go; a failed ingest may be tried again."""
    told = f"of ingest {row.ingest_id}"
    if state is None:
        return Fault.UNKNOWN, f"a part {told}, which the coordinator does not know"
    if state == "aborted":
        return Fault.ORPHAN, f"a part {told}, which was aborted"
    if state == IngestState.PUBLISHED and row.age_s > grace_s:
        return Fault.ORPHAN, f"a part {told}, which the manifest does not name here"
    return None, ""


def nameless(shelf: Shelf, held: AbstractSet[tuple[PartId, ShardId]]) -> Iterator[Finding]:
    """Tables that the shard's books do not know, and files of parts that it has not got."""
    for pattern, names, what in (
        (_TABLE, sorted(shelf.inventory.tables), "table"),
        (_FILE, shelf.files, "file"),
    ):
        for name in names:
            match = pattern.fullmatch(name)
            part_id = PartId(int(match[1])) if match else None
            if part_id not in shelf.inventory.booked and (part_id, shelf.shard_id) not in held:
                told = f"{what} {name}, of no part known here"
                yield Finding(Fault.ORPHAN, shelf.shard_id, told, name=name)
