"""Ingests on the coordinator: their rows, contributions and events.

Every call takes an open psycopg2 connection to the coordinator and leaves the transaction to its
caller, so that a change of state and its event are one commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extras import Json, execute_values

from schema.errors import UsageError
from schema.manifest import IngestId

_PAGE = 1000


class UnknownIngest(UsageError):
    """There is no ingest of that number."""

    code = "UNKNOWN_INGEST"

    def __init__(self, ingest_id: int) -> None:
        super().__init__(f"there is no ingest {ingest_id}; see `skyshard ingest list`")
        self.ingest_id = ingest_id


@dataclass(frozen=True, slots=True)
class IngestRow:
    """An ingest as the coordinator has it. `lease_left_s` is negative where the lease has lapsed."""

    ingest_id: IngestId
    catalog: str
    state: str
    label: str | None
    options: Mapping[str, Any]
    snapshot: int | None
    """The snapshot that it was planned against; None before."""
    plan: Mapping[str, Any] | None
    rows: int | None
    rejects: int | None
    error: str | None
    started_at: datetime
    finished_at: datetime | None
    lease_owner: str | None
    lease_left_s: float
    kind: str = "ingest"
    """What it is: an ingest, or a compaction or retraction, which are numbered alike."""


@dataclass(frozen=True, slots=True)
class ContributionRow:
    """What the coordinator keeps of one input file; counts are None until it is staged."""

    number: int
    table: str
    source: str
    sha256: str | None = None
    rows: int | None = None
    rejects: int | None = None
    state: str = "waiting"
    attempts: int = 0
    error: str | None = None
    piece: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    size_bytes: int | None = None
    warnings: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an ingest."""

    at: datetime
    kind: str
    message: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A contribution whose content was given before, by an ingest that is published or the same one."""

    source: str
    table: str
    before: str
    """The file that brought the same content."""
    ingest_id: IngestId
    number: int = -1
    """The contribution's own."""


def begin_ingest(
    connection: Connection,
    catalog_name: str,
    state: str,
    *,
    label: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> IngestId:
    """Write down a new ingest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO skyshard.ingest (catalog_id, state, label, options)"
            " SELECT catalog_id, %s, %s, %s FROM skyshard.catalog WHERE name = %s"
            " RETURNING ingest_id",
            (state, label, Json(dict(options or {})), catalog_name),
        )
        row = cursor.fetchone()
        assert row is not None, f"catalog {catalog_name} vanished"
        return IngestId(row[0])


def read_ingest(connection: Connection, ingest_id: int, *, is_locked: bool = False) -> IngestRow:
    """An ingest's row, locked until the transaction ends if wanted. Raises UnknownIngest."""
    lock = " FOR NO KEY UPDATE OF ingest" if is_locked else ""
    with connection.cursor() as cursor:
        cursor.execute(f"{_INGESTS} WHERE ingest.ingest_id = %s{lock}", (ingest_id,))
        row = cursor.fetchone()
    if row is None:
        raise UnknownIngest(ingest_id)
    return _ingest(row)


def list_ingests(
    connection: Connection, catalog_name: str | None = None, *, limit: int = 100
) -> list[IngestRow]:
    """The newest ingests, of one catalog or of all, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_INGESTS} WHERE %s IS NULL OR lower(catalog.name) = lower(%s)"
            " ORDER BY ingest.ingest_id DESC LIMIT %s",
            (catalog_name, catalog_name, limit),
        )
        return [_ingest(row) for row in cursor]


def find_open(connection: Connection, catalog_name: str, label: str) -> IngestRow | None:
    """The newest ingest of that label that has not ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_INGESTS} WHERE catalog.name = %s AND ingest.label = %s"
            " AND ingest.finished_at IS NULL ORDER BY ingest.ingest_id DESC LIMIT 1",
            (catalog_name, label),
        )
        row = cursor.fetchone()
        return None if row is None else _ingest(row)


_INGESTS = """
SELECT ingest.ingest_id, catalog.name, ingest.state, ingest.label, ingest.options,
       ingest.snapshot, ingest.plan, ingest.rows, ingest.rejects, ingest.error,
       ingest.started_at, ingest.finished_at, ingest.lease_owner,
       coalesce(extract(epoch FROM ingest.lease_until - clock_timestamp()), 0)::float8,
       ingest.kind
FROM skyshard.ingest
JOIN skyshard.catalog USING (catalog_id)
"""


def _ingest(row: Sequence[Any]) -> IngestRow:
    return IngestRow(IngestId(row[0]), *row[1:])


def change_state(
    connection: Connection, ingest_id: IngestId, state: str, *, error: str | None = None
) -> None:
    """Write down how far an ingest has come; `error` is why it stopped there, if it did."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET state = %s, error = %s, finished_at = NULL"
            " WHERE ingest_id = %s",
            (state, error, ingest_id),
        )


def change_options(connection: Connection, ingest_id: IngestId, **options: object) -> None:
    """Set some of an ingest's options."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET options = options || %s WHERE ingest_id = %s",
            (Json(options), ingest_id),
        )


