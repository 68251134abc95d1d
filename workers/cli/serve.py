"""`skyshard serve` and `skyshard scan`: the processes that `up` starts, in the foreground."""

from __future__ import annotations

import gc
import logging
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.options import Home

if TYPE_CHECKING:
    from qserv.http.ingest import IngestAccess
    from qserv.http.jobs import JobAccess
    from qserv.http.service import Service
    from qserv.store import Store
    from schema.topology import Topology
    from workers.config import Settings

LOG_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"


def serve(
    home: Home = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port to listen on.")] = None,
) -> None:
    """Run the czar's HTTP server until SIGTERM; `up` starts it for you.

    \b
    Example, for servers given by DSN in /etc/skyshard/skyshard.toml:
      SKYSHARD_CONFIG=/etc/skyshard/skyshard.toml skyshard serve --host 0.0.0.0
    """
    from qserv.http import serve as http
    from workers.config import load, topology

    settings = load(home, {"host": host, "port": port})
    _log_to_stderr(settings.log_level)
    servers = topology(settings)
    with (
        opened_store(settings, servers) as store,
        _repairs(settings, servers),
        _jobs(settings, store) as jobs,
    ):
        http.serve(_service(settings, store, jobs), host=settings.host, port=settings.port)


def scan(
    shard: Annotated[int, typer.Option("--shard", help="Number of the shard, from 1.")],
    home: Home = None,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Threads. Default: the shard's share of cores.")
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option("--memory", metavar="BYTES", help="Memory. Default: the shard's share."),
    ] = None,
) -> None:
    """Run the scan engine of one shard until SIGTERM; `up` starts it for you.

    It listens at the shard's `scan` address and reads the twins in the shard's `twins` folder.

    \b
    Example:
      skyshard scan --shard 2 --threads 16
    """
    from qserv.scan.server import serve as run
    from schema.topology import ShardId
    from workers.config import load, topology

    settings = load(home)
    _log_to_stderr(settings.log_level)
    servers = topology(settings)
    if shard not in [int(one.shard_id) for one in servers.shards]:
        raise typer.BadParameter(f"there is no shard {shard}", param_hint="--shard")
    found = servers.shard(ShardId(shard))
    if found.scan is None or found.twins is None:
        raise typer.BadParameter(
            f"shard {shard} has no `scan` and `twins` in the configuration", param_hint="--shard"
        )
    host, _, port = found.scan.rpartition("/")[2].rpartition(":")
    run(
        shard_id=shard,
        host=host.strip("[]"),
        port=int(port),
        token=servers.scan_token,
        twins=found.twins,
        memory_bytes=memory or _share_of_memory(_engines_here(servers)),
        threads=threads or _share_of_cores(_engines_here(servers)),
    )


@contextmanager
def _repairs(settings: Settings, servers: Topology) -> Iterator[None]:
    """Copies mended in the background, unless that is switched off."""
    if not settings.repair_enabled:
        yield
        return
    from loaders.copies.repair_loop import RepairPace, repairing
    from procedures.pools import Pools

    pace = RepairPace(settings.repair_interval_s, settings.repair_bytes_per_s)
    pools = Pools(servers, application_name="skyshard repair")
    try:
        with repairing(pools, servers, pace):
            yield
    finally:
        pools.close()


@contextmanager
def opened_store(settings: Settings, servers: Topology) -> Iterator[Store]:
    """What answering queries needs, for as long as the block lasts."""
    from qserv.query_log import LogSettings
    from qserv.store import StoreSettings, open_store

    made = StoreSettings(
        log=LogSettings(keep_days=settings.access.keep_days), quotas=settings.access.quotas
    )
    spool = settings.spool / "czar"
    with _calm_collector(), open_store(servers, spool=spool, settings=made) as store:
        yield store


@contextmanager
def _calm_collector() -> Iterator[None]:
    """Keep Python's collector from pausing queries while inside.

    What was imported (half a million objects, 80 ms a walk) is left out of its walks, and a small
    query allocates less than what calls it.
    """
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


