"""Part tables on a shard: filled and indexed with their bookkeeping row in one transaction.

A commit costs fsyncs, so small parts share one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
from psycopg2.extensions import connection as Connection  # noqa: N812

from schema.catalog import HEALPIX_29, Table
from schema.ddl import INDEX_COLUMNS, create_part, index_part, qualified, quote
from schema.errors import StoreError
from schema.healpix import MAX_ORDER
from schema.manifest import IngestId, Part, PartId, PartKind

_COPY_BYTES = 1 << 20
_SETTINGS = "SET LOCAL statement_timeout = 0; SET LOCAL max_parallel_maintenance_workers = 0"
"""Parts are loaded several at a time: a second process for each index would only cost its start."""


class Readable(Protocol):
    """A stream of COPY BINARY."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        ...


class CountMismatch(StoreError):
    """A shard took another number of rows than were sent."""

    code = "COUNT_MISMATCH"

    def __init__(self, name: str, found: int, expected: int) -> None:
        super().__init__(f"table {name} took {found} rows, {expected} were sent")
        self.name = name


@dataclass(frozen=True, slots=True)
class PartCopy:
    """A part to be written, and a stream for each of its tables by name."""

    part: Part
    table: Table
    streams: Mapping[str, Readable]


def write_parts(connection: Connection, catalog: str, copies: Sequence[PartCopy]) -> list[int]:
    """Create, fill and index parts' tables and write down what they hold, in one transaction.

    The counts must be those of the parts. Gives the size of each part's tables with indexes, in
    bytes. Locks: only the new tables.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
        sizes = [_write_part(cursor, catalog, copy) for copy in copies]
    connection.commit()
    return sizes


def _write_part(cursor: Any, catalog: str, copy: PartCopy) -> int:
    part = copy.part
    expected = {part.own_name: part.rows, part.overlap_name: part.overlap_rows}
    cursor.execute("; ".join(create_part(part, copy.table)))
    for name, stream in copy.streams.items():
        # FREEZE: the rows are visible and frozen at once, as the tables are new.
        statement = f"COPY {qualified(name)} FROM STDIN (FORMAT BINARY, FREEZE)"
        cursor.copy_expert(statement, stream, _COPY_BYTES)
        if cursor.rowcount != expected[name]:
            raise CountMismatch(name, cursor.rowcount, expected[name])
    cursor.execute("; ".join(index_part(part, copy.table)))
    return write_row(cursor, catalog, part, list(copy.streams))


def write_row(cursor: Any, catalog: str, part: Part, names: Sequence[str]) -> int:
    """The shard's own record of a part, from which a manifest can be rebuilt.

    Gives the size of the named tables with their indexes, bytes.
    """
    pixel = part.pixel
    sizes = " + ".join(["pg_total_relation_size(%s::regclass)"] * len(names))
    cursor.execute(
        "INSERT INTO skyshard.part (part_id, catalog, table_name, kind, pixel_order, pixel, bucket,"
        " ingest_id, rows, overlap_rows, checksum, separation_arcsec, low_29, high_29, statistics,"
        " schema_version, merged, size_bytes)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,"
        f" {sizes})"
        " RETURNING size_bytes",
        (
            part.part_id,
            catalog,
            part.table,
            str(part.kind),
            None if pixel is None else pixel.order,
            None if pixel is None else pixel.number,
            part.bucket,
            part.ingest_id,
            part.rows,
            part.overlap_rows,
            part.checksum,
            part.separation_arcsec,
            part.low_29,
            part.high_29,
            part.statistics or None,
            part.schema_version,
            list(part.merged) or None,
            *(qualified(name) for name in names),
        ),
    )
    return int(cursor.fetchone()[0])


def held_parts(
    connection: Connection, ingest_id: IngestId, part_ids: Sequence[PartId]
) -> list[PartId]:
    """Those of an ingest's parts that a shard holds; another's part with such an id is not one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT part_id FROM skyshard.part WHERE part_id = ANY(%s) AND ingest_id = %s",
            (list(part_ids), ingest_id),
        )
        return [PartId(row[0]) for row in cursor.fetchall()]


def part_columns(part: Part, table: Table) -> list[str]:
    """The stored columns of a part's tables, in their order."""
    is_index = part.kind is PartKind.INDEX
    columns = INDEX_COLUMNS if is_index else table.at(part.schema_version).stored_columns()
    return [column.name for column in columns]


def read_part(connection: Any, name: str, columns: Sequence[str]) -> pa.Table:
    """The rows of one part table by an ADBC connection."""
    listed = ", ".join(quote(column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {listed} FROM {qualified(name)}")
        return cursor.fetch_arrow_table()


def count_pixels(connection: Connection, name: str, order: int) -> list[tuple[int, int]]:
    """How many rows of a part table lie in each pixel of an order, by their own positions."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {quote(HEALPIX_29)} >> %s, count(*) FROM {qualified(name)}"
            f" WHERE {quote(HEALPIX_29)} IS NOT NULL GROUP BY 1 ORDER BY 1",
            (2 * (MAX_ORDER - order),),
        )
        return list(cursor)
