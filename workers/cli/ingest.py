"""`skyshard ingest`: files into published rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from loaders.parts.degraded import Degraded
from workers.cli import ingest_add, ingest_steps
from workers.cli.ingest_files import (
    Columns,
    Dry,
    Forms,
    MappingFile,
    MostRows,
    Split,
    WaitS,
    manner,
    pairs,
)
from workers.cli.options import Address, ExecutorKind, Home, Json

GROUP_HELP = """Load files into a catalog and publish them as one new snapshot.

\b
All at once:
  skyshard ingest dp1.Object objects-*.parquet
  skyshard ingest dp1 Object=objects.parquet Source=sources-*.parquet
  (its options: skyshard ingest load --help)

\b
Step by step, each of which may be repeated after whatever happened:
  skyshard ingest begin dp1            prints the ingest's number, say 12
  skyshard ingest add 12 Object=objects-*.parquet
  skyshard ingest commit 12
  skyshard ingest run 12 --publish
"""


WhereDown = Annotated[
    Degraded | None,
    typer.Option(
        "--degraded", help="Where a shard is down: wait, allow (do without) or refuse. [wait]"
    ),
]


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
    columns: Columns = None,
    forms: Forms = None,
    mapping: MappingFile = None,
    split: Split = None,
    is_dry: Dry = False,
    most_rows: MostRows = None,
    again: Annotated[
        bool, typer.Option("--again", help="Take files that were ingested before, too.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every copy back and compare its checksum.")
    ] = False,
    degraded: WhereDown = None,
    wait_s: WaitS = None,
    executor: ExecutorKind = None,
    address: Address = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Load files and publish them as one new snapshot.

    Parquet, Arrow, Avro, CSV, TSV, ECSV, databases' dumps (*.outfile), FITS and VOTable, packed or not;
    patterns, folders of HATS catalogs, and addresses (https://...) that the configuration allows.

    All files become visible together on all shards, or none does. A file with more bad rows than
    --max-rejects changes nothing, nor does one whose content was ingested before, without --again.
    With --degraded allow, copies for a shard that is down are queued and made later: exit code 3.

    \b
    Examples:
      skyshard ingest dp1.Object objects-*.parquet
      skyshard ingest dp1 Object=objects.parquet Source=sources-*.parquet Visit=visits.csv
      skyshard ingest dp1.Source sources.csv --max-rejects 100 --rejects bad-rows.csv
      skyshard ingest dp1.Visit visits.tsv --columns visit,band,expMidptMJD
      skyshard ingest dp1.Object objects-*.parquet --address auto
      skyshard ingest dp1.Object old.txt --form delimiter=tab --mapping old.yaml --dry-run
    """
    catalog, _, table = target.partition(".")
    words = pairs(table, files)
    from loaders.ingest import IngestOptions
    from workers.cli.ingest_run import Choice, run
    from workers.cli.rehearsal import show_rehearsal

    said = manner(columns, forms, mapping, split)
    if is_dry:
        show_rehearsal(home, catalog, words, said, most_rows=most_rows, is_json=is_json)
        return
    options = IngestOptions(max_rejects=max_rejects, again=again, verify=verify)
    choice = Choice(options, rejects, said, is_json, degraded, wait_s, executor, address)
    run(home, catalog, words, choice)


class Steps(TyperGroup):
    """`skyshard ingest STEP ...`, and `skyshard ingest CATALOG.TABLE FILE...` for all steps at once."""

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What begins with no step's name is the one-line form."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["load", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Steps,
    help=GROUP_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.callback()
def group() -> None:
    """Nothing is common to the steps."""


app.command("load")(ingest)
for name, step in (
    ("begin", ingest_steps.begin),
    ("add", ingest_add.add),
    ("commit", ingest_steps.commit),
    ("run", ingest_steps.run),
    ("publish", ingest_steps.publish),
    ("status", ingest_steps.status),
    ("list", ingest_steps.list_),
    ("retry", ingest_steps.retry),
    ("rejects", ingest_steps.rejects),
    ("abort", ingest_steps.abort),
):
    app.command(name)(step)
