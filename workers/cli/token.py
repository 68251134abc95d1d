"""`skyshard token create|list|revoke`."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.books import coordinator, to_scopes
from workers.cli.options import Home, Json
from workers.cli.output import emit_json, emit_table, message

app = typer.Typer(
    help="Tokens: what programs log in with.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.command()
def create(
    user: Annotated[str, typer.Argument(metavar="USER", help="Whose it is.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="SCOPE", help="What it allows; may be repeated."),
    ] = None,
    days: Annotated[
        float, typer.Option("--days", min=0, help="How long it is valid; 0: for ever.")
    ] = 365,
    label: Annotated[str, typer.Option("--label", help="What it is for.")] = "",
    home: Home = None,
) -> None:
    """Make a token and print it, this once; only its digest is kept.

    Programs send it as `Authorization: Bearer TOKEN`, or as the password of HTTP Basic.

    \b
    Example:
      skyshard token create alice --days 90 --label notebook
      skyshard token create loader --scope ingest > loader.token
    """
    from procedures.tokens import create_token

    scopes = to_scopes(scope or ["read:tap"])
    with coordinator(home) as connection:
        number, token = create_token(
            connection, user, scopes=scopes, days=days or None, label=label
        )
    typer.echo(token)
    message(f"token {number}; it is not shown again")


@app.command("list")
def list_(
    user: Annotated[
        str | None, typer.Argument(metavar="[USER]", help="Whose. Default: all.")
    ] = None,
    is_all: Annotated[bool, typer.Option("--all", help="Revoked ones, too.")] = False,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """List tokens: everything but the tokens themselves.

    \b
    Example:
      skyshard token list alice
    """
    from procedures.tokens import list_tokens

    with coordinator(home) as connection:
        found = list_tokens(connection, user)
    lines = [
        {
            "token": one.token_id,
            "user": one.user,
            "label": one.label,
            "scopes": ", ".join(sorted(one.scopes)),
            "created": f"{one.created_at:%F %T}",
            "expires": None if one.expires_at is None else f"{one.expires_at:%F %T}",
            "revoked": None if one.revoked_at is None else f"{one.revoked_at:%F %T}",
        }
        for one in found
        if is_all or one.revoked_at is None
    ]
    if is_json:
        emit_json(lines)
    else:
        headings = ("token", "user", "label", "scopes", "created", "expires", "revoked")
        emit_table(headings, [[line[heading] for heading in headings] for line in lines])


@app.command()
def revoke(
    number: Annotated[int, typer.Argument(metavar="TOKEN", help="Its number.")], home: Home = None
) -> None:
    """Revoke a token: within seconds nobody gets in with it.

    \b
    Example:
      skyshard token revoke 7
    """
    from procedures.tokens import revoke_token

    with coordinator(home) as connection:
        revoke_token(connection, number)
    message(f"token {number} is revoked")
