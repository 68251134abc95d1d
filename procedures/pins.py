"""What a query pins: the newest snapshot of every catalog, by one cheap statement.

A catalog that is dropped and made again has another id, so that nothing cached of the old one can be
taken for the new one's.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2.extensions import connection as Connection  # noqa: N812

from schema.catalog import Catalog
from schema.catalog_json import from_json


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """One version of one catalog; snapshot 0 holds nothing."""

    name: str
    catalog_id: int
    version: int
    snapshot: int
    placement: int = 0
    """Grows whenever published copies are added or removed."""


def current_pins(connection: Connection) -> tuple[Pin, ...]:
    """The newest version of every catalog, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_PINS)
        return tuple(Pin(*row) for row in cursor)


def current_state(connection: Connection) -> tuple[int, tuple[Pin, ...]]:
    """The version of the rights, and the newest version of every catalog, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        rows = cursor.fetchall()
    version = rows[0][0] if rows else 0
    return version, tuple(Pin(*row[1:]) for row in rows if row[1] is not None)


def pinned_catalog(connection: Connection, pin: Pin) -> Catalog | None:
    """The model of a pinned catalog at its version; None where it was dropped meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(_MODEL, (pin.catalog_id,))
        row = cursor.fetchone()
    return None if row is None else from_json(row[0]).at(pin.version)


_PINS = """
SELECT name, catalog_id, version, snapshot, placement
FROM skyshard.catalog
ORDER BY name
"""

_STATE = """
SELECT rights.version, name, catalog_id, catalog.version, snapshot, placement
FROM skyshard.rights
LEFT JOIN skyshard.catalog ON true
ORDER BY name
"""

_MODEL = """
SELECT model
FROM skyshard.catalog
WHERE catalog_id = %s
"""
