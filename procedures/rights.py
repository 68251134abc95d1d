"""Permissions on the coordinator: read with their version, granted, revoked, listed.

Every call takes an open psycopg2 connection and leaves the transaction to its caller. Each change
makes the version grow (`touch`), which every query reads with its pins: so it holds from the next
query on, in every czar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812

from procedures.catalogs import get_catalog
from procedures.rights_version import touch
from schema.catalog import Catalog, Table
from schema.errors import CatalogError
from schema.names import hint
from schema.rights import Permission, Rights


class UnknownTableOfCatalog(CatalogError):
    """The catalog has no such table."""

    code = "UNKNOWN_TABLE"

    def __init__(self, catalog: Catalog, table: str) -> None:
        names = [one.name for one in catalog.tables]
        super().__init__(f"catalog {catalog.name} has no table {table!r}{hint(table, names)}")


class UnknownPrincipal(CatalogError):
    """No user and no group has that name."""

    code = "UNKNOWN_PRINCIPAL"

    def __init__(self, name: str, kind: str = "user or group") -> None:
        super().__init__(f"no {kind} {name!r}: see `skyshard user list` and `skyshard group list`")


class NotGranted(CatalogError):
    """What shall be revoked was not granted."""

    code = "NOT_GRANTED"


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission as it is told; `table` None: the whole catalog."""

    catalog: str
    table: str | None
    grantee: str
    from_time: datetime | None
    granted_at: datetime


def read_rights(connection: Connection) -> Rights:
    """All that stands in the books now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(version) FROM skyshard.rights")
        version = cursor.fetchone()[0] or 0
        cursor.execute(_PERMISSIONS)
        permissions = tuple(Permission(row[0], row[1] or None, *row[2:]) for row in cursor)
        cursor.execute(_GROUPS)
        groups = {name: frozenset(found) for name, found in cursor}
        cursor.execute("SELECT name, quota FROM skyshard.principal WHERE quota <> '{}'")
        return Rights(version, permissions, groups, dict(cursor.fetchall()))


def list_grants(connection: Connection, catalog: str | None = None) -> list[Grant]:
    """The permissions of one catalog, or all."""
    with connection.cursor() as cursor:
        cursor.execute(_LIST, (catalog, catalog))
        return [Grant(row[0], row[1] or None, *row[2:]) for row in cursor]


def grant(
    connection: Connection, place: str, grantee: str, *, from_time: datetime | None = None
) -> None:
    """Let a user or a group read CATALOG or CATALOG.TABLE, from that time on.

    Again replaces the time. Raises UnknownCatalog, UnknownTableOfCatalog, UnknownPrincipal.
    """
    catalog, table = _found(connection, place)
    with connection.cursor() as cursor:
        principal_id = _principal_id(cursor, grantee)
        name = "" if table is None else table.name
        cursor.execute(_GRANT, (name, principal_id, from_time, catalog.name))
        touch(cursor)


def revoke(connection: Connection, place: str, grantee: str) -> None:
    """Take a permission back; of one table of a catalog that was granted whole, the rest stays.

    Raises NotGranted where there was none, and as `grant`.
    """
    catalog, table = _found(connection, place)
    with connection.cursor() as cursor:
        principal_id = _principal_id(cursor, grantee)
        if table is None:
            cursor.execute(_REVOKE_ALL, (principal_id, catalog.name))
            is_gone = cursor.rowcount > 0
        else:
            others = [one.name for one in catalog.tables if one is not table]
            is_gone = _revoke_table(cursor, (catalog.name, principal_id), table.name, others)
        if not is_gone:
            raise NotGranted(f"{grantee} was not granted {place}: see `skyshard grants`")
        touch(cursor)


def _revoke_table(cursor: Any, holder: tuple[str, int], table: str, others: list[str]) -> bool:
    """Whether she had the table; the whole catalog becomes the other tables, at its time."""
    catalog, principal_id = holder
    cursor.execute(_REVOKE_ONE, (table, principal_id, catalog))
    is_gone: bool = cursor.rowcount > 0
    cursor.execute(_REVOKE_ONE, ("", principal_id, catalog))
    row = cursor.fetchone() if cursor.rowcount else None
    if row is None:
        return is_gone
    for name in others:
        cursor.execute(_KEEP, (name, principal_id, row[0], catalog))
    return True


def _found(connection: Connection, place: str) -> tuple[Catalog, Table | None]:
    """The catalog, and the table where one is named, in any case."""
    name, _, table_name = place.partition(".")
    catalog = get_catalog(connection, name)
    if not table_name:
        return catalog, None
    table = catalog.table(table_name)
    if table is None:
        raise UnknownTableOfCatalog(catalog, table_name)
    return catalog, table


def _principal_id(cursor: Any, name: str) -> int:
    cursor.execute("SELECT principal_id FROM skyshard.principal WHERE name = lower(%s)", (name,))
    row = cursor.fetchone()
    if row is None:
        raise UnknownPrincipal(name)
    return int(row[0])


_PERMISSIONS = """
SELECT permission.catalog_id, permission.table_name, principal.name, permission.from_time
FROM skyshard.permission
JOIN skyshard.principal USING (principal_id)
"""

_GROUPS = """
SELECT principal.name, array_agg(of_it.name)
FROM skyshard.membership
JOIN skyshard.principal ON principal.principal_id = membership.user_id
JOIN skyshard.principal AS of_it ON of_it.principal_id = membership.group_id
GROUP BY principal.name
"""

_LIST = """
SELECT catalog.name, permission.table_name, principal.name, permission.from_time,
       permission.granted_at
FROM skyshard.permission
JOIN skyshard.catalog USING (catalog_id)
JOIN skyshard.principal USING (principal_id)
WHERE %s::text IS NULL OR lower(catalog.name) = lower(%s)
ORDER BY lower(catalog.name), permission.table_name, principal.name
"""

_GRANT = """
INSERT INTO skyshard.permission (catalog_id, table_name, principal_id, from_time)
SELECT catalog_id, %s, %s, %s
FROM skyshard.catalog
WHERE name = %s
ON CONFLICT (catalog_id, table_name, principal_id) DO UPDATE
SET from_time = EXCLUDED.from_time, granted_at = clock_timestamp()
"""

_KEEP = """
INSERT INTO skyshard.permission (catalog_id, table_name, principal_id, from_time)
SELECT catalog_id, %s, %s, %s
FROM skyshard.catalog
WHERE name = %s
ON CONFLICT (catalog_id, table_name, principal_id) DO NOTHING
"""

_REVOKE_ALL = """
DELETE FROM skyshard.permission
USING skyshard.catalog
WHERE permission.catalog_id = catalog.catalog_id
  AND permission.principal_id = %s AND catalog.name = %s
"""

_REVOKE_ONE = """
DELETE FROM skyshard.permission
USING skyshard.catalog
WHERE permission.catalog_id = catalog.catalog_id
  AND permission.table_name = %s AND permission.principal_id = %s AND catalog.name = %s
RETURNING permission.from_time
"""
