"""Compaction: the parts of a table in one chunk become one, so that few tables hold many ingests.

Answers before and after are equal; older snapshots are read as they were until they are dropped.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection

from loaders.parts.degraded import Patience
from loaders.parts.publish import Loaded, PublishConflict
from loaders.rewrites.rewrite import Group, Rewrite, RewriteReport, open_base, rewrite
from procedures.pools import Pools
from schema.catalog import Catalog
from schema.errors import StoreError
from schema.healpix import Pixel
from schema.manifest import Manifest, Part, PartId, PartKind
from schema.topology import Topology

MOST_PARTS = 4
"""A table has at most so many parts in one chunk, or in one bucket of its index."""
_ATTEMPTS = 3
_log = logging.getLogger(__name__)
Place = tuple[str, PartKind, Pixel | None, int | None]


def compact(
    pools: Pools, catalog_name: str, topology: Topology, *, most: int = 1, workers: int = 2
) -> RewriteReport | None:
    """Merge the parts of every place that has more than `most`; None where there is none."""
    base = open_base(pools, catalog_name, topology)
    groups = groups_above(base.catalog, base.manifest, most)
    if not groups:
        return None
    return rewrite(base, Rewrite("compaction", tuple(groups)), workers=workers)


def make_room(pools: Pools, topology: Topology, loaded: Loaded, patience: Patience) -> bool:
    """Compact where an ingest's parts would make more than MOST_PARTS in a place, before it is published.

    Parts that it replaces are left alone. False where they cannot be compacted, as one of them is
    damaged everywhere: that does not keep the ingest back. Raises Unavailable where a shard is away and
    `patience` does not do without it.
    """
    for _ in range(_ATTEMPTS):
        base = open_base(pools, loaded.base.catalog, topology)
        crowded = _crowded(base.manifest, loaded)
        groups = [
            group
            for group in groups_above(base.catalog, base.manifest, 1, leaving=loaded.retired)
            if place_of(group.parts[0]) in crowded
        ]
        if not groups:
            break
        try:
            rewrite(base, Rewrite("compaction", tuple(groups)), patience=patience)
        except PublishConflict:
            continue  # others made room, or filled it
        except StoreError as error:
            fields = {"catalog": base.catalog.name, "reason": str(error)}
            _log.warning("not compacted before a publish", extra=fields)
            return False
    return True


def _crowded(manifest: Manifest, loaded: Loaded) -> set[Place]:
    """The places that would have too many parts with those of an ingest."""
    leaving = set(loaded.retired)
    count = Counter(place_of(part) for part in loaded.parts)
    count.update(
        place
        for part in manifest.parts
        if part.part_id not in leaving and (place := place_of(part)) in count
    )
    return {place for place, parts in count.items() if parts > MOST_PARTS}


def groups_above(
    catalog: Catalog, manifest: Manifest, most: int, *, leaving: Collection[PartId] = ()
) -> list[Group]:
    """The places with more than `most` parts, the largest first. Pure."""
    found: dict[Place, list[Part]] = {}
    for part in manifest.parts:
        if part.part_id not in leaving:
            found.setdefault(place_of(part), []).append(part)
    groups = []
    for (name, kind, pixel, bucket), parts in found.items():
        table = catalog.table(name)
        assert table is not None, f"{name} vanished"
        if len(parts) > most:
            groups.append(Group(table, kind, pixel, bucket, tuple(parts)))
    return sorted(groups, key=lambda group: -group.rows)


def place_of(part: Part) -> Place:
    """What parts have in common that compaction makes one."""
    return part.table, part.kind, part.pixel, part.bucket
