"""What `skyshard query` and `skyshard explain` do, behind their options."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import typer

from qserv.formats.registry import FORMATS, Format, find_format, format_of_file
from qserv.formats.terminal import render_table
from qserv.result import Answer
from qserv.uploads.tables import NO_UPLOADS, Uploads
from schema.errors import SkyshardError, UsageError
from workers.cli.options import DEGRADED
from workers.cli.output import console, emit_json, message
from workers.cli.serve import opened_store
from workers.config import load, topology

TABLE = "table"
TABLE_ROWS = 1000
"""Rows of a table on the terminal where --maxrec does not say."""
_FOR_EYES = {"csv", "tsv", "json", "text", "html", "votable", "votable-td"}


class WrongOutput(UsageError):
    """The query's text or the place of its rows cannot be used."""

    code = "WRONG_OUTPUT"


@dataclass(frozen=True, slots=True)
class Wish:
    """How the user wants the rows, None: as `query` decides; and the query's language."""

    form: str | None = None
    output: Path | None = None
    maxrec: int | None = None
    language: str = "ADQL"
    as_of: tuple[str, ...] = ()
    """Snapshots to read in place of the newest."""
    uploads: tuple[str, ...] = ()
    """NAME=FILE each: tables that the query names `tap_upload.NAME`."""


def read_text(argument: str) -> str:
    """The query: the argument itself, or what is in the file (`@FILE`) or stream (`-`) it names."""
    if argument == "-":
        return sys.stdin.read()
    if not argument.startswith("@"):
        return argument
    try:
        return Path(argument[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongOutput(f"{argument[1:]} cannot be read: {error}") from error


def read_uploads(said: tuple[str, ...]) -> Uploads:
    """The tables of `--upload NAME=FILE`."""
    if not said:
        return NO_UPLOADS
    from qserv.uploads.read import read_upload

    tables = []
    for one in said:
        name, sign, file = one.partition("=")
        if not sign or not name or not file:
            raise WrongOutput(f"--upload {one}: say NAME=FILE")
        if not Path(file).is_file():
            raise WrongOutput(f"--upload {one}: there is no file {file}")
        tables.append(read_upload(name, Path(file)))
    return Uploads(tables)


def run(home: Path | None, text: str, wish: Wish) -> None:
    """Answer a query into the terminal, a pipe or a file."""
    form = _chosen(wish)
    from qserv.answer import answer

    maxrec = TABLE_ROWS if form is None and wish.maxrec is None else wish.maxrec
    settings = load(home)
    with opened_store(settings, topology(settings)) as store:
        made = answer(
            text,
            store,
            limits=settings.limits,
            maxrec=maxrec,
            language=wish.language,
            as_of=wish.as_of,
            uploads=read_uploads(wish.uploads),
        )
        with closing(made):
            if form is None:
                render_table(made, console())
            else:
                _write(made, form, wish.output)
    _tell(made)


def explain(home: Path | None, text: str, wish: Wish, *, is_analyzed: bool, is_json: bool) -> None:
    """Print the plan of a query; analyzed, also what it did."""
    from qserv.answer import explain as explain_text
    from qserv.answer import explain_analyze

    tell = explain_analyze if is_analyzed else explain_text
    settings = load(home)
    with opened_store(settings, topology(settings)) as store:
        explanation = tell(
            text,
            store,
            limits=settings.limits,
            language=wish.language,
            as_of=wish.as_of,
            uploads=read_uploads(wish.uploads),
        )
    if is_json:
        emit_json(explanation.to_json())
    else:
        typer.echo(explanation.to_text())


def _chosen(wish: Wish) -> Format | None:
    """The format to write; None for a table."""
    if wish.form is not None and wish.form.lower() == TABLE:
        if wish.output is not None:
            raise WrongOutput("a table is for the terminal; give --output another --format")
        return None
    if wish.form is None and wish.output is None:
        return None if sys.stdout.isatty() else FORMATS["csv"]
    form = find_format(wish.form) if wish.form else format_of_file(wish.output or Path())
    if form is None:
        raise WrongOutput(f"the ending of {wish.output} names no format; say --format")
    if wish.output is None and form.name not in _FOR_EYES and sys.stdout.isatty():
        raise WrongOutput(f"{form.name} is not for a terminal; say --output FILE")
    return form


def _write(made: Answer, form: Format, output: Path | None) -> None:
    """Write all rows, or fail: also where the document itself already tells of the failure."""
    failures: list[SkyshardError] = []
    made.batches = _watched(made.batches, failures)
    try:
        with _sink(output) as sink:
            for chunk in form.write(made):
                sink.write(chunk)
            sink.flush()
            if failures:
                raise failures[0]
    except BrokenPipeError:
        # Who reads has seen enough (`| head`); Python's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _watched(
    batches: Iterator[pa.RecordBatch], failures: list[SkyshardError]
) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except SkyshardError as error:
        failures.append(error)
        raise


@contextmanager
def _sink(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that appears whole or not at all."""
    if output is None:
        yield sys.stdout.buffer
        return
    unfinished = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(output)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise WrongOutput(f"{output} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _tell(made: Answer) -> None:
    """Say on stderr what the rows do not."""
    if made.overflowed:
        message("there are more rows; --maxrec N or a limit cut them")
    for warning in made.warnings:
        message(f"warning: {warning}")
    if made.warnings:
        raise typer.Exit(DEGRADED)
