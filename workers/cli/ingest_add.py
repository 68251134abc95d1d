"""`skyshard ingest add`: files into an open ingest."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.ingest_files import (
    Columns,
    Dry,
    Forms,
    MappingFile,
    MostRows,
    Split,
    manner,
    pairs,
)
from workers.cli.ingest_steps import Number, opened_site
from workers.cli.options import Home, Json
from workers.cli.output import emit_json, message


def add(  # noqa: PLR0917  (typer calls it by names)
    ingest: Number,
    files: Annotated[
        list[str],
        typer.Argument(metavar="TABLE=FILE...", help="Files; those after it go to TABLE, too."),
    ],
    columns: Columns = None,
    forms: Forms = None,
    mapping: MappingFile = None,
    split: Split = None,
    is_dry: Dry = False,
    most_rows: MostRows = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Add files to an open ingest: paths, patterns, folders of HATS catalogs, allowed addresses.

    A mapping is kept with the files that it was given for: a later run uses it as it was.

    \b
    Example:
      skyshard ingest add 12 Object=objects-*.parquet Visit=visits.csv
      skyshard ingest add 12 Object=big.parquet --split 512MB
      skyshard ingest add 12 Source=old.txt --form delimiter=tab --form encoding=latin-1
    """
    from loaders import lifecycle
    from loaders.inputs import contributions
    from procedures.ingests import read_ingest
    from workers.cli.rehearsal import show_rehearsal

    words, said = pairs("", files), manner(columns, forms, mapping, split)
    with opened_site(home) as site:
        with site.pools.coordinator() as connection:
            catalog = read_ingest(connection, ingest).catalog
        if not is_dry:
            numbers = lifecycle.add(site, ingest, contributions(site, catalog, words, said))
    if is_dry:
        show_rehearsal(home, catalog, words, said, most_rows=most_rows, is_json=is_json)
    elif is_json:
        emit_json({"ingest": ingest, "added": numbers})
    else:
        message(f"ingest {ingest}: {len(numbers)} files added")
