"""Who writes parts on a shard: one at a time for each part, and nobody whose lease another one took.

A writer shares its ingest's lock on the shard while it writes, and looks at the lease after it has it. Who
takes an ingest over has the lease first and then the lock for himself once: writers that looked before
have ended then, and those that look later find that the lease is lost. A task that is begun twice, as
its first worker was taken for dead, waits for the other and finds what that one wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812

from schema.manifest import IngestId, PartId

_INGESTS, _PARTS = 0x534B5901, 0x534B5902
"""Spaces of the advisory locks; ids beyond 2**31 share locks, which costs only time."""


@contextmanager
def writing(connection: Connection, ingest_id: IngestId, part_id: PartId) -> Iterator[None]:
    """Nobody else writes the part meanwhile; over any number of transactions."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_lock_shared(%s, %s), pg_advisory_lock(%s, %s)",
                (_INGESTS, ingest_id % 2**31, _PARTS, part_id % 2**31),
            )
        connection.commit()
        yield
    finally:
        with suppress(psycopg2.Error):  # a connection that broke has lost its locks
            connection.rollback()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock_all()")
            connection.commit()


def wait_for_writers(connection: Connection, ingest_id: IngestId) -> None:
    """Wait until those have ended on a shard who wrote an ingest's parts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_INGESTS, ingest_id % 2**31))
    connection.commit()
