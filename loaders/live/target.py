"""What a unit changes: a live catalog, its shards, and where its parts lie."""

from __future__ import annotations

from dataclasses import dataclass

from procedures.catalogs import get_catalog
from procedures.families import settle_family
from procedures.pools import Pools
from schema.catalog import Catalog, Kind, Table
from schema.errors import UsageError
from schema.healpix import MAX_ORDER, Pixel
from schema.live_parts import LivePlace, bounds_of_slice
from schema.manifest import PartKind
from schema.names import hint
from schema.placement import Family, order_for, place, place_bucket
from schema.topology import ShardId, Topology

_REPLICAS = 2
"""Copies of a chunk where the catalog does not say and there are as many shards."""


class NotLive(UsageError):
    """Units change live catalogs only; a release is changed by ingests."""

    code = "NOT_LIVE"

    def __init__(self, catalog: str) -> None:
        super().__init__(
            f"catalog {catalog} is a release: load it with `skyshard ingest`; units of work change"
            " catalogs whose layout says `kind: live`"
        )


class UnknownLiveTable(UsageError):
    """A live catalog has no table of that name."""

    code = "UNKNOWN_TABLE"


@dataclass(frozen=True, slots=True)
class LiveTarget:
    """A live catalog over the shards of a cluster."""

    catalog: Catalog
    topology: Topology
    family: Family
    replicas: int
    chunk_order: int

    def table(self, name: str) -> Table:
        """A table of the catalog, in any case. Raises UnknownLiveTable."""
        found = self.catalog.table(name)
        if found is None:
            known = [table.name for table in self.catalog.tables]
            raise UnknownLiveTable(
                f"catalog {self.catalog.name!r} has no table {name!r}{hint(name, known)}"
            )
        return found

    def chunk(self, number: int) -> Pixel:
        """A chunk by its number."""
        return Pixel(self.chunk_order, number)

    @property
    def shift(self) -> int:
        """An order-29 pixel's bits below its chunk's number."""
        return 2 * (MAX_ORDER - self.chunk_order)

    def new_part(self, at: LivePlace) -> tuple[tuple[ShardId, ...], str]:
        """The shards of a part that is not there yet, and what is known of its times."""
        shards = self.topology.shards
        match at.kind:
            case PartKind.WHOLE:
                chosen = tuple(shard.shard_id for shard in shards)
            case PartKind.INDEX:
                assert at.bucket is not None
                chosen = place_bucket(
                    at.bucket, family=self.family, shards=shards, replicas=self.replicas
                )
            case PartKind.ROWS:
                assert at.pixel is not None
                chosen = place(at.pixel, family=self.family, shards=shards, replicas=self.replicas)
        return chosen, bounds_of_slice(self.table(at.table), at.time_slice)


def open_live(pools: Pools, topology: Topology, catalog_name: str) -> LiveTarget:
    """A live catalog (named in any case); its family's order is settled now at the latest.

    Raises UnknownCatalog, NotLive, TooFewShards, Unavailable.
    """
    with pools.coordinator() as connection:
        catalog = get_catalog(connection, catalog_name)
        if catalog.kind is not Kind.LIVE:
            raise NotLive(catalog.name)
        wanted = catalog.placement_order or order_for(topology.shards)
        family = settle_family(connection, catalog.family, wanted)
        connection.commit()
    takers = sum(shard.weight > 0 for shard in topology.shards)
    replicas = catalog.replicas or min(_REPLICAS, takers)
    return LiveTarget(catalog, topology, family, replicas, max(catalog.chunk_order, family.order))
