"""Errors on the wire: an HTTP status and a VOTable that says ERROR (DALI 1.1, section 4.4)."""

from __future__ import annotations

import math

from starlette.responses import Response

from qserv.formats.votable_frame import error_document
from qserv.jobs.errors import KeyReused, UnknownJob
from qserv.rights.errors import Forbidden, NotLoggedIn, Throttled
from schema.errors import LimitExceeded, SkyshardError, Unavailable, UsageError

VOTABLE = "application/x-votable+xml"
RETRY_AFTER_S = 5


class BodyTooLarge(LimitExceeded):
    """The request's body is larger than the server reads."""

    code = "BODY_TOO_LARGE"


class TooManyQueries(Unavailable):
    """As many queries as the server allows run already."""

    code = "TOO_MANY_QUERIES"

    def __init__(self, max_running: int) -> None:
        super().__init__(f"{max_running} queries are running, the most that this server allows")


def status_of(error: SkyshardError) -> int:
    """The HTTP status that tells a client whose fault it is, and whether to try again."""
    match error:
        case NotLoggedIn():
            return 401
        case Forbidden():
            return 403
        case Throttled():
            return 429
        case UnknownJob():
            return 404
        case KeyReused():
            return 422
        case UsageError():
            return 400
        case LimitExceeded():
            return 413
        case Unavailable():
            return 503
        case _:
            return 500


def outcome_of(error: SkyshardError) -> str:
    """The error's kind for the metrics: `usage`, `refused`, `limit`, `unavailable` or `failed`."""
    return _OUTCOMES.get(status_of(error), "failed")


_OUTCOMES = {
    400: "usage",
    401: "refused",
    403: "refused",
    413: "limit",
    429: "limit",
    503: "unavailable",
}


def retry_after(error: SkyshardError) -> dict[str, str]:
    """The header that says when to try again, where that may help."""
    if isinstance(error, Throttled):
        return {"Retry-After": str(max(1, math.ceil(error.retry_s)))}
    return {"Retry-After": str(RETRY_AFTER_S)} if error.transient else {}


def failure(error: SkyshardError) -> Response:
    """The error as a response."""
    facts = error.fields()
    document = error_document(str(facts.pop("message")), facts)
    return Response(document, status_of(error), retry_after(error), media_type=VOTABLE)


def unexpected(query_id: str | None = None) -> Response:
    """What a client learns of a fault of ours: nothing but that it is one."""
    facts = {"code": "INTERNAL_ERROR", "query_id": query_id}
    return Response(
        error_document("Internal error; the server's log has it.", facts), 500, {}, VOTABLE
    )
