"""What the commands of users, tokens and permissions share: the coordinator, words to values, tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from schema.errors import UsageError
from schema.rights import Quota, Scope
from workers.cli.output import message

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812


class WrongOption(UsageError):
    """An option's value cannot be understood; the message says what fits."""

    code = "WRONG_OPTION"


@contextmanager
def coordinator(home: Path | None) -> Iterator[Connection]:
    """The coordinator, in a transaction that is committed at the end."""
    from workers.cli.databases import transaction
    from workers.config import load, topology

    with transaction("the coordinator", topology(load(home)).coordinator) as connection:
        yield connection


def to_scopes(words: Sequence[str]) -> frozenset[Scope]:
    """The scopes of that spelling. Raises WrongOption."""
    known = {scope.value: scope for scope in Scope}
    for word in words:
        if word not in known:
            raise WrongOption(f"there is no scope {word!r}: there are {', '.join(known)}")
    return frozenset(known[word] for word in words)


def change_quota(kind: str, name: str, words: Sequence[str], home: Path | None) -> None:
    """Bound what a user, or each user of a group, may use. Raises WrongOption."""
    from procedures.users import get_principal, set_quota

    with coordinator(home) as connection:
        before = get_principal(connection, kind, name).quota
        set_quota(connection, kind, name, to_quota(words, before))
    message(f"the quota of {name.lower()} is changed")


def to_quota(words: Sequence[str], before: Mapping[str, int | None]) -> dict[str, int | None]:
    """`before` with NAME=NUMBER, NAME=none (no bound) or NAME= (as configured). Raises WrongOption."""
    names = Quota.__slots__
    quota = dict(before)
    for word in words:
        name, is_given, value = word.partition("=")
        if name not in names or not is_given:
            raise WrongOption(f"{word!r}: say NAME=NUMBER, where NAME is one of {', '.join(names)}")
        if not value:
            quota.pop(name, None)
        elif value == "none":
            quota[name] = None
        elif value.isascii() and value.isdigit() and len(value) < 19:
            quota[name] = int(value)
        else:
            raise WrongOption(f"{word!r}: {value!r} is neither a whole number nor none")
    return quota


def to_time(word: str | None) -> datetime | None:
    """A date or a time, UTC unless it says otherwise. Raises WrongOption."""
    if word is None:
        return None
    try:
        found = datetime.fromisoformat(word)
    except ValueError as error:
        raise WrongOption(f"{word!r} is no time: say 2027-01-31 or 2027-01-31T12:00:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def ask_password() -> str:
    """A new password: asked for twice on a terminal, else the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
