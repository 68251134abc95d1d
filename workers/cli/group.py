"""`skyshard group add|list|join|leave|quota|remove`."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.books import change_quota, coordinator
from workers.cli.options import Home, Json
from workers.cli.output import emit_json, emit_table, message

app = typer.Typer(
    help="Groups of users, for permissions and quotas; everybody is in the group public.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
Name = Annotated[str, typer.Argument(metavar="GROUP", help="The group's name, in any case.")]
Users = Annotated[list[str], typer.Argument(metavar="USER...", help="Users.")]


@app.command()
def add(
    name: Name,
    note: Annotated[str, typer.Option("--note", help="What it is for.")] = "",
    home: Home = None,
) -> None:
    """Add a group.

    \b
    Example:
      skyshard group add survey --note "Members of the survey"
    """
    from procedures.users import add_group

    with coordinator(home) as connection:
        add_group(connection, name, note=note)
    message(f"group {name.lower()} added")


@app.command("list")
def list_(home: Home = None, is_json: Json = False) -> None:
    """List the groups and who is in them.

    \b
    Example:
      skyshard group list
    """
    from procedures.users import list_principals

    with coordinator(home) as connection:
        found = list_principals(connection, "group")
    lines = [
        {"group": one.name, "users": list(one.others), "quota": dict(one.quota), "note": one.note}
        for one in found
    ]
    if is_json:
        emit_json(lines)
        return
    rows = [
        [
            one.name,
            ", ".join(one.others),
            ", ".join(f"{k}={v}" for k, v in one.quota.items()),
            one.note,
        ]
        for one in found
    ]
    emit_table(("group", "users", "quota", "note"), rows)


@app.command()
def join(name: Name, users: Users, home: Home = None) -> None:
    """Put users into a group; again is nothing.

    \b
    Example:
      skyshard group join survey alice bob
    """
    from procedures.users import join_group

    with coordinator(home) as connection:
        for user in users:
            join_group(connection, name, user)


@app.command()
def leave(name: Name, users: Users, home: Home = None) -> None:
    """Take users out of a group.

    \b
    Example:
      skyshard group leave survey bob
    """
    from procedures.users import leave_group

    with coordinator(home) as connection:
        for user in users:
            leave_group(connection, name, user)


@app.command()
def quota(
    name: Name,
    words: Annotated[
        list[str],
        typer.Argument(metavar="NAME=NUMBER...", help="As of `skyshard user quota`."),
    ],
    home: Home = None,
) -> None:
    """Bound what each user of a group may use; of several groups the widest bound holds.

    \b
    Example:
      skyshard group quota survey seconds_per_day=86400
    """
    change_quota("group", name, words, home)


@app.command()
def remove(name: Name, home: Home = None) -> None:
    """Forget a group, with its permissions.

    \b
    Example:
      skyshard group remove survey
    """
    from procedures.users import remove_principal

    with coordinator(home) as connection:
        remove_principal(connection, "group", name)
    message(f"group {name.lower()} removed")
