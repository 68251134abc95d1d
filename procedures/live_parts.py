"""Live parts on the coordinator: read for a manifest, made where a unit wants to write.

Every call takes an open psycopg2 connection to the coordinator and leaves the transaction to its
caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg2.extras import execute_values

from schema.healpix import Pixel
from schema.live_parts import LivePart, LivePlace
from schema.manifest import Part, PartId, PartKind
from schema.topology import ShardId
from schema.units import Seen, UnitId


def seen_at(connection: Any, catalog_id: int, snapshot: int) -> Seen:
    """The units of a catalog that are committed at a snapshot."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, (catalog_id, snapshot, catalog_id, snapshot))
        high, without = cursor.fetchone()
        return Seen(high, tuple(without))


def manifest_parts(connection: Any, catalog_name: str, snapshot: int) -> tuple[Part, ...]:
    """The live parts of a snapshot, with the units that it holds; none of a release catalog's."""
    with connection.cursor() as cursor:
        cursor.execute(_AT, (catalog_name, snapshot, snapshot))
        rows = cursor.fetchall()
    if not rows:
        return ()
    seen = seen_at(connection, rows[0][0], snapshot)
    return tuple(_part(row[1:]).seen(seen) for row in rows)


def live_parts(connection: Any, catalog_id: int, tables: Sequence[str]) -> list[LivePart]:
    """The parts of some tables that units may write to, committed or not."""
    with connection.cursor() as cursor:
        cursor.execute(_CURRENT, (catalog_id, list(tables)))
        return [_part(row) for row in cursor]


def every_part(connection: Any, catalog_id: int) -> list[LivePart]:
    """All parts of a catalog, retired ones too."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM skyshard.live_part WHERE catalog_id = %s ORDER BY part_id",
            (catalog_id,),
        )
        return [_part(row) for row in cursor]


def make_parts(
    connection: Any,
    catalog_id: int,
    wanted: Mapping[LivePlace, tuple[tuple[ShardId, ...], str]],
) -> None:
    """Write down parts at places that have none; `wanted`: their shards and statistics."""
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO skyshard.live_part (catalog_id, table_name, kind, pixel_order, pixel,"
            " bucket, slice, shards, statistics, part_id) VALUES %s ON CONFLICT DO NOTHING",
            [
                (
                    catalog_id,
                    place.table,
                    str(place.kind),
                    None if place.pixel is None else place.pixel.order,
                    None if place.pixel is None else place.pixel.number,
                    place.bucket,
                    place.time_slice,
                    list(shards),
                    statistics or None,
                )
                for place, (shards, statistics) in wanted.items()
            ],
            template=_NEW,
        )


def note_parts(connection: Any, unit_id: UnitId, part_ids: Iterable[PartId]) -> bool:
    """Write down that a unit may write to parts, before it does; False where it is not open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM skyshard.unit WHERE unit_id = %s AND state = 'open' FOR SHARE",
            (unit_id,),
        )
        if cursor.fetchone() is None:
            return False
        execute_values(
            cursor,
            "INSERT INTO skyshard.unit_part (unit_id, part_id) VALUES %s ON CONFLICT DO NOTHING",
            [(unit_id, part_id) for part_id in part_ids],
        )
    return True


def parts_of_unit(connection: Any, unit_id: UnitId) -> list[LivePart]:
    """Where a unit may have written."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_UNIT, (unit_id,))
        return [_part(row) for row in cursor]


def retire_slices(
    connection: Any, catalog_id: int, table: str, before: int, snapshot: int
) -> list[PartId]:
    """Let a table's slices of time before one end with a snapshot; the parts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.live_part SET to_snapshot = %s"
            " WHERE catalog_id = %s AND table_name = %s AND slice < %s AND to_snapshot IS NULL"
            " RETURNING part_id",
            (snapshot, catalog_id, table, before),
        )
        return [PartId(row[0]) for row in cursor]


