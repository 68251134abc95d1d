"""Ingests by HTTP: `/ingest/...`, for who has a token for it; answers and errors are JSON.

    GET  /ingest[?catalog=C]                 the newest ingests
    POST /ingest                             {"catalog", "label"?, "max_rejects"?, "duplicates"?, "verify"?}
    GET  /ingest/N                           everything that is known of it
    GET  /ingest/N/rejects                   its rejected rows, CSV
    POST /ingest/N/contributions             {"table", "files": [PATH|PATTERN|FOLDER|URL...], "columns"?,
                                              "form"?, "mapping"?, "split"?, "dry_run"?, "rows"?}
    POST /ingest/N/contributions?table=T     an Arrow IPC stream as the body
    POST /ingest/N/commit | run | publish | retry | abort

`run` and `publish` go on in the background ({"publish": true} publishes what was loaded).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from loaders import lifecycle
from loaders.inputs import push
from loaders.lease import IngestBusy, IngestEnded
from loaders.options import IngestOptions, Site
from loaders.parts.publish import AlreadyIngested
from loaders.progress import list_status, status
from loaders.readers.source import UnreadableFile
from loaders.rehearsal import rehearse
from loaders.staging.download import NOWHERE, Remote
from loaders.staging.spool import make_private
from procedures.ingests import IngestRow, UnknownIngest, read_ingest
from qserv.http.caller import allowed, caller
from qserv.http.failures import BodyTooLarge, retry_after, status_of
from qserv.http.ingest_inputs import INPUT_KEYS, FolderRefused, asked
from qserv.rights.caller import Scope
from qserv.rights.errors import NotLoggedIn
from qserv.tap_query import BadRequest
from schema.errors import SkyshardError, Unavailable, UsageError

ARROW = "application/vnd.apache.arrow.stream"
_log = logging.getLogger(__name__)
_CONFLICTS = (lifecycle.WrongState, AlreadyIngested, IngestBusy, IngestEnded)


class TokenRefused(UsageError):
    """The request has no token, or one that is not known."""

    code = "TOKEN_REFUSED"


class TooManyLoads(Unavailable):
    """As many ingests as the server allows are being loaded by it."""

    code = "TOO_MANY_LOADS"


@dataclass(frozen=True, slots=True)
class IngestAccess:
    """What the HTTP face may do with ingests.

    `token_sha256`: the hex digest of a token that may, beside those of users with the scope `ingest`.
    """

    site: Site
    token_sha256: str | None = None
    folders: tuple[Path, ...] = ()
    """Files below these may be named; none: only pushed streams."""
    remote: Remote = NOWHERE
    """Which addresses files may be fetched from."""
    max_body_bytes: int = 2_000_000
    max_push_bytes: int = 16 * 2**30
    """Of one pushed stream."""
    max_loads: int = 2
    """Ingests that this server loads at a time."""
    workers: int = 2
    loads: dict[int, threading.Thread] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


Document = dict[str, Any]
Answer = Callable[[Request], Awaitable[tuple[int, object]]]


def ingest_routes(access: IngestAccess) -> list[Route]:
    """The routes of `/ingest`."""
    desk = _Desk(access)
    steps = {
        "commit": desk.commit,
        "run": desk.run,
        "publish": desk.publish,
        "retry": desk.retry,
        "abort": desk.abort,
        "contributions": desk.add,
    }
    return [
        Route("/ingest", _guarded(access, desk.list), methods=["GET"]),
        Route("/ingest", _guarded(access, desk.begin), methods=["POST"]),
        Route("/ingest/{number:int}", _guarded(access, desk.status), methods=["GET"]),
        Route("/ingest/{number:int}/rejects", _guarded(access, desk.rejects), methods=["GET"]),
        *(
            Route(f"/ingest/{{number:int}}/{name}", _guarded(access, step), methods=["POST"])
            for name, step in steps.items()
        ),
    ]


def _guarded(access: IngestAccess, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for who has the token; errors as JSON."""

    async def endpoint(request: Request) -> Response:
        try:
            await _check_caller(access, request)
            code, document = await answer(request)
            if isinstance(document, Path):
                return FileResponse(document, code, media_type="text/csv")
        except SkyshardError as error:
            return _failure(error)
        except (psycopg2.Error, OSError):
            _log.exception("ingest by HTTP failed")
            told = {"code": "INTERNAL_ERROR", "message": "the server's log has it"}
            return JSONResponse({"error": told}, 500)
        return Response(json.dumps(document, default=str), code, media_type="application/json")

    return endpoint


