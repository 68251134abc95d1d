"""Tokens on the coordinator, by their SHA-256: created, listed, revoked, found.

A token has 256 random bits, so its plain digest tells nothing of it. Every call takes an open psycopg2
connection and leaves the transaction to its caller.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812

from procedures.rights_version import touch
from procedures.users import get_principal, known_scopes
from schema.errors import CatalogError
from schema.rights import Scope

TOKEN_BYTES = 32
PREFIX = "sky-"
"""Of every token, so that people and scanners of secrets know one when they see it."""


class UnknownToken(CatalogError):
    """No token has that number, or it was revoked already."""

    code = "UNKNOWN_TOKEN"


class ScopeRefused(CatalogError):
    """A token shall allow more than its user may."""

    code = "SCOPE_REFUSED"


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is told: everything but itself."""

    token_id: int
    user: str
    label: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a valid token is, what it allows, and how many seconds yet (None: for ever)."""

    user: str
    scopes: frozenset[Scope]
    left_s: float | None


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def create_token(
    connection: Connection,
    user: str,
    *,
    scopes: Iterable[Scope],
    days: float | None,
    label: str = "",
) -> tuple[int, str]:
    """A new token's number and the token, which is kept nowhere; valid for `days` (None: for ever).

    Raises UnknownPrincipal, ScopeRefused.
    """
    owner = get_principal(connection, "user", user)
    wanted = frozenset(scopes)
    excess = set() if Scope.ADMIN in owner.scopes else wanted - owner.scopes
    if excess:
        raise ScopeRefused(
            f"{owner.name} may not {', '.join(sorted(excess))}: see `skyshard user scopes`"
        )
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    with connection.cursor() as cursor:
        words = sorted(scope.value for scope in wanted)
        cursor.execute(_CREATE, (digest_of(token), label, words, days, owner.name))
        row = cursor.fetchone()
    assert row is not None
    return int(row[0]), token


def list_tokens(connection: Connection, user: str | None = None) -> list[Token]:
    """One user's tokens, or all; the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_LIST, (user, user))
        return [_told(row) for row in cursor]


def _told(row: tuple[Any, ...]) -> Token:
    token_id, user, label, scopes, *times = row
    return Token(token_id, user, label, known_scopes(scopes), times[0], times[1], times[2])


def revoke_token(connection: Connection, token_id: int) -> None:
    """A token is of no use from now on. Raises UnknownToken."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.token SET revoked_at = clock_timestamp()"
            " WHERE token_id = %s AND revoked_at IS NULL",
            (token_id,),
        )
        if cursor.rowcount == 0:
            raise UnknownToken(
                f"no token {token_id} that is not revoked: see `skyshard token list`"
            )
        touch(cursor)


def find_holder(connection: Connection, token: str) -> Holder | None:
    """Whose token that is; None where it is unknown, revoked or past its time."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, (digest_of(token),))
        row = cursor.fetchone()
    if row is None:
        return None
    scopes, allowed = known_scopes(row[1]), known_scopes(row[2])
    return Holder(row[0], scopes if Scope.ADMIN in allowed else scopes & allowed, row[3])


_CREATE = """
INSERT INTO skyshard.token (user_id, sha256, label, scopes, expires_at)
SELECT principal_id, %s, %s, %s, clock_timestamp() + %s * interval '1 day'
FROM skyshard.principal
WHERE kind = 'user' AND name = %s
RETURNING token_id
"""

_LIST = """
SELECT token.token_id, principal.name, token.label, token.scopes, token.created_at,
       token.expires_at, token.revoked_at
FROM skyshard.token
JOIN skyshard.principal ON principal.principal_id = token.user_id
WHERE %s::text IS NULL OR principal.name = lower(%s)
ORDER BY token.token_id DESC
"""

_FIND = """
SELECT principal.name, token.scopes, principal.scopes,
       extract(epoch FROM token.expires_at - clock_timestamp())::float8
FROM skyshard.token
JOIN skyshard.principal ON principal.principal_id = token.user_id
WHERE token.sha256 = %s
  AND token.revoked_at IS NULL
  AND (token.expires_at IS NULL OR token.expires_at > clock_timestamp())
"""
