"""Parts between shards: a frozen table copied as it is, in one transaction with its bookkeeping row.

The bytes go out of one server into the other by COPY BINARY. What came in is read back before the
commit, and its digest must be that of what went out: a copy is equal or is not there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from typing import IO, Any

from procedures.parts import CountMismatch, write_row
from schema.catalog import Table
from schema.ddl import create_part, drop_part, index_part, part_tables, qualified, quote
from schema.errors import StoreError
from schema.manifest import Part, PartId
from schema.names import PARTS_SCHEMA

_COPY_BYTES = 1 << 20
_SETTINGS = (
    "SET LOCAL statement_timeout = 0; SET LOCAL synchronize_seqscans = off;"
    " SET LOCAL max_parallel_maintenance_workers = 0; SET LOCAL lock_timeout = '60s'"
)
"""A scan that begins where another one is would give the rows in another order."""
_LOCK_SPACE = 0x5359


class CopyMismatch(StoreError):
    """A table reads back otherwise than it was copied."""

    code = "COPY_MISMATCH"

    def __init__(self, name: str) -> None:
        super().__init__(f"table {name} reads back otherwise than it was copied; it was not kept")
        self.name = name


@dataclass(frozen=True, slots=True)
class Published:
    """A published part as a shard's books have it, and the snapshots from which and until which it is."""

    catalog: str
    part: Part
    table: Table
    snapshots: tuple[int, int | None]


def copy_part(source: Any, target: Any, published: Published) -> int:
    """Copy a part from one shard to another; what the other had of it is replaced.

    Both are psycopg2 connections; the target's transaction is committed. Gives the size of the new
    tables with indexes, bytes. Locks: the part on the target, and its tables where there were any.
    """
    part = published.part
    model = published.table.at(part.schema_version)
    names = part_tables(part, model)
    expected = {part.own_name: part.rows, part.overlap_name: part.overlap_rows}
    with source.cursor() as reading, target.cursor() as cursor:
        reading.execute(_SETTINGS)
        cursor.execute(_SETTINGS)
        lock_part(cursor, part.part_id)
        cursor.execute("; ".join([*drop_part(part), *create_part(part, model)]))
        for name in names:
            columns = stored_columns(source, name)
            rows = _copy_table(reading, cursor, name, columns)
            if rows != expected[name]:
                raise CountMismatch(name, rows, expected[name])
        cursor.execute("; ".join(index_part(part, model)))
        size = book_part(cursor, published)
    target.commit()
    return size


def book_part(cursor: Any, published: Published) -> int:
    """Write a shard's record of a part anew, in the open transaction; the size of its tables, bytes."""
    part = published.part
    names = part_tables(part, published.table)
    cursor.execute("DELETE FROM skyshard.part WHERE part_id = %s", (part.part_id,))
    size = write_row(cursor, published.catalog, part, names)
    cursor.execute(
        "UPDATE skyshard.part SET from_snapshot = %s, to_snapshot = %s WHERE part_id = %s",
        (*published.snapshots, part.part_id),
    )
    return size


def lock_part(cursor: Any, part_id: PartId) -> None:
    """Have a part on a shard for oneself until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_LOCK_SPACE, part_id % 2**31))


def stored_columns(connection: Any, name: str) -> list[str]:
    """The columns that a part table has, in their order; none where there is no such table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s)"
            " AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            (f"{PARTS_SCHEMA}.{name}",),
        )
        return [row[0] for row in cursor.fetchall()]


def _copy_table(reading: Any, cursor: Any, name: str, columns: Sequence[str]) -> int:
    """Copy one table's rows and compare what came; their number."""
    listed = ", ".join(quote(column) for column in columns)
    out = f"COPY {qualified(name)} ({listed}) TO STDOUT (FORMAT BINARY)"
    into = f"COPY {qualified(name)} ({listed}) FROM STDIN (FORMAT BINARY, FREEZE)"
    outlet, inlet = os.pipe()
    with ThreadPoolExecutor(1, thread_name_prefix="copy") as threads:
        with os.fdopen(outlet, "rb", buffering=0) as stream:
            passing = _Digested(stream)
            sending = threads.submit(_send, reading, out, inlet)
            cursor.copy_expert(into, passing, _COPY_BYTES)
        # A source that broke off looks like a short stream: it says so here, before any commit.
        sending.result()
    rows = int(cursor.rowcount)
    kept = _Digest()
    cursor.copy_expert(out, kept, _COPY_BYTES)
    if kept.digest != passing.digest:
        raise CopyMismatch(name)
    return rows


def _send(cursor: Any, statement: str, inlet: int) -> None:
    """Write a table into a pipe, and close it."""
    with os.fdopen(inlet, "wb") as stream:
        cursor.copy_expert(statement, stream, _COPY_BYTES)


class _Digest:
    """A file that keeps only the digest of what is written into it."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=16)

    @property
    def digest(self) -> bytes:
        return self._hash.digest()

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self._hash.update(data)
        return len(data)


class _Digested(_Digest):
    """A stream, and the digest of what was read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end."""
        piece = self._stream.read(size)
        self._hash.update(piece)
        return piece
