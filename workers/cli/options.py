"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.executor import Kind

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="Folder of the cluster. Default: SKYSHARD_HOME, else ~/.local/share/skyshard.",
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")]

ExecutorKind = Annotated[
    Kind | None,
    typer.Option(
        "--executor", help="What stages files and loads parts: threads, processes or ray. [threads]"
    ),
]

Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT|auto",
        help="Work on the Ray cluster there; --executor ray without it starts one here.",
    ),
]

DEGRADED = 3
"""Exit code: it works, but not all of it."""
