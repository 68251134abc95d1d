"""`/queries`: the log of queries, to each user her own, to administrators all; as JSON.

GET    /queries[?running=1][&limit=N][&before=TIME][&user=NAME]   the newest first
GET    /queries/ID
DELETE /queries/ID, POST /queries/ID/cancel                       end it, in whichever czar it runs
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TypeVar

import psycopg2
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procedures.pools import Pools
from procedures.query_log import Logged, UnknownQuery, ask_cancel, get_query, list_queries
from qserv.http.caller import allowed
from qserv.http.failures import retry_after, status_of
from qserv.rights.caller import Caller, Scope
from qserv.rights.errors import NotLoggedIn
from qserv.tap_query import BadRequest
from schema.errors import SkyshardError, Unavailable

MOST = 1000


@dataclass(frozen=True, slots=True)
class QueryAccess:
    """The log, and how to end a query of this czar at once: True where it ran here."""

    pools: Pools
    cancel: Callable[[str], bool]


Answer = Callable[[Request, Caller], Awaitable[object]]


def query_routes(access: QueryAccess) -> list[Route]:
    """The routes of `/queries`."""
    desk = _Desk(access)
    return [
        Route("/queries", _guarded(desk.list)),
        Route("/queries/{query_id}", _guarded(desk.show), methods=["GET"]),
        Route("/queries/{query_id}", _guarded(desk.cancel), methods=["DELETE"]),
        Route("/queries/{query_id}/cancel", _guarded(desk.cancel), methods=["POST"]),
    ]


def _guarded(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for users; errors as JSON."""

    async def endpoint(request: Request) -> Response:
        try:
            who = await allowed(request, Scope.READ_TAP)
            if who.is_anonymous:
                raise NotLoggedIn("queries are shown to users: log in")
            document = await answer(request, who)
        except SkyshardError as error:
            code = 404 if isinstance(error, UnknownQuery) else status_of(error)
            told = json.dumps({"error": error.fields()}, default=str)
            return Response(told, code, retry_after(error), "application/json")
        return Response(json.dumps(document, default=str), media_type="application/json")

    return endpoint


class _Desk:
    def __init__(self, access: QueryAccess) -> None:
        self._access = access

    async def list(self, request: Request, who: Caller) -> object:
        given = request.query_params
        user = given.get("user") if who.is_admin else who.name
        limit = _count(given.get("limit", "100"))
        before = _time(given.get("before"))
        is_running = given.get("running", "0") not in ("0", "false", "")

        def read() -> list[Logged]:
            with self._access.pools.coordinator() as connection:
                return list_queries(
                    connection, user, limit=limit, is_running=is_running, before=before
                )

        return [document(one) for one in await _in_thread(read)]

    async def show(self, request: Request, who: Caller) -> object:
        query_id = request.path_params["query_id"]

        def read() -> Logged:
            with self._access.pools.coordinator() as connection:
                return get_query(connection, query_id, None if who.is_admin else who.name)

        return document(await _in_thread(read))

    async def cancel(self, request: Request, who: Caller) -> object:
        query_id = request.path_params["query_id"]

        def ask() -> Logged:
            with self._access.pools.coordinator() as connection:
                user = None if who.is_admin else who.name
                found = ask_cancel(connection, query_id, who.name, user)
                connection.commit()
            self._access.cancel(found.query_id)
            return found

        found = await _in_thread(ask)
        return {"query_id": found.query_id, "outcome": found.outcome, "cancel": "asked"}


def document(one: Logged) -> dict[str, object]:
    """A query as JSON tells it."""
    return {**asdict(one), "began_at": one.began_at.isoformat()}


T = TypeVar("T")


async def _in_thread(work: Callable[[], T]) -> T:
    def guarded() -> T:
        try:
            return work()
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            raise Unavailable(f"the coordinator does not answer: {error}") from error

    return await to_thread.run_sync(guarded)


def _count(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 7):
        raise BadRequest(f"limit={word[:20]!r} is no number")
    return min(int(word), MOST)


def _time(word: str | None) -> datetime | None:
    if not word:
        return None
    try:
        found = datetime.fromisoformat(word)
    except ValueError as error:
        raise BadRequest(f"before={word[:40]!r} is no time: say 2027-01-31T12:00:00") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
