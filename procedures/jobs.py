"""Asynchronous queries as their owners see and change them: rows of `skyshard.job`.

Every call takes an open psycopg2 connection to the coordinator and leaves the transaction to its
caller. Each change of a phase notifies `CHANNEL` with the job's id, so that czars and waiting clients
learn of it when it commits. What czars do with the queue is in `job_queue`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extras import Json

CHANNEL = "skyshard_job"


class Phase(StrEnum):
    """The execution phases of UWS 1.1 that a job of ours can be in."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    EXECUTING = "EXECUTING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    ABORTED = "ABORTED"
    ARCHIVED = "ARCHIVED"

    @property
    def is_active(self) -> bool:
        """Whether the job may still come into another phase by itself."""
        return self in (Phase.PENDING, Phase.QUEUED, Phase.EXECUTING)


@dataclass(frozen=True, slots=True)
class Result:
    """A result's file: its name in the folder of results, and what it holds."""

    file: str
    media_type: str
    size_bytes: int
    rows: int
    overflowed: bool = False
    extension: str = ""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job before it has an attempt. Times in seconds."""

    job_id: str
    owner: str
    caller: Mapping[str, Any]
    parameters: Mapping[str, str]
    execution_s: int
    keep_s: float
    run_id: str | None = None
    estimate_s: float | None = None
    idempotency_key: str | None = None
    request_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the coordinator has it. Times are UTC."""

    job_id: str
    owner: str
    caller: Mapping[str, Any]
    phase: Phase
    run_id: str | None
    parameters: Mapping[str, str]
    created_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    destruction_at: datetime
    execution_s: int
    estimate_s: float | None
    attempt: int
    czar_id: str | None
    progress: Mapping[str, Any]
    error: Mapping[str, Any] | None
    result: Result | None
    request_sha256: str | None = field(default=None, repr=False)


COLUMNS = (
    "job_id::text, owner, caller, phase, run_id, parameters, created_at, queued_at, started_at,"
    " ended_at, destruction_at, execution_s, estimate_s, attempt, czar_id::text, progress, error,"
    " result, request_sha256"
)


def job_of(row: Sequence[Any]) -> Job:
    """The job of a row of `COLUMNS`."""
    values = list(row)
    values[3], values[15] = Phase(row[3]), row[15] or {}
    values[17] = None if row[17] is None else Result(**row[17])
    return Job(*values)


def create_job(connection: Connection, new: NewJob) -> tuple[Job, bool]:
    """Keep a job in PENDING; the job and True, or the one of the same Idempotency-Key and False."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO skyshard.job (job_id, owner, caller, phase, run_id, parameters,"
            " destruction_at, execution_s, estimate_s, idempotency_key, request_sha256)"
            " VALUES (%s, %s, %s, 'PENDING', %s, %s,"
            " clock_timestamp() + %s * interval '1 second', %s, %s, %s, %s)"
            " ON CONFLICT (owner, idempotency_key) DO NOTHING"
            f" RETURNING {COLUMNS}",
            (
                new.job_id,
                new.owner,
                Json(dict(new.caller)),
                new.run_id,
                Json(dict(new.parameters)),
                new.keep_s,
                new.execution_s,
                new.estimate_s,
                new.idempotency_key,
                new.request_sha256,
            ),
        )
        row = cursor.fetchone()
        if row is not None:
            return job_of(row), True
        cursor.execute(
            f"SELECT {COLUMNS} FROM skyshard.job WHERE owner = %s AND idempotency_key = %s",
            (new.owner, new.idempotency_key),
        )
        return job_of(cursor.fetchone()), False


def read_job(connection: Connection, job_id: str) -> Job | None:
    """A job; None where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM skyshard.job WHERE job_id = %s", (job_id,))
        row = cursor.fetchone()
        return None if row is None else job_of(row)


