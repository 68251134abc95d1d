"""`skyshard job list|show|cancel|delete|result`: asynchronous queries, whoever asked them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.options import Home, Json
from workers.cli.output import emit_json, emit_table, message, size_in_words

if TYPE_CHECKING:
    from datetime import datetime

    from procedures.jobs import Job
    from qserv.jobs.desk import JobDesk, JobView

app = typer.Typer(
    help="Asynchronous queries (/tap/async): list, look at, cancel, delete them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.", show_default=False)]


@contextmanager
def _desk(home: Path | None) -> Iterator[JobDesk]:
    """The calls of owners, over the cluster's coordinator."""
    from procedures.pools import Pools
    from qserv.jobs.desk import JobDesk
    from qserv.jobs.results import ResultFiles
    from workers.config import load, topology

    settings = load(home)
    pools = Pools(topology(settings), size=1, application_name="skyshard job")
    try:
        yield JobDesk(pools, ResultFiles(settings.job_results), settings.jobs)
    finally:
        pools.close()


@app.command("list")
def list_(
    phase: Annotated[
        list[str] | None,
        typer.Option("--phase", metavar="PHASE", help="Only those: QUEUED, EXECUTING, ERROR..."),
    ] = None,
    last: Annotated[
        int, typer.Option("--last", min=1, metavar="N", help="At most so many, the newest.")
    ] = 50,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """List the newest jobs of everybody.

    \b
    Example:
      skyshard job list --phase QUEUED --phase EXECUTING
    """
    from procedures.jobs import Phase
    from qserv.rights.caller import OPERATOR

    names = [word.upper() for word in phase or ()]
    for name in names:
        if name not in Phase.__members__:
            raise typer.BadParameter(f"there are {', '.join(Phase)}", param_hint="--phase")
    with _desk(home) as desk:
        found = desk.listed(OPERATOR, phases=[Phase(n) for n in names], last=last, is_all=True)
    lines = [_line(job) for job in found]
    if is_json:
        emit_json(lines)
        return
    headings = ("job", "phase", "owner", "created", "seconds", "chunks", "rows", "size", "run id")
    emit_table(headings, [[line[heading] for heading in headings] for line in lines])


@app.command()
def show(job: JobId, home: Home = None, is_json: Json = False) -> None:
    """Show all that is known of a job: its query, how far it has come, why it failed.

    \b
    Example:
      skyshard job show 019c0b6e-3c52-7d7e-8f0a-3b7a1c5d9e20
    """
    from qserv.rights.caller import OPERATOR

    with _desk(home) as desk:
        view = desk.view(OPERATOR, job)
    facts = _facts(view)
    if is_json:
        emit_json(facts)
        return
    emit_table(("", ""), [[name, value] for name, value in facts.items() if value is not None])


@app.command()
def cancel(job: JobId, home: Home = None) -> None:
    """End a job that waits or runs; what is known of it stays.

    \b
    Example:
      skyshard job cancel 019c0b6e-3c52-7d7e-8f0a-3b7a1c5d9e20
    """
    from qserv.rights.caller import OPERATOR

    with _desk(home) as desk:
        desk.abort(OPERATOR, job)
        message(f"{job} is {desk.read(OPERATOR, job).phase}")


@app.command()
def delete(job: JobId, home: Home = None) -> None:
    """Forget a job and remove its result; what runs of it is stopped.

    \b
    Example:
      skyshard job delete 019c0b6e-3c52-7d7e-8f0a-3b7a1c5d9e20
    """
    from qserv.rights.caller import OPERATOR

    with _desk(home) as desk:
        desk.delete(OPERATOR, job)
    message(f"{job} is gone")


@app.command()
def result(job: JobId, home: Home = None) -> None:
    """Write a job's result to stdout, as the bytes that it is.

    \b
    Example:
      skyshard job result 019c0b6e-3c52-7d7e-8f0a-3b7a1c5d9e20 > rows.vot
    """
    import shutil

    from qserv.jobs.errors import JobState, ResultMissing
    from qserv.rights.caller import OPERATOR

    with _desk(home) as desk:
        found = desk.read(OPERATOR, job)
        if found.result is None:
            raise JobState(job, found.phase, "it has no result")
        try:
            with desk.files.path(found.result.file).open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
        except FileNotFoundError as error:
            raise ResultMissing(job) from error


def _line(job: Job) -> dict[str, Any]:
    """A job as a line of the list."""
    progress, found = job.progress, job.result
    done, all_chunks = progress.get("chunks"), progress.get("all_chunks")
    return {
        "job": job.job_id,
        "phase": str(job.phase),
        "owner": job.owner,
        "created": f"{job.created_at:%F %T}",
        "seconds": _seconds(job),
        "chunks": None if all_chunks is None else f"{done}/{all_chunks}",
        "rows": found.rows if found is not None else progress.get("rows"),
        "size": size_in_words(found.size_bytes if found is not None else progress.get("bytes")),
        "run id": job.run_id,
    }


def _seconds(job: Job) -> float | None:
    """How long it ran, or runs as far as was told."""
    if job.started_at is not None and job.ended_at is not None:
        return round((job.ended_at - job.started_at).total_seconds(), 3)
    elapsed = job.progress.get("elapsed_s")
    return None if elapsed is None else float(elapsed)


def _facts(view: JobView) -> dict[str, Any]:
    job = view.job
    error = job.error or {}
    return {
        **_line(job),
        "place in the queue": None if view.ahead is None else view.ahead + 1,
        "may be complete": _time(view.quote),
        "started": _time(job.started_at),
        "ended": _time(job.ended_at),
        "goes": _time(job.destruction_at),
        "may run, seconds": job.execution_s,
        "attempt": job.attempt,
        "czar": job.czar_id,
        "query id": job.progress.get("query_id"),
        "error": f"{error.get('message')} [{error.get('code')}]" if error else None,
        "result": None if job.result is None else job.result.file,
        **job.parameters,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%F %T%z}"
