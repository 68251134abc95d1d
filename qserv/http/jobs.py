"""`/tap/async`: UWS 1.1, every resource and method; documents are XML, or JSON for who accepts only that.

    GET    /async[?PHASE=&AFTER=&LAST=]     the caller's jobs        POST  creates one (PHASE=RUN runs it)
    GET    /async/ID[?WAIT=&PHASE=]         the job                  POST  ACTION=DELETE | ARCHIVE, PHASE=...
    DELETE /async/ID
    GET    /async/ID/phase, executionduration, destruction, quote, owner, parameters, results, error
    POST   /async/ID/phase, executionduration, destruction, parameters     PUT  /async/ID/parameters/NAME
    GET    /async/ID/results/result         the rows: HTTP ranges, ETag

A change answers with 303 to the job, as UWS has it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from procedures.jobs import Phase
from qserv.formats.votable_frame import error_document
from qserv.http import uws
from qserv.http.caller import allowed
from qserv.http.failures import VOTABLE, failure
from qserv.http.job_results import result_response
from qserv.http.parameters import Bounds, Fields, read_fields, with_uploads
from qserv.jobs.desk import JobDesk, JobView
from qserv.jobs.runner import Runner
from qserv.rights.caller import Caller, Scope
from qserv.tap_query import BadRequest
from schema.errors import SkyshardError

XML = "text/xml"
UNTOLD_S = 15.0
"""How often a request that waits looks by itself, where no notice came."""
MAX_REDIRECT = 303

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class JobAccess:
    """What the HTTP face needs of jobs: the owners' calls, and who runs them and tells of changes."""

    desk: JobDesk
    runner: Runner


def job_routes(
    access: JobAccess, base_url: Callable[[Request], str], bounds: Bounds
) -> list[Route]:
    """The routes below `/tap/async`; `base_url` gives the address of /tap."""
    face = _JobFace(access, base_url, bounds)
    job = "/tap/async/{job_id}"

    def route(path: str, endpoint: Endpoint, *methods: str) -> Route:
        return Route(path, _guarded(endpoint), methods=list(methods))

    return [
        route("/tap/async", face.listed, "GET"),
        route("/tap/async", face.create, "POST"),
        route(job, face.job, "GET"),
        route(job, face.change, "POST"),
        route(job, face.delete, "DELETE"),
        route(f"{job}/parameters", face.parameters, "GET"),
        route(f"{job}/parameters", face.add_parameters, "POST", "PUT"),
        route(f"{job}/parameters/{{name}}", face.parameter, "GET"),
        route(f"{job}/parameters/{{name}}", face.put_parameter, "PUT", "POST"),
        route(f"{job}/results", face.results, "GET"),
        route(f"{job}/results/{uws.RESULT}", face.result, "GET"),
        route(f"{job}/error", face.error, "GET"),
        *(route(f"{job}/{name}", face.value, "GET") for name in _VALUES),
        *(
            route(f"{job}/{name}", face.change, "POST")
            for name in ("phase", "executionduration", "destruction")
        ),
    ]


def _guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint; errors as TAP's documents, or as JSON."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except SkyshardError as error:
            response = failure(error)
            if _wants_json(request):
                response = JSONResponse({"error": error.fields()}, response.status_code)
            return response

    return answer


