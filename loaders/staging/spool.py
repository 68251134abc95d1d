"""Folders for what an ingest writes on the way: its input's rows, so nobody else's to read."""

from __future__ import annotations

from pathlib import Path


def make_private(folder: Path) -> None:
    """Create a folder and the parents that it lacks, each for its owner only."""
    for place in reversed([folder, *folder.parents]):
        if not place.exists():
            place.mkdir(mode=0o700, exist_ok=True)
