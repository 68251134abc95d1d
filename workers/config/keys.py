"""Every configuration key: what it means and the environment variable that sets it.

A test holds docs/configuration.md to this table.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from qserv.jobs.settings import JobSettings
from qserv.limits import Limits
from schema.rights import Quota

FILE_NAME = "skyshard.toml"
ENVIRONMENT_PREFIX = "SKYSHARD_"
SECRETS = frozenset({"coordinator.dsn", "ingest.token_sha256", "scan_token"})


@dataclass(frozen=True, slots=True)
class Key:
    """One configuration key; `path` is dotted as in the file."""

    path: str
    meaning: str

    @property
    def variable(self) -> str:
        """The environment variable that sets this key."""
        return ENVIRONMENT_PREFIX + self.path.replace(".", "_").upper()


_LIMITS = {
    "timeout_s": 'longest query, seconds; "none": no bound',
    "max_rows": 'rows after which an answer overflows; "none": no bound',
    "max_spool_bytes": "intermediate rows of one query on disk, bytes",
    "spool_memory_bytes": "intermediate rows of one query kept in memory, bytes",
    "merge_memory_bytes": "memory of one merge, bytes",
    "merge_temp_bytes": "temporary files of one merge, bytes",
    "max_text_bytes": "length of a query text, bytes",
    "max_tokens": "words and signs of a query text",
    "max_nesting": "depth of nested expressions and sub-queries",
    "max_fragment_rows": "rows that one fragment of a query may return",
    "max_merge_rows": "rows, by estimate, that may be fetched to be joined in one place",
}

_JOBS = {
    "max_running": "asynchronous queries that one czar runs at a time",
    "max_running_per_user": "of one user, over all czars",
    "max_waiting_per_user": "pending and queued ones of one user",
    "execution_s": "how long one may run unless its owner says otherwise, seconds",
    "max_execution_s": "how long one may run at most, seconds",
    "keep_s": "how long a result is kept unless its owner says otherwise, seconds",
    "max_keep_s": "how long a result is kept at most, seconds",
    "archive_s": "how long a job is known after its result is gone, seconds",
    "max_result_bytes_per_user": "results of one user, bytes",
    "max_list": "jobs in one list",
    "max_wait_s": "how long a request may wait for a change, seconds",
    "max_attempts": "how many czars may be lost while they run one job",
    "lease_s": "how long a silent czar keeps its jobs, seconds",
    "renew_s": "between two signs of life of a czar, seconds",
    "sweep_s": "between two looks for results whose time is over, seconds",
}

_QUOTA = {
    "max_running": 'queries of one user at once, in one czar; "none": no bound',
    "max_queued": "queries of one user that may wait for those",
    "rows_per_day": 'rows of one user\'s results in 24 hours; "none": no bound',
    "bytes_per_day": 'bytes of one user\'s results in 24 hours; "none": no bound',
    "seconds_per_day": 'seconds of one user\'s queries in 24 hours; "none": no bound',
}

KEYS: tuple[Key, ...] = (
    Key("home", "folder of the cluster: configuration, state, logs, twins, spool"),
    Key("data", "folder of the PostgreSQL data directories; default: `data` in the home"),
    Key("shards", "how many shards `up` creates; in the file also an array of [[shards]]"),
    Key("host", "address that the HTTP server listens on"),
    Key("port", "port that the HTTP server listens on"),
    Key("pg_bin", "folder of the PostgreSQL binaries (postgres, initdb)"),
    Key("log_level", "DEBUG, INFO, WARNING or ERROR"),
    Key("scan_token", "secret that scan engines ask of their clients (external shards only)"),
    Key("coordinator.dsn", "libpq DSN of a coordinator database that you run yourself"),
    Key("ingest.degraded", "where a shard is down: wait, allow or refuse"),
    Key("ingest.wait_s", "how long an ingest waits for a shard that is down, seconds"),
    Key("repair.enabled", "whether the czar mends copies in the background"),
    Key("repair.interval_s", "between two looks at the queue of copies, seconds"),
    Key("repair.bytes_per_s", "copies made in the background, bytes a second"),
    Key("ingest.token_sha256", "SHA-256 (hex) of the token for ingests by HTTP; without one: off"),
    Key("ingest.folders", "folders whose files may be ingested by HTTP"),
    Key("ingest.urls", "addresses below which files of ingests may be fetched; none: off"),
    Key("uploads.urls", "addresses below which tables of queries may be fetched; none: off"),
    Key("ingest.private_addresses", "whether their hosts may have addresses that are not public"),
    Key("ingest.max_download_bytes", "of one fetched file"),
    Key("jobs.folder", "results of asynchronous queries; the same for all czars"),
    *(Key(f"jobs.{field.name}", _JOBS[field.name]) for field in fields(JobSettings)),
    Key("access.anonymous", 'what users who did not log in may: "read" what is public, or "none"'),
    Key("access.proxies", "addresses or networks of proxies that tell who the user is"),
    Key("access.user_header", "header in which they do"),
    Key("access.groups_header", "header in which they tell her groups, with commas between"),
    *(Key(f"quotas.{field.name}", _QUOTA[field.name]) for field in fields(Quota)),
    *(
        Key(f"quotas.anonymous.{field.name}", f"{_QUOTA[field.name]} (not logged in, by address)")
        for field in fields(Quota)
    ),
    Key("quotas.queue_s", "how long a query waits until another one of its user ends, seconds"),
    Key("log.keep_days", "how long queries stay in the log, days"),
    *(
        Key(f"limits.{field.name}", _LIMITS.get(field.name, "a bound of one query"))
        for field in fields(Limits)
    ),
    *(
        Key(
            f"limits.anonymous.{field.name}",
            _LIMITS.get(field.name, "a bound of one query") + " (users who did not log in)",
        )
        for field in fields(Limits)
    ),
)

PATHS = frozenset(key.path for key in KEYS)
SHARD_KEYS = ("dsn", "scan", "twins", "weight")
