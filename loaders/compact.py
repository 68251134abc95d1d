"""Compaction: the parts of a table in one chunk become one, so that few tables hold many ingests.

Answers before and after are equal; older snapshots are read as they were until they are dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from loaders.rewrite import Base, Group, Rewrite, RewriteReport, open_base, rewrite
from procedures.pools import Pools
from schema.catalog import Catalog
from schema.healpix import Pixel
from schema.manifest import Manifest, Part, PartId, PartKind
from schema.topology import Topology

MOST_PARTS = 4
"""A table has at most so many parts in one chunk, or in one bucket of its index."""
Place = tuple[str, PartKind, Pixel | None, int | None]


def compact(
    pools: Pools, catalog_name: str, topology: Topology, *, most: int = 1, workers: int = 2
) -> RewriteReport | None:
    """Merge the parts of every place that has more than `most`; None where there is none."""
    base = open_base(pools, catalog_name, topology)
    return _compacted(base, groups_above(base.catalog, base.manifest, most), workers=workers)


def make_room(
    pools: Pools,
    catalog_name: str,
    topology: Topology,
    coming: Iterable[Part],
    *,
    leaving: Collection[PartId] = (),
) -> RewriteReport | None:
    """Compact where parts about to be published would be more than MOST_PARTS with those there are.

    Parts that the publish replaces (`leaving`) are left alone.
    """
    count: dict[Place, int] = {}
    for part in coming:
        count[place_of(part)] = count.get(place_of(part), 0) + 1
    base = open_base(pools, catalog_name, topology)
    groups = [
        group
        for group in groups_above(base.catalog, base.manifest, 1, leaving=leaving)
        if len(group.parts) + count.get(place_of(group.parts[0]), 0) > MOST_PARTS
        and place_of(group.parts[0]) in count
    ]
    return _compacted(base, groups, workers=2)


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


def _compacted(base: Base, groups: list[Group], *, workers: int) -> RewriteReport | None:
    if not groups:
        return None
    return rewrite(base, Rewrite("compaction", tuple(groups)), workers=workers)
