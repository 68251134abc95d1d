"""Jobs as UWS 1.1 documents (vo-models) and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_xml import BaseXmlModel, attr, element
from vo_models.uws import models as uws
from vo_models.uws.types import ErrorType, ExecutionPhase
from vo_models.voresource.types import UTCTimestamp

from procedures.jobs import Job, Phase
from qserv.jobs.desk import JobView

JOB_NAMESPACE = "urn:skyshard:job"
_NSMAP = {**uws.NSMAP, "job": JOB_NAMESPACE}
RESULT = "result"
"""The name of TAP's one result."""


class Fact(BaseXmlModel, tag="fact", ns="job", nsmap=_NSMAP):
    """One thing that is known of a job's progress."""

    name: str = attr()
    value: str


class JobInfo(BaseXmlModel, tag="jobInfo", ns="uws", nsmap=_NSMAP):
    """What UWS leaves to the server to say."""

    facts: list[Fact] = element(tag="fact", ns="job")


class TapParameters(uws.Parameters, tag="parameters", ns="uws", nsmap=_NSMAP):  # type: ignore[call-arg,misc]
    """TAP's parameters by their names."""

    REQUEST: uws.Parameter | None = None
    VERSION: uws.Parameter | None = None
    LANG: uws.Parameter | None = None
    QUERY: uws.Parameter | None = None
    MAXREC: uws.Parameter | None = None
    RESPONSEFORMAT: uws.Parameter | None = None
    FORMAT: uws.Parameter | None = None
    RUNID: uws.Parameter | None = None
    UPLOAD: uws.Parameter | None = None
    SNAPSHOT: uws.Parameter | None = None


class TapJob(uws.JobSummary[TapParameters], tag="job", ns="uws", nsmap=_NSMAP):  # type: ignore[call-arg,misc]
    """A job whose `jobInfo` holds elements, as the schema has it."""

    job_info: JobInfo = element(tag="jobInfo")


def job_document(view: JobView, url: str) -> bytes:
    """The job as UWS has it; `url` is its address."""
    job = view.job
    document = TapJob(
        job_id=job.job_id,
        run_id=job.run_id,
        owner_id=_owner(job),
        phase=ExecutionPhase(job.phase.value),
        quote=_stamp(view.quote),
        creation_time=_stamp(job.created_at),
        start_time=_stamp(job.started_at),
        end_time=_stamp(job.ended_at),
        execution_duration=job.execution_s,
        destruction=_stamp(job.destruction_at),
        parameters=_parameters(job),
        results=_results(job, url),
        error_summary=_error(job),
        job_info=JobInfo(facts=[Fact(name=k, value=str(v)) for k, v in facts_of(view).items()]),
    )
    return _xml(document)


def parameters_document(job: Job) -> bytes:
    """The parameters alone."""
    return _xml(_parameters(job))


def results_document(job: Job, url: str) -> bytes:
    """The results alone."""
    return _xml(_results(job, url))


def list_document(jobs: Sequence[Job], url: str) -> bytes:
    """A list of jobs; `url` is that of the list."""
    references = [
        uws.ShortJobDescription(
            job_id=job.job_id,
            href=f"{url}/{job.job_id}",
            phase=ExecutionPhase(job.phase.value),
            run_id=job.run_id,
            owner_id=_owner(job),
            creation_time=_stamp(job.created_at),
        )
        for job in jobs
    ]
    return _xml(uws.Jobs(jobref=references))


def facts_of(view: JobView) -> dict[str, object]:
    """Progress and place in the queue, what is known of them."""
    job, progress = view.job, view.job.progress
    facts = {
        "queuePosition": None if view.ahead is None else view.ahead + 1,
        "attempt": job.attempt or None,
        "estimateSeconds": job.estimate_s,
        "chunksDone": progress.get("chunks"),
        "chunksAll": progress.get("all_chunks"),
        "shardRows": progress.get("shard_rows"),
        "shardBytes": progress.get("shard_bytes"),
        "rows": job.result.rows if job.result else progress.get("rows"),
        "bytes": job.result.size_bytes if job.result else progress.get("bytes"),
        "elapsedSeconds": progress.get("elapsed_s"),
        "etaSeconds": progress.get("eta_s") if job.phase is Phase.EXECUTING else None,
        "queryId": progress.get("query_id") or None,
        "overflow": "true" if job.result and job.result.overflowed else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def job_json(view: JobView, url: str) -> dict[str, Any]:
    """The job for programs that would rather not read XML."""
    job = view.job
    return {
        **short_json(job, url),
        "quote": iso(view.quote),
        "startTime": iso(job.started_at),
        "endTime": iso(job.ended_at),
        "executionDuration": job.execution_s,
        "destruction": iso(job.destruction_at),
        "parameters": dict(job.parameters),
        "results": _results_json(job, url),
        "error": job.error,
        "progress": facts_of(view),
    }


def short_json(job: Job, url: str) -> dict[str, Any]:
    """The job in a list."""
    return {
        "jobId": job.job_id,
        "href": url,
        "runId": job.run_id,
        "ownerId": _owner(job),
        "phase": str(job.phase),
        "creationTime": iso(job.created_at),
    }


def iso(moment: datetime | None) -> str | None:
    """UTC as DALI writes it, to the millisecond."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _results_json(job: Job, url: str) -> list[Mapping[str, object]]:
    if job.result is None:
        return []
    found = job.result
    size, rows = found.size_bytes, found.rows
    return [
        {
            "id": RESULT,
            "href": f"{url}/results/{RESULT}",
            "mimeType": found.media_type,
            "size": size,
            "rows": rows,
            "overflow": found.overflowed,
        }
    ]


def _owner(job: Job) -> str | None:
    """UWS: NULL for jobs of those who did not log in."""
    return None if job.caller.get("is_anonymous") else job.owner


def _parameters(job: Job) -> TapParameters:
    """Those that TAP knows, which are all that a job keeps."""
    known = TapParameters.model_fields
    return TapParameters(
        **{
            name: uws.Parameter(id=name, value=_printable(value))
            for name, value in job.parameters.items()
            if name in known
        }
    )


def _results(job: Job, url: str) -> uws.Results:
    found = job.result
    if found is None:
        return uws.Results(results=[])
    reference = uws.ResultReference(
        id=RESULT,
        href=f"{url}/results/{RESULT}",
        size=found.size_bytes,
        mime_type=found.media_type,
    )
    return uws.Results(results=[reference])


def _error(job: Job) -> uws.ErrorSummary | None:
    if job.error is None:
        return None
    kind = ErrorType.TRANSIENT if job.error.get("transient") else ErrorType.FATAL
    message = _printable(str(job.error.get("message", "")))
    return uws.ErrorSummary(message=message, type=kind, has_detail=True)


def _printable(text: str) -> str:
    """Text without the characters that XML 1.0 cannot hold."""
    return "".join(c if c in "\t\n\r" or c >= " " else "\ufffd" for c in text)


def _stamp(moment: datetime | None) -> UTCTimestamp | None:
    return (
        None if moment is None else UTCTimestamp.fromisoformat(moment.astimezone(UTC).isoformat())
    )


def _xml(document: Any) -> bytes:
    encoded = document.to_xml(encoding="UTF-8", xml_declaration=True)
    return encoded if isinstance(encoded, bytes) else str(encoded).encode()