def end_ingest(
    connection: Connection,
    ingest_id: IngestId,
    state: str,
    *,
    counts: tuple[int, int],
) -> None:
    """Close the row of an ingest that ends well; `counts` are its published and its rejected rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET state = %s, rows = %s, rejects = %s, error = NULL,"
            " finished_at = clock_timestamp() WHERE ingest_id = %s",
            (state, *counts, ingest_id),
        )


def give_up_ingest(connection: Connection, ingest_id: IngestId, state: str, error: str) -> bool:
    """Close an ingest's row as failed or aborted; False, and nothing changes, where it is published.

    Waits for a publish of it whose commit is under way.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET state = %s, error = %s, finished_at = clock_timestamp()"
            " WHERE ingest_id = %s AND state NOT IN ('published', 'retracted')",
            (state, error, ingest_id),
        )
        if cursor.rowcount:
            return True
        cursor.execute("SELECT 1 FROM skyshard.ingest WHERE ingest_id = %s", (ingest_id,))
        return cursor.fetchone() is None


def published_snapshot(connection: Connection, ingest_id: IngestId) -> int | None:
    """The snapshot that an ingest made; None where it is not published."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT snapshot FROM skyshard.snapshot WHERE ingest_id = %s", (ingest_id,))
        row = cursor.fetchone()
        return None if row is None else int(row[0])


# ------------------------------------------------------------------ contributions


def add_contributions(
    connection: Connection, ingest_id: IngestId, sources: Sequence[ContributionRow]
) -> None:
    """Write down input files of an ingest, by their numbers."""
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO skyshard.contribution (ingest_id, number, table_name, source, piece,"
            " options, bytes) VALUES %s",
            [
                (
                    ingest_id,
                    s.number,
                    s.table,
                    s.source,
                    s.piece,
                    Json(dict(s.options)),
                    s.size_bytes,
                )
                for s in sources
            ],
            page_size=_PAGE,
        )


def read_contributions(connection: Connection, ingest_id: IngestId) -> list[ContributionRow]:
    """An ingest's input files, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, table_name, source, sha256, rows, rejects, state, attempts, error,"
            " piece, options, bytes, warnings, seconds"
            " FROM skyshard.contribution WHERE ingest_id = %s ORDER BY number",
            (ingest_id,),
        )
        return [_contribution(row) for row in cursor]


def _contribution(row: Sequence[Any]) -> ContributionRow:
    *first, warnings, seconds = row
    known: list[Any] = [*first, tuple(warnings), seconds]
    return ContributionRow(*known)


def record_contribution(
    connection: Connection, ingest_id: IngestId, found: ContributionRow
) -> None:
    """Write down what an attempt at a contribution came to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.contribution SET sha256 = %s, rows = %s, rejects = %s, state = %s,"
            " attempts = %s, error = %s, bytes = %s, warnings = %s, seconds = %s"
            " WHERE ingest_id = %s AND number = %s",
            (
                found.sha256,
                found.rows,
                found.rejects,
                found.state,
                found.attempts,
                found.error,
                found.size_bytes,
                Json(list(found.warnings)),
                found.seconds,
                ingest_id,
                found.number,
            ),
        )


def change_contributions(
    connection: Connection, ingest_id: IngestId, before: str, after: str
) -> int:
    """Put the contributions of one state into another; how many there were.

    Their files may be others than before.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.contribution SET state = %s, sha256 = NULL"
            " WHERE ingest_id = %s AND state = %s",
            (after, ingest_id, before),
        )
        return int(cursor.rowcount)


def ignore_contribution(connection: Connection, ingest_id: IngestId, number: int) -> None:
    """Leave a contribution out: its content is in its table already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.contribution SET state = 'ignored'"
            " WHERE ingest_id = %s AND number = %s",
            (ingest_id, number),
        )


def find_repeated(connection: Connection, ingest_id: IngestId) -> Repeated | None:
    """The first contribution of an ingest that its table holds already, or that it has twice."""
    with connection.cursor() as cursor:
        cursor.execute(_REPEATED, (ingest_id,))
        row = cursor.fetchone()
        return None if row is None else Repeated(*row)


_REPEATED = """
SELECT mine.source, mine.table_name, other.source, other.ingest_id, mine.number
FROM skyshard.contribution AS mine
JOIN skyshard.ingest AS my_ingest USING (ingest_id)
JOIN skyshard.contribution AS other
  ON other.sha256 = mine.sha256 AND other.table_name = mine.table_name
JOIN skyshard.ingest AS other_ingest ON other_ingest.ingest_id = other.ingest_id
WHERE mine.ingest_id = %s
  AND mine.rows > 0
  AND (mine.piece IS NULL OR other.piece IS NULL
       OR mine.piece::int8range && other.piece::int8range)
  AND mine.state <> 'ignored'
  AND other.state <> 'ignored'
  AND other_ingest.catalog_id = my_ingest.catalog_id
  AND (other_ingest.state = 'published' AND other.ingest_id <> mine.ingest_id
       OR other.ingest_id = mine.ingest_id AND other.number < mine.number)
ORDER BY mine.number, other.ingest_id, other.number
LIMIT 1
"""


# ------------------------------------------------------------------ events


def log_event(
    connection: Connection,
    ingest_id: IngestId,
    kind: str,
    message: str = "",
    **facts: object,
) -> None:
    """Write down something that happened to an ingest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO skyshard.ingest_event (ingest_id, kind, message, facts)"
            " VALUES (%s, %s, %s, %s)",
            (ingest_id, kind, message, Json(facts)),
        )


def read_events(connection: Connection, ingest_id: IngestId, *, limit: int = 50) -> list[Event]:
    """The newest events of an ingest, the oldest of them first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at, kind, message, facts FROM skyshard.ingest_event WHERE ingest_id = %s"
            " ORDER BY event_id DESC LIMIT %s",
            (ingest_id, limit),
        )
        return [Event(*row) for row in cursor.fetchall()[::-1]]