async def _check_caller(access: IngestAccess, request: Request) -> None:
    """Let through the configured token, and whose credentials have the scope `ingest`.

    Raises TokenRefused, Forbidden.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    digest = hashlib.sha256(token.strip().encode()).hexdigest()
    configured = access.token_sha256
    if kind.lower() == "bearer" and configured and hmac.compare_digest(digest, configured):
        return
    try:
        who = await caller(request)
    except NotLoggedIn as error:
        raise TokenRefused(f"ingests need a token with the scope ingest: {error}") from error
    if who.is_anonymous:
        raise TokenRefused("ingests need `Authorization: Bearer TOKEN` with the right token")
    await allowed(request, Scope.INGEST)


def _failure(error: SkyshardError) -> Response:
    """The error as JSON, with the status that tells whose it is."""
    headers = retry_after(error)
    match error:
        case TokenRefused():
            code, headers = 401, {"WWW-Authenticate": "Bearer"}
        case FolderRefused():
            code = 403
        case UnknownIngest():
            code = 404
        case _:
            code = 409 if isinstance(error, _CONFLICTS) else status_of(error)
    return Response(
        json.dumps({"error": error.fields()}, default=str), code, headers, "application/json"
    )


class _Desk:
    """The endpoints; what waits for servers or disks does so on threads."""

    def __init__(self, access: IngestAccess) -> None:
        self._access, self._site = access, access.site

    async def list(self, request: Request) -> tuple[int, object]:
        catalog = request.query_params.get("catalog")
        rows = await to_thread.run_sync(lambda: list_status(self._site, catalog))
        return 200, [
            {
                "ingest": row.ingest_id,
                "kind": row.kind,
                "catalog": row.catalog,
                "state": row.state,
                "label": row.label,
                "rows": row.rows,
                "rejects": row.rejects,
                "error": row.error,
                "started_at": row.started_at.isoformat(),
            }
            for row in rows
        ]

    async def begin(self, request: Request) -> tuple[int, object]:
        given = await self._document(
            request, "catalog", "label", "verify", "max_rejects", "duplicates"
        )
        catalog = _text(given, "catalog")
        label = _text(given, "label") if given.get("label") is not None else None
        duplicates = given.get("duplicates", "refuse")
        if duplicates not in ("refuse", "ignore", "take"):
            raise BadRequest("duplicates is refuse, ignore or take")
        options = IngestOptions(
            max_rejects=_count(given, "max_rejects") or 0,
            verify=given.get("verify") is True,
            again=duplicates == "take",
            ignore_repeated=duplicates == "ignore",
        )
        ingest_id = await to_thread.run_sync(
            lambda: lifecycle.begin(self._site, catalog, label=label, options=options)
        )
        return 201, {"ingest": ingest_id, "state": "open"}

    async def status(self, request: Request) -> tuple[int, object]:
        found = await to_thread.run_sync(status, self._site, _number(request))
        return 200, found.to_document()

    async def rejects(self, request: Request) -> tuple[int, object]:
        """The file of the rejected rows, which is on this machine if the ingest ran here."""
        found = await to_thread.run_sync(lifecycle.rejects, self._site, _number(request))
        return (200, found) if found is not None else (200, [])

    async def add(self, request: Request) -> tuple[int, object]:
        number = _number(request)
        if request.headers.get("content-type", "").partition(";")[0].strip() == ARROW:
            return await self._push(request, number)
        given = await self._document(request, *INPUT_KEYS)
        access, most_rows = self._access, _count(given, "rows")
        row = await to_thread.run_sync(self._row, number)
        found = await to_thread.run_sync(
            asked, self._site, row.catalog, given, access.folders, access.remote
        )
        if given.get("dry_run") is True:
            options = IngestOptions(remote=access.remote)
            told = await to_thread.run_sync(
                lambda: rehearse(
                    self._site, row.catalog, found, options=options, most_rows=most_rows
                )
            )
            return 200, told.to_document()
        numbers = await to_thread.run_sync(lifecycle.add, self._site, number, found)
        return 201, {"ingest": number, "added": numbers}

    def _row(self, number: int) -> IngestRow:
        with self._site.pools.coordinator() as connection:
            return read_ingest(connection, number)

    async def _push(self, request: Request, number: int) -> tuple[int, object]:
        """Take an Arrow stream as a file of the ingest."""
        table = request.query_params.get("table")
        if not table:
            raise BadRequest("a pushed stream needs ?table=NAME")
        await to_thread.run_sync(self._check_open, number)
        folder = self._site.folder(number) / "arriving"
        make_private(folder)
        raw = folder / f"{secrets.token_hex(8)}.arrows"
        try:
            await self._save(request, raw)
            numbers = await to_thread.run_sync(_pushed, self._site, number, table, raw)
        finally:
            raw.unlink(missing_ok=True)
        return 201, {"ingest": number, "added": numbers}

    def _check_open(self, number: int) -> None:
        """Raise UnknownIngest or WrongState before a body is read."""
        row = self._row(number)
        if row.state != "open":
            raise lifecycle.WrongState(row, "only an open one takes files; begin another")

    async def _save(self, request: Request, path: Path) -> None:
        size = 0
        with path.open("wb") as file:
            async for chunk in request.stream():
                size += len(chunk)
                if size > self._access.max_push_bytes:
                    raise BodyTooLarge(
                        f"a pushed stream may have {self._access.max_push_bytes} bytes"
                    )
                await to_thread.run_sync(file.write, chunk)

    async def commit(self, request: Request) -> tuple[int, object]:
        number = _number(request)
        await to_thread.run_sync(lifecycle.commit, self._site, number)
        return 200, {"ingest": number, "state": "committed"}

    async def run(self, request: Request) -> tuple[int, object]:
        given = await self._document(request, "publish")
        return await self._start(request, and_publish=given.get("publish") is True)

    async def publish(self, request: Request) -> tuple[int, object]:
        number = _number(request)
        ran = await to_thread.run_sync(lifecycle.publish_ingest, self._site, number)
        return 200, {"ingest": number, "state": ran.state, "snapshot": ran.snapshot}

    async def retry(self, request: Request) -> tuple[int, object]:
        given = await self._document(request, "max_rejects")
        number, allowed = _number(request), _count(given, "max_rejects")
        count = await to_thread.run_sync(
            lambda: lifecycle.retry(self._site, number, max_rejects=allowed)
        )
        return 200, {"ingest": number, "waiting": count}

    async def abort(self, request: Request) -> tuple[int, object]:
        number = _number(request)
        is_gone = await to_thread.run_sync(lifecycle.abort, self._site, number)
        return 200, {"ingest": number, "state": "aborted", "is_gone": is_gone}

    async def _start(self, request: Request, *, and_publish: bool) -> tuple[int, object]:
        """Load in the background; `GET /ingest/N` tells how it does."""
        number, access = _number(request), self._access
        found = await to_thread.run_sync(status, self._site, number)
        with access.lock:
            running = {n: load for n, load in access.loads.items() if load.is_alive()}
            if number not in running:
                if len(running) >= access.max_loads:
                    raise TooManyLoads(
                        f"{access.max_loads} ingests are being loaded, the most here"
                    )
                # It may end with the process at any moment: whoever runs the ingest next goes on.
                running[number] = threading.Thread(
                    target=_load, args=(access, number, and_publish), name="ingest", daemon=True
                )
                running[number].start()
            access.loads.clear()
            access.loads.update(running)
        return 202, {"ingest": number, "state": found.row.state}

    async def _document(self, request: Request, *known: str) -> Document:
        """The body as JSON; an empty one is an empty object. Raises BadRequest, BodyTooLarge."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._access.max_body_bytes:
                raise BodyTooLarge(f"the body may have {self._access.max_body_bytes} bytes")
        try:
            given = json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"the body is not JSON: {error}") from error
        if not isinstance(given, dict):
            raise BadRequest("the body is not a JSON object")
        if unknown := sorted(given.keys() - set(known)):
            raise BadRequest(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
        return given


def _load(access: IngestAccess, number: int, and_publish: bool) -> None:
    """One background load; why it stops is in the ingest's own books."""
    options = IngestOptions(workers=access.workers, keep_going=True, remote=access.remote)
    try:
        lifecycle.run_ingest(access.site, number, options=options, and_publish=and_publish)
    except SkyshardError as error:
        _log.warning("ingest stopped", extra={"ingest": number, **_log_fields(error)})
    except Exception:  # noqa: BLE001  (the outermost loop of a thread)
        _log.exception("ingest failed", extra={"ingest": number})


def _log_fields(error: SkyshardError) -> dict[str, object]:
    return {"code": error.code, "reason": str(error)}


def _pushed(site: Site, number: int, table: str, raw: Path) -> list[int]:
    """Rows that arrived as an Arrow stream, in the ingest. Raises BadRequest."""
    try:
        with pa.OSFile(str(raw), "rb") as source, pa.ipc.open_stream(source) as batches:
            return push(site, number, table, batches)
    except (pa.ArrowException, OSError, UnreadableFile) as error:
        raise BadRequest(f"the body is no whole Arrow IPC stream: {error}") from error


def _number(request: Request) -> int:
    return int(request.path_params["number"])


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name} is a text")
    return value


def _count(given: Mapping[str, object], name: str) -> int | None:
    value = given.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise BadRequest(f"{name} is a number of rows")
    return value
