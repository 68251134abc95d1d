"""What `skyshard export` does, behind its options: export, show progress, sum up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from loaders.exports.export import ExportProgress
from qserv.export import ExportReport, Wish, export
from workers.cli.output import console, emit_json, emit_table, message, size_in_words
from workers.cli.serve import opened_store
from workers.config import load, topology

Choice = tuple[Path, str, str | None, str | None, int, bool]
"""Folder, format, condition, snapshot, workers, whether finished files are checked."""


def run(home: Path | None, source: str, choice: Choice, *, is_json: bool) -> None:
    """Export a catalog or a table and say what the folder holds."""
    folder, form, condition, snapshot, workers, is_checked = choice
    catalog, _, table = source.partition(".")
    wish = Wish(catalog, folder, form, table or None, condition, snapshot, workers, is_checked)
    settings = load(home)
    with opened_store(settings, topology(settings)) as store, _shown() as progress:
        report = export(wish, store, settings.limits, progress)
    _tell(report, folder, is_json=is_json)


@contextmanager
def _shown() -> Iterator[Callable[[ExportProgress], None]]:
    """A bar on a terminal; silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import Progress

    with Progress(console=console(is_for_messages=True)) as bars:
        task = bars.add_task("writing")

        def show(progress: ExportProgress) -> None:
            done, of, rows = progress.pieces, progress.of_pieces, progress.rows
            bars.update(task, completed=done, total=of, description=f"{rows:,} rows")

        yield show


def _tell(report: ExportReport, folder: Path, *, is_json: bool) -> None:
    tables = [{**asdict(one), "checksum": str(one.checksum)} for one in report.tables]
    if is_json:
        emit_json({**asdict(report), "tables": tables, "folder": str(folder)})
        return
    message(
        f"{report.request.catalog}@{report.request.snapshot} is in {folder}"
        f" ({report.written} files of rows written now)"
    )
    rows = [
        (one.table, one.rows, one.files, size_in_words(one.size_bytes), f"{one.checksum:016x}")
        for one in report.tables
    ]
    emit_table(("table", "rows", "files", "size", "checksum"), rows)
