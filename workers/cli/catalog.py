"""`skyshard catalog create|list|show|add-column|drop`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.options import Home, Json
from workers.cli.output import emit_json, emit_table, message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from schema.catalog import Catalog, Table
    from schema.manifest import Manifest, PartId
    from schema.topology import Shard

app = typer.Typer(
    help="Create, list, show and drop catalogs.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The catalog's name.")]


@app.command()
def create(  # noqa: PLR0917  (typer calls it by names)
    name: Name,
    schema: Annotated[
        str,
        typer.Option(
            "--schema", help="A schema of lsst-sdm-schemas (dp1, apdb...) or a Felis file."
        ),
    ],
    layout: Annotated[
        str | None,
        typer.Option("--layout", help="A layout file; default: the one shipped for the schema."),
    ] = None,
    replicas: Annotated[
        int | None, typer.Option("--replicas", min=1, help="Copies of each chunk; over the layout.")
    ] = None,
    is_private: Annotated[
        bool, typer.Option("--private", help="Administrators alone see it until it is granted.")
    ] = False,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Create an empty catalog from a Felis schema and a layout.

    The layout says which tables have positions and which belong together; see docs/layouts.md.
    Everybody may read it, unless it is private: `skyshard grant` and `revoke` say who may.

    \b
    Examples:
      skyshard catalog create dp1 --schema dp1
      skyshard catalog create survey --schema survey.yaml --layout survey-layout.yaml
    """
    from procedures.catalogs import create_catalog
    from schema.felis import read_catalog
    from workers.cli.databases import transaction
    from workers.config import load, topology

    servers = topology(load(home))
    made = read_catalog(name, schema, layout)
    if replicas is not None:
        made = replace(made, replicas=replicas)
    _check_replicas(made, servers.shards)
    with transaction("the coordinator", servers.coordinator) as connection:
        create_catalog(connection, made, is_public=not is_private)
    if is_json:
        emit_json({"name": made.name, "tables": [table.name for table in made.tables]})
    else:
        message(f"created catalog {made.name} with {len(made.tables)} tables")


def _check_replicas(catalog: Catalog, shards: Sequence[Shard]) -> None:
    """Refuse more copies of a chunk than there are shards to hold them."""
    from schema.placement import TooFewShards

    takers = sum(shard.weight > 0 for shard in shards)
    if (catalog.replicas or 1) > takers:
        raise TooFewShards(takers, catalog.replicas or 1)


@app.command("list")
def list_(home: Home = None, is_json: Json = False) -> None:
    """List the catalogs, their newest snapshots and their rows.

    \b
    Example:
      skyshard catalog list --json
    """
    from procedures.catalogs import list_catalogs
    from procedures.manifests import current_snapshots, read_manifest
    from workers.cli.databases import transaction
    from workers.config import load, topology

    with transaction("the coordinator", topology(load(home)).coordinator) as connection:
        snapshots = current_snapshots(connection)
        found = [
            _line(catalog, read_manifest(connection, catalog.name, snapshots[catalog.name]))
            for catalog in list_catalogs(connection)
        ]
    if is_json:
        emit_json(found)
    else:
        headings = ("name", "family", "kind", "snapshot", "tables", "chunks", "parts", "rows")
        emit_table(headings, [[line[heading] for heading in headings] for line in found])


def _line(catalog: Catalog, manifest: Manifest) -> dict[str, object]:
    return {
        "name": catalog.name,
        "family": catalog.family,
        "kind": catalog.kind.value,
        "snapshot": manifest.snapshot,
        "tables": len(catalog.tables),
        "chunks": len(manifest.chunks),
        "parts": len(manifest.parts),
        "rows": sum(manifest.rows_of(table.name) for table in catalog.tables),
    }


