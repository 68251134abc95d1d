"""Why a caller is turned away.

UsageError
├── NotLoggedIn     nobody may ask unnamed, or the credentials are wrong (HTTP 401)
└── Forbidden       these credentials do not allow it (HTTP 403)
Throttled           later it may be allowed (HTTP 429, with Retry-After)
├── TooManyGuesses  too many wrong passwords came from there, or for her
├── TooManyOfYours  as many of her queries run and wait as may
└── QuotaUsed       her rows, bytes or seconds of a day are used up
"""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from schema.errors import SkyshardError, UsageError


class NotLoggedIn(UsageError):
    """The request needs credentials, or brings wrong ones."""

    code = "NOT_LOGGED_IN"


class Forbidden(UsageError):
    """The caller's credentials do not allow what she asks for."""

    code = "FORBIDDEN"


class Throttled(SkyshardError):
    """Not now; after `retry_s` seconds it may be allowed."""

    code = "THROTTLED"
    transient = True

    def __init__(self, message: str, retry_s: float) -> None:
        super().__init__(message)
        self.retry_s = retry_s

    @override
    def fields(self) -> dict[str, Any]:
        return {**SkyshardError.fields(self), "retry_s": round(self.retry_s)}


class TooManyGuesses(Throttled):
    """Too many wrong passwords came from one address or for one user."""

    code = "TOO_MANY_GUESSES"


class TooManyOfYours(Throttled):
    """As many of the caller's queries run, and wait, as she may have."""

    code = "TOO_MANY_OF_YOURS"


class QuotaUsed(Throttled):
    """The rows, bytes or seconds that a caller may use in a day are used up."""

    code = "QUOTA_USED"
