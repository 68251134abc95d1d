"""`skyshard ingest`: files into published rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.cli.options import Home, Json


def ingest(  # noqa: PLR0917  (typer calls it by names)
    target: Annotated[str, typer.Argument(metavar="CATALOG[.TABLE]", help="Where the rows go.")],
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files, or TABLE=FILE for each.")
    ],
    max_rejects: Annotated[
        int, typer.Option("--max-rejects", min=0, help="Bad rows to put aside before giving up.")
    ] = 0,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", metavar="FILE", help="Where bad rows are written.")
    ] = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Load files (Parquet, FITS, CSV, TSV, VOTable) and publish them as one new snapshot.

    All files become visible together on all shards, or none does. A file with more bad rows than
    --max-rejects changes nothing.

    \b
    Examples:
      skyshard ingest dp1.Object objects-*.parquet
      skyshard ingest dp1 Object=objects.parquet Source=sources.parquet Visit=visits.csv
      skyshard ingest dp1.Source sources.csv --max-rejects 100 --rejects bad-rows.csv
    """
    catalog, pairs = _pairs(target, files)
    from workers.cli.ingest_run import Choice, run

    run(home, catalog, pairs, Choice(max_rejects, rejects, is_json))


def _pairs(target: str, files: list[str]) -> tuple[str, list[tuple[str, Path]]]:
    """The catalog, and each file with the table that its rows go to."""
    catalog, dot, table = target.partition(".")
    pairs = []
    for file in files:
        named, equals, path = file.partition("=")
        if dot:
            pairs.append((table, Path(file)))
        elif equals:
            pairs.append((named, Path(path)))
        else:
            raise typer.BadParameter(
                f"{file}: say CATALOG.TABLE FILE..., or CATALOG TABLE=FILE...", param_hint="FILE"
            )
    return catalog, pairs
