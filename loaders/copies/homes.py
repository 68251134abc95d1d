"""A catalog's published parts, and the shards where copies of them should be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loaders.copies.replicas import Copies
from procedures.catalogs import get_catalog, list_catalogs
from procedures.pools import Pools
from procedures.repairs import family_of, kept_parts
from schema.catalog import Catalog
from schema.manifest import Part, PartId, PartKind
from schema.placement import Family, order_for, place, place_bucket
from schema.topology import ShardId, Topology

USUAL_REPLICAS = 2
"""Copies of a chunk where the catalog does not say and there are as many shards."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A catalog, its parts, and where copies of them should be."""

    copies: Copies
    parts: tuple[Part, ...]
    family: Family

    def wanted(self, part: Part) -> tuple[ShardId, ...]:
        """The shards that should hold a copy and are not known to."""
        shards = self.copies.topology.shards
        held = {replica.shard_id for replica in part.replicas}
        if part.kind is PartKind.WHOLE:
            return tuple(shard.shard_id for shard in shards if shard.shard_id not in held)
        takers = sum(shard.weight > 0 for shard in shards)
        replicas = min(self.copies.catalog.replicas or USUAL_REPLICAS, takers)
        if part.pixel is not None:
            homes = place(part.pixel, family=self.family, shards=shards, replicas=replicas)
        else:
            assert part.bucket is not None, f"part {part.part_id} lies nowhere"
            homes = place_bucket(part.bucket, family=self.family, shards=shards, replicas=replicas)
        lacking = [shard_id for shard_id in homes if shard_id not in held]
        return tuple(lacking[: max(0, replicas - len(held))])


def read_kept(pools: Pools, topology: Topology, catalog_name: str | None) -> list[Kept]:
    """The published parts of one catalog or of all, as the coordinator knows them now."""
    with pools.coordinator() as connection:
        if catalog_name is None:
            catalogs: Sequence[Catalog] = list_catalogs(connection)
        else:
            catalogs = (get_catalog(connection, catalog_name),)
        return [
            Kept(
                Copies(catalog, pools, topology),
                tuple(kept_parts(connection, catalog.name)),
                family_of(connection, catalog.family)
                or Family(catalog.family, order_for(topology.shards)),
            )
            for catalog in catalogs
        ]


def held_by(everything: Iterable[Kept]) -> set[tuple[PartId, ShardId]]:
    """The copies that are, or should be, by the manifest."""
    return {
        (part.part_id, shard_id)
        for kept in everything
        for part in kept.parts
        for shard_id in (*(r.shard_id for r in part.replicas), *kept.wanted(part))
    }
