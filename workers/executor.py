"""Where an ingest's tasks run: threads of this process, processes of this machine, or a Ray cluster."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from enum import StrEnum

from schema.errors import ConfigError


class Kind(StrEnum):
    """What does the work."""

    THREADS = "threads"
    PROCESSES = "processes"
    RAY = "ray"


class RayMissing(ConfigError):
    """Ray is wanted, and not installed."""

    code = "RAY_MISSING"

    def __init__(self) -> None:
        super().__init__(
            "Ray is not installed: pip install 'skyshard[ray]', or use --executor threads"
        )


class AddressUnused(ConfigError):
    """An address of a Ray cluster stands beside another kind of executor."""

    code = "ADDRESS_UNUSED"

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"--address joins a Ray cluster, which --executor {kind} does not use")


def chosen(kind: Kind | None, address: str | None) -> Kind:
    """What was meant: an address is one of a Ray cluster. Raises AddressUnused."""
    if kind not in (None, Kind.RAY) and address is not None:
        raise AddressUnused(kind)
    return Kind.RAY if address is not None else kind or Kind.THREADS


@contextmanager
def opened(
    kind: Kind, *, workers: int, address: str | None = None
) -> Iterator[tuple[Executor | None, int]]:
    """An executor for one ingest (None: its own threads), and how many tasks it does at a time.

    Ray does as many as its cluster has processors, the others `workers`. Raises RayMissing,
    ClusterUnavailable.
    """
    match kind:
        case Kind.THREADS:
            yield None, workers
        case Kind.PROCESSES:
            # Not forked: this process has threads, which would not be there.
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(workers, mp_context=context) as processes:
                yield processes, workers
        case Kind.RAY:
            try:
                from workers.cluster import cluster  # seconds, and a hundred MB: only where wanted
            except ImportError as error:
                raise RayMissing from error
            with cluster(address) as joined, joined.executor() as tasks:
                yield tasks, joined.slots
