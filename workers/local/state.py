"""What a cluster remembers of itself: `cluster.json` (facts) and `secrets.json` (mode 0600).

Both are written whole to a new file, fsynced and renamed, so that a crash leaves the old one.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from schema.errors import ConfigError
from workers.local.owner import check_owner

STATE_FILE = "cluster.json"
SECRETS_FILE = "secrets.json"


class BadState(ConfigError):
    """The cluster's own notes cannot be read."""

    code = "CLUSTER_STATE"

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(
            f"{path} cannot be read ({fault}); restore it from a backup, or name another --home"
        )
        self.path = path


class Kind(StrEnum):
    """What a process of the cluster is; the values order a start."""

    COORDINATOR = "coordinator"
    SHARD = "shard"
    SCAN = "scan"
    CZAR = "czar"

    @property
    def is_postgres(self) -> bool:
        return self in (Kind.COORDINATOR, Kind.SHARD)


@dataclass(frozen=True, slots=True)
class Running:
    """A started process: its id and its start time (seconds since 1970), which tells it from a
    later process with the same id. `told` is a digest of what it was told when it started."""

    pid: int
    started: float
    told: str = ""


@dataclass(frozen=True, slots=True)
class ClusterState:
    """Facts that outlive the processes.

    `shards` is 0 where the servers are given by DSN. `ports` and `running` are keyed by process
    name (`coordinator`, `shard-1`, `scan-1`, `czar`).
    """

    shards: int
    host: str
    port: int
    data: str = ""
    pg_bin: str = ""
    pg_version: str = ""
    account: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)


@dataclass(slots=True)
class Notes:
    """The state of one home, written at each change. Used by one thread, under the home's lock."""

    home: Path
    state: ClusterState

    def change(self, **fields: Any) -> None:
        """Replace fields of the state and write it."""
        self.state = replace(self.state, **fields)
        write_state(self.home, self.state)

    def started(self, name: str, running: Running) -> None:
        """Note a process that was started or found running."""
        self.change(running={**self.state.running, name: running})

    def stopped(self, name: str) -> None:
        """Note that a process has ended."""
        self.change(running={n: r for n, r in self.state.running.items() if n != name})


@dataclass(frozen=True, slots=True)
class Secrets:
    """Generated passwords: of the servers' superuser, of Skyshard's role, of the scan engines."""

    admin: str = field(repr=False)
    role: str = field(repr=False)
    scan_token: str = field(repr=False)


def read_state(home: Path) -> ClusterState | None:
    """The state at `home`; None where no cluster was started there."""
    document = _read(home / STATE_FILE)
    if document is None:
        return None
    try:
        running = {name: Running(**entry) for name, entry in document.pop("running").items()}
        return ClusterState(**document, running=running)
    except (TypeError, KeyError, AttributeError) as error:
        raise BadState(home / STATE_FILE, str(error)) from error


def write_state(home: Path, state: ClusterState) -> None:
    """Replace the state at `home`."""
    _write(home / STATE_FILE, asdict(state))


def read_secrets(home: Path) -> Secrets | None:
    """The passwords at `home`; None where none were made."""
    document = _read(home / SECRETS_FILE)
    if document is None:
        return None
    try:
        return Secrets(**document)
    except TypeError as error:
        raise BadState(home / SECRETS_FILE, str(error)) from error


def make_secrets(home: Path) -> Secrets:
    """The passwords at `home`, made if there are none."""
    found = read_secrets(home)
    if found is not None:
        return found
    made = Secrets(*(secrets.token_urlsafe(32) for _ in range(3)))
    _write(home / SECRETS_FILE, asdict(made))
    return made


def _read(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        if isinstance(error, PermissionError):
            check_owner(path)
        raise BadState(path, str(error)) from error
    if not isinstance(document, dict):
        raise BadState(path, "not a JSON object")
    return document


def _write(path: Path, document: dict[str, object]) -> None:
    """Write whole, mode 0600."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(document, stream, indent=2, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