@app.command()
def show(
    name: Name,
    table: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="Show this table's columns.")
    ] = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Show a catalog's tables, or the columns of one of them.

    \b
    Examples:
      skyshard catalog show dp1
      skyshard catalog show dp1 Object --json
    """
    from procedures.catalogs import get_catalog
    from procedures.manifests import current_snapshots, read_manifest
    from workers.cli.databases import transaction
    from workers.config import load, topology

    with transaction("the coordinator", topology(load(home)).coordinator) as connection:
        catalog = get_catalog(connection, name)
        snapshot = current_snapshots(connection)[catalog.name]
        manifest = read_manifest(connection, catalog.name, snapshot)
    if table is None:
        _show_tables(catalog, manifest, is_json=is_json)
    else:
        _show_columns(_table(catalog, table), is_json=is_json)


def _table(catalog: Catalog, name: str) -> Table:
    from schema.errors import CatalogError
    from schema.names import hint

    found = catalog.table(name)
    if found is None:
        known = [table.name for table in catalog.tables]
        raise CatalogError(f"catalog {catalog.name} has no table {name!r}{hint(name, known)}")
    return found


def _show_tables(catalog: Catalog, manifest: Manifest, *, is_json: bool) -> None:
    tables = [
        {
            "table": table.name,
            "role": table.role.value,
            "parent": table.parent,
            "key": table.key,
            "position": f"{table.ra}, {table.dec}" if table.has_position else None,
            "columns": len(table.columns),
            "rows": manifest.rows_of(table.name),
        }
        for table in catalog.tables
    ]
    if is_json:
        emit_json({**_line(catalog, manifest), "tables": tables})
    else:
        emit_table(tuple(tables[0]), [list(table.values()) for table in tables])


def _show_columns(table: Table, *, is_json: bool) -> None:
    columns = [
        {
            "column": column.name,
            "type": column.type.value,
            "unit": column.unit,
            "ucd": column.ucd,
            "nullable": "yes" if column.nullable else "no",
            "description": column.description,
        }
        for column in table.columns
    ]
    if is_json:
        emit_json({"table": table.name, "role": table.role.value, "columns": columns})
    else:
        emit_table(tuple(columns[0]), [list(column.values()) for column in columns])


@app.command("add-column")
def add_column(  # noqa: PLR0917  (typer calls it by names)
    target: Annotated[str, typer.Argument(metavar="CATALOG.TABLE", help="The table.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new column's name.")],
    kind: Annotated[
        str,
        typer.Argument(
            metavar="TYPE",
            help="boolean, short, int, long, float, double, text, timestamp... (as `catalog show`).",
        ),
    ],
    unit: Annotated[str | None, typer.Option("--unit", help="Its unit (VOUnits).")] = None,
    ucd: Annotated[str | None, typer.Option("--ucd", help="Its UCD.")] = None,
    description: Annotated[str, typer.Option("--description", help="What it holds.")] = "",
    home: Home = None,
) -> None:
    """Add a column to a table, published or not, without touching its rows.

    In the rows that are there it is NULL; later ingests fill it. Older snapshots are without it.

    \b
    Example:
      skyshard catalog add-column dp1.Object r_photoz float --ucd src.redshift.phot
    """
    from procedures.columns import ColumnRefused, add_column
    from schema.catalog import Column
    from schema.types import Type
    from workers.cli.databases import transaction
    from workers.config import load, topology

    catalog, _, table = target.partition(".")
    if not table:
        raise typer.BadParameter("say CATALOG.TABLE", param_hint="CATALOG.TABLE")
    if kind not in [one.value for one in Type]:
        known = ", ".join(one.value for one in Type)
        raise ColumnRefused(f"{kind!r} is no type; there are {known}")
    column = Column(name, Type(kind), unit=unit, ucd=ucd, description=description)
    with transaction("the coordinator", topology(load(home)).coordinator) as connection:
        snapshot = add_column(connection, catalog, table, column)
    message(f"{target} has the column {name} from snapshot {snapshot or 1} on")


@app.command()
def drop(
    name: Name,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
) -> None:
    """Drop a catalog, its rows on all shards and their twins. There is no way back.

    \b
    Example:
      skyshard catalog drop scratch --yes
    """
    from procedures.catalogs import drop_catalog, get_catalog
    from workers.cli.databases import connected, transaction
    from workers.config import load, topology

    servers = topology(load(home))
    with transaction("the coordinator", servers.coordinator) as connection:
        catalog = get_catalog(connection, name)
    _confirm(catalog.name, is_sure=is_sure)
    for shard in servers.shards:  # a drop that one silent shard would leave half done is refused
        with connected(f"shard {shard.shard_id}", shard.dsn):
            pass
    with transaction("the coordinator", servers.coordinator) as connection:
        drop_catalog(connection, catalog.name)
    for shard in servers.shards:
        _drop_rows(shard, catalog.name)
    message(f"dropped catalog {catalog.name}")


def _confirm(name: str, *, is_sure: bool) -> None:
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("say --yes where nobody can be asked", param_hint="--yes")
    typer.confirm(f"Drop catalog {name} and all its rows?", abort=True, err=True)


def _drop_rows(shard: Shard, catalog: str) -> None:
    """Drop a catalog's part tables on one shard, and their twins."""
    from procedures.book import forget
    from procedures.catalogs import drop_parts, parts_of_catalog
    from procedures.live_tables import drop_live, parts_of_live_catalog
    from workers.cli.databases import connected

    with connected(f"shard {shard.shard_id}", shard.dsn) as connection:
        parts = parts_of_catalog(connection, catalog)
        connection.commit()
        drop_parts(connection, parts)
        drop_live(connection, parts_of_live_catalog(connection, catalog))
        forget(connection, catalog)
        connection.commit()
    if shard.twins is not None:
        _drop_twins(shard.twins, parts)


def _drop_twins(folder: Path, parts: Iterable[PartId]) -> None:
    for part_id in parts:
        for stem in (f"p{part_id}", f"o{part_id}"):
            (folder / f"{stem}.parquet").unlink(missing_ok=True)
