"""A dry run of `skyshard ingest`, told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from workers.cli.output import emit_json, emit_table, message, size_in_words

if TYPE_CHECKING:
    from loaders.inputs import Manner
    from loaders.rehearsal import Rehearsal, Rehearsed

_REFUSED = 2
_CHUNKS_SHOWN = 20


def show_rehearsal(
    home: Path | None,
    catalog: str,
    words: list[tuple[str, str]],
    manner: Manner,
    *,
    most_rows: int | None,
    is_json: bool,
) -> None:
    """Say what would become of the files; exit code 2 where something speaks against the ingest."""
    from loaders.ingest import IngestOptions
    from loaders.inputs import contributions
    from loaders.rehearsal import rehearse
    from workers.cli.ingest_run import remote_of
    from workers.cli.ingest_steps import opened_site
    from workers.config import load

    options = IngestOptions(remote=remote_of(load(home)))
    with opened_site(home) as site:
        given = contributions(site, catalog, words, manner)
        found = rehearse(site, catalog, given, options=options, most_rows=most_rows)
    if is_json:
        emit_json(found.to_document())
    else:
        for file in found.files:
            _show_file(file)
        _show_sum(found)
    if not found.is_good:
        raise typer.Exit(_REFUSED)


def _show_file(file: Rehearsed) -> None:
    facts: list[tuple[str, object]] = [
        ("file", file.source),
        ("table", file.table),
        ("format", file.format),
        ("rows", f"{file.rows:,}" + ("" if file.is_whole else ", the first")),
        *(("column", one) for one in file.filled),
        ("NULL", ", ".join(file.null)),
        ("ignored", ", ".join(file.ignored)),
        ("rejects", f"{file.rejects:,}"),
        *(("because", f"{reason} ({count:,})") for reason, count in file.reasons),
        *(("row", f"{number}: {reason}") for number, reason in file.examples),
        ("error", file.error),
    ]
    emit_table(("what", "is"), [(name, value) for name, value in facts if value])


def _show_sum(found: Rehearsal) -> None:
    rows = sum(one.rows - one.rejects for one in found.files)
    size = size_in_words(found.size_bytes)
    message(f"{rows:,} rows, about {size} in {found.copies} copies before indexes")
    for table, twice, known in found.keys:
        if twice or known:
            message(f"{table}: {twice:,} keys come twice, {known:,} are published already")
    if found.are_chunks_new:
        message("chunks would be chosen by this ingest's rows")
    elif found.chunks:
        more = len(found.chunks) - _CHUNKS_SHOWN
        shown = " ".join(found.chunks[:_CHUNKS_SHOWN]) + (f" and {more} more" if more > 0 else "")
        message(f"{len(found.chunks)} chunks touched: {shown}")
    message("nothing was changed")