@contextmanager
def _jobs(settings: Settings, store: Store) -> Iterator[JobAccess]:
    """This czar's share of the asynchronous queries; what runs at the end is given back."""
    from loaders.staging.download import Remote
    from procedures.pools import Pools
    from qserv.http.jobs import JobAccess
    from qserv.jobs.desk import JobDesk
    from qserv.jobs.results import ResultFiles
    from qserv.jobs.runner import Runner
    from qserv.uploads.read import DEFAULT_LIMITS

    # Pools of their own: queries wait for none of these connections, nor leases for clients.
    pools = Pools(store.topology, size=8, application_name="skyshard jobs")
    own = Pools(store.topology, size=6, application_name="skyshard job runner")
    remote = Remote(
        settings.upload_urls,
        settings.ingest_private_addresses,
        DEFAULT_LIMITS.max_bytes,
        "uploads.urls",
    )
    files = ResultFiles(settings.job_results, remote)
    runner = Runner(store, own, files, settings.limits_of, settings.jobs)
    desk = JobDesk(pools, files, settings.jobs, store=store, limits_of=settings.limits_of)
    try:
        yield JobAccess(desk, runner)
    finally:
        runner.close()
        own.close()
        pools.close()


def _service(settings: Settings, store: Store, jobs: JobAccess) -> Service:
    """What the HTTP server asks of the store."""
    from qserv.http.queries import QueryAccess
    from qserv.http.service import HttpLimits, Service
    from qserv.rights.authority import Authority
    from qserv.tap_query import answer_tap

    access, uploads = settings.access, jobs.desk.files.uploads

    return Service(
        answer=lambda query, limits, caller: answer_tap(
            query, store, uploads, limits=limits, caller=caller
        ),
        catalogs=store.catalogs,
        examples=store.examples,
        check=store.check,
        limits=settings.anonymous,
        user_limits=settings.limits,
        ingests=_ingests(settings, store),
        jobs=jobs,
        uploads=uploads,
        authority=Authority(store.pools, access.settings, store.rights_version),
        queries=QueryAccess(store.pools, store.watch.cancel),
        quota_of=store.quota,
        http=HttpLimits(queue_s=access.queue_s),
    )


def _ingests(settings: Settings, store: Store) -> IngestAccess:
    """Who may ingest by HTTP: the configured token, and users with the scope `ingest`."""
    from loaders.options import Site
    from loaders.parts.degraded import Degraded
    from procedures.pools import Pools
    from qserv.http.ingest import IngestAccess
    from workers.cli.ingest_run import remote_of

    # Pools of their own: a load keeps connections for long, and queries wait for none of them.
    pools = Pools(store.topology, application_name="skyshard ingest")
    policy = Degraded(settings.ingest_degraded)
    site = Site(pools, store.topology, settings.spool, policy, settings.ingest_wait_s)
    return IngestAccess(
        site,
        settings.ingest_token_sha256,
        settings.ingest_folders,
        remote=remote_of(settings),
    )


def _log_to_stderr(level: str) -> None:
    """One line an event, UTC."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=level, format=LOG_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")


def _engines_here(servers: Topology) -> int:
    """Scan engines that share this machine's cores: all of an embedded cluster's, else one."""
    local = [one for one in servers.shards if one.scan and "//127.0.0.1:" in one.scan]
    return max(1, len(local))


def _share_of_cores(engines: int) -> int:
    """A scan engine's threads: twice its share, as the shards' work is never quite even.

    Not more: threads of one statement that wait for a core cost it a tenth (docs/performance.md).
    """
    cores = os.cpu_count() or 1
    return min(cores, math.ceil(2 * cores / engines))


def _share_of_memory(engines: int) -> int:
    """A scan engine's share of this machine's memory: half of it for all engines, at least 256 MiB."""
    import psutil

    return max(256 * 2**20, int(psutil.virtual_memory().total // (2 * engines)))
