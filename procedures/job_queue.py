"""The queue of asynchronous queries as czars see it: claims, leases, ends. Rows of `skyshard.job`.

Every call takes an open psycopg2 connection to the coordinator and leaves the transaction to its
caller. A job has one owner of its lease at a time. Each claim has the next number of attempt, and what
an attempt writes counts only while the row still names it: a czar that was taken for dead writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extras import Json

from procedures.jobs import CHANNEL, COLUMNS, Job, NewJob, Result, create_job, job_of, tell


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt of a czar at a job: what fences its writes."""

    job_id: str
    attempt: int
    czar_id: str


def claim_job(
    connection: Connection, czar_id: str, *, lease_s: float, most_per_owner: int
) -> Job | None:
    """Take the job whose turn it is; None where none waits that may run.

    Owners with the fewest running jobs come first, then who has waited longest. Claims are taken one
    at a time (a lock until commit), so that no owner runs more than she may.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('skyshard claims', 5))")
        cursor.execute(_CLAIM, {"most": most_per_owner, "czar": czar_id, "lease": lease_s})
        row = cursor.fetchone()
    if row is None:
        return None
    found = job_of(row)
    tell(connection, found.job_id)
    return found


def adopt_job(connection: Connection, new: NewJob, czar_id: str, *, lease_s: float) -> Claim:
    """Keep a query that runs already as a job: its first attempt is this czar's."""
    create_job(connection, new)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.job SET phase = 'EXECUTING', attempt = 1, czar_id = %s,"
            " queued_at = created_at, started_at = created_at,"
            " lease_until = clock_timestamp() + %s * interval '1 second'"
            " WHERE job_id = %s",
            (czar_id, lease_s, new.job_id),
        )
    tell(connection, new.job_id)
    return Claim(new.job_id, 1, czar_id)


def renew_claims(
    connection: Connection,
    czar_id: str,
    progress: Mapping[str, Mapping[str, Any]],
    *,
    lease_s: float,
) -> set[tuple[str, int]]:
    """Keep the jobs whose progress is given, by id, for longer; the (id, attempt) that are the czar's.

    What it runs and is not among them was aborted, deleted, or taken by another.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.job"
            " SET lease_until = clock_timestamp() + %s * interval '1 second',"
            " progress = coalesce(%s::jsonb -> job_id::text, progress)"
            " WHERE czar_id = %s AND phase = 'EXECUTING' AND job_id = ANY(%s::uuid[])"
            " RETURNING job_id::text, attempt",
            (
                lease_s,
                Json({name: dict(one) for name, one in progress.items()}),
                czar_id,
                list(progress),
            ),
        )
        return {(job_id, attempt) for job_id, attempt in cursor}


def complete_job(
    connection: Connection, claim: Claim, result: Result, progress: Mapping[str, Any]
) -> bool:
    """End an attempt with its result; False where the attempt no longer counts. Idempotent."""
    setting = "phase = 'COMPLETED', result = %s, result_bytes = %s, progress = %s, error = NULL"
    values = (Json(asdict(result)), result.size_bytes, Json(dict(progress)))
    return _end(connection, claim, setting, values, "COMPLETED")


def fail_job(
    connection: Connection, claim: Claim, error: Mapping[str, Any], progress: Mapping[str, Any]
) -> bool:
    """End an attempt with an error; as `complete_job`."""
    values = (Json(dict(error)), Json(dict(progress)))
    return _end(connection, claim, "phase = 'ERROR', error = %s, progress = %s", values, "ERROR")


def requeue_lapsed(
    connection: Connection, *, most_attempts: int, error: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """Queue the jobs of czars that are gone, in their old places; those tried too often end with `error`.

    Gives the ids of both.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.job"
            " SET phase = CASE WHEN attempt < %(most)s THEN 'QUEUED' ELSE 'ERROR' END,"
            " error = CASE WHEN attempt < %(most)s THEN NULL ELSE %(error)s::jsonb END,"
            " ended_at = CASE WHEN attempt < %(most)s THEN NULL ELSE clock_timestamp() END,"
            " czar_id = NULL, lease_until = NULL"
            " WHERE phase = 'EXECUTING' AND lease_until < clock_timestamp()"
            " RETURNING job_id::text, phase, pg_notify(%(channel)s, job_id::text)",
            {"most": most_attempts, "error": Json(dict(error)), "channel": CHANNEL},
        )
        ended = [(job_id, phase) for job_id, phase, _ in cursor]
    return (
        [job_id for job_id, phase in ended if phase == "QUEUED"],
        [job_id for job_id, phase in ended if phase == "ERROR"],
    )


