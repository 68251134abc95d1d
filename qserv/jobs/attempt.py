"""One run of one job: its query answered, its rows written to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from procedures.job_queue import Claim
from procedures.jobs import Job, Result
from qserv.formats.registry import Format
from qserv.jobs.errors import AttemptLost, ResultQuota
from qserv.jobs.progress import Progress, progress_of
from qserv.jobs.results import ResultFiles
from qserv.limits import Limits
from qserv.result import Answer
from qserv.rights.caller import Caller, Scope
from qserv.running import Running
from qserv.store import Store
from qserv.tap_query import TapQuery, answer_tap, tap_query
from schema.errors import SkyshardError

LimitsOf = Callable[[Caller], Limits]
"""The bounds of a caller's queries."""


@dataclass(eq=False, slots=True)
class Attempt:
    """An attempt while it lasts. Its thread counts; others read, and may stop it.

    `room_bytes`: how large the result may become, `quota_bytes` the owner's in all.
    """

    claim: Claim
    running: Running
    room_bytes: int
    quota_bytes: int
    expected_s: float | None = None
    rows: int = 0
    size_bytes: int = 0
    failure: SkyshardError | None = None
    is_lost: bool = False

    def progress(self) -> Progress:
        """How far it has come."""
        return progress_of(
            self.running, rows=self.rows, size_bytes=self.size_bytes, expected_s=self.expected_s
        )

    def lose(self) -> None:
        """It no longer counts: stop what it does."""
        self.is_lost = True
        self.running.stop(AttemptLost(self.claim.job_id))

    def counted(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The same batches; counts rows, ends with the query, and notes a failure.

        A VOTable's writer makes the failure part of its document.
        """
        try:
            for batch in batches:
                self.running.check()
                self.rows += batch.num_rows
                yield batch
        except SkyshardError as error:
            self.failure = error
            raise


def run(attempt: Attempt, job: Job, store: Store, limits: Limits, files: ResultFiles) -> Result:
    """Answer the job's query into a file; raises what ends it."""
    query = tap_query(job.parameters)
    found = answer_tap(
        query,
        store,
        files.uploads,
        limits=replace(limits, timeout_s=attempt.running.timeout_s),
        caller=caller_of(job.caller),
        running=attempt.running,
    )
    with closing(found):
        found.batches = attempt.counted(found.batches)
        return write(attempt, query, found, query.form.write(found), files)


def write(
    attempt: Attempt,
    query: TapQuery,
    found: Answer,
    chunks: Iterable[bytes],
    files: ResultFiles,
) -> Result:
    """Write an answer's bytes into a file and keep it; no file is left where that fails."""
    form: Format = query.form
    out = files.writer(attempt.claim.job_id, attempt.claim.attempt, form.extension)
    try:
        for chunk in chunks:
            attempt.running.check()
            attempt.size_bytes += len(chunk)
            if attempt.size_bytes > attempt.room_bytes:
                raise ResultQuota(attempt.quota_bytes)
            out.write(chunk)
        if attempt.failure is not None:
            raise attempt.failure.with_traceback(None)
        return Result(
            file=out.keep(),
            media_type=form.mime,
            size_bytes=out.size_bytes,
            rows=attempt.rows,
            overflowed=found.overflowed,
            extension=form.extension,
        )
    except BaseException:
        out.discard()
        raise


def caller_of(kept: Mapping[str, Any]) -> Caller:
    """The caller of a kept document; rights are looked up anew by her name."""
    return Caller(
        name=str(kept["name"]),
        groups=frozenset(kept.get("groups", ())),
        scopes=frozenset(Scope(scope) for scope in kept.get("scopes", ())),
        is_anonymous=bool(kept.get("is_anonymous")),
        address=str(kept.get("address", "")),
    )


def kept_caller(caller: Caller) -> dict[str, Any]:
    """A caller as a job keeps her."""
    return {
        "name": caller.name,
        "groups": sorted(caller.groups),
        "scopes": sorted(str(scope) for scope in caller.scopes),
        "is_anonymous": caller.is_anonymous,
        "address": caller.address,
    }
