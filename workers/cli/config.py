"""`skyshard config show`."""

from __future__ import annotations

import typer

from workers.cli.options import Home, Json
from workers.cli.output import emit_json, emit_table

app = typer.Typer(
    help="Show the configuration and where it comes from.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.callback()
def group() -> None:
    """Show the configuration and where it comes from."""


@app.command()
def show(home: Home = None, is_json: Json = False) -> None:
    """Show every key, its value and who gave it; passwords are hidden.

    Flags win over SKYSHARD_* variables, these over skyshard.toml in the home, that over what `up`
    remembered, that over defaults.

    \b
    Examples:
      skyshard config show
      SKYSHARD_PORT=8090 skyshard config show --json
    """
    from workers.config import load
    from workers.config.show import facts

    found = facts(load(home))
    if is_json:
        emit_json([{"key": key, "value": value, "origin": origin} for key, value, origin in found])
    else:
        rows = [
            (key, None if value is None else str(value), origin) for key, value, origin in found
        ]
        emit_table(("key", "value", "origin"), rows)
