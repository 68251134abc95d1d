"""The steps of `skyshard ingest`: begin, run, status, commit, publish, abort, list, retry, rejects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.options import DEGRADED, Address, ExecutorKind, Home, Json
from workers.cli.output import emit_json, emit_table, message, size_in_words

if TYPE_CHECKING:
    from loaders.lifecycle import Ran
    from loaders.options import Site
    from loaders.progress import IngestStatus, Pace

Number = Annotated[int, typer.Argument(metavar="INGEST", help="The ingest's number.")]


@contextmanager
def opened_site(home: Path | None) -> Iterator[Site]:
    """The servers and the spool of a home."""
    from loaders.options import Site
    from loaders.parts.degraded import Degraded
    from procedures.pools import Pools
    from workers.config import load, topology

    settings = load(home)
    servers = topology(settings)
    with closing(Pools(servers)) as pools:
        policy = Degraded(settings.ingest_degraded)
        yield Site(pools, servers, settings.spool, policy, settings.ingest_wait_s)


def begin(  # noqa: PLR0917  (typer calls it by names)
    catalog: Annotated[str, typer.Argument(metavar="CATALOG", help="Where the rows go.")],
    label: Annotated[
        str | None, typer.Option("--label", metavar="TEXT", help="What you call it.")
    ] = None,
    max_rejects: Annotated[
        int, typer.Option("--max-rejects", min=0, help="Bad rows to put aside before giving up.")
    ] = 0,
    duplicates: Annotated[
        str,
        typer.Option(
            metavar="refuse|ignore|take", help="Of files whose content is in their table already."
        ),
    ] = "refuse",
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every copy back and compare its checksum.")
    ] = False,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Begin an ingest: one unit of publication over any tables of a catalog. Prints its number.

    \b
    Example:
      skyshard ingest begin dp1 --label "production 7"
      skyshard ingest add 12 Object=objects-*.parquet Source=sources-*.parquet
      skyshard ingest commit 12
      skyshard ingest run 12 --publish
    """
    if duplicates not in ("refuse", "ignore", "take"):
        raise typer.BadParameter("say refuse, ignore or take", param_hint="--duplicates")
    from loaders import lifecycle
    from loaders.options import IngestOptions

    options = IngestOptions(
        max_rejects=max_rejects,
        verify=verify,
        again=duplicates == "take",
        ignore_repeated=duplicates == "ignore",
    )
    with opened_site(home) as site:
        ingest_id = lifecycle.begin(site, catalog, label=label, options=options)
    if is_json:
        emit_json({"ingest": ingest_id, "state": "open"})
    else:
        typer.echo(ingest_id)


def commit(ingest: Number, home: Home = None) -> None:
    """Close an ingest to more files, so that it may be loaded.

    \b
    Example:
      skyshard ingest commit 12
    """
    from loaders import lifecycle

    with opened_site(home) as site:
        lifecycle.commit(site, ingest)
    message(f"ingest {ingest} is committed; `skyshard ingest run {ingest}` loads it")


