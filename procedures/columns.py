"""Columns added to a catalog that has rows: a new version of its model, and a snapshot that has it.

No part changes: those there are have the version that they were written by, and read as NULL.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from psycopg2.extras import Json

from procedures.snapshots import drop_surplus
from schema.catalog import Catalog, Column, Kind
from schema.catalog_json import from_json, to_json
from schema.errors import CatalogError
from schema.names import check_distinct, check_name, hint


class ColumnRefused(CatalogError):
    """A column cannot be added to a table."""

    code = "COLUMN_REFUSED"


def add_column(connection: Any, catalog_name: str, table_name: str, column: Column) -> int:
    """Add a column to a table of a catalog (names in any case); the snapshot that has it first.

    Raises ColumnRefused, InvalidName. Locks the catalog's row: publishers wait.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, (catalog_name,))
        row = cursor.fetchone()
        if row is None:
            raise ColumnRefused(f"no catalog {catalog_name!r}")
        catalog_id, snapshot, model = row
        wider = _wider(from_json(model), table_name, column)
        newest = snapshot + 1 if snapshot else 0
        cursor.execute(
            "UPDATE skyshard.catalog SET model = %s, snapshot = %s WHERE catalog_id = %s",
            (Json(to_json(wider)), newest, catalog_id),
        )
        if newest:
            cursor.execute(
                "INSERT INTO skyshard.snapshot (catalog_id, snapshot, kind, version)"
                " VALUES (%s, %s, 'column', %s)",
                (catalog_id, newest, wider.version),
            )
            drop_surplus(cursor, catalog_id)
    return newest


def _wider(catalog: Catalog, table_name: str, column: Column) -> Catalog:
    """The catalog with the column; checked."""
    table = catalog.table(table_name)
    if table is None:
        known = [one.name for one in catalog.tables]
        raise ColumnRefused(
            f"catalog {catalog.name} has no table {table_name!r}{hint(table_name, known)}"
        )
    if catalog.kind is Kind.LIVE:
        raise ColumnRefused(
            f"{catalog.name} is a live catalog: its tables have the columns of its model"
        )
    if not column.nullable:
        raise ColumnRefused(f"{column.name}: a column that is added later is NULL in older rows")
    check_name("column", column.name)
    names = [one.name for one in (*table.columns, column)]
    check_distinct("column", names, f"table {table.name}")
    return catalog.with_column(table, replace(column, nullable=True))


_LOCK = """
SELECT catalog_id, snapshot, model
FROM skyshard.catalog
WHERE lower(name) = lower(%s)
FOR NO KEY UPDATE
"""
