"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="Folder of the cluster. Default: SKYSHARD_HOME, else ~/.local/share/skyshard.",
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")]

DEGRADED = 3
"""Exit code: it works, but not all of it."""
