"""Whom the PostgreSQL servers run as. PostgreSQL refuses root, so root lends them an account."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

from schema.errors import ConfigError

CANDIDATES = ("postgres", "nobody")


class NoAccount(ConfigError):
    """Root needs an unprivileged account to run PostgreSQL and the machine has none of ours."""

    code = "NO_ACCOUNT"

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(
            f"PostgreSQL does not run as root and there is no account {' or '.join(names)}; "
            "create one (useradd --system postgres), or run skyshard as another user"
        )


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int


class Demotion(TypedDict, total=False):
    """The arguments that make Popen drop root."""

    user: int
    group: int
    extra_groups: list[int]


def server_account(name: str = "") -> Account | None:
    """The account to run servers as; None: the caller's own, which is not root.

    `name` is the account that owns the data already, if any.
    """
    if os.geteuid() != 0:
        return None
    names = (name,) if name else CANDIDATES
    for candidate in names:
        try:
            entry = pwd.getpwnam(candidate)
        except KeyError:
            continue
        return Account(candidate, entry.pw_uid, entry.pw_gid)
    raise NoAccount(names)


def demotion(account: Account | None) -> Demotion:
    """Arguments for Popen that run a program as `account`."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def can_reach(account: Account | None, path: Path, test: Literal["r", "w", "x"] = "x") -> bool:
    """Whether `account` may read, write or enter `path`; the kernel is asked as that user."""
    asked = subprocess.run(
        ["/usr/bin/test", f"-{test}", str(path)], check=False, cwd="/", **demotion(account)
    )
    return asked.returncode == 0


def own_folder(path: Path, account: Account | None) -> None:
    """Make a folder of mode 0700 that belongs to `account`; parents are left as they are."""
    path.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o700)
    if account is not None:
        os.chown(path, account.uid, account.gid)
