"""A job's result from its file: whole or in ranges (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from procedures.jobs import Job
from qserv.jobs.errors import ResultMissing
from qserv.jobs.results import ResultFiles


def result_response(request: Request, job: Job, files: ResultFiles) -> Response:
    """The rows of a job that has a result; 304 where the client has them. Raises ResultMissing."""
    result = job.result
    assert result is not None
    path = files.path(result.file)
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise ResultMissing(job.job_id) from error
    tag = f'"{job.job_id}-{job.attempt}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if result.overflowed:
        headers["X-Skyshard-Overflow"] = "true"
    known = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(None, 304, headers)
    return FileResponse(
        path,
        headers=headers,
        media_type=result.media_type,
        filename=f"{job.job_id}.{result.extension}",
        stat_result=found,
        content_disposition_type="inline",
    )
