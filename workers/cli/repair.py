"""`skyshard verify` and `skyshard repair`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.options import DEGRADED, Home, Json
from workers.cli.output import emit_json, emit_table, message

if TYPE_CHECKING:
    from pathlib import Path

    from loaders.copies.findings import Verified
    from loaders.copies.repair import Repaired
    from loaders.copies.verify import Depth
    from procedures.pools import Pools
    from workers.config import Settings

Catalog = Annotated[
    str | None, typer.Argument(metavar="[CATALOG]", help="Only this one. Default: all catalogs.")
]
Deep = Annotated[
    bool, typer.Option("--deep", help="Also look at indexes and at the bounds of chunks.")
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Read no rows: only what is there, and the shards' books.")
]
Workers = Annotated[
    int, typer.Option("--workers", min=1, max=64, help="Copies read at a time, on each shard.")
]


def verify(  # noqa: PLR0917  (typer calls it by names)
    catalog: Catalog = None,
    deep: Deep = False,
    quick: Quick = False,
    workers: Workers = 2,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Look at every copy of every part, in PostgreSQL and as Parquet twin; change nothing.

    Every row is read: its count and its checksum must be the manifest's. Told are copies and twins that
    are missing or differ, parts with too few copies, shards that do not answer, and what belongs to
    nobody. Exit code 3 where anything is told; `skyshard repair` mends it.

    \b
    Examples:
      skyshard verify
      skyshard verify dp1 --deep
      skyshard verify --quick --json | jq .faults
    """
    from loaders.copies.verify import VerifyOptions
    from loaders.copies.verify import verify as look
    from procedures.pools import Pools
    from workers.config import load, topology

    servers = topology(load(home))
    pools = Pools(servers, size=workers + 1, application_name="skyshard verify")
    try:
        found = look(pools, servers, catalog, VerifyOptions(_depth(deep, quick), workers))
    finally:
        pools.close()
    _tell_verified(found, is_json=is_json)
    if not found.is_clean:
        raise typer.Exit(DEGRADED)


def repair(  # noqa: PLR0917  (typer calls it by names)
    catalog: Catalog = None,
    manifest: Annotated[
        bool,
        typer.Option(
            "--manifest", help="Rebuild a lost or restored coordinator from the shards' books."
        ),
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="With --manifest: without shards that are away.")
    ] = False,
    drop_unknown: Annotated[
        bool,
        typer.Option(
            "--drop-unknown", help="Drop parts of ingests that the coordinator does not know."
        ),
    ] = False,
    deep: Deep = False,
    quick: Quick = False,
    workers: Workers = 2,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Verify, and bring every part back to as many good copies and twins as it should have.

    A copy is made from another shard's that was looked at and found good, and compared before any
    reader sees it. Tables and files of aborted ingests are dropped; those of ingests that run, or may
    be tried again, stay. Queries go on meanwhile. May be cut off and repeated. Exit code 3 where
    something is left to do.

    With --manifest nothing is copied: catalogs, snapshots, parts and copies are written anew from what
    the shards know, after the coordinator was lost or restored from an old backup. Verify then.

    \b
    Examples:
      skyshard repair
      skyshard repair dp1 --quick
      skyshard repair --manifest && skyshard verify
    """
    if manifest:
        _rebuild(home, is_partial=partial, is_json=is_json)
        return
    if partial:
        raise typer.BadParameter("goes with --manifest only", param_hint="--partial")
    from loaders.copies.repair import RepairOptions
    from loaders.copies.repair import repair as mend
    from loaders.copies.verify import VerifyOptions
    from procedures.pools import Pools
    from workers.config import load, topology

    settings = load(home)
    servers = topology(settings)
    pools = Pools(servers, size=2 * workers + 2, application_name="skyshard repair")
    options = RepairOptions(VerifyOptions(_depth(deep, quick), workers), workers, drop_unknown)
    try:
        done = mend(pools, servers, catalog, options)
        if done.mended:
            _renew_views(settings, pools, catalog)
    finally:
        pools.close()
    _tell_repaired(done, is_json=is_json)
    if done.left:
        raise typer.Exit(DEGRADED)


def _renew_views(settings: Settings, pools: Pools, catalog: str | None) -> None:
    """Let HATS views name the twins that there are now; a publish without them left older views."""
    from procedures.manifests import current_snapshots
    from workers.cli.rewritten import renew_view

    with pools.coordinator() as connection:
        snapshots = current_snapshots(connection)
    for name, snapshot in snapshots.items():
        if snapshot and (catalog is None or catalog.casefold() == name.casefold()):
            renew_view(settings, pools, name, snapshot)


def _depth(is_deep: bool, is_quick: bool) -> Depth:
    from loaders.copies.verify import Depth

    if is_deep and is_quick:
        raise typer.BadParameter("--deep and --quick exclude each other", param_hint="--deep")
    if is_deep:
        return Depth.DEEP
    return Depth.QUICK if is_quick else Depth.FULL


def _rebuild(home: Path | None, *, is_partial: bool, is_json: bool) -> None:
    """Write the coordinator's books from the shards'."""
    from loaders.copies.rebuild import rebuild_manifest
    from procedures.pools import Pools
    from workers.config import load, topology

    servers = topology(load(home))
    pools = Pools(servers, application_name="skyshard repair")
    try:
        done = rebuild_manifest(pools, servers, is_partial=is_partial)
    finally:
        pools.close()
    if is_json:
        emit_json(asdict(done))
        return
    for name, snapshot in sorted(done.catalogs.items()):
        message(f"{name} is at snapshot {snapshot} again")
    message(
        f"{len(done.catalogs)} catalogs, {done.parts:,} parts, {done.copies:,} copies written;"
        f" {done.unpublished:,} parts are in no known snapshot"
    )
    if done.away:
        message(f"shards {', '.join(map(str, done.away))} were away: run `skyshard repair`")


def _tell_verified(found: Verified, *, is_json: bool) -> None:
    if is_json:
        emit_json({**asdict(found), "faults": found.counts()})
        return
    if found.findings:
        rows = [
            (str(f.fault), f.shard_id, f.part_id, f.catalog, f.table, f.detail)
            for f in found.findings
        ]
        emit_table(("fault", "shard", "part", "catalog", "table", "detail"), rows)
    verdict = "all is well" if found.is_clean else f"{len(found.findings)} faults"
    message(
        f"{found.parts:,} parts, {found.copies:,} copies, {found.twins:,} twins, {found.rows:,} rows"
        f" read in {found.seconds:.1f} s: {verdict}"
    )


def _tell_repaired(done: Repaired, *, is_json: bool) -> None:
    if is_json:
        document = asdict(done)
        emit_json({**document, "mended": done.mended, "faults": done.found.counts()})
        return
    for outcome in done.outcomes:
        told = outcome.error or outcome.told
        message(f"part {outcome.part_id} on shard {outcome.shard_id}: {told}")
    for left in done.left:
        message(f"left: {left}")
    message(
        f"{len(done.found.findings)} faults found, {done.mended} copies mended,"
        f" {done.dropped} orphans dropped, {len(done.left)} left, {done.seconds:.1f} s"
    )
