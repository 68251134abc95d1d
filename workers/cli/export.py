"""`skyshard export`: a catalog, or some of its rows, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.cli.options import Home, Json


def export(  # noqa: PLR0917  (typer calls it by names)
    source: Annotated[str, typer.Argument(metavar="CATALOG[.TABLE]", help="What goes out.")],
    to: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="An empty folder, or a new one.")
    ],
    form: Annotated[
        str, typer.Option("--format", help="hats, parquet, fits or csv.", metavar="FORMAT")
    ] = "parquet",
    where: Annotated[
        str | None,
        typer.Option(
            metavar="REGION|CONDITION",
            help="`circle RA DEC RADIUS`, `polygon RA DEC RA DEC RA DEC...` (degrees), or ADQL.",
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="SNAPSHOT", help="Number or tag [default: the newest]."),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Files written at a time.")
    ] = 2,
    check: Annotated[
        bool,
        typer.Option("--check", help="Also compare files that are finished with their digests."),
    ] = False,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Write the rows of one snapshot as files, a chunk each, with their checksums in manifest.json.

    Interrupted or killed, the same command goes on with the files that are not finished, in the snapshot
    that it began with. A manifest.json that says "finished" names every file, and all rows are in them.

    \b
    Examples:
      skyshard export dp1 --to /data/dp1 --format hats
      skyshard export dp1.Object --to bright --where "r_psfFlux > 1e6"
      skyshard export dp1 --to field --format fits --where "circle 53.1 -28.1 0.5"
    """
    from workers.cli.export_run import run

    run(home, source, (to, form, where, as_of, workers, check), is_json=is_json)
