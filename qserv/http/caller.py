"""Who sends a request. Every endpoint that asks the store for something asks this first.

    who = await caller(request)

raises a `SkyshardError` where the credentials are wrong, or where nobody may ask unnamed;
`failure(error)` makes the response of it. `Named` is the layer around the routes that tells clients of
whom they were taken for (`X-VO-Authenticated`), and how to log in where they should (401 challenges:
RFC 7235, IVOA SSO 2.0, and the `ivoa_bearer` of its successor, which TOPCAT knows).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qserv.rights.caller import ANONYMOUS_CALLER, Caller
from qserv.rights.caller import Scope as Allowed
from qserv.rights.credentials import read_asker
from qserv.rights.errors import Forbidden

if TYPE_CHECKING:
    from qserv.http.service import Service

CHECKS_AT_ONCE = 8
"""Look-ups of credentials at a time; others wait."""
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-")
SSO_FORM = "ivo://ivoa.net/sso#tls-with-password"
"""A form with `username` and `password` for a token in `X-VO-Bearer`."""


async def caller(request: Request) -> Caller:
    """Who sends this request. Raises NotLoggedIn, TooManyGuesses, Unavailable."""
    known: Caller | None = getattr(request.state, "caller", None)
    if known is None:
        known = request.state.caller = await _found(request)
    return known


async def allowed(request: Request, scope: Allowed) -> Caller:
    """Who sends this request, if her credentials allow that; raises Forbidden where they do not."""
    found = await caller(request)
    if not found.may(scope):
        raise Forbidden(f"these credentials do not allow {scope.value}")
    return found


async def _found(request: Request) -> Caller:
    service: Service = request.app.state.service
    authority = service.authority
    if authority is None:
        return ANONYMOUS_CALLER
    peer = request.client.host if request.client else ""
    asker = read_asker(request.headers, peer, authority.settings)
    found = authority.remembered(asker)
    if found is None:
        found = await to_thread.run_sync(authority.identify, asker, limiter=_limiter(request))
    trace = _TRACE.match(request.headers.get("traceparent", ""))
    return found if trace is None else replace(found, trace_id=trace[1])


def _limiter(request: Request) -> anyio.CapacityLimiter:
    limiter: anyio.CapacityLimiter | None = getattr(request.app.state, "checks", None)
    if limiter is None:
        limiter = request.app.state.checks = anyio.CapacityLimiter(CHECKS_AT_ONCE)
    return limiter


def challenges(base_url: str) -> list[str]:
    """Ways to log in, as values of WWW-Authenticate."""
    return [
        'Basic realm="Skyshard", charset="UTF-8"',
        'Bearer realm="Skyshard"',
        f'ivoa_bearer standard_id="{SSO_FORM}", access_url="{base_url.removesuffix("/tap")}/login"',
    ]


class Named:
    """The layer around the routes: responses say whom they are for, refusals how to log in."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response with the headers."""
        if scope["type"] != "http" or self._service.authority is None:
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                known: Caller | None = state.get("caller")
                if known is not None and not known.is_anonymous:
                    headers["X-VO-Authenticated"] = known.name
                elif message["status"] == 401 or scope["path"] == "/tap/capabilities":
                    for one in challenges(self._base_url(scope)):
                        headers.append("WWW-Authenticate", one)
            await send(message)

        await self._app(scope, receive, told)

    def _base_url(self, scope: Scope) -> str:
        root = self._service.public_url or str(Request(scope).base_url)
        return f"{root.rstrip('/')}/tap"
