"""What a shard has of parts: its books, its tables, their indexes. For who compares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schema.ddl import qualified, quote
from schema.manifest import PartId
from schema.names import PARTS_SCHEMA


@dataclass(frozen=True, slots=True)
class Booked:
    """A shard's own record of a part; `age_s` says how long ago it was written, seconds."""

    part_id: PartId
    catalog: str
    ingest_id: int
    rows: int
    overlap_rows: int
    checksum: int
    is_published: bool
    age_s: float


@dataclass(frozen=True, slots=True)
class Inventory:
    """A shard's records by part, and the tables in its schema of parts."""

    booked: Mapping[PartId, Booked]
    tables: frozenset[str]


def take_inventory(connection: Any) -> Inventory:
    """What a shard has, as of one moment; not what is written and not committed yet."""
    with connection.cursor() as cursor:
        cursor.execute(_BOOKED)
        rows = [_booked(row) for row in cursor]
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s)::oid"
            " AND relkind = 'r'",
            (PARTS_SCHEMA,),
        )
        return Inventory({row.part_id: row for row in rows}, frozenset(r[0] for r in cursor))


def _booked(row: Sequence[Any]) -> Booked:
    part_id, catalog, ingest_id, rows, overlap_rows, checksum, is_published, age_s = row
    return Booked(
        part_id=PartId(part_id),
        catalog=catalog,
        ingest_id=ingest_id,
        rows=rows,
        overlap_rows=overlap_rows,
        checksum=int(checksum),
        is_published=is_published,
        age_s=float(age_s),
    )


def drop_tables(connection: Any, names: Sequence[str]) -> None:
    """Drop tables of no part that the shard's books know; commits each."""
    for name in names:
        with connection, connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {qualified(name)}")


def indexed_columns(connection: Any, name: str) -> set[tuple[str, ...]]:
    """The columns of each valid index of a part table."""
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES, (qualified(name),))
        return {tuple(row[0]) for row in cursor}


def bounds(connection: Any, name: str, column: str) -> tuple[int | None, int | None]:
    """The least and the greatest value of a part table's column, read from the rows themselves."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off")
        cursor.execute(f"SELECT min({quote(column)}), max({quote(column)}) FROM {qualified(name)}")
        low, high = cursor.fetchone()
        return low, high


_BOOKED = """
SELECT part_id, catalog, ingest_id, rows, overlap_rows, checksum::text, from_snapshot IS NOT NULL,
       extract(epoch FROM clock_timestamp() - created_at)
FROM skyshard.part
"""

_INDEXES = """
SELECT array_agg(pg_attribute.attname::text ORDER BY pg_attribute.attnum)
FROM pg_index
JOIN pg_attribute ON pg_attribute.attrelid = pg_index.indexrelid
WHERE pg_index.indrelid = to_regclass(%s) AND pg_index.indisvalid AND pg_index.indisready
GROUP BY pg_index.indexrelid
"""
