"""Folders that belong to one process, and what is left of processes that were killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def own_folder(root: Path, prefix: str) -> Path:
    """A new folder, mode 0700, whose name tells whose it is."""
    return Path(tempfile.mkdtemp(prefix=f"{prefix}-{os.getpid()}-", dir=root))


def remove_leftovers(root: Path, prefix: str) -> None:
    """Remove the folders of that prefix whose process is no more."""
    for folder in root.glob(f"{prefix}-*-*"):
        pid = folder.name.removeprefix(f"{prefix}-").split("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
