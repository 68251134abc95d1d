"""Users and groups on the coordinator. What proves who someone is: `procedures.tokens`.

Every call takes an open psycopg2 connection and leaves the transaction to its caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extras import Json

from procedures.rights import UnknownPrincipal
from procedures.rights_version import touch
from schema.errors import CatalogError
from schema.rights import Scope, principal_name


class PrincipalExists(CatalogError):
    """A user or a group has that name already."""

    code = "PRINCIPAL_EXISTS"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a user or a group {name!r} already")


@dataclass(frozen=True, slots=True)
class Principal:
    """A user with her groups, or a group with its users."""

    name: str
    kind: str
    note: str
    scopes: frozenset[Scope]
    has_password: bool
    others: tuple[str, ...]
    """Groups of a user, users of a group."""
    quota: Mapping[str, int | None]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Login:
    """What a password is checked against. `password` None: none gets in."""

    name: str
    scopes: frozenset[Scope]
    password: str | None


def add_user(
    connection: Connection,
    name: str,
    *,
    scopes: Iterable[Scope] = (Scope.READ_TAP, Scope.WRITE_TABLES),
    password: str | None = None,
    note: str = "",
) -> None:
    """A new user, with the password's `qserv.rights.passwords` hash. Raises WrongName, PrincipalExists."""
    _add(connection, (principal_name(name), "user", password, _words(scopes), note))


def add_group(connection: Connection, name: str, *, note: str = "") -> None:
    """A new, empty group. Raises WrongName, PrincipalExists."""
    _add(connection, (principal_name(name), "group", None, [], note))


def _add(connection: Connection, row: tuple[object, ...]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ADD, row)
        if cursor.rowcount == 0:
            raise PrincipalExists(str(row[0]))
        touch(cursor)


def list_principals(connection: Connection, kind: str) -> list[Principal]:
    """All users, or all groups, by name."""
    return _read(connection, kind, None)


def get_principal(connection: Connection, kind: str, name: str) -> Principal:
    """One of them, in any case. Raises UnknownPrincipal."""
    found = _read(connection, kind, name)
    if not found:
        raise UnknownPrincipal(name, kind)
    return found[0]


def remove_principal(connection: Connection, kind: str, name: str) -> None:
    """Forget a user or a group with tokens, memberships and permissions. Raises UnknownPrincipal."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM skyshard.principal WHERE kind = %s AND name = lower(%s) AND name <> 'public'",
            (kind, name),
        )
        _check_found(cursor, kind, name)
        touch(cursor)


def set_password(connection: Connection, name: str, password: str | None) -> None:
    """Another password's hash, or None: no password gets in. Raises UnknownPrincipal."""
    _set(connection, "user", name, ("password", password))


def set_scopes(connection: Connection, name: str, scopes: Iterable[Scope]) -> None:
    """What a user's credentials may allow at most. Raises UnknownPrincipal."""
    _set(connection, "user", name, ("scopes", _words(scopes)))


def set_quota(
    connection: Connection, kind: str, name: str, quota: Mapping[str, int | None]
) -> None:
    """Bounds in place of the configured ones. Raises UnknownPrincipal."""
    _set(connection, kind, name, ("quota", Json(dict(quota))))


def _set(connection: Connection, kind: str, name: str, what: tuple[str, object]) -> None:
    column, value = what
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE skyshard.principal SET {column} = %s WHERE kind = %s AND name = lower(%s)",
            (value, kind, name),
        )
        _check_found(cursor, kind, name)
        touch(cursor)


def _check_found(cursor: Any, kind: str, name: str) -> None:
    if cursor.rowcount == 0:
        raise UnknownPrincipal(name, kind)


def join_group(connection: Connection, group: str, user: str) -> None:
    """Put a user into a group; again is nothing. Raises UnknownPrincipal."""
    get_principal(connection, "group", group)
    get_principal(connection, "user", user)
    with connection.cursor() as cursor:
        cursor.execute(_JOIN, (group, user))
        touch(cursor)


def leave_group(connection: Connection, group: str, user: str) -> None:
    """Take a user out of a group. Raises UnknownPrincipal where she was not in it."""
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE, (group, user))
        if cursor.rowcount == 0:
            raise UnknownPrincipal(user, f"member of {group}")
        touch(cursor)


def find_login(connection: Connection, name: str) -> Login | None:
    """What a user's password is checked against; None where there is no such user."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, scopes, password FROM skyshard.principal"
            " WHERE kind = 'user' AND name = lower(%s)",
            (name,),
        )
        row = cursor.fetchone()
        return None if row is None else Login(row[0], known_scopes(row[1]), row[2])


def known_scopes(words: Iterable[str]) -> frozenset[Scope]:
    """The scopes of a row; those of a newer Skyshard count for nothing."""
    known = {scope.value for scope in Scope}
    return frozenset(Scope(word) for word in words if word in known)


def _words(scopes: Iterable[Scope]) -> list[str]:
    return sorted(scope.value for scope in scopes)


def _read(connection: Connection, kind: str, name: str | None) -> list[Principal]:
    with connection.cursor() as cursor:
        cursor.execute(_READ, (kind, name, name))
        return [
            Principal(
                name=row[0],
                kind=row[1],
                note=row[2],
                scopes=known_scopes(row[3]),
                has_password=row[4],
                others=tuple(row[5]),
                quota=row[6],
                created_at=row[7],
            )
            for row in cursor
        ]


_ADD = """
INSERT INTO skyshard.principal (name, kind, password, scopes, note)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (name) DO NOTHING
"""

_READ = """
SELECT principal.name, principal.kind, principal.note, principal.scopes,
       principal.password IS NOT NULL,
       ARRAY(SELECT other.name
             FROM skyshard.membership
             JOIN skyshard.principal AS other
               ON other.principal_id IN (membership.group_id, membership.user_id)
             WHERE principal.principal_id IN (membership.group_id, membership.user_id)
               AND other.principal_id <> principal.principal_id
             ORDER BY other.name),
       principal.quota, principal.created_at
FROM skyshard.principal
WHERE principal.kind = %s AND (%s::text IS NULL OR principal.name = lower(%s))
ORDER BY principal.name
"""

_JOIN = """
INSERT INTO skyshard.membership (group_id, user_id)
SELECT group_of.principal_id, principal.principal_id
FROM skyshard.principal AS group_of, skyshard.principal
WHERE group_of.kind = 'group' AND group_of.name = lower(%s)
  AND principal.kind = 'user' AND principal.name = lower(%s)
ON CONFLICT DO NOTHING
"""

_LEAVE = """
DELETE FROM skyshard.membership
USING skyshard.principal AS group_of, skyshard.principal
WHERE membership.group_id = group_of.principal_id AND group_of.name = lower(%s)
  AND membership.user_id = principal.principal_id AND principal.name = lower(%s)
"""
