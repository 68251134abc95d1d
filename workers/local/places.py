"""Where the data directories lie: in the home, unless the servers' account cannot get there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from schema.errors import ConfigError
from workers.local.account import Account, can_reach
from workers.local.owner import check_home

SYSTEM_FOLDER = Path("/var/lib/skyshard")


class Unreachable(ConfigError):
    """The servers' account cannot reach a folder that the operator named."""

    code = "DATA_UNREACHABLE"

    def __init__(self, path: Path, account: Account) -> None:
        super().__init__(
            f"PostgreSQL runs as {account.name!r}, which cannot enter {path}; name another folder "
            "with --data or SKYSHARD_DATA (modes of existing folders are left as they are)"
        )
        self.path = path


class HomeUnwritable(ConfigError):
    """The home cannot be made or written."""

    code = "HOME_UNWRITABLE"

    def __init__(self, home: Path, fault: str) -> None:
        super().__init__(f"{home} cannot be written ({fault}); name another folder with --home")
        self.home = home


def make_home(home: Path) -> None:
    """Create the home and the folders that only its owner reads."""
    check_home(home)
    try:
        home.mkdir(parents=True, exist_ok=True)
        for name in ("logs", "spool", "twins"):
            (home / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise HomeUnwritable(home, error.strerror or str(error)) from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise HomeUnwritable(home, "not yours")


def data_folder(home: Path, configured: Path | None, account: Account | None) -> Path:
    """The folder of the data directories, created; `account` can enter it.

    The configured one; else `data` in the home; else, where root's servers cannot enter the home
    (below /root, say), a folder of the system's named after the home.
    """
    folder = configured or home / "data"
    _make(folder)
    if can_reach(account, folder):
        return folder
    assert account is not None
    if configured is not None:
        raise Unreachable(configured, account)
    folder.rmdir()
    mark = hashlib.sha256(str(home).encode()).hexdigest()[:8]
    folder = SYSTEM_FOLDER / f"{home.name}-{mark}"
    _make(folder)
    if not can_reach(account, folder):
        raise Unreachable(folder, account)
    return folder


def _make(folder: Path) -> None:
    """Create a folder that others may pass through but not list; existing ones keep their mode."""
    for missing in reversed([p for p in (folder, *folder.parents) if not p.exists()]):
        missing.mkdir(exist_ok=True)
        missing.chmod(0o711)