def give_back(connection: Connection, czar_id: str) -> int:
    """Queue again what a czar that stops still runs, without counting the attempt; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.job SET phase = 'QUEUED', czar_id = NULL, lease_until = NULL"
            " WHERE czar_id = %s AND phase = 'EXECUTING'"
            " RETURNING pg_notify(%s, job_id::text)",
            (czar_id, CHANNEL),
        )
        return int(cursor.rowcount)


def destroy_due(connection: Connection, *, archive_s: float) -> list[str]:
    """Archive the jobs whose time of destruction has come, and forget those archived long enough ago.

    Gives the ids of the first: their results' files may go.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.job SET phase = 'ARCHIVED', result = NULL, result_bytes = 0,"
            " czar_id = NULL, ended_at = coalesce(ended_at, clock_timestamp())"
            " WHERE phase <> 'ARCHIVED' AND destruction_at < clock_timestamp()"
            " RETURNING job_id::text, pg_notify(%s, job_id::text)",
            (CHANNEL,),
        )
        due = [job_id for job_id, _ in cursor]
        cursor.execute(
            "DELETE FROM skyshard.job WHERE phase = 'ARCHIVED'"
            " AND destruction_at < clock_timestamp() - %s * interval '1 second'",
            (archive_s,),
        )
        return due


def files_wanted(
    connection: Connection, job_ids: Sequence[str]
) -> dict[str, tuple[str, int, str | None]]:
    """Of these ids the jobs that there are: phase, attempt, and the file of the result if there is one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT job_id::text, phase, attempt, result ->> 'file' FROM skyshard.job"
            " WHERE job_id::text = ANY(%s)",
            (list(job_ids),),
        )
        return {job_id: (phase, attempt, file) for job_id, phase, attempt, file in cursor}


def uploads_wanted(connection: Connection) -> set[str]:
    """The UPLOAD parameters of jobs that have not run yet, or run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT parameters ->> 'UPLOAD' FROM skyshard.job"
            " WHERE phase IN ('PENDING', 'QUEUED', 'EXECUTING') AND parameters ? 'UPLOAD'"
        )
        return {str(row[0]) for row in cursor}


def jobs_ahead(connection: Connection, job: Job) -> int:
    """How many queued jobs have waited longer than this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM skyshard.job WHERE phase = 'QUEUED'"
            " AND (queued_at, job_id) < (%s, %s)",
            (job.queued_at, job.job_id),
        )
        return int(cursor.fetchone()[0])


def recent_speed(connection: Connection) -> tuple[float, float]:
    """Of the newest jobs that ended well: the median of actual over estimated seconds, and of seconds.

    (1, 0) where none has.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SPEED)
        ratio, seconds = cursor.fetchone()
        return float(ratio or 1.0), float(seconds or 0.0)


def count_phases(connection: Connection) -> dict[str, int]:
    """How many jobs are in each phase."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT phase, count(*) FROM skyshard.job GROUP BY phase")
        return dict(cursor.fetchall())


def _end(
    connection: Connection, claim: Claim, setting: str, values: Sequence[object], phase: str
) -> bool:
    """End the attempt if it still counts, or has been ended so already."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE skyshard.job SET {setting}, ended_at = clock_timestamp(), lease_until = NULL"
            " WHERE job_id = %s AND attempt = %s AND czar_id = %s AND phase = 'EXECUTING'",
            (*values, claim.job_id, claim.attempt, claim.czar_id),
        )
        if cursor.rowcount:
            tell(connection, claim.job_id)
            return True
        cursor.execute(
            "SELECT 1 FROM skyshard.job"
            " WHERE job_id = %s AND attempt = %s AND czar_id = %s AND phase = %s",
            (claim.job_id, claim.attempt, claim.czar_id, phase),
        )
        return cursor.fetchone() is not None


_CLAIM = f"""
WITH running AS (
  SELECT owner, count(*) AS jobs FROM skyshard.job WHERE phase = 'EXECUTING' GROUP BY owner),
next AS (
  SELECT job.job_id
  FROM skyshard.job LEFT JOIN running USING (owner)
  WHERE job.phase = 'QUEUED' AND coalesce(running.jobs, 0) < %(most)s
  ORDER BY coalesce(running.jobs, 0), job.queued_at, job.job_id
  LIMIT 1
  FOR UPDATE OF job SKIP LOCKED)
UPDATE skyshard.job
SET phase = 'EXECUTING', attempt = attempt + 1, czar_id = %(czar)s, progress = NULL,
    started_at = clock_timestamp(), lease_until = clock_timestamp() + %(lease)s * interval '1 second'
WHERE job_id = (SELECT job_id FROM next) AND phase = 'QUEUED'
RETURNING {COLUMNS}
"""

_SPEED = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds / estimate_s)
         FILTER (WHERE estimate_s > 0),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)
FROM (
  SELECT extract(epoch FROM ended_at - started_at)::float8 AS seconds, estimate_s
  FROM skyshard.job
  WHERE phase = 'COMPLETED' AND ended_at IS NOT NULL AND started_at IS NOT NULL
  ORDER BY ended_at DESC
  LIMIT 100) AS newest
"""
