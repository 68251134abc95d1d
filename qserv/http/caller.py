"""Who sends a request. Every endpoint that asks the store for something asks this first.

    who = await caller(request)

raises a `SkyshardError` where the credentials are wrong, or where nobody may ask unnamed;
`failure(error)` makes the response of it.
"""

from __future__ import annotations

from starlette.requests import Request

from qserv.rights.caller import ANONYMOUS_CALLER, Caller


async def caller(request: Request) -> Caller:  # noqa: ARG001, RUF029  (credentials come next)
    """Who sends this request."""
    return ANONYMOUS_CALLER
