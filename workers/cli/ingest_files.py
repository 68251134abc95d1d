"""Which files a command line names, and which table each goes to."""

from __future__ import annotations

import re
from glob import glob
from pathlib import Path

import typer

_NAMED = re.compile(r"(\w+)=(.+)")


def pairs(table: str, files: list[str]) -> list[tuple[str, Path]]:
    """Each file with the table that its rows go to: `table`, or what TABLE=FILE said last."""
    is_table_given = bool(table)
    found: list[tuple[str, Path]] = []
    for file in files:
        named = None if is_table_given else _NAMED.fullmatch(file)
        table, path = (named[1], named[2]) if named else (table, file)
        if not table:
            raise typer.BadParameter(
                f"{file}: say CATALOG.TABLE FILE..., or CATALOG TABLE=FILE...", param_hint="FILE"
            )
        found += [(table, one) for one in _expanded(path)]
    return found


def _expanded(path: str) -> list[Path]:
    """The files that a pattern stands for: no shell looks behind `TABLE=`."""
    if Path(path).exists() or not any(sign in path for sign in "*?["):
        return [Path(path)]
    found = sorted(glob(path))  # noqa: PTH207  (patterns may be absolute)
    return [Path(file) for file in found] or [Path(path)]
