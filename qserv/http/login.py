"""`/login`: a name and a password for a token of some hours, as TOPCAT and other IVOA clients log in.

POST a form with `username` and `password` (or send HTTP Basic): the token is in `X-VO-Bearer` and in the
body. GET tells who one is.
"""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qsl

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from qserv.http.caller import caller
from qserv.http.failures import failure
from qserv.http.service import Service
from qserv.rights.authority import Authority
from qserv.rights.caller import Caller, Scope
from qserv.rights.credentials import Password, read_asker
from qserv.rights.errors import Forbidden, NotLoggedIn
from qserv.tap_query import BadRequest
from schema.errors import SkyshardError

TOKEN_DAYS = 0.5
MAX_FORM_BYTES = 4096
LABEL = "login"


def login_routes(service: Service) -> list[Route]:
    """The route of `/login`; none where there are no users."""
    authority = service.authority
    if authority is None:
        return []

    async def login(request: Request) -> Response:
        try:
            if request.method == "GET":
                return _told(await caller(request))
            return await _token(request, authority)
        except SkyshardError as error:
            return failure(error)

    return [Route("/login", login, methods=["GET", "POST"])]


def _told(who: Caller) -> Response:
    return JSONResponse(
        {
            "user": who.name,
            "anonymous": who.is_anonymous,
            "scopes": sorted(scope.value for scope in who.scopes),
        }
    )


async def _token(request: Request, authority: Authority) -> Response:
    """A new token of who sends name and password. Raises NotLoggedIn, BadRequest, Forbidden."""
    given = await _form(request)
    if given is None:
        who = await caller(request)
    else:
        peer = request.client.host if request.client else ""
        asker = replace(read_asker({}, peer, authority.settings), proof=given)
        who = await to_thread.run_sync(authority.identify, asker)
        request.state.caller = who
    if who.is_anonymous:
        raise NotLoggedIn("send a form with username and password")
    token = await to_thread.run_sync(_created, authority, who)
    document = {"user": who.name, "token": token, "days": TOKEN_DAYS}
    return Response(
        json.dumps(document),
        200,
        {"X-VO-Bearer": token, "Cache-Control": "no-store"},
        "application/json",
    )


async def _form(request: Request) -> Password | None:
    """Name and password of the request's form; None where it has none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise BadRequest("the form is too long")
    fields = dict(
        parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=8)
    )
    if "username" not in fields:
        return None
    return Password(fields["username"].strip().lower(), fields.get("password", ""))


def _created(authority: Authority, who: Caller) -> str:
    """A token that allows what queries and tables of her own need, never more than she showed."""
    scopes = {Scope.READ_TAP, Scope.WRITE_TABLES}
    if not who.is_admin:
        scopes &= who.scopes
    if not scopes:
        raise Forbidden("these credentials allow no query")
    return authority.new_token(who.name, scopes, days=TOKEN_DAYS, label=LABEL)
