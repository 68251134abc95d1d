"""Families on the coordinator: the order at which each one's chunks are placed, settled once.

It is settled by the first ingest into one of its catalogs, from the shards and the rows that there are
then, or by the first catalog that names an order; it goes with the family's last catalog.
"""

from __future__ import annotations

from psycopg2.extensions import connection as Connection  # noqa: N812

from schema.errors import CatalogError
from schema.placement import Family


class PlacementOrderDiffers(CatalogError):
    """A layout asks for another order than its family is placed at."""

    code = "PLACEMENT_ORDER_DIFFERS"

    def __init__(self, family: Family, wanted: int) -> None:
        super().__init__(
            f"family {family.name!r} is placed at order {family.order}, and the layout says"
            f" `placement_order: {wanted}`; leave that out, or name another family"
        )
        self.family, self.wanted = family, wanted


def settle_family(connection: Connection, name: str, wanted: int) -> Family:
    """The family of that name; a new one is placed at order `wanted` from now on.

    Locks its row until the caller's transaction ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, (name, wanted))
        row = cursor.fetchone()
        assert row is not None, "an upsert without a row"
        return Family(name, row[0])


def ask_order(connection: Connection, name: str, wanted: int) -> None:
    """Place a family at an order; PlacementOrderDiffers where it is at another one."""
    family = settle_family(connection, name, wanted)
    if family.order != wanted:
        raise PlacementOrderDiffers(family, wanted)


def forget_family(connection: Connection, name: str) -> None:
    """Forget how a family is placed, unless a catalog is left in it."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, (name, name))


_SETTLE = """
INSERT INTO skyshard.family AS known (name, placement_order)
VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET placement_order = known.placement_order
RETURNING placement_order
"""

_FORGET = """
DELETE FROM skyshard.family
WHERE name = %s
  AND NOT EXISTS (SELECT FROM skyshard.catalog WHERE catalog.family = %s)
"""
