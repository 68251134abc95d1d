"""`skyshard user add|list|show|passwd|scopes|quota|remove`."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.books import ask_password, change_quota, coordinator, to_scopes
from workers.cli.options import Home, Json
from workers.cli.output import emit_json, emit_table, message

app = typer.Typer(
    help="Users: who may log in, and what for.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
Name = Annotated[str, typer.Argument(metavar="USER", help="The user's name, in any case.")]
Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="SCOPE",
        help="What her credentials may allow at most: read:tap, write:tables, ingest, admin; may be "
        "repeated. Default: read:tap and write:tables.",
    ),
]


@app.command()
def add(
    name: Name,
    scope: Scopes = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", help="A group to join; may be repeated.")
    ] = None,
    is_tokens_only: Annotated[
        bool, typer.Option("--no-password", help="Tokens only: no password gets her in.")
    ] = False,
    note: Annotated[str, typer.Option("--note", help="Who that is.")] = "",
    *,
    home: Home = None,
) -> None:
    """Add a user; her password is asked for, or read from standard input.

    \b
    Example:
      skyshard user add alice --group survey --note "Alice A., Uni B."
      skyshard user add loader --no-password --scope ingest
    """
    from procedures.users import add_user, join_group
    from qserv.rights.passwords import hash_password

    scopes = to_scopes(scope or ["read:tap", "write:tables"])
    password = None if is_tokens_only else hash_password(ask_password())
    with coordinator(home) as connection:
        add_user(connection, name, scopes=scopes, password=password, note=note)
        for one in group or ():
            join_group(connection, one, name)
    message(f"user {name.lower()} added")


@app.command("list")
def list_(home: Home = None, is_json: Json = False) -> None:
    """List the users.

    \b
    Example:
      skyshard user list
    """
    from procedures.users import list_principals

    with coordinator(home) as connection:
        found = list_principals(connection, "user")
    lines = [
        {
            "user": one.name,
            "groups": ", ".join(one.others),
            "scopes": ", ".join(sorted(one.scopes)),
            "password": "yes" if one.has_password else "no",
            "since": f"{one.created_at:%F}",
            "note": one.note,
        }
        for one in found
    ]
    if is_json:
        emit_json(lines)
    else:
        headings = ("user", "groups", "scopes", "password", "since", "note")
        emit_table(headings, [[line[heading] for heading in headings] for line in lines])


@app.command()
def show(name: Name, home: Home = None) -> None:
    """Show all that is known of a user, as JSON: groups, scopes, quota, tokens, permissions.

    \b
    Example:
      skyshard user show alice
    """
    from procedures.rights import list_grants
    from procedures.tokens import list_tokens
    from procedures.users import get_principal

    with coordinator(home) as connection:
        user = get_principal(connection, "user", name)
        tokens = list_tokens(connection, user.name)
        grants = list_grants(connection)
    hers = {user.name, "public", *user.others}
    emit_json(
        {
            "user": user.name,
            "note": user.note,
            "groups": list(user.others),
            "scopes": sorted(user.scopes),
            "has_password": user.has_password,
            "quota": dict(user.quota),
            "tokens": [one.token_id for one in tokens if one.revoked_at is None],
            "reads": [
                {
                    "place": one.catalog if one.table is None else f"{one.catalog}.{one.table}",
                    "as": one.grantee,
                    "from": one.from_time,
                }
                for one in grants
                if one.grantee in hers
            ],
        }
    )


@app.command()
def passwd(
    name: Name,
    is_none: Annotated[
        bool, typer.Option("--none", help="No password gets her in from now on.")
    ] = False,
    home: Home = None,
) -> None:
    """Give a user another password, asked for or read from standard input.

    \b
    Example:
      skyshard user passwd alice
    """
    from procedures.users import set_password
    from qserv.rights.passwords import hash_password

    password = None if is_none else hash_password(ask_password())
    with coordinator(home) as connection:
        set_password(connection, name, password)
    message(f"the password of {name.lower()} is changed")


@app.command()
def scopes(
    name: Name,
    words: Annotated[list[str], typer.Argument(metavar="SCOPE...", help="All of them.")],
    home: Home = None,
) -> None:
    """Say what a user's credentials may allow at most; tokens that allow more lose the rest.

    \b
    Example:
      skyshard user scopes alice read:tap write:tables ingest
    """
    from procedures.users import set_scopes

    wanted = to_scopes(words)
    with coordinator(home) as connection:
        set_scopes(connection, name, wanted)
    message(f"{name.lower()} may {', '.join(sorted(wanted))}")


@app.command()
def quota(
    name: Name,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=NUMBER...",
            help="max_running, max_queued, rows_per_day, bytes_per_day or seconds_per_day; =none lifts "
            "the bound, = alone takes the configured one again.",
        ),
    ],
    home: Home = None,
) -> None:
    """Bound what a user may use, in place of `[quotas]`.

    \b
    Example:
      skyshard user quota alice rows_per_day=1000000000 max_running=none
    """
    change_quota("user", name, words, home)


@app.command()
def remove(name: Name, home: Home = None) -> None:
    """Forget a user, with her tokens, memberships and permissions.

    \b
    Example:
      skyshard user remove alice
    """
    from procedures.users import remove_principal

    with coordinator(home) as connection:
        remove_principal(connection, "user", name)
    message(f"user {name.lower()} removed")
