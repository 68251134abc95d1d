"""What operators watch: queries by outcome, their seconds, rows and bytes (Prometheus)."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


class QueryMetrics:
    """The counters of one server, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.queries = Counter(
            "skyshard_queries",
            "Queries by outcome: ok, overflow, usage, refused, limit, unavailable, failed, cancelled.",
            ["outcome"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "skyshard_query_seconds",
            "Seconds from a query's arrival to its last byte.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.rows = Counter("skyshard_rows", "Rows sent.", registry=self._registry)
        self.sent_bytes = Counter("skyshard_bytes", "Bytes of rows sent.", registry=self._registry)
        self.running = Gauge(
            "skyshard_running_queries", "Queries running now.", registry=self._registry
        )
        self.jobs = Gauge(
            "skyshard_jobs",
            "Asynchronous queries by phase, of the whole cluster.",
            ["phase"],
            registry=self._registry,
        )

    def page(self, jobs: Mapping[str, int] | None = None) -> bytes:
        """All of them in Prometheus' text format, with the jobs in each phase, where they are known."""
        self.jobs.clear()
        for phase, count in (jobs or {}).items():
            self.jobs.labels(phase).set(count)
        return generate_latest(self._registry)
