"""`skyshard doctor`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from workers.cli.options import DEGRADED, Home, Json
from workers.cli.output import emit_json, emit_table


def doctor(home: Home = None, is_json: Json = False) -> None:
    """Say what this machine and this cluster lack and how to get it; changes nothing.

    Exit code 3 if something must be put right.

    \b
    Example:
      skyshard doctor
    """
    from workers.config import load
    from workers.doctor import Verdict, examine

    found = examine(load(home))
    if is_json:
        emit_json([asdict(finding) for finding in found])
    else:
        rows = [(f.verdict.value, f.subject, f.fact, f.remedy or None) for f in found]
        emit_table(("verdict", "subject", "fact", "what to do"), rows)
    if any(finding.verdict is Verdict.MISSING for finding in found):
        raise typer.Exit(DEGRADED)
