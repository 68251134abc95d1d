"""One `up`, `down` or `migrate` at a time for each home."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schema.errors import Unavailable
from workers.local.owner import check_home

PATIENCE_S = 120.0


class HomeBusy(Unavailable):
    """Another command is starting or stopping this cluster."""

    code = "HOME_BUSY"


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the home's lock, if the cluster is the caller's; the kernel frees it however we end."""
    check_home(home)
    path = home / ".lock"
    with path.open("a+", encoding="ascii") as stream:
        _wait(stream.fileno(), path)
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def _wait(descriptor: int, path: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                pid = path.read_text(encoding="ascii").strip()
                raise HomeBusy(f"process {pid} is starting or stopping this cluster") from error
            time.sleep(0.1)
        else:
            return