class _JobFace:
    """The endpoints; they share the desk."""

    def __init__(
        self, access: JobAccess, base_url: Callable[[Request], str], bounds: Bounds
    ) -> None:
        self._desk, self._changes = access.desk, access.runner.changes
        self._base_url, self._bounds = base_url, bounds
        self._uploads = access.desk.files.uploads

    # ---------------------------------------------------------------- the list

    async def listed(self, request: Request) -> Response:
        """The caller's jobs, the newest first; without a filter one is put on."""
        caller = await allowed(request, Scope.READ_TAP)
        wanted = [(name.upper(), value) for name, value in request.query_params.multi_items()]
        if not any(name in ("LAST", "AFTER", "PHASE") for name, _ in wanted):
            most = self._desk.settings.max_list
            return RedirectResponse(f"{self._list_url(request)}?LAST={most}", MAX_REDIRECT)
        phases, after, last = _filters(wanted)
        is_none = not phases and any(name == "PHASE" for name, _ in wanted)
        jobs = await _in_thread(
            lambda: self._desk.listed(
                caller, phases=phases, after=after, last=0 if is_none else last
            )
        )
        url = self._list_url(request)
        if _wants_json(request):
            return JSONResponse([uws.short_json(job, f"{url}/{job.job_id}") for job in jobs])
        return Response(uws.list_document(jobs, url), media_type=XML)

    async def create(self, request: Request) -> Response:
        """A new job; the same Idempotency-Key gives the same one."""
        caller = await allowed(request, Scope.READ_TAP)
        fields = await read_fields(request, self._bounds)
        parameters = await with_uploads(fields, self._uploads)
        key = request.headers.get("idempotency-key")
        phase = _last(fields.pairs, "PHASE", "")
        if phase and phase.upper() != "RUN":
            raise BadRequest(f"PHASE={phase[:20]!r}: a new job may be given PHASE=RUN")
        job = await _in_thread(
            lambda: self._desk.create(caller, parameters, key=key, run=bool(phase))
        )
        return self._to_job(request, job.job_id)

    # ---------------------------------------------------------------- one job

    async def job(self, request: Request) -> Response:
        """The job; with WAIT once its phase has changed, or that many seconds have gone by."""
        caller = await allowed(request, Scope.READ_TAP)
        view = await self._waited(request, caller)
        url = self._job_url(request, view.job.job_id)
        if _wants_json(request):
            return JSONResponse(uws.job_json(view, url))
        return Response(uws.job_document(view, url), media_type=XML)

    async def _waited(self, request: Request, caller: Caller) -> JobView:
        """The job after what the request waits for. A client that goes away ends the wait."""
        job_id: str = request.path_params["job_id"]
        fields = [(name.upper(), value) for name, value in request.query_params.multi_items()]
        wait_s = _wait(_last(fields, "WAIT", "0"), self._desk.settings.max_wait_s)
        first = await _in_thread(lambda: self._desk.view(caller, job_id))
        phase = _last(fields, "PHASE", first.job.phase).upper()
        until, view = time.monotonic() + wait_s, first
        with self._changes.waiting(first.job.job_id) as waiter:
            while view.job.phase == phase and view.job.phase.is_active:
                left = until - time.monotonic()
                if left <= 0 or await request.is_disconnected():
                    break
                await waiter.changed(min(left, UNTOLD_S))
                view = await _in_thread(lambda: self._desk.view(caller, job_id))
        return view

    async def change(self, request: Request) -> Response:
        """PHASE, EXECUTIONDURATION, DESTRUCTION or ACTION, at the job itself or at its resource."""
        caller = await allowed(request, Scope.READ_TAP)
        fields = dict((await read_fields(request, self._bounds)).closed().pairs)
        job_id: str = request.path_params["job_id"]
        action = fields.get("ACTION", "").upper()
        if action == "DELETE":
            await _in_thread(lambda: self._desk.delete(caller, job_id))
            return RedirectResponse(self._list_url(request), MAX_REDIRECT)
        if action == "ARCHIVE":
            fields["PHASE"] = "ARCHIVE"
        elif action:
            raise BadRequest(f"ACTION={action[:20]!r}: there are DELETE and ARCHIVE")
        changes = [change for name, change in self._changers(caller, job_id) if name in fields]
        named = [fields[name] for name, _ in self._changers(caller, job_id) if name in fields]
        if not changes:
            raise BadRequest("say PHASE, EXECUTIONDURATION, DESTRUCTION or ACTION")
        for change, value in zip(changes, named, strict=True):
            await _in_thread(_bound(change, value))
        return self._to_job(request, job_id)

    def _changers(self, caller: Caller, job_id: str) -> list[tuple[str, Callable[[str], None]]]:
        """What each field changes, in the order in which that makes sense."""
        desk = self._desk

        def phase(value: str) -> None:
            steps = {"RUN": desk.run, "ABORT": desk.abort, "ARCHIVE": desk.archive}
            step = steps.get(value.upper())
            if step is None:
                raise BadRequest(f"PHASE={value[:20]!r}: there are {', '.join(steps)}")
            step(caller, job_id)

        return [
            ("EXECUTIONDURATION", lambda v: desk.set_execution(caller, job_id, _seconds(v))),
            ("DESTRUCTION", lambda v: desk.set_destruction(caller, job_id, _moment(v))),
            ("PHASE", phase),
        ]

    async def delete(self, request: Request) -> Response:
        """The job goes; 303 to the list."""
        caller = await allowed(request, Scope.READ_TAP)
        await _in_thread(lambda: self._desk.delete(caller, request.path_params["job_id"]))
        return RedirectResponse(self._list_url(request), MAX_REDIRECT)

    # ---------------------------------------------------------------- its resources

    async def value(self, request: Request) -> Response:
        """One value of the job, as text."""
        view = await self._view(request)
        name = request.url.path.rstrip("/").rpartition("/")[2].lower()
        return PlainTextResponse(_VALUES[name](view))

    async def parameters(self, request: Request) -> Response:
        """The parameters."""
        view = await self._view(request)
        if _wants_json(request):
            return JSONResponse(dict(view.job.parameters))
        return Response(uws.parameters_document(view.job), media_type=XML)

    async def parameter(self, request: Request) -> Response:
        """One parameter, as text."""
        view = await self._view(request)
        name: str = request.path_params["name"].upper()
        if name not in view.job.parameters:
            return PlainTextResponse(f"the job has no parameter {name[:40]}\n", 404)
        return PlainTextResponse(view.job.parameters[name])

    async def add_parameters(self, request: Request) -> Response:
        """More parameters, or others, while the job is pending."""
        return await self._add(request, await read_fields(request, self._bounds))

    async def put_parameter(self, request: Request) -> Response:
        """One parameter: its value is the body, or the form's VALUE."""
        name: str = request.path_params["name"].upper()
        kind = request.headers.get("content-type", "").split(";")[0]
        if kind in ("", "text/plain"):
            value = (await _short_body(request, self._bounds.body)).decode("utf-8", "replace")
            return await self._add(request, Fields([(name, value)]))
        fields = await read_fields(request, self._bounds)
        value = _last(fields.pairs, name, _last(fields.pairs, "VALUE", ""))
        return await self._add(request, Fields([(name, value)], fields.parts))

    async def _add(self, request: Request, fields: Fields) -> Response:
        caller = await allowed(request, Scope.READ_TAP)
        job_id: str = request.path_params["job_id"]
        more = await with_uploads(fields, self._uploads)
        if not more:
            raise BadRequest("none of these is a parameter that TAP knows")
        await _in_thread(lambda: self._desk.add_parameters(caller, job_id, more))
        return self._to_job(request, job_id)

    async def results(self, request: Request) -> Response:
        """Where the result is."""
        view = await self._view(request)
        url = self._job_url(request, view.job.job_id)
        if _wants_json(request):
            return JSONResponse(uws.job_json(view, url)["results"])
        return Response(uws.results_document(view.job, url), media_type=XML)

    async def result(self, request: Request) -> Response:
        """The rows."""
        view = await self._view(request)
        if view.job.phase is Phase.ERROR:
            return _error(view, request, 404)
        if view.job.result is None:
            told = {"code": "NO_RESULT", "phase": str(view.job.phase)}
            document = error_document(f"the job is {view.job.phase}: it has no result", told)
            return Response(document, 404, media_type=VOTABLE)
        return result_response(request, view.job, self._desk.files)

    async def error(self, request: Request) -> Response:
        """Why the job has no result: the document that a synchronous query would have given."""
        view = await self._view(request)
        if view.job.error is None:
            return PlainTextResponse("the job has no error\n", 404)
        return _error(view, request, 200)

    async def _view(self, request: Request) -> JobView:
        caller = await allowed(request, Scope.READ_TAP)
        return await _in_thread(lambda: self._desk.view(caller, request.path_params["job_id"]))

    # ---------------------------------------------------------------- addresses

    def _list_url(self, request: Request) -> str:
        return f"{self._base_url(request)}/async"

    def _job_url(self, request: Request, job_id: str) -> str:
        return f"{self._list_url(request)}/{job_id}"

    def _to_job(self, request: Request, job_id: str) -> Response:
        return RedirectResponse(self._job_url(request, job_id), MAX_REDIRECT)


