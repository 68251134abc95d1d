"""What an ingest goes into: the catalog, its newest snapshot, the shards; and whether it may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loaders.staging.stage import Contribution, Staged, count_directors
from procedures.catalogs import get_catalog
from procedures.families import settle_family
from procedures.manifests import current_snapshots, read_manifest
from procedures.pools import Pools
from procedures.repairs import family_of
from schema.catalog import Catalog, Kind, Table
from schema.errors import InputError
from schema.manifest import Manifest
from schema.names import hint
from schema.placement import Family, balanced_order, order_for
from schema.topology import Topology

UNNAMED_ROWS = 1_000_000
"""A table that the layout does not name is replicated; with more rows it needs a line there."""
_REPLICAS = 2
"""Copies of a chunk where the catalog does not say and there are as many shards."""


class UnknownTable(InputError):
    """The catalog has no table of that name."""

    code = "UNKNOWN_TABLE"

    def __init__(self, name: str, catalog: Catalog) -> None:
        suggestion = hint(name, [table.name for table in catalog.tables])
        super().__init__(f"catalog {catalog.name!r} has no table {name!r}{suggestion}")
        self.name = name


class UnnamedTableGrew(InputError):
    """A table that the layout does not name would grow too large to lie on every shard."""

    code = "UNNAMED_TABLE_GREW"

    def __init__(self, table: str, rows: int) -> None:
        super().__init__(
            f"table {table} would have {rows} rows; above {UNNAMED_ROWS} the layout must name its"
            " role"
        )
        self.table, self.rows = table, rows


class NotSupportedYet(InputError):
    """The layout asks for what an ingest cannot do yet."""

    code = "NOT_SUPPORTED_YET"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: ingests do not support that yet, and nothing was changed")


class NotARelease(InputError):
    """Live catalogs are changed by units of work, not by ingests."""

    code = "NOT_A_RELEASE"

    def __init__(self, catalog: str) -> None:
        super().__init__(
            f"the layout of {catalog} says `kind: live`: write with `skyshard unit write {catalog}"
            " TABLE=FILE`; nothing was changed"
        )


@dataclass(frozen=True, slots=True)
class Target:
    """A catalog as an ingest found it. `manifest` is the snapshot that keys are checked against."""

    catalog: Catalog
    manifest: Manifest
    tables: tuple[Table, ...]
    """The table of each contribution."""
    topology: Topology
    replicas: int
    family: Family
    """As it is placed; as it would be over these shards, where that is not settled yet."""


def open_target(
    pools: Pools, catalog_name: str, contributions: Sequence[Contribution], topology: Topology
) -> Target:
    """Find the catalog and the contributions' tables.

    Raises UnknownCatalog, UnknownTable, NotARelease, NotSupportedYet.
    """
    with pools.coordinator() as connection:
        catalog = get_catalog(connection, catalog_name)
        snapshot = current_snapshots(connection)[catalog.name]
        manifest = read_manifest(connection, catalog.name, snapshot)
        family = family_of(connection, catalog.family)
        connection.rollback()
    tables = tuple(_table(catalog, contribution.table) for contribution in contributions)
    if catalog.kind is Kind.LIVE:
        raise NotARelease(catalog.name)
    for table in tables:
        if table.keep_unplaced:
            raise NotSupportedYet(f"the layout of {table.name} says `unplaced: keep`")
    takers = sum(shard.weight > 0 for shard in topology.shards)
    replicas = catalog.replicas or min(_REPLICAS, takers)
    family = family or Family(catalog.family, order_for(topology.shards))
    return Target(catalog, manifest, tables, topology, replicas, family)


def settle_placement(pools: Pools, target: Target, staged: Sequence[Staged]) -> Target:
    """The target with its family's order settled: by its layout, else by where its first rows lie."""
    density = count_directors(staged)
    if density is None or target.manifest.chunks:
        return target
    name, shards = target.catalog.family, target.topology.shards
    wanted = target.catalog.placement_order or balanced_order(
        name, density, shards=shards, replicas=target.replicas
    )
    with pools.coordinator() as connection:
        family = settle_family(connection, name, wanted)
        connection.commit()
    return replace(target, family=family)


def check_growth(target: Target, staged: Sequence[Staged]) -> None:
    """Raise UnnamedTableGrew where an unnamed table would come to hold too many rows."""
    rows: dict[str, int] = {}
    for contribution in staged:
        table = contribution.task.table
        if not table.is_named:
            before = rows.get(table.name, target.manifest.rows_of(table.name))
            rows[table.name] = before + contribution.rows
    for name, count in rows.items():
        if count > UNNAMED_ROWS:
            raise UnnamedTableGrew(name, count)


def _table(catalog: Catalog, name: str) -> Table:
    table = catalog.table(name)
    if table is None:
        raise UnknownTable(name, catalog)
    return table
