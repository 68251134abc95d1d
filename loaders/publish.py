"""Publish: the one coordinator transaction that makes an ingest visible, whole, on all shards.

Under the catalog's lock it compares with what was published since the ingest read the manifest:
another tiling, or a key of ours in somebody else's new part of a director index, is a conflict, and
the ingest may be tried again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from procedures.director_index import KeyMap, lookup
from procedures.manifests import (
    lock_catalog,
    publish_ingest,
    read_manifest,
    record_parts,
    write_tiling,
)
from procedures.pools import Pools
from schema.errors import Unavailable
from schema.healpix import Pixel
from schema.manifest import IngestId, Manifest, Part, PartId


class PublishConflict(Unavailable):
    """Another ingest was published meanwhile and has to do with this one; try again."""

    code = "PUBLISH_CONFLICT"

    def __init__(self, reason: str) -> None:
        super().__init__(f"another ingest was published meanwhile: {reason}; ingest again")


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """An ingest ready to be published: what it was made from and what it adds."""

    ingest_id: IngestId
    base: Manifest
    """The snapshot that its keys were checked against."""
    parts: tuple[Part, ...]
    chunks: tuple[Pixel, ...]
    index: dict[str, KeyMap]
    retired: tuple[PartId, ...] = ()


def publish(connection: Any, pools: Pools, loaded: Loaded) -> int:
    """Publish in the open transaction of a coordinator's connection; the new snapshot."""
    name = loaded.base.catalog
    newest = loaded.base
    # The lock comes first: rows that refer to the catalog would share it, and two publishes that
    # share it wait for each other.
    snapshot = lock_catalog(connection, name)
    if snapshot != newest.snapshot:
        newest = read_manifest(connection, name, snapshot)
        _check(pools, loaded, newest)
    if loaded.chunks and not newest.chunks:
        write_tiling(connection, name, loaded.chunks)
    record_parts(connection, name, loaded.parts)
    return publish_ingest(connection, name, loaded.ingest_id, loaded.retired)


def _check(pools: Pools, loaded: Loaded, newest: Manifest) -> None:
    """Raise PublishConflict unless the snapshots since have nothing to do with this ingest."""
    if newest.chunks and loaded.chunks and newest.chunks != loaded.chunks:
        raise PublishConflict("it chose the chunks")
    known = {part.part_id for part in loaded.base.parts}
    fresh = tuple(part for part in newest.parts if part.part_id not in known)
    since = Manifest(newest.catalog, newest.snapshot, newest.chunks, fresh)
    for table, entries in loaded.index.items():
        if len(entries) and len(common := lookup(pools, since, table, entries.keys)):
            shown = ", ".join(str(key) for key in common.keys[:3].tolist())
            raise PublishConflict(f"it brought keys of {table} too ({shown}...)")
    if not set(loaded.retired) <= {part.part_id for part in newest.parts}:
        raise PublishConflict("it replaced parts that this one replaces")
