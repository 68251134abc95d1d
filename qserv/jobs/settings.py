"""The bounds of jobs; configured as `[jobs]`."""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class JobSettings:
    """What jobs may use. Sizes in bytes, times in seconds."""

    max_running: int = 4
    """Of one czar; the others wait."""
    max_running_per_user: int = 2
    """Over all czars."""
    max_waiting_per_user: int = 10_000
    """Pending and queued ones; more are refused with 429."""
    execution_s: int = 4 * 3600
    """How long a job may run, unless its owner says otherwise."""
    max_execution_s: int = DAY_S
    keep_s: int = 7 * DAY_S
    """How long a result is kept, unless the job's owner says otherwise."""
    max_keep_s: int = 30 * DAY_S
    archive_s: int = 30 * DAY_S
    """How long after that the job is still known."""
    max_result_bytes_per_user: int = 50 * 2**30
    max_list: int = 1000
    """Jobs in one list."""
    max_wait_s: int = 600
    """How long a request may wait for a change."""
    max_attempts: int = 5
    """How many czars may be lost while they run one job."""
    lease_s: float = 15.0
    """How long a czar that is silent keeps its jobs."""
    renew_s: float = 1.0
    """Between two signs of life of a czar; each notes the progress of its jobs."""
    sweep_s: float = 60.0
    """Between two looks for results whose time is over."""
