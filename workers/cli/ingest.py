"""`skyshard ingest`: files into published rows."""

from __future__ import annotations

import re
from glob import glob
from pathlib import Path
from typing import Annotated

import typer

from loaders.degraded import Degraded
from workers.cli.options import Home, Json

_NAMED = re.compile(r"(\w+)=(.+)")


def ingest(  # noqa: PLR0917  (typer calls it by names)
    target: Annotated[str, typer.Argument(metavar="CATALOG[.TABLE]", help="Where the rows go.")],
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="Files; TABLE=FILE says where a file and those after it go."
        ),
    ],
    max_rejects: Annotated[
        int, typer.Option("--max-rejects", min=0, help="Bad rows to put aside before giving up.")
    ] = 0,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", metavar="FILE", help="Where bad rows are written.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME...",
            help="The columns of files without a header, in their order [default: the table's].",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Take files that were ingested before, too.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every copy back and compare its checksum.")
    ] = False,
    degraded: Annotated[
        Degraded | None,
        typer.Option(
            "--degraded", help="Where a shard is down: wait, allow (do without) or refuse. [wait]"
        ),
    ] = None,
    wait_s: Annotated[
        float | None,
        typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for it. [60]"),
    ] = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Load files (Parquet, FITS, CSV, TSV, ECSV, VOTable, *.outfile) and publish them as one new snapshot.

    All files become visible together on all shards, or none does. A file with more bad rows than
    --max-rejects changes nothing, nor does one whose content was ingested before, without --again.
    With --degraded allow, copies for a shard that is down are queued and made later: exit code 3.

    \b
    Examples:
      skyshard ingest dp1.Object objects-*.parquet
      skyshard ingest dp1 Object=objects.parquet Source=sources-*.parquet Visit=visits.csv
      skyshard ingest dp1.Source sources.csv --max-rejects 100 --rejects bad-rows.csv
      skyshard ingest dp1.Visit visits.tsv --columns visit,band,expMidptMJD
    """
    catalog, pairs = _pairs(target, files)
    names = tuple(name.strip() for name in columns.split(",")) if columns else ()
    from loaders.ingest import IngestOptions
    from workers.cli.ingest_run import Choice, run

    options = IngestOptions(max_rejects=max_rejects, again=again, verify=verify)
    run(home, catalog, pairs, Choice(options, rejects, names, is_json, degraded, wait_s))


def _pairs(target: str, files: list[str]) -> tuple[str, list[tuple[str, Path]]]:
    """The catalog, and each file with the table that its rows go to."""
    catalog, _, table = target.partition(".")
    is_table_given = bool(table)
    pairs: list[tuple[str, Path]] = []
    for file in files:
        named = None if is_table_given else _NAMED.fullmatch(file)
        table, path = (named[1], named[2]) if named else (table, file)
        if not table:
            raise typer.BadParameter(
                f"{file}: say CATALOG.TABLE FILE..., or CATALOG TABLE=FILE...", param_hint="FILE"
            )
        pairs += [(table, found) for found in _expanded(path)]
    return catalog, pairs


def _expanded(path: str) -> list[Path]:
    """The files that a pattern stands for: no shell looks behind `TABLE=`."""
    if Path(path).exists() or not any(sign in path for sign in "*?["):
        return [Path(path)]
    found = sorted(glob(path))  # noqa: PTH207  (patterns may be absolute)
    return [Path(file) for file in found] or [Path(path)]
