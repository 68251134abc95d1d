"""Publish: the one coordinator transaction that makes an ingest visible, whole, on all shards.

Under the catalog's lock it compares with what was published since the ingest read the manifest:
another tiling, a key of ours in somebody else's new part of a director index, or children and their
director that move past each other, are conflicts, and the ingest may be tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from loaders.staging.known import primary_keys
from loaders.staging.unique import repeated, shown
from procedures.director_index import KeyMap, lookup
from procedures.ingests import Repeated, find_repeated
from procedures.manifests import (
    lock_catalog,
    publish_ingest,
    read_manifest,
    record_parts,
    split_chunk,
    write_tiling,
)
from procedures.pools import Pools
from procedures.snapshots import changes_since
from schema.catalog import Table
from schema.errors import InputError, Unavailable
from schema.healpix import Pixel
from schema.manifest import IngestId, Manifest, Part, PartId, PartKind


class PublishConflict(Unavailable):
    """Another ingest was published meanwhile and has to do with this one; try again."""

    code = "PUBLISH_CONFLICT"

    def __init__(self, reason: str) -> None:
        super().__init__(f"another ingest was published meanwhile: {reason}; ingest again")


class AlreadyIngested(InputError):
    """A file's content is in its table already, or comes twice; its rows would be doubled."""

    code = "ALREADY_INGESTED"

    def __init__(self, catalog: str, found: Repeated, ingest_id: IngestId) -> None:
        before = "" if found.before == found.source else f" as {found.before}"
        how = (
            "this ingest has it twice"
            if found.ingest_id == ingest_id
            else (f"ingest {found.ingest_id} brought it")
        )
        super().__init__(
            f"{found.source} was ingested into {catalog}.{found.table} before: {how}{before}, and its"
            " rows would be doubled; --again takes it all the same"
        )
        self.before = found.ingest_id


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """An ingest ready to be published: what it was made from and what it adds."""

    ingest_id: IngestId
    base: Manifest
    """The snapshot that its keys were checked against."""
    parts: tuple[Part, ...]
    chunks: tuple[Pixel, ...]
    index: Mapping[str, KeyMap]
    retired: tuple[PartId, ...] = ()
    children: frozenset[str] = frozenset()
    """The catalog's tables whose rows lie with those of another table."""
    matches: tuple[tuple[str, str], ...] = ()
    """The catalog's match tables, each with its second director."""
    unique: tuple[Table, ...] = ()
    """The catalog's replicated tables that have a primary key."""
    has_rehomed: bool = False
    """Whether it brings directors of published orphans."""
    splits: tuple[Pixel, ...] = ()
    """Chunks that are in `chunks` in pieces."""
    is_again: bool = False
    """Whether content that was ingested before may come again."""


def publish(connection: Any, pools: Pools, loaded: Loaded) -> int:
    """Publish in the open transaction of a coordinator's connection; the new snapshot."""
    name = loaded.base.catalog
    newest = loaded.base
    # The lock comes first: rows that refer to the catalog would share it, and two publishes that
    # share it wait for each other.
    snapshot = lock_catalog(connection, name)
    if snapshot != newest.snapshot:
        newest = read_manifest(connection, name, snapshot)
        _check(connection, pools, loaded, newest)
    if not loaded.is_again:
        check_new(connection, name, loaded.ingest_id)
    if loaded.chunks and not newest.chunks:
        write_tiling(connection, name, loaded.chunks)
    for chunk in loaded.splits:
        finer = [one for one in loaded.chunks if chunk.contains(one)]
        split_chunk(connection, name, chunk, finer)
    record_parts(connection, name, loaded.parts)
    return publish_ingest(connection, name, loaded.ingest_id, loaded.retired)


def check_new(connection: Any, catalog_name: str, ingest_id: IngestId) -> None:
    """Raise AlreadyIngested where a staged ingest has content that its table has, or has it twice."""
    found = find_repeated(connection, ingest_id)
    if found is not None:
        raise AlreadyIngested(catalog_name, found, ingest_id)


def _check(connection: Any, pools: Pools, loaded: Loaded, newest: Manifest) -> None:
    """Raise PublishConflict unless the snapshots since have nothing to do with this ingest."""
    is_first = not any(part.kind is PartKind.ROWS for part in loaded.base.parts)
    if is_first and newest.chunks and loaded.chunks and newest.chunks != loaded.chunks:
        raise PublishConflict("it chose the chunks")
    for chunk in loaded.splits:
        if chunk not in newest.chunks:
            raise PublishConflict(f"it split chunk {chunk.order}/{chunk.number}, as this one does")
    known = {part.part_id for part in loaded.base.parts}
    changes = changes_since(connection, newest.catalog, loaded.base.snapshot)
    fresh = tuple(
        part
        for part in newest.parts
        if part.part_id not in known and not changes.ingests.isdisjoint(part.ingests)
    )
    since = Manifest(newest.catalog, newest.snapshot, newest.chunks, fresh)
    for table, entries in loaded.index.items():
        if len(entries) and len(common := lookup(pools, since, table, entries.keys)):
            shown = ", ".join(str(key) for key in common.keys[:3].tolist())
            raise PublishConflict(f"it brought keys of {table} too ({shown}...)")
    for model in loaded.unique:
        _check_unique(pools, model, loaded.parts, fresh)
    own, others = _tables_of(loaded.parts), _tables_of(fresh)
    for match, second in loaded.matches:
        if (match in own and second in others) or (second in own and match in others):
            raise PublishConflict(f"how far rows of {second} lie from their {match} changed")
    left = {part.part_id for part in newest.parts}
    if not set(loaded.retired) <= left:
        raise PublishConflict("it replaced parts that this one replaces")
    if not known.isdisjoint(changes.moved) and _has_children(loaded, loaded.parts):
        raise PublishConflict("it moved children to directors that this one's may belong to")
    if loaded.has_rehomed and _has_children(loaded, fresh):
        raise PublishConflict("it brought children that may belong to this one's directors")


def _check_unique(pools: Pools, table: Table, own: Iterable[Part], fresh: Iterable[Part]) -> None:
    """Raise PublishConflict where new parts of a replicated table have keys of ours."""
    ours, others = ([one for one in parts if one.table == table.name] for parts in (own, fresh))
    if not ours or not others:
        return
    keys = primary_keys(pools, ours, table)
    taken = np.flatnonzero(repeated(keys, primary_keys(pools, others, table)).is_taken)
    if len(taken):
        raise PublishConflict(f"it brought keys of {table.name} too ({shown(keys, taken)}...)")


def _tables_of(parts: Iterable[Part]) -> set[str]:
    """The partitioned tables that parts hold rows of."""
    return {part.table for part in parts if part.kind is PartKind.ROWS}


def _has_children(loaded: Loaded, parts: Iterable[Part]) -> bool:
    """Whether parts have rows that lie with their director."""
    return any(part.kind is PartKind.ROWS and part.table in loaded.children for part in parts)
