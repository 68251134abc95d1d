"""`skyshard unit write|delete|list|show|recover|abort|clean`: changes of live catalogs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.options import Home, Json
from workers.cli.output import emit_json, emit_table, message

if TYPE_CHECKING:
    from procedures.pools import Pools
    from procedures.units import UnitRow
    from schema.topology import Topology

app = typer.Typer(
    help="Units of work: atomic changes of live catalogs.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
Catalog = Annotated[str, typer.Argument(metavar="CATALOG", help="A live catalog.")]
Number = Annotated[int, typer.Argument(metavar="UNIT", help="Its number.", min=1)]
Label = Annotated[str, typer.Option("--label", help="What the unit is called in lists.")]


@contextmanager
def _servers(home: Path | None) -> Iterator[tuple[Pools, Topology]]:
    """Connections to the cluster's servers."""
    from contextlib import closing

    from procedures.pools import Pools
    from workers.config import load, topology

    servers = topology(load(home))
    with closing(Pools(servers)) as pools:
        yield pools, servers


@app.command()
def write(  # noqa: PLR0917  (typer calls it by names)
    catalog: Catalog,
    files: Annotated[
        list[str], typer.Argument(metavar="TABLE=FILE...", help="Rows for tables, in this order.")
    ],
    is_insert: Annotated[
        bool, typer.Option("--insert", help="Refuse keys that are there, instead of replacing.")
    ] = False,
    label: Label = "",
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Write files into tables of a live catalog as one unit: all of it is seen at once, or nothing.

    Rows replace those with the same primary keys. Name directors before their children. Files are in any
    format that ingest reads.

    \b
    Example:
      skyshard unit write prompt DiaObject=objects.parquet DiaSource=sources.parquet
    """
    from loaders.live.files import write_file
    from loaders.live.unit import open_unit

    pairs = [_pair(one) for one in files]
    told: list[dict[str, Any]] = []
    with (
        _servers(home) as (pools, servers),
        open_unit(pools, servers, catalog, label=label) as unit,
    ):
        for table, path in pairs:
            done = write_file(unit, table, path, is_insert=is_insert)
            told.append({"table": table, "file": str(path), "came": done.came, "went": done.went})
            if done.ignored:
                message(f"{path}: columns that {table} has not: {', '.join(done.ignored)}")
    _tell(unit.unit_id, unit.snapshot, told, is_json=is_json)


@app.command()
def delete(
    target: Annotated[str, typer.Argument(metavar="CATALOG.TABLE", help="A live table.")],
    where: Annotated[
        str, typer.Option("--where", help="Which rows: a condition on the table's columns.")
    ],
    label: Label = "",
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Delete the rows of a live table that fulfil a condition, as one unit.

    \b
    Example:
      skyshard unit delete prompt.DiaSource --where "visit = 1234 AND detector = 7"
    """
    from loaders.live.unit import open_unit

    catalog, _, table = target.partition(".")
    if not table:
        raise typer.BadParameter("say CATALOG.TABLE", param_hint="CATALOG.TABLE")
    with (
        _servers(home) as (pools, servers),
        open_unit(pools, servers, catalog, label=label) as unit,
    ):
        done = unit.delete_where(table, where)
    told = [{"table": table, "came": 0, "went": done.went}]
    _tell(unit.unit_id, unit.snapshot, told, is_json=is_json)


@app.command("list")
def list_(
    catalog: Annotated[
        str | None, typer.Argument(metavar="[CATALOG]", help="One live catalog's (default: all).")
    ] = None,
    is_open: Annotated[bool, typer.Option("--open", help="Those that are not ended.")] = False,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """List units of work; those that were committed long ago are forgotten.

    \b
    Example:
      skyshard unit list prompt
      skyshard query --as-of prompt@unit-17 "SELECT COUNT(*) FROM prompt.DiaSource"
    """
    from procedures.catalogs import get_catalog
    from procedures.units import list_units

    with _servers(home) as (pools, _), pools.coordinator() as connection:
        name = None if catalog is None else get_catalog(connection, catalog).name
        lines = [_line(row) for row in list_units(connection, name, open_only=is_open)]
    if is_json:
        emit_json(lines)
    else:
        headings = ("unit", "catalog", "state", "snapshot", "label", "started", "finished")
        emit_table(headings, [[line[heading] for heading in headings] for line in lines])


@app.command()
def show(number: Number, home: Home = None, is_json: Json = False) -> None:
    """Show one unit: its state, its writer, rows by table.

    \b
    Example:
      skyshard unit show 17
    """
    from procedures.units import read_unit
    from schema.units import UnitId

    with _servers(home) as (pools, _), pools.coordinator() as connection:
        line = _line(read_unit(connection, UnitId(number)))
    if is_json:
        emit_json(line)
    else:
        emit_table(("what", "value"), [[key, _shown(value)] for key, value in line.items()])


@app.command()
def recover(
    catalog: Annotated[
        str | None, typer.Argument(metavar="[CATALOG]", help="One live catalog's (default: all).")
    ] = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """End units whose writers are gone or silent, and remove what they wrote.

    Opening a unit does that for its catalog, too.

    \b
    Example:
      skyshard unit recover
    """
    from loaders.live.recover import recover_units
    from procedures.catalogs import get_catalog

    with _servers(home) as (pools, _):
        with pools.coordinator() as connection:
            name = None if catalog is None else get_catalog(connection, catalog).name
        found = [row.unit_id for row in recover_units(pools, name)]
    if is_json:
        emit_json({"recovered": found})
    else:
        message(f"ended {len(found)} units{': ' if found else ''}{', '.join(map(str, found))}")


@app.command()
def abort(number: Number, home: Home = None) -> None:
    """End an open unit, whosever it is, and remove what it wrote.

    \b
    Example:
      skyshard unit abort 17
    """
    from loaders.live.recover import abort_unit
    from procedures.units import read_unit
    from schema.units import UnitId

    with _servers(home) as (pools, _):
        is_ended = abort_unit(pools, UnitId(number), "aborted by an operator")
        with pools.coordinator() as connection:
            state = read_unit(connection, UnitId(number)).state
    message(f"unit {number} is {state}{'' if is_ended else ' already: nothing was changed'}")


@app.command()
def clean(
    catalog: Annotated[
        str | None, typer.Argument(metavar="[CATALOG]", help="A live catalog (default: all).")
    ] = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Remove what nobody reads any more: closed versions, slices of time past retention, silent units.

    The newest `keep_units` of the layout stay readable by --as-of, and snapshots with a tag.

    \b
    Example:
      skyshard unit clean prompt
    """
    from dataclasses import asdict

    from loaders.live.clean import clean as run
    from loaders.live.clean import clean_all

    with _servers(home) as (pools, _):
        done = clean_all(pools) if catalog is None else [run(pools, catalog)]
    if is_json:
        emit_json([asdict(one) for one in done])
        return
    for one in done:
        message(
            f"{one.catalog}: {one.versions} closed versions removed, {one.retired} parts retired,"
            f" {one.dropped} dropped, {one.recovered} units ended, {one.units} forgotten"
        )


def _shown(value: Any) -> str:
    """A fact in words; a unit's rows by table on one line."""
    if isinstance(value, dict):
        rows = (f"{name}: {one['came']} came, {one['went']} went" for name, one in value.items())
        return "; ".join(rows) or "-"
    return "-" if value is None else str(value)


def _pair(text: str) -> tuple[str, Path]:
    table, _, file = text.partition("=")
    if not table or not file:
        raise typer.BadParameter(f"{text!r}: say TABLE=FILE", param_hint="TABLE=FILE")
    return table, Path(file)


def _tell(unit: int, snapshot: int | None, told: list[dict[str, Any]], *, is_json: bool) -> None:
    if is_json:
        emit_json({"unit": unit, "snapshot": snapshot, "tables": told})
        return
    for one in told:
        message(f"{one['table']}: {one['came']} rows came, {one['went']} went")
    message(f"unit {unit} is committed as snapshot {snapshot}")


def _line(row: UnitRow) -> dict[str, Any]:
    from loaders.lease import owner_in_words

    return {
        "unit": row.unit_id,
        "catalog": row.catalog,
        "state": str(row.state),
        "snapshot": row.snapshot,
        "label": row.label,
        "started": f"{row.started_at:%F %T}",
        "finished": None if row.finished_at is None else f"{row.finished_at:%F %T}",
        "writer": None if row.lease_owner is None else owner_in_words(row.lease_owner),
        "lease_s": round(row.left_s, 1),
        "tables": row.facts,
        "error": row.error,
    }
