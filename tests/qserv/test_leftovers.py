"""Folders of processes: private, and removed once their process is no more."""

from __future__ import annotations

import stat
from pathlib import Path

from qserv.leftovers import own_folder, remove_leftovers

NO_PROCESS = 2**22 + 1


def test_a_folder_is_private_and_stays_while_its_process_lives(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, "czar")
    remove_leftovers(tmp_path, "czar")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_dead_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (f"czar-{NO_PROCESS}-a", f"scan-{NO_PROCESS}-a", "czar-x-a"):
        (tmp_path / name).mkdir()
    remove_leftovers(tmp_path, "czar")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["czar-x-a", f"scan-{NO_PROCESS}-a"]
