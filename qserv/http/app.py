"""The routes: TAP sync and async, VOSI, the front page, health and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from anyio import to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from qserv.http import examples, vosi
from qserv.http.caller import Named, allowed, caller
from qserv.http.examples import examples_page
from qserv.http.failures import failure
from qserv.http.handover import Asked, Handover
from qserv.http.ingest import ingest_routes
from qserv.http.jobs import job_routes
from qserv.http.login import login_routes
from qserv.http.metrics import QueryMetrics
from qserv.http.pages import front_page
from qserv.http.parameters import read_parameters
from qserv.http.queries import query_routes
from qserv.http.query_response import Desk, QueryResponse
from qserv.http.service import Service
from qserv.http.tables_page import tables_page
from qserv.rights.caller import Caller, Scope
from qserv.tap_query import BadRequest, TapQuery, tap_query
from schema.catalog import Catalog
from schema.errors import SkyshardError

XML = "application/xml"


def create_app(service: Service) -> Starlette:
    """The ASGI application over a service."""
    face = _Face(service)
    app = Starlette(
        middleware=[Middleware(Named, service=service)],
        routes=[
            Route("/tap/sync", face.sync, methods=["GET", "POST"]),
            Route("/tap/capabilities", face.capabilities),
            Route("/tap/tables", face.tables),
            Route("/tap/tables/{name}", face.table),
            Route("/tap/availability", face.availability),
            Route("/tap/examples", face.examples),
            Route("/tap", face.front),
            Route("/health", face.health),
            Route("/metrics", face.metrics_page),
            Route("/", face.front),
            *login_routes(service),
            *(query_routes(service.queries) if service.queries is not None else ()),
            *face.job_routes(),
            *(ingest_routes(service.ingests) if service.ingests is not None else ()),
        ],
    )
    app.state.service = service
    return app


class _Face:
    """The endpoints of one application; they share its service and its counters."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._metrics = QueryMetrics()
        self._desk = Desk(service.http.max_running, self._metrics, service.http.queue_s)
        self._started = datetime.now(UTC)

    def job_routes(self) -> list[Route]:
        """The routes of TAP's asynchronous queries, where there are any."""
        service = self._service
        if service.jobs is None:
            return []
        return job_routes(service.jobs, self._base_url, service.bounds)

    async def sync(self, request: Request) -> ASGIApp:
        """TAP's synchronous query."""
        try:
            who = await allowed(request, Scope.READ_TAP)
            service = self._service
            parameters = await read_parameters(request, service.bounds, service.uploads)
            if parameters.get("REQUEST", "").lower() == "getcapabilities":
                return await self.capabilities(request)
            query = tap_query(parameters)
        except SkyshardError as error:
            return failure(error)
        return QueryResponse(query, self._service, self._desk, who, self._late(request, query, who))

    def _late(self, request: Request, query: TapQuery, who: Caller) -> Handover | None:
        """How a query that takes too long goes on; None where its time is not bounded."""
        limit_s = self._service.limits_of(who).timeout_s
        if self._service.jobs is None or limit_s is None:
            return None
        asked = Asked(query, who, f"{self._base_url(request)}/async", limit_s)
        return Handover(self._service.jobs, asked)

    async def capabilities(self, request: Request) -> Response:
        """VOSI capabilities, for everybody: they tell how to log in. Wrong credentials are told."""
        limits, methods = self._service.limits, self._service.security_methods
        try:
            if "authorization" in request.headers:
                limits = self._service.limits_of(await caller(request))
        except SkyshardError as error:
            return failure(error)
        jobs = self._service.jobs.desk.settings if self._service.jobs is not None else None
        document = vosi.capabilities(
            self._base_url(request),
            limits,
            methods,
            jobs,
            with_uploads=self._service.uploads is not None,
        )
        return Response(document, media_type=XML)

    async def tables(self, request: Request) -> Response:
        """VOSI tables; `detail=min`, or astroquery's `only_tables=true`, leaves the columns out."""
        is_short = request.query_params.get("only_tables", "").lower() == "true"
        detail = request.query_params.get("detail", "min" if is_short else "max").lower()
        if detail not in ("min", "max"):
            return failure(BadRequest(f"detail={detail!r}: there are min and max"))
        try:
            catalogs = await self._catalogs(request)
        except SkyshardError as error:
            return failure(error)
        # Java's clients accept text/html, too; browsers alone say XHTML.
        if "application/xhtml+xml" in request.headers.get("accept", ""):
            return HTMLResponse(tables_page(catalogs))
        return Response(vosi.table_set(catalogs, with_columns=detail == "max"), media_type=XML)

    async def examples(self, request: Request) -> Response:
        """Queries to begin with, about the catalogs that the caller sees."""
        try:
            who = await caller(request)
            found = await to_thread.run_sync(self._service.examples, who)
        except SkyshardError as error:
            return failure(error)
        return Response(examples_page(found), media_type=examples.MIME)

    async def table(self, request: Request) -> Response:
        """VOSI tables, one of them: `/tap/tables/dp1.Object`."""
        catalog_name, _, table_name = request.path_params["name"].partition(".")
        try:
            catalogs = await self._catalogs(request)
        except SkyshardError as error:
            return failure(error)
        for catalog in catalogs:
            table = catalog.table(table_name)
            if catalog.name.casefold() == catalog_name.casefold() and table is not None:
                return Response(vosi.one_table(catalog, table), media_type=XML)
        return Response("no such table\n", 404, media_type="text/plain")

    async def availability(self, _request: Request) -> Response:
        """VOSI availability."""
        return Response(vosi.availability(self._started, await self._fault()), media_type=XML)

    async def health(self, _request: Request) -> Response:
        """200 where queries can be answered, 503 with the reason where not."""
        fault = await self._fault()
        if fault is None:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "unavailable", "reason": fault}, 503)

    async def metrics_page(self, _request: Request) -> Response:
        """Prometheus' text format."""
        page = self._metrics.page(await self._job_counts())
        return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _job_counts(self) -> dict[str, int]:
        """The jobs in each phase; none where the coordinator is away."""
        if self._service.jobs is None:
            return {}
        try:
            return await to_thread.run_sync(self._service.jobs.desk.counts)
        except SkyshardError:
            return {}

    async def front(self, request: Request) -> Response:
        """How to connect."""
        try:
            catalogs = await self._catalogs(request)
        except SkyshardError:
            catalogs = ()
        return HTMLResponse(front_page(self._base_url(request), catalogs))

    async def _catalogs(self, request: Request) -> Sequence[Catalog]:
        """What is there for who asks."""
        who = await allowed(request, Scope.READ_TAP)
        return await to_thread.run_sync(self._service.catalogs, who)

    async def _fault(self) -> str | None:
        try:
            await to_thread.run_sync(self._service.check)
        except SkyshardError as error:
            return str(error)
        return None

    def _base_url(self, request: Request) -> str:
        root = self._service.public_url or str(request.base_url)
        return f"{root.rstrip('/')}/tap"
