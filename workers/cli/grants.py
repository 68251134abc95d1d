"""`skyshard grant`, `revoke` and `grants`: who may read which catalogs and tables."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.books import coordinator, to_time
from workers.cli.options import Home, Json
from workers.cli.output import emit_json, emit_table, message

Place = Annotated[
    str, typer.Argument(metavar="CATALOG[.TABLE]", help="A catalog, or one of its tables.")
]
Grantee = Annotated[
    str, typer.Argument(metavar="USER|GROUP", help="Who; public is everybody, logged in or not.")
]


def grant(
    place: Place,
    grantee: Grantee,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="From then on (UTC): the end of an embargo."),
    ] = None,
    home: Home = None,
) -> None:
    """Let a user or a group read a catalog or a table; queries that begin from now on see it.

    \b
    Example:
      skyshard grant dp1 survey
      skyshard grant dp1 public --from 2027-06-30
      skyshard grant dp1.Visit alice
    """
    from procedures.rights import grant as give

    begins = to_time(since)
    with coordinator(home) as connection:
        give(connection, place, grantee, from_time=begins)
    message(
        f"{grantee.lower()} may read {place}" + (f" from {begins:%F %T %Z} on" if begins else "")
    )


def revoke(place: Place, grantee: Grantee, home: Home = None) -> None:
    """Take back what was granted: to queries that begin from now on it does not exist.

    New catalogs are granted to public. Of a catalog that was granted whole one table may be revoked.

    \b
    Example:
      skyshard revoke dp1 public
      skyshard revoke dp1.Source survey
    """
    from procedures.rights import revoke as take

    with coordinator(home) as connection:
        take(connection, place, grantee)
    message(f"{grantee.lower()} may no longer read {place} by a grant of her own")


def grants(
    catalog: Annotated[
        str | None, typer.Argument(metavar="[CATALOG]", help="Of which. Default: all.")
    ] = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """List who was granted what; what nobody was granted only administrators see.

    \b
    Example:
      skyshard grants dp1
    """
    from procedures.rights import list_grants

    with coordinator(home) as connection:
        found = list_grants(connection, catalog)
    lines = [
        {
            "catalog": one.catalog,
            "table": one.table,
            "to": one.grantee,
            "from": None if one.from_time is None else f"{one.from_time:%F %T}",
            "granted": f"{one.granted_at:%F %T}",
        }
        for one in found
    ]
    if is_json:
        emit_json(lines)
    else:
        headings = ("catalog", "table", "to", "from", "granted")
        emit_table(headings, [[line[heading] for heading in headings] for line in lines])
