"""What may be wrong with a request about a job, or end one."""

from __future__ import annotations

from pathlib import Path

from procedures.jobs import Phase
from qserv.rights.errors import Forbidden, Throttled
from schema.errors import LimitExceeded, SkyshardError, StoreError, UsageError

RETRY_S = 60.0
"""When to try again where too many jobs wait."""


class UnknownJob(UsageError):
    """There is no job of that id."""

    code = "UNKNOWN_JOB"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job {job_id[:64]!r}; it may have been deleted")


class JobForbidden(Forbidden):
    """The job is somebody else's."""

    code = "JOB_FORBIDDEN"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} is not yours; log in as its owner")


class JobState(Forbidden):
    """The job's phase does not allow that; UWS asks for a 403."""

    code = "JOB_STATE"

    def __init__(self, job_id: str, phase: Phase, wanted: str) -> None:
        super().__init__(f"job {job_id} is {phase}: {wanted}")


class KeyReused(UsageError):
    """An Idempotency-Key was sent before, with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self, key: str, job_id: str) -> None:
        super().__init__(
            f"the Idempotency-Key {key[:64]!r} has created job {job_id}, from other parameters;"
            " take a new key for a new request"
        )


class TooManyJobs(Throttled):
    """The owner has as many waiting jobs as she may."""

    code = "TOO_MANY_JOBS"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"you have {most} jobs that wait, the most that this server keeps for one user;"
            " delete some, or wait until some have run",
            RETRY_S,
        )


class ResultQuota(LimitExceeded):
    """The owner's results take all the space that they may."""

    code = "RESULT_QUOTA"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"your jobs' results take more than {most / 2**20:,.0f} MiB"
            " (jobs.max_result_bytes_per_user); delete or archive jobs, or select less"
        )


class ResultsUnwritable(StoreError):
    """The folder of results takes no more: its disk is full, or it is gone."""

    code = "RESULTS_UNWRITABLE"

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(f"cannot write a result into {folder}: {error.strerror}")


class ResultMissing(StoreError):
    """A job has a result, whose file this czar does not find."""

    code = "RESULT_MISSING"

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"the file of job {job_id}'s result is not there; run the query again"
            " (operators: all czars need the same folder jobs.folder)"
        )


class CzarsLost(StoreError):
    """A job was begun several times, and each time its czar ended."""

    code = "CZARS_LOST"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"the job was begun {most} times, and each time the server that ran it was lost;"
            " it is not tried again"
        )


class JobAborted(SkyshardError):
    """Somebody aborted the job."""

    code = "JOB_ABORTED"

    def __init__(self, by: str) -> None:
        super().__init__(f"the job was aborted by {by}")


class AttemptLost(SkyshardError):
    """An attempt no longer counts: its job was aborted, deleted, or given to another czar."""

    code = "ATTEMPT_LOST"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} was aborted, deleted, or given to another czar")