def has_older_slices(connection: Any, catalog_id: int, table: str, before: int) -> bool:
    """Whether a table has slices of time before one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM skyshard.live_part WHERE catalog_id = %s"
            " AND table_name = %s AND slice < %s AND to_snapshot IS NULL)",
            (catalog_id, table, before),
        )
        return bool(cursor.fetchone()[0])


def retired_parts(connection: Any, catalog_id: int, horizon: int) -> list[LivePart]:
    """Parts that ended at or before a snapshot, which is the oldest that anybody reads."""
    with connection.cursor() as cursor:
        cursor.execute(_RETIRED, (catalog_id, horizon))
        return [_part(row) for row in cursor]


def forget_parts(connection: Any, part_ids: Sequence[PartId]) -> None:
    """Forget parts whose tables are gone."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM skyshard.live_part WHERE part_id = ANY(%s)", (list(part_ids),))


def set_rows(connection: Any, rows: Mapping[PartId, int]) -> None:
    """Write down how many rows parts were counted to hold."""
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            "UPDATE skyshard.live_part SET rows = given.rows FROM (VALUES %s)"
            " AS given (part_id, rows) WHERE live_part.part_id = given.part_id",
            list(rows.items()),
        )


_NEW = """
(%s, %s, %s, %s, %s, %s, %s, %s, %s,
 nextval(pg_get_serial_sequence('skyshard.part', 'part_id')))
"""

_COLUMNS = """
live_part.part_id, live_part.table_name, live_part.kind, live_part.pixel_order, live_part.pixel,
live_part.bucket, live_part.slice, live_part.shards, live_part.rows, live_part.separation_arcsec,
live_part.statistics::text
"""

_SEEN = """
WITH seen AS (
  SELECT coalesce(max(unit_id), 0) AS high
  FROM skyshard.unit
  WHERE catalog_id = %s AND state = 'committed' AND snapshot <= %s
)
SELECT seen.high, coalesce(array_agg(unit.unit_id ORDER BY unit.unit_id)
                           FILTER (WHERE unit.unit_id IS NOT NULL), '{}')
FROM seen
LEFT JOIN skyshard.unit
  ON unit.catalog_id = %s AND unit.unit_id < seen.high AND unit.state <> 'aborted'
 AND (unit.state <> 'committed' OR unit.snapshot > %s)
GROUP BY seen.high
"""

_AT = f"""
SELECT live_part.catalog_id, {_COLUMNS}
FROM skyshard.live_part
JOIN skyshard.catalog USING (catalog_id)
WHERE catalog.name = %s
  AND live_part.from_snapshot <= %s
  AND (live_part.to_snapshot IS NULL OR live_part.to_snapshot > %s)
ORDER BY live_part.part_id
"""

_CURRENT = f"""
SELECT {_COLUMNS}
FROM skyshard.live_part
WHERE catalog_id = %s AND table_name = ANY(%s) AND to_snapshot IS NULL
ORDER BY part_id
"""

_OF_UNIT = f"""
SELECT {_COLUMNS}
FROM skyshard.live_part
JOIN skyshard.unit_part USING (part_id)
WHERE unit_part.unit_id = %s
ORDER BY part_id
"""

_RETIRED = f"""
SELECT {_COLUMNS}
FROM skyshard.live_part
WHERE catalog_id = %s AND to_snapshot <= %s
ORDER BY part_id
"""


def _part(row: Sequence[Any]) -> LivePart:
    part_id, table, kind, order, pixel, bucket, time_slice, shards, rows, apart, statistics = row
    return LivePart(
        part_id=PartId(part_id),
        place=LivePlace(
            table=table,
            kind=PartKind(kind),
            pixel=None if pixel is None else Pixel(order, pixel),
            bucket=bucket,
            time_slice=time_slice,
        ),
        shards=tuple(ShardId(shard) for shard in shards),
        rows=rows,
        separation_arcsec=apart,
        statistics=statistics or "",
    )