def run(  # noqa: PLR0917  (typer calls it by names)
    ingest: Number,
    and_publish: Annotated[
        bool, typer.Option("--publish", help="Publish it when it is loaded.")
    ] = False,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Files staged, parts loaded at a time.")
    ] = 4,
    is_digested: Annotated[
        bool,
        typer.Option("--digests", help="Let other machines that see the spool trust it."),
    ] = False,
    executor: ExecutorKind = None,
    address: Address = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Work on an ingest: stage what it has and, once it is committed, load it.

    Run it again after whatever happened: it redoes what is not done. Exit code 1 where it stopped or
    failed, 2 where its input is wrong; `skyshard ingest status` says the same later.

    \b
    Example:
      skyshard ingest run 12 --publish
      skyshard ingest run 12 --publish --address head:6379
    """
    from loaders import lifecycle
    from loaders.options import IngestOptions
    from workers.cli.ingest_run import remote_of, shown_progress, working
    from workers.config import load

    options = IngestOptions(
        workers=workers,
        keep_going=True,
        with_digests=is_digested,
        remote=remote_of(load(home)),
    )
    with (
        working(options, executor, address) as chosen,
        opened_site(home) as site,
        shown_progress() as progress,
    ):
        ran = lifecycle.run_ingest(
            site, ingest, options=chosen, progress=progress, and_publish=and_publish
        )
    _tell(ran, is_json=is_json)
    if ran.missing_copies:
        raise typer.Exit(DEGRADED)


def publish(ingest: Number, home: Home = None, is_json: Json = False) -> None:
    """Make a loaded ingest visible, all of it at once. One that is published keeps its snapshot.

    \b
    Example:
      skyshard ingest publish 12
    """
    from loaders import lifecycle

    with opened_site(home) as site:
        ran = lifecycle.publish_ingest(site, ingest)
    _tell(ran, is_json=is_json)
    if ran.missing_copies:
        raise typer.Exit(DEGRADED)


def _tell(ran: Ran, *, is_json: bool) -> None:
    for warning in ran.warnings:
        message(f"warning: {warning}")
    done = ran.redone
    if is_json:
        emit_json(
            {
                "ingest": ran.ingest_id,
                "state": ran.state,
                "snapshot": ran.snapshot,
                "staged": done.staged,
                "staged_before": done.staged_before,
                "loaded": done.loaded,
                "loaded_before": done.loaded_before,
            }
        )
        return
    where = "" if ran.snapshot is None else f" as snapshot {ran.snapshot}"
    message(
        f"ingest {ran.ingest_id} is {ran.state}{where}: {done.staged} files staged"
        f" ({done.staged_before} before), {done.loaded} parts loaded ({done.loaded_before} before)"
    )


def abort(
    ingest: Number,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Kept with the ingest.")
    ] = "aborted",
    home: Home = None,
) -> None:
    """End an ingest that is not published, and drop what it has on all shards.

    \b
    Example:
      skyshard ingest abort 12 --reason "wrong calibration"
    """
    from loaders import lifecycle

    with opened_site(home) as site:
        is_gone = lifecycle.abort(site, ingest, reason=reason)
    rest = "nothing of it is left" if is_gone else "what is left of it goes with the next run"
    message(f"ingest {ingest} is aborted; {rest}")


def retry(
    ingest: Number,
    max_rejects: Annotated[
        int | None, typer.Option("--max-rejects", min=0, help="Allow so many bad rows from now on.")
    ] = None,
    home: Home = None,
) -> None:
    """Put back an ingest that failed, with its files that could not be read; then run it.

    \b
    Example:
      skyshard ingest retry 12 --max-rejects 100
      skyshard ingest run 12 --publish
    """
    from loaders import lifecycle

    with opened_site(home) as site:
        count = lifecycle.retry(site, ingest, max_rejects=max_rejects)
    message(f"ingest {ingest}: {count} files wait again; `skyshard ingest run {ingest}`")


def rejects(ingest: Number, home: Home = None) -> None:
    """Print the rows of an ingest that were rejected, as CSV: table, source, row, reason, text.

    The file is on the machine where the ingest ran.

    \b
    Example:
      skyshard ingest rejects 12 > bad-rows.csv
    """
    from loaders import lifecycle

    with opened_site(home) as site:
        path = lifecycle.rejects(site, ingest)
    if path is None:
        message(f"ingest {ingest} has no rejects here")
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            typer.echo(line, nl=False)


def list_(
    catalog: Annotated[
        str | None, typer.Argument(metavar="[CATALOG]", help="Of one catalog only.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the newest.")] = 20,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """List ingests, the newest first.

    \b
    Example:
      skyshard ingest list dp1
    """
    from loaders.progress import list_status

    with opened_site(home) as site:
        found = list_status(site, catalog, limit=limit)
    rows = [
        (
            row.ingest_id,
            row.kind,
            row.catalog,
            row.state,
            row.label,
            row.rows,
            row.rejects,
            f"{row.started_at:%Y-%m-%d %H:%M:%S}",
            row.error,
        )
        for row in found
    ]
    names = ("ingest", "kind", "catalog", "state", "label", "rows", "rejects", "started", "error")
    if is_json:
        emit_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        emit_table(names, rows)


def status(
    ingest: Number,
    is_long: Annotated[bool, typer.Option("--all", help="Each file and each part, too.")] = False,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Say how an ingest does: its state, progress, rate, time left, rows by table, errors, events.

    \b
    Example:
      skyshard ingest status 12
      skyshard ingest status 12 --all
    """
    from loaders.progress import status as read

    with opened_site(home) as site:
        found = read(site, ingest)
    if is_json:
        emit_json(found.to_document())
        return
    _show(found)
    if is_long:
        _show_pieces(found)


def _show(found: IngestStatus) -> None:
    row = found.row
    facts: list[tuple[str, object]] = [
        ("ingest", str(row.ingest_id)),
        ("catalog", row.catalog),
        ("label", row.label),
        ("state", row.state),
        ("snapshot", found.snapshot),
        ("at work", found.loader),
        ("error", row.error),
        ("files", len(found.contributions)),
        *((pace.phase, _words(pace)) for pace in found.pace),
        *((f"rows of {table}", rows) for table, rows in found.rows_by_table().items()),
        ("rejects", row.rejects),
    ]
    emit_table(("what", "is"), facts)
    for one in found.contributions:
        if one.error is not None:
            message(f"{one.source}: {one.error} ({one.attempts} attempts)")
    for event in found.events:
        message(f"{event.at:%Y-%m-%d %H:%M:%S} {event.kind}: {event.message}")


def _words(pace: Pace) -> str:
    """Progress as people write it."""
    is_bytes = pace.unit == "bytes"
    done, total, rate = (
        size_in_words(int(n)) if is_bytes else f"{n:,.0f}"
        for n in (pace.done, pace.total, pace.per_s or 0)
    )
    share = 100 * pace.done / pace.total if pace.total else 100
    said = f"{done} of {total} {'' if is_bytes else pace.unit} ({share:.0f} %)".replace("  ", " ")
    if pace.per_s is None or pace.left_s is None:
        return said
    return f"{said}, {rate}/s, {pace.left_s:.0f} s left"


def _show_pieces(found: IngestStatus) -> None:
    emit_table(
        ("file", "table", "source", "state", "rows", "rejects", "attempts", "seconds"),
        [
            (
                *(c.number, c.table, f"{c.source}{c.piece or ''}", c.state, c.rows),
                *(c.rejects, c.attempts, c.seconds),
            )
            for c in found.contributions
        ],
    )
    for one in found.contributions:
        for warning in one.warnings:
            message(f"{one.source}: {warning}")
    emit_table(
        ("part", "table", "kind", "chunk", "rows", "overlap", "shards", "loaded"),
        [
            (
                str(part.part_id),
                part.table,
                str(part.kind),
                None if part.pixel is None else f"{part.pixel.order}/{part.pixel.number}",
                part.rows,
                part.overlap_rows,
                " ".join(map(str, part.shards)),
                "yes" if part.is_loaded else "no",
            )
            for part in found.parts
        ],
    )