def list_jobs(
    connection: Connection,
    owner: str | None,
    *,
    phases: Sequence[Phase] = (),
    after: datetime | None = None,
    last: int,
) -> list[Job]:
    """The newest `last` jobs of an owner (None: of all), the newest first.

    Archived ones only where `phases` names them; `after`: created later than that.
    """
    wanted = [str(phase) for phase in phases]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM skyshard.job"
            " WHERE (%(owner)s::text IS NULL OR owner = %(owner)s)"
            " AND CASE WHEN %(any)s THEN phase <> 'ARCHIVED' ELSE phase = ANY(%(phases)s) END"
            " AND (%(after)s::timestamptz IS NULL OR created_at > %(after)s)"
            " ORDER BY created_at DESC, job_id DESC LIMIT %(last)s",
            {"owner": owner, "any": not wanted, "phases": wanted, "after": after, "last": last},
        )
        return [job_of(row) for row in cursor]


def change_parameters(
    connection: Connection,
    job_id: str,
    parameters: Mapping[str, str],
    *,
    run_id: str | None,
    estimate_s: float | None,
) -> bool:
    """Give a pending job other parameters; False where it is not pending."""
    return _change(
        connection,
        job_id,
        "parameters = %s, run_id = %s, estimate_s = %s",
        (Json(dict(parameters)), run_id, estimate_s),
        (Phase.PENDING,),
    )


def change_execution(connection: Connection, job_id: str, execution_s: int) -> bool:
    """Give a job that does not run yet another time to run, seconds; else False."""
    phases = (Phase.PENDING, Phase.QUEUED)
    return _change(connection, job_id, "execution_s = %s", (execution_s,), phases)


def change_destruction(connection: Connection, job_id: str, at: datetime) -> bool:
    """Say when a job goes; False where it is gone, or archived."""
    phases = [phase for phase in Phase if phase is not Phase.ARCHIVED]
    return _change(connection, job_id, "destruction_at = %s", (at,), phases)


def queue_job(connection: Connection, job_id: str) -> bool:
    """Queue a pending job; False where it is not pending."""
    setting = "phase = 'QUEUED', queued_at = clock_timestamp()"
    return _change(connection, job_id, setting, (), (Phase.PENDING,), is_told=True)


def abort_job(connection: Connection, job_id: str, reason: Mapping[str, Any]) -> bool:
    """End a job that has not ended; the czar that runs it is told, and can write no result.

    False where it had ended.
    """
    setting = "phase = 'ABORTED', ended_at = clock_timestamp(), czar_id = NULL, error = %s"
    phases = [phase for phase in Phase if phase.is_active]
    return _change(connection, job_id, setting, (Json(dict(reason)),), phases, is_told=True)


def archive_job(connection: Connection, job_id: str) -> bool:
    """Give up the result of a job that has ended, and keep what is known of it; else False.

    Its result is forgotten: its file may be removed.
    """
    setting = "phase = 'ARCHIVED', result = NULL, result_bytes = 0"
    phases = (Phase.COMPLETED, Phase.ERROR, Phase.ABORTED)
    return _change(connection, job_id, setting, (), phases, is_told=True)


def delete_job(connection: Connection, job_id: str) -> bool:
    """Forget a job, whatever it does; False where there is none."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM skyshard.job WHERE job_id = %s", (job_id,))
        is_gone = bool(cursor.rowcount)
    if is_gone:
        tell(connection, job_id)
    return is_gone


def count_waiting(connection: Connection, owner: str) -> int:
    """How many jobs of an owner are pending or queued; her row is locked against others until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 5))", (f"jobs {owner}",))
        cursor.execute(
            "SELECT count(*) FROM skyshard.job WHERE owner = %s AND phase IN ('PENDING', 'QUEUED')",
            (owner,),
        )
        return int(cursor.fetchone()[0])


def result_bytes(connection: Connection, owner: str) -> int:
    """What the results of an owner take, bytes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(result_bytes), 0) FROM skyshard.job WHERE owner = %s", (owner,)
        )
        return int(cursor.fetchone()[0])


def tell(connection: Connection, job_id: str) -> None:
    """Notify who listens, once this transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", (CHANNEL, job_id))


def _change(
    connection: Connection,
    job_id: str,
    setting: str,
    values: Sequence[object],
    phases: Sequence[Phase],
    *,
    is_told: bool = False,
) -> bool:
    """Change a job that is in one of the phases."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE skyshard.job SET {setting} WHERE job_id = %s AND phase = ANY(%s)",
            (*values, job_id, [str(phase) for phase in phases]),
        )
        is_changed = bool(cursor.rowcount)
    if is_changed and is_told:
        tell(connection, job_id)
    return is_changed
