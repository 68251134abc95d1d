"""The parts that an ingest is to load, on the coordinator; and what shards hold of them.

A plan is written once, before the first part: a restart compares it with the shards' own books.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extras import Json, execute_values

from schema.healpix import Pixel
from schema.manifest import IngestId, Part, PartId, PartKind
from schema.topology import ShardId

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A part to be, by its place and its counts."""

    part_id: PartId
    table: str
    kind: PartKind
    pixel: Pixel | None
    bucket: int | None
    rows: int
    overlap_rows: int
    shards: tuple[ShardId, ...]
    is_loaded: bool = False
    """Whether it was on all its shards once; the shards' books say whether it still is."""
    loaded_at: datetime | None = None


def write_plan(
    connection: Connection,
    ingest_id: IngestId,
    parts: Sequence[PlannedPart],
    *,
    snapshot: int,
    facts: Mapping[str, object],
) -> None:
    """Write down an ingest's parts, and the snapshot that its keys were checked against."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET snapshot = %s, plan = %s WHERE ingest_id = %s",
            (snapshot, Json(dict(facts)), ingest_id),
        )
        execute_values(
            cursor,
            "INSERT INTO skyshard.planned_part (part_id, ingest_id, table_name, kind, pixel_order,"
            " pixel, bucket, rows, overlap_rows, shards) VALUES %s",
            [_planned_row(ingest_id, part) for part in parts],
            page_size=_PAGE,
        )


def _planned_row(ingest_id: IngestId, part: PlannedPart) -> tuple[object, ...]:
    pixel = part.pixel
    return (
        part.part_id,
        ingest_id,
        part.table,
        str(part.kind),
        None if pixel is None else pixel.order,
        None if pixel is None else pixel.number,
        part.bucket,
        part.rows,
        part.overlap_rows,
        list(part.shards),
    )


def read_plan(connection: Connection, ingest_id: IngestId) -> list[PlannedPart]:
    """An ingest's parts, by their ids; none where it is not planned, or has ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT part_id, table_name, kind, pixel_order, pixel, bucket, rows, overlap_rows,"
            " shards, state = 'loaded', loaded_at FROM skyshard.planned_part WHERE ingest_id = %s"
            " ORDER BY part_id",
            (ingest_id,),
        )
        return [_planned(row) for row in cursor]


def _planned(row: Sequence[Any]) -> PlannedPart:
    return PlannedPart(
        part_id=PartId(row[0]),
        table=row[1],
        kind=PartKind(row[2]),
        pixel=None if row[4] is None else Pixel(row[3], row[4]),
        bucket=row[5],
        rows=row[6],
        overlap_rows=row[7],
        shards=tuple(ShardId(shard) for shard in row[8]),
        is_loaded=row[9],
        loaded_at=row[10],
    )


def published_parts(connection: Connection, ingest_id: IngestId) -> list[PlannedPart]:
    """The parts that an ingest published, by their ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT part_id, table_name, kind, pixel_order, pixel, bucket, rows, overlap_rows,"
            " coalesce(array_agg(shard_id) FILTER (WHERE shard_id IS NOT NULL), '{}'), true, NULL"
            " FROM skyshard.part LEFT JOIN skyshard.replica USING (part_id)"
            " WHERE ingest_id = %s AND from_snapshot IS NOT NULL GROUP BY part.part_id"
            " ORDER BY part_id",
            (ingest_id,),
        )
        return [_planned(row) for row in cursor]


def mark_loaded(connection: Connection, part_ids: Sequence[PartId]) -> None:
    """Write down that parts are on all their shards: what `status` counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.planned_part SET state = 'loaded', loaded_at = clock_timestamp()"
            " WHERE part_id = ANY(%s)",
            (list(part_ids),),
        )


def forget_plan(connection: Connection, ingest_id: IngestId) -> None:
    """Remove an ingest's plan and its parts that are not published, once no shard has them."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM skyshard.planned_part WHERE ingest_id = %s", (ingest_id,))
        cursor.execute(
            "DELETE FROM skyshard.part WHERE ingest_id = %s AND from_snapshot IS NULL",
            (ingest_id,),
        )
        cursor.execute(
            "UPDATE skyshard.ingest SET plan = NULL, snapshot = NULL WHERE ingest_id = %s"
            " AND state <> 'published'",
            (ingest_id,),
        )


def plans_to_collect(connection: Connection, is_gone: Callable[[str], bool]) -> list[IngestId]:
    """Ingests that ended without being published, and whose parts may still be somewhere.

    Nobody works on them: their lease is given back, has lapsed, or its owner `is_gone`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ingest_id, lease_owner, lease_owner IS NULL OR lease_until < clock_timestamp()"
            " FROM skyshard.ingest WHERE state IN ('failed', 'aborted')"
            " AND EXISTS (SELECT 1 FROM skyshard.planned_part AS p"
            " WHERE p.ingest_id = ingest.ingest_id) ORDER BY ingest_id"
        )
        return [IngestId(row[0]) for row in cursor if row[2] or is_gone(row[1])]


def parts_on_shard(
    connection: Connection, ingest_id: IngestId, part_ids: Sequence[PartId]
) -> dict[PartId, Part]:
    """What a shard's own books say of an ingest's parts; `replicas` is empty."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT part_id, table_name, kind, pixel_order, pixel, bucket, rows, overlap_rows,"
            " size_bytes, checksum::text, separation_arcsec, low_29, high_29, statistics::text,"
            " schema_version, merged FROM skyshard.part WHERE part_id = ANY(%s) AND ingest_id = %s",
            (list(part_ids), ingest_id),
        )
        return {PartId(row[0]): _held(row, ingest_id) for row in cursor}


def _held(row: Sequence[Any], ingest_id: IngestId) -> Part:
    return Part(
        part_id=PartId(row[0]),
        table=row[1],
        kind=PartKind(row[2]),
        pixel=None if row[4] is None else Pixel(row[3], row[4]),
        bucket=row[5],
        ingest_id=ingest_id,
        rows=row[6],
        overlap_rows=row[7],
        size_bytes=row[8],
        checksum=int(row[9]),
        separation_arcsec=row[10],
        low_29=row[11],
        high_29=row[12],
        statistics=row[13] or "",
        schema_version=row[14],
        merged=tuple(IngestId(one) for one in row[15] or ()),
    )
