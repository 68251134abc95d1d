"""PostgreSQL settings for bulk loads and analytics on this machine. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Machine:
    """What the servers of one cluster share. Sizes in bytes."""

    cores: int
    memory: int
    free_disk: int


def postgres_settings(machine: Machine, servers: int, *, major: int) -> dict[str, str]:
    """Settings of one of `servers` equal servers; durability stays on.

    `wal_level = minimal` lets COPY and CREATE INDEX write a table made in the same transaction
    straight to its file, fsynced at commit, instead of twice: parts are loaded just so. What stays
    small is written to the WAL all the same; PostgreSQL's own compression (pglz) of that took a third
    of the servers' time in an ingest, so it is lz4 (`postgres.configure`) or none.
    """
    share = machine.memory // (servers + 1)
    wal = _clamp(machine.free_disk // (8 * servers), 1 * GIB, 8 * GIB)
    workers = max(2, machine.cores)
    settings = {
        "max_connections": "100",
        "shared_buffers": _mib(_clamp(share // 4, 64 * MIB, 8 * GIB)),
        "effective_cache_size": _mib(_clamp(machine.memory // 2, 256 * MIB, 256 * GIB)),
        "work_mem": _mib(_clamp(share // 64, 8 * MIB, 256 * MIB)),
        "maintenance_work_mem": _mib(_clamp(share // 16, 64 * MIB, 2 * GIB)),
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "wal_compression": "off",
        "wal_buffers": "64MB" if share >= 2 * GIB else "16MB",
        "max_wal_size": _mib(wal),
        "min_wal_size": "256MB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "effective_io_concurrency": "64",
        "jit": "off",
        "max_worker_processes": str(workers + 4),
        "max_parallel_workers": str(workers),
        "max_parallel_workers_per_gather": str(max(1, min(4, machine.cores // 2))),
        "max_parallel_maintenance_workers": str(max(1, min(4, machine.cores // 2))),
        "autovacuum_naptime": "1min",
        "max_locks_per_transaction": "256",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        "idle_in_transaction_session_timeout": "1h",
        "log_min_duration_statement": "-1",
        "log_min_error_statement": "panic",
        "log_line_prefix": "%m [%p] %a ",
        "log_checkpoints": "off",
    }
    if major >= 18:
        settings["io_method"] = "worker"
    return settings


def as_text(settings: dict[str, str]) -> str:
    """The settings as a configuration file."""
    quoted = (f"{name} = '{_escape(value)}'" for name, value in settings.items())
    head = "# Written by `skyshard up`; your own settings go into postgresql.conf, below the include.\n"
    return head + "\n".join(quoted) + "\n"


def _escape(value: str) -> str:
    return value.replace("'", "''")


def _clamp(size: int, low: int, high: int) -> int:
    return max(low, min(size, high))


def _mib(size: int) -> str:
    return f"{size // MIB}MB"
