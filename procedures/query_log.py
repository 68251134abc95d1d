"""The log of queries on the coordinator: written in batches by czars, read by users and operators.

Every call takes an open psycopg2 connection and leaves the transaction to its caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extras import execute_values

from schema.errors import CatalogError

RUNNING, LOST = "running", "lost"
LOST_S = 30.0
"""A running query that no czar has told of for so long ended with its czar."""
_PAGE = 500


class UnknownQuery(CatalogError):
    """No query of that id is in the log, for this caller."""

    code = "UNKNOWN_QUERY"

    def __init__(self, query_id: str) -> None:
        super().__init__(f"no query {query_id!r}: see `skyshard queries list`, or GET /queries")


@dataclass(frozen=True, slots=True)
class Logged:
    """One query as it is logged; sizes in bytes of Arrow, NULL while it runs."""

    query_id: str
    user: str
    address: str
    language: str
    text: str
    began_at: datetime
    outcome: str
    code: str | None = None
    elapsed_s: float | None = None
    rows: int | None = None
    size_bytes: int | None = None
    chunks: int | None = None
    trace_id: str | None = None
    czar: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What somebody's queries of the last 24 hours took."""

    rows: int = 0
    size_bytes: int = 0
    seconds: float = 0.0


def write_entries(connection: Connection, entries: Sequence[Logged]) -> None:
    """Write queries down; of one that is there already, what has become of it."""
    rows = [
        (
            one.query_id,
            one.user,
            one.address,
            one.language,
            one.text,
            one.began_at,
            one.outcome,
            one.code,
            one.elapsed_s,
            one.rows,
            one.size_bytes,
            one.chunks,
            one.trace_id,
            one.czar,
        )
        for one in entries
    ]
    with connection.cursor() as cursor:
        execute_values(cursor, _WRITE, rows, page_size=_PAGE)


def cancels_asked(connection: Connection, query_ids: Sequence[str]) -> list[str]:
    """Those of some running queries that somebody asked to end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT query_id::text FROM skyshard.query_log"
            " WHERE query_id = ANY(%s::uuid[]) AND cancel_by IS NOT NULL",
            (list(query_ids),),
        )
        return [row[0] for row in cursor]


def ask_cancel(connection: Connection, query_id: str, by: str, user: str | None) -> Logged:
    """Ask its czar to end a running query of that user (None: whoever's); within two seconds it does.

    Raises UnknownQuery where it is not hers or not in the log.
    """
    found = get_query(connection, query_id, user)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.query_log SET cancel_by = %s WHERE query_id = %s AND outcome = %s",
            (by, found.query_id, RUNNING),
        )
    return found


def get_query(connection: Connection, query_id: str, user: str | None) -> Logged:
    """One query of that user (None: whoever's). Raises UnknownQuery."""
    with connection.cursor() as cursor:
        cursor.execute(_GET, (LOST_S, query_id.strip().lower(), user, user))
        row = cursor.fetchone()
    if row is None:
        raise UnknownQuery(query_id)
    return Logged(*row)


def list_queries(
    connection: Connection,
    user: str | None,
    *,
    limit: int,
    is_running: bool = False,
    before: datetime | None = None,
) -> list[Logged]:
    """One user's queries (None: everybody's), the newest first, at most `limit`."""
    with connection.cursor() as cursor:
        cursor.execute(_LIST, (LOST_S, user, user, is_running, RUNNING, before, before, limit))
        return [Logged(*row) for row in cursor]


def forget_queries(connection: Connection, days: float, most: int) -> int:
    """Delete the oldest queries that began longer ago; how many (at most `most` a call)."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, (days, most))
        deleted: int = cursor.rowcount
        return deleted


def read_usage(connection: Connection, user: str, address: str | None) -> Usage:
    """What a user's queries of the last 24 hours took; of one address where it is given."""
    with connection.cursor() as cursor:
        cursor.execute(_USAGE, (user, address, address))
        row: tuple[Any, ...] | None = cursor.fetchone()
    assert row is not None
    return Usage(int(row[0]), int(row[1]), float(row[2]))


_WRITE = """
INSERT INTO skyshard.query_log
  (query_id, user_name, address, language, text, began_at, outcome, code, elapsed_s, rows, bytes,
   chunks, trace_id, czar)
VALUES %s
ON CONFLICT (query_id) DO UPDATE
SET outcome = EXCLUDED.outcome, code = EXCLUDED.code, elapsed_s = EXCLUDED.elapsed_s,
    rows = EXCLUDED.rows, bytes = EXCLUDED.bytes, chunks = EXCLUDED.chunks,
    seen_at = clock_timestamp()
"""

_SHOWN = """
SELECT query_id::text, user_name, address, language, text, began_at,
       CASE WHEN outcome = 'running' AND seen_at < clock_timestamp() - %s * interval '1 second'
            THEN 'lost' ELSE outcome END,
       code, elapsed_s, rows, bytes, chunks, trace_id, czar
FROM skyshard.query_log
"""

_GET = f"""{_SHOWN}
WHERE query_id::text = %s AND (%s::text IS NULL OR user_name = %s)
"""

_LIST = f"""{_SHOWN}
WHERE (%s::text IS NULL OR user_name = %s)
  AND (NOT %s OR outcome = %s)
  AND (%s::timestamptz IS NULL OR began_at < %s)
ORDER BY began_at DESC, query_id DESC
LIMIT %s
"""

_FORGET = """
DELETE FROM skyshard.query_log
WHERE query_id IN (
  SELECT query_id
  FROM skyshard.query_log
  WHERE began_at < clock_timestamp() - %s * interval '1 day'
  ORDER BY began_at
  LIMIT %s
)
"""

_USAGE = """
SELECT coalesce(sum(rows), 0), coalesce(sum(bytes), 0), coalesce(sum(elapsed_s), 0)
FROM skyshard.query_log
WHERE user_name = %s
  AND (%s::text IS NULL OR address = %s)
  AND began_at > clock_timestamp() - interval '1 day'
"""
