"""`skyshard query` and `skyshard explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.cli.options import Home, Json

Query = Annotated[
    str,
    typer.Argument(
        metavar="QUERY", help="The query; @FILE reads it from a file, - from standard input."
    ),
]
Lang = Annotated[
    str,
    typer.Option(
        "--lang",
        "-l",
        metavar="LANGUAGE",
        help="What the query is written in: ADQL, PostgreSQL (or SQL) or MySQL.",
    ),
]

AsOf = Annotated[
    list[str] | None,
    typer.Option(
        "--as-of",
        metavar="CATALOG@SNAPSHOT",
        help="Read this snapshot (its number or tag; see `skyshard snapshot list`), not the newest; "
        "may be repeated.",
    ),
]

Upload = Annotated[
    list[str] | None,
    typer.Option(
        "--upload",
        "-u",
        metavar="NAME=FILE",
        help="A table of your own, which the query names tap_upload.NAME: VOTable, Parquet, Arrow, "
        "FITS, CSV, TSV or ECSV; may be repeated.",
    ),
]


def query(
    text: Query,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="table, csv, tsv, json, parquet, votable, votable-td, votable-b1, fits, arrow, text or "
            "html. Default: by the ending of --output, else table on a terminal and csv elsewhere.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="File to write. Default: stdout."),
    ] = None,
    maxrec: Annotated[
        int | None,
        typer.Option("--maxrec", min=0, help="The most rows. Default: all; 1000 for a table."),
    ] = None,
    *,
    lang: Lang = "ADQL",
    as_of: AsOf = None,
    upload: Upload = None,
    home: Home = None,
) -> None:
    """Answer a query, in ADQL unless --lang says otherwise.

    Rows go to stdout or to --output, messages to stderr. A failure leaves no file behind. Exit code 3
    says that the rows are right but the store is not well.

    \b
    Examples:
      skyshard query "SELECT TOP 5 objectId, coord_ra, coord_dec, g_psfMag FROM dp1.Object"
      skyshard query "SELECT objectId, r_psfMag FROM dp1.Object WHERE 1 = CONTAINS(
          POINT(coord_ra, coord_dec), CIRCLE(13.19, -26.58, 0.01))" -o cone.parquet
      skyshard query @tour.adql --format json | jq .data
      skyshard query "SELECT table_name, description FROM tap_schema.tables"
      skyshard query --as-of dp1@3 "SELECT COUNT(*) FROM dp1.Object"
      skyshard query -u mine=stars.csv "SELECT m.name, o.objectId FROM tap_upload.mine AS m
          JOIN dp1.Object AS o ON DISTANCE(m.ra, m.dec, o.coord_ra, o.coord_dec) < 1.0/3600"
      skyshard query --lang MySQL "SHOW TABLES FROM dp1 LIKE 'F%'"
    """
    from workers.cli.query_run import Wish, read_text, run

    wish = Wish(form, output, maxrec, lang, tuple(as_of or ()), tuple(upload or ()))
    run(home, read_text(text), wish)


def explain(  # noqa: PLR0917  (typer calls it by names)
    text: Query,
    is_analyzed: Annotated[
        bool,
        typer.Option(
            "--analyze", help="Run the query too: rows, bytes and time per stage and shard."
        ),
    ] = False,
    lang: Lang = "ADQL",
    as_of: AsOf = None,
    upload: Upload = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Show how a query would be answered, without asking a shard for rows.

    Which chunks are read, by which engine and why, the SQL of each fragment, and the SQL that merges
    their rows. With --analyze the query is run and its rows are thrown away.

    \b
    Example:
      skyshard explain "SELECT COUNT(*) FROM dp1.Object WHERE g_psfMag - r_psfMag > 1.2"
      skyshard explain --analyze "SELECT COUNT(*) FROM dp1.Object WHERE coord_dec < -35"
    """
    from workers.cli.query_run import Wish, read_text
    from workers.cli.query_run import explain as show

    show(
        home,
        read_text(text),
        Wish(None, language=lang, as_of=tuple(as_of or ()), uploads=tuple(upload or ())),
        is_analyzed=is_analyzed,
        is_json=is_json,
    )
