"""The command `skyshard`. Commands are imported when they are called, so that --help is quick."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command
from typing_extensions import override

from schema.errors import SkyshardError, UsageError

# Name -> where its function or its group of commands is, and what it does in a line.
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("workers.cli.cluster:up", "Start a cluster, or what is missing of it."),
    "status": ("workers.cli.cluster:status", "Say how each process of the cluster does."),
    "down": ("workers.cli.cluster:down", "Stop every process of the cluster."),
    "migrate": ("workers.cli.cluster:migrate", "Bring all databases to this program's schema."),
    "doctor": ("workers.cli.doctor:doctor", "Say what this machine lacks and how to get it."),
    "config": ("workers.cli.config:app", "Show the configuration and where it comes from."),
    "catalog": ("workers.cli.catalog:app", "Create, list, show and drop catalogs."),
    "ingest": ("workers.cli.ingest:app", "Load files into a catalog and publish them."),
    "export": ("workers.cli.export:export", "Write a catalog's rows as files, with checksums."),
    "snapshot": ("workers.cli.snapshot:app", "List, tag and drop a catalog's older versions."),
    "unit": ("workers.cli.unit:app", "Change live catalogs, all at once or not at all."),
    "compact": ("workers.cli.compact:compact", "Merge the parts of a catalog's ingests."),
    "verify": ("workers.cli.repair:verify", "Look at every copy of every part and its twin."),
    "repair": ("workers.cli.repair:repair", "Mend copies and twins; rebuild a lost manifest."),
    "query": ("workers.cli.query:query", "Answer an ADQL query."),
    "job": ("workers.cli.job:app", "List, show, cancel and delete asynchronous queries."),
    "explain": ("workers.cli.query:explain", "Show how a query would be answered."),
    "queries": ("workers.cli.queries:app", "List, show and end queries of all users."),
    "user": ("workers.cli.user:app", "Add, list and remove users, passwords, quotas."),
    "group": ("workers.cli.group:app", "Groups of users."),
    "token": ("workers.cli.token:app", "Make and revoke tokens."),
    "grant": ("workers.cli.grants:grant", "Let users or groups read catalogs and tables."),
    "revoke": ("workers.cli.grants:revoke", "Take that back."),
    "grants": ("workers.cli.grants:grants", "List who may read what."),
    "demo": ("workers.demo.command:demo", "Load a simulated sky and take a tour of it."),
    "serve": ("workers.cli.serve:serve", "Run the czar's HTTP server (up does it for you)."),
    "scan": ("workers.cli.serve:scan", "Run a shard's scan engine (up does it for you)."),
}

EPILOG = """A first session:

  skyshard up --shards 4
  skyshard catalog create dp1 --schema dp1
  skyshard ingest dp1.Object objects.parquet
  skyshard query "SELECT TOP 5 objectId, coord_ra, coord_dec FROM dp1.Object"
  skyshard down

Where a cluster lives: --home DIR, else SKYSHARD_HOME, else ~/.local/share/skyshard.
Exit codes: 0 ok, 1 failure, 2 usage, 3 degraded, 130 interrupted."""


class Later(TyperCommand):
    """A command that is known by its name and one line until it is called."""

    def __init__(self, name: str, place: str, line: str) -> None:
        super().__init__(name=name, help=line, add_help_option=False)
        self.place = place

    def now(self) -> Any:
        """The command itself."""
        module, _, attribute = self.place.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(self.name)(found)
            found = alone
        command = get_command(found)
        command.name = self.name
        return command


class Skyshard(TyperGroup):
    """The root of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (place, line) in COMMANDS.items():
            self.add_command(Later(name, place, line))

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.now() if isinstance(command, Later) else command, rest

    @override
    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Print the epilog as it is written."""
        formatter.write(f"\n{EPILOG}\n")


app = typer.Typer(
    cls=Skyshard, rich_markup_mode=None, no_args_is_help=True, pretty_exceptions_enable=False
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version

        typer.echo(f"skyshard {version('skyshard')}")
        raise typer.Exit


@app.callback()
def root(
    is_version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """A sharded catalog store for sky surveys: HEALPix over PostgreSQL, asked in ADQL."""


def main() -> None:
    """Run the command line; a Skyshard error becomes one message and an exit code."""
    try:
        app()
    except UsageError as error:
        _fail(error, 2)
    except SkyshardError as error:
        _fail(error, 1)


def _fail(error: SkyshardError, status: int) -> None:
    typer.echo(f"skyshard: {error} [{error.code}]", err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