_VALUES: dict[str, Callable[[JobView], str]] = {
    "phase": lambda view: str(view.job.phase),
    "executionduration": lambda view: str(view.job.execution_s),
    "destruction": lambda view: uws.iso(view.job.destruction_at) or "",
    "quote": lambda view: uws.iso(view.quote) or "",
    "owner": lambda view: "" if view.job.caller.get("is_anonymous") else view.job.owner,
}


def _error(view: JobView, request: Request, status: int) -> Response:
    facts = dict(view.job.error or {})
    if _wants_json(request):
        return JSONResponse({"error": facts}, status)
    document = error_document(str(facts.pop("message", "")), facts)
    return Response(document, status, media_type=VOTABLE)


def _wants_json(request: Request) -> bool:
    """Whether the client named JSON, and no XML, among what it accepts."""
    accepted = request.headers.get("accept", "").lower()
    return "application/json" in accepted and "xml" not in accepted


def _last(fields: Sequence[tuple[str, str]], name: str, default: str) -> str:
    return next((value.strip() for found, value in reversed(fields) if found == name), default)


def _bound(change: Callable[[str], None], value: str) -> Callable[[], None]:
    return lambda: change(value)


def _filters(
    fields: Sequence[tuple[str, str]],
) -> tuple[list[Phase], datetime | None, int | None]:
    """UWS 1.1's PHASE (any of them), AFTER and LAST."""
    phases, after = [], [_moment(value) for name, value in fields if name == "AFTER"]
    for name, value in fields:
        if name == "PHASE":
            if value.upper() in ("HELD", "SUSPENDED", "UNKNOWN"):
                continue  # phases of UWS that no job of ours has
            if value.upper() not in Phase.__members__:
                raise BadRequest(f"PHASE={value[:20]!r} is no phase of UWS")
            phases.append(Phase(value.upper()))
    last = _last(fields, "LAST", "")
    return phases, max(after, default=None), _count("LAST", last) if last else None


def _count(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise BadRequest(f"{name}={value[:20]!r} is not a whole number >= 0")
    return int(value)


def _seconds(value: str) -> int:
    return _count("EXECUTIONDURATION", value.strip())


def _wait(value: str, most: int) -> float:
    """UWS: -1 is as long as the server allows."""
    return float(most) if value.startswith("-") else float(min(_count("WAIT", value), most))


def _moment(value: str) -> datetime:
    """A time as DALI writes it; UTC where it says nothing else."""
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError as error:
        raise BadRequest(f"{value[:40]!r} is no time: write 2026-11-23T12:00:00Z") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


async def _in_thread(work: Callable[[], T]) -> T:
    return await to_thread.run_sync(work)


async def _short_body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise BadRequest(f"the body has more than {most} bytes")
    return bytes(body)
