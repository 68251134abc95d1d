"""Whose a cluster is: the user who made it, and nobody else starts, stops or changes it.

Root could: it would leave notes that only root reads, and lock the owner out.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from schema.errors import ConfigError

_NOTES = ("cluster.json", "secrets.json", ".lock")


class OtherOwner(ConfigError):
    """A cluster or its data belong to another user than the caller."""

    code = "OTHER_OWNER"

    def __init__(self, path: Path, uid: int) -> None:
        owner = name_of(uid)
        super().__init__(
            f"{path} belongs to user {owner}, and you are {name_of(os.geteuid())}: run this as "
            f"{owner}, or name another --home"
        )
        self.path = path


def name_of(uid: int) -> str:
    """The name of an account; its number where it has none (in a container, say)."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def check_home(home: Path) -> None:
    """Refuse a home in which another user has made a cluster; fine where there is none yet."""
    for name in _NOTES:
        check_owner(home / name)


def check_owner(path: Path, lent: int | None = None) -> None:
    """Refuse a file or folder, if there is one, of another user than the caller or `lent`."""
    try:
        owner = path.stat().st_uid
    except OSError:
        return  # none, or not to be seen: who tries to open it is told
    if owner not in (os.geteuid(), lent):
        raise OtherOwner(path, owner)
