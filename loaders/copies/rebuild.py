"""The coordinator's manifest rebuilt from the shards: after it was lost, or restored from an old backup.

Each shard was told the catalogs, and has its own record of every part. The newest that any shard was told
is taken; a part belongs to it where some shard knows the snapshot that brought it, or the ingest of
which is in a snapshot. Copies are those that the shards have with one count and one checksum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from loaders.copies.replicas import AWAY
from loaders.parts.twin import twin_path
from procedures.identity import Identity, identity_of, raise_ids, set_cluster
from procedures.manifests import register_shards
from procedures.pools import Pools
from procedures.rebuild import (
    CatalogBook,
    PartBook,
    known_snapshots,
    raise_catalog_ids,
    read_catalog_books,
    read_part_books,
    write_catalog,
    write_parts,
    write_replicas,
)
from schema.errors import StoreError, Unavailable
from schema.manifest import PartKind
from schema.topology import Shard, ShardId, Topology


class BooksDiffer(StoreError):
    """The shards' books contradict each other, or the coordinator's."""

    code = "BOOKS_DIFFER"


@dataclass(frozen=True, slots=True)
class Books:
    """What one shard knows."""

    shard: Shard
    identity: Identity
    catalogs: tuple[CatalogBook, ...]
    parts: tuple[PartBook, ...]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild wrote. `unpublished`: parts that no known snapshot holds; they stay as they are."""

    catalogs: Mapping[str, int]
    """The newest snapshot of each catalog that was written."""
    parts: int
    copies: int
    unpublished: int
    away: tuple[ShardId, ...]


def rebuild_manifest(pools: Pools, topology: Topology, *, is_partial: bool = False) -> Rebuilt:
    """Write the coordinator's books from those of the shards, in one transaction.

    What the coordinator knows better (a later snapshot of a catalog) is left alone. Raises Unavailable
    where a shard is away, unless it is to be done without (`is_partial`): its copies are then made
    anew by a repair. Raises BooksDiffer where the shards are of several clusters.
    """
    books, away = _read(pools, topology)
    if away and not is_partial:
        named = ", ".join(map(str, away))
        raise Unavailable(
            f"shards {named} do not answer; --partial rebuilds without what they know"
        )
    cluster = _cluster(books)
    newest = _newest(books)
    with pools.coordinator() as connection:
        register_shards(connection, {s.shard_id: s.weight for s in topology.shards})
        if cluster is not None:
            set_cluster(connection, cluster)
        known = known_snapshots(connection)
        written = [book for book in newest.values() if _is_news(book, known)]
        parts = copies = unpublished = 0
        for book in written:
            write_catalog(connection, book)
            found = _parts_of(book, books)
            write_parts(connection, book.catalog_id, found.parts, ended=found.ended)
            write_replicas(connection, found.copies)
            parts, copies = parts + len(found.parts), copies + len(found.copies)
            unpublished += found.unpublished
        raise_catalog_ids(connection)
        raise_ids(connection, [one.identity for one in books])
        connection.commit()
    told = {book.name: book.snapshot for book in written}
    return Rebuilt(told, parts, copies, unpublished, tuple(away))


def _read(pools: Pools, topology: Topology) -> tuple[list[Books], list[ShardId]]:
    """What each shard that answers knows, and the others."""

    def ask(shard: Shard) -> Books | ShardId:
        try:
            with pools.shard(shard.shard_id) as connection:
                return Books(
                    shard,
                    identity_of(connection),
                    tuple(read_catalog_books(connection)),
                    tuple(read_part_books(connection)),
                )
        except AWAY:
            return shard.shard_id

    with ThreadPoolExecutor(min(8, len(topology.shards)), thread_name_prefix="books") as threads:
        found = list(threads.map(ask, topology.shards))
    away = [one for one in found if not isinstance(one, Books)]
    return [one for one in found if isinstance(one, Books)], away


def _cluster(books: Sequence[Books]) -> str | None:
    """The cluster that all shards are of; None where they are nobody's."""
    clusters = {one.identity.cluster_id for one in books} - {None}
    if len(clusters) > 1:
        raise BooksDiffer(f"the shards are of several clusters: {', '.join(map(str, clusters))}")
    for one in books:
        if one.identity.shard_id not in (None, one.shard.shard_id):
            raise BooksDiffer(
                f"the dsn of shard {one.shard.shard_id} leads to shard {one.identity.shard_id}"
            )
    return next(iter(clusters), None)


def _newest(books: Sequence[Books]) -> dict[int, CatalogBook]:
    """The newest that any shard was told of each catalog."""
    newest: dict[int, CatalogBook] = {}
    for one in books:
        for book in one.catalogs:
            before = newest.get(book.catalog_id)
            if before is None or book.snapshot > before.snapshot:
                newest[book.catalog_id] = book
    return newest


def _is_news(book: CatalogBook, known: Mapping[str, tuple[int, int]]) -> bool:
    """Whether the coordinator knows less of a catalog. Raises BooksDiffer for another of its name."""
    catalog_id, snapshot = known.get(book.name, (book.catalog_id, -1))
    if catalog_id != book.catalog_id:
        raise BooksDiffer(
            f"the coordinator has another catalog {book.name} than the shards: drop or rename it first"
        )
    return snapshot < book.snapshot


@dataclass(frozen=True, slots=True)
class _Found:
    """The published parts of a catalog, and their copies."""

    parts: tuple[PartBook, ...]
    ended: dict[int, int | None]
    copies: tuple[tuple[int, ShardId, bool], ...]
    unpublished: int


def _parts_of(book: CatalogBook, books: Sequence[Books]) -> _Found:
    """What the shards have of one catalog."""
    told: dict[int, list[tuple[Shard, PartBook]]] = defaultdict(list)
    for one in books:
        for part in one.parts:
            if part.catalog == book.name:
                told[part.part_id].append((one.shard, part))
    published = {part_id: rows for part_id, rows in told.items() if _is_published(rows)}
    return _Found(
        parts=tuple(_best(rows) for rows in published.values()),
        ended={part_id: _ended(rows) for part_id, rows in published.items()},
        copies=tuple(
            (part.part_id, shard.shard_id, _has_twin(shard, part))
            for rows in published.values()
            for shard, part in rows
            if part.facts == _best(rows).facts
        ),
        unpublished=len(told) - len(published),
    )


def _is_published(rows: Sequence[tuple[Shard, PartBook]]) -> bool:
    return any(part.snapshots[0] is not None for _, part in rows)


def _ended(rows: Sequence[tuple[Shard, PartBook]]) -> int | None:
    """The first snapshot without a part, as any shard was told."""
    return max((end for _, part in rows if (end := part.snapshots[1]) is not None), default=None)


def _best(rows: Sequence[tuple[Shard, PartBook]]) -> PartBook:
    """A record of a part that was told its snapshots."""
    return next(part for _, part in rows if part.snapshots[0] is not None)


def _has_twin(shard: Shard, part: PartBook) -> bool:
    """Whether a twin lies beside a copy; a verification says whether it is good."""
    if shard.twins is None or f'"kind":"{PartKind.INDEX}"' in part.fields:
        return False
    return twin_path(shard.twins, f"p{part.part_id}").exists()
