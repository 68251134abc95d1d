"""The catalogs on the coordinator: created, listed, found, dropped.

Every call takes an open psycopg2 connection and leaves the transaction to its caller, but for
`drop_parts`, which commits batch by batch: a server's lock table holds so many tables, not more.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extras import Json

from procedures.families import ask_order, forget_family
from procedures.rights_version import touch
from schema import ddl
from schema.catalog import Catalog, Kind
from schema.catalog_json import from_json, to_json
from schema.errors import CatalogError
from schema.manifest import PartId
from schema.names import check_catalog_name, check_distinct, check_name, hint
from schema.topology import ShardId

DROP_BATCH = 200
"""Parts dropped in one transaction: about 1,200 locks with indexes and TOAST."""


class CatalogExists(CatalogError):
    """A catalog of that name, in whatever case, is there already."""

    code = "CATALOG_EXISTS"

    def __init__(self, name: str) -> None:
        super().__init__(f"catalog {name!r} exists already; drop it first or choose another name")
        self.name = name


class UnknownCatalog(CatalogError):
    """No catalog has that name."""

    code = "UNKNOWN_CATALOG"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        suggestion = hint(name, known) or (f"; there are {', '.join(known)}" if known else "")
        super().__init__(f"no catalog {name!r}{suggestion}")
        self.name = name


def create_catalog(connection: Connection, catalog: Catalog, *, is_public: bool = True) -> None:
    """Store a new, empty catalog; where it is not public, only administrators see it.

    Raises
    ------
    CatalogExists
        There is one of that name in any case.
    InvalidName
        Its name, or that of a table or column, cannot be stored.
    PlacementOrderDiffers
        It names another order than its family is placed at.
    """
    _check_names(catalog)
    with connection.cursor() as cursor:
        kept = catalog.keep_units if catalog.kind is Kind.LIVE else None
        cursor.execute(_CREATE, (catalog.name, catalog.family, Json(to_json(catalog)), kept))
        if cursor.rowcount == 0:
            raise CatalogExists(catalog.name)
        if is_public:
            cursor.execute(_PUBLISH, (catalog.name,))
            touch(cursor)
    if catalog.placement_order is not None:
        ask_order(connection, catalog.family, catalog.placement_order)


def list_catalogs(connection: Connection) -> tuple[Catalog, ...]:
    """All catalogs, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_LIST)
        return tuple(from_json(model) for (model,) in cursor)


def get_catalog(connection: Connection, name: str) -> Catalog:
    """The catalog of that name in any case; `UnknownCatalog` where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_GET, (name,))
        row = cursor.fetchone()
        if row is None:
            raise UnknownCatalog(name, _names(cursor))
    return from_json(row[0])


def drop_catalog(connection: Connection, name: str) -> dict[ShardId, tuple[PartId, ...]]:
    """Forget a catalog, with all that hangs on it; `UnknownCatalog` where there is none.

    Returns
    -------
    dict
        By shard, the parts whose tables and twins the caller shall drop after it has committed.
        Parts of ingests that never were recorded here stand in the shards' own books
        (`parts_of_catalog`).
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, (name,))
        row = cursor.fetchone()
        if row is None:
            raise UnknownCatalog(name, _names(cursor))
        cursor.execute(_REPLICAS, row[:1])
        placed = cursor.fetchall()
        cursor.execute("DELETE FROM skyshard.part WHERE catalog_id = %s", row[:1])
        cursor.execute("DELETE FROM skyshard.catalog WHERE catalog_id = %s", row[:1])
    forget_family(connection, row[1])
    return {
        ShardId(shard_id): tuple(PartId(part_id) for _, part_id in parts)
        for shard_id, parts in groupby(placed, key=lambda pair: pair[0])
    }


def parts_of_catalog(shard_connection: Connection, name: str) -> tuple[PartId, ...]:
    """The parts that a shard holds of a catalog (the model's spelling), published or not."""
    with shard_connection.cursor() as cursor:
        cursor.execute(
            "SELECT part_id FROM skyshard.part WHERE catalog = %s ORDER BY part_id", (name,)
        )
        return tuple(PartId(part_id) for (part_id,) in cursor)


def drop_parts(shard_connection: Connection, part_ids: Sequence[PartId]) -> None:
    """Drop the tables of parts on a shard and their bookkeeping; those that are gone are passed.

    Commits `DROP_BATCH` parts at a time, so it may be cut off and called again. Waits for queries
    that still read a part.
    """
    for start in range(0, len(part_ids), DROP_BATCH):
        batch = part_ids[start : start + DROP_BATCH]
        with shard_connection, shard_connection.cursor() as cursor:
            for statement in ddl.drop_parts(batch):
                cursor.execute(statement)
            cursor.execute("DELETE FROM skyshard.part WHERE part_id = ANY(%s)", (list(batch),))


_CREATE = """
INSERT INTO skyshard.catalog (name, family, model, keep_snapshots)
VALUES (%s, %s, %s, %s)
ON CONFLICT (lower(name)) DO NOTHING
"""

_PUBLISH = """
INSERT INTO skyshard.permission (catalog_id, principal_id)
SELECT catalog_id, principal_id
FROM skyshard.catalog, skyshard.principal
WHERE catalog.name = %s AND principal.name = 'public'
"""

_LIST = """
SELECT model
FROM skyshard.catalog
ORDER BY lower(name)
"""

_GET = """
SELECT model
FROM skyshard.catalog
WHERE lower(name) = lower(%s)
"""

_LOCK = """
SELECT catalog_id, family
FROM skyshard.catalog
WHERE lower(name) = lower(%s)
FOR UPDATE
"""

_REPLICAS = """
SELECT replica.shard_id, part.part_id
FROM skyshard.part
JOIN skyshard.replica USING (part_id)
WHERE part.catalog_id = %s
ORDER BY replica.shard_id, part.part_id
"""


def _names(cursor: Any) -> list[str]:
    """The names of all catalogs."""
    cursor.execute("SELECT name FROM skyshard.catalog ORDER BY lower(name)")
    return [name for (name,) in cursor]


def _check_names(catalog: Catalog) -> None:
    """Refuse names that cannot be stored, or that differ by case only."""
    check_catalog_name(catalog.name)
    check_distinct("table", (table.name for table in catalog.tables), f"catalog {catalog.name}")
    for table in catalog.tables:
        check_name("table", table.name)
        names = [column.name for column in table.columns]
        check_distinct("column", names, f"table {table.name}")
        for name in names:
            check_name("column", name)
