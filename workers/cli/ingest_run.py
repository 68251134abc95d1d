"""What `skyshard ingest` does, behind its options: run the ingest, show progress, sum up."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import typer

from loaders.ingest import IngestOptions, IngestReport, Progress, ingest
from loaders.inputs import Manner, contributions
from loaders.options import Site
from loaders.parts.degraded import Degraded
from loaders.staging.download import Remote
from loaders.staging.rejects import TooManyRejects
from procedures.pools import Pools
from workers.cli.options import DEGRADED
from workers.cli.output import console, emit_json, message
from workers.config import Settings, load, topology
from workers.executor import Kind, chosen, opened

PHASES = {"stage": "reading", "load": "loading"}


class OnProgress(Protocol):
    """Called as an ingest comes along."""

    def __call__(self, progress: Progress, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user chose of an ingest."""

    options: IngestOptions
    rejects: Path | None
    manner: Manner
    """How the files are written."""
    is_json: bool
    degraded: Degraded | None = None
    wait_s: float | None = None
    executor: Kind | None = None
    address: str | None = None

    def with_settings(self, settings: Settings) -> IngestOptions:
        """The options, with what the configuration says where the user said nothing."""
        return replace(
            self.options,
            remote=remote_of(settings),
            degraded=self.degraded or Degraded(settings.ingest_degraded),
            wait_s=settings.ingest_wait_s if self.wait_s is None else self.wait_s,
        )


def remote_of(settings: Settings) -> Remote:
    """Which addresses the configuration allows."""
    return Remote(
        settings.ingest_urls,
        settings.ingest_private_addresses,
        settings.ingest_max_download_bytes,
    )


@contextmanager
def working(
    options: IngestOptions, kind: Kind | None, address: str | None
) -> Iterator[IngestOptions]:
    """The options with the executor that was chosen, for the length of the block."""
    with opened(chosen(kind, address), workers=options.workers, address=address) as found:
        executor, at_a_time = found
        yield replace(options, executor=executor, workers=at_a_time)


def run(home: Path | None, catalog: str, files: list[tuple[str, str]], choice: Choice) -> None:
    """Ingest files into a catalog's tables and say what came of it."""
    settings = load(home)
    servers = topology(settings)
    try:
        options = choice.with_settings(settings)
        with (
            working(options, choice.executor, choice.address) as options,
            closing(Pools(servers)) as pools,
            shown_progress() as progress,
        ):
            site = Site(pools, servers, settings.spool)
            report = ingest(
                catalog,
                contributions(site, catalog, files, choice.manner),
                pools=pools,
                topology=servers,
                spool=settings.spool,
                options=options,
                progress=progress,
            )
    except TooManyRejects as error:
        _keep_rejects(error.path, choice.rejects)
        raise
    _keep_rejects(report.reject_file, choice.rejects)
    _tell(report, choice)
    if report.missing_copies:
        raise typer.Exit(DEGRADED)


def _keep_rejects(written: Path | None, wanted: Path | None) -> None:
    """Copy the rejects to where the user wants them."""
    if written is not None and wanted is not None:
        shutil.copyfile(written, wanted)
        message(f"rejects are in {wanted}")


@contextmanager
def shown_progress() -> Iterator[OnProgress]:
    """A bar for each phase on a terminal; silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
    )
    with Bars(*columns, TimeElapsedColumn(), console=console(is_for_messages=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress, /) -> None:
            if progress.phase not in tasks:
                tasks[progress.phase] = bars.add_task(PHASES.get(progress.phase, progress.phase))
            bars.update(tasks[progress.phase], completed=progress.done, total=progress.total)

        yield show


def _tell(report: IngestReport, choice: Choice) -> None:
    """One line, or one JSON document."""
    for warning in report.warnings:
        message(f"warning: {warning}")
    rows = sum(report.rows.values())
    if choice.is_json:
        emit_json(
            {
                "ingest": report.ingest_id,
                "catalog": report.catalog,
                "snapshot": report.snapshot,
                "tables": dict(report.rows),
                "rows": rows,
                "parts": report.parts,
                "missing_copies": report.missing_copies,
                "rejects": report.rejects,
                "reject_file": choice.rejects or report.reject_file,
                "seconds": round(report.seconds, 3),
                "rows_per_s": round(report.rows_per_s),
            }
        )
    else:
        message(
            f"{report.catalog} snapshot {report.snapshot}: {rows:,} rows, {report.rejects:,} rejects, "
            f"{report.seconds:.1f} s, {report.rows_per_s:,.0f} rows/s"
        )
