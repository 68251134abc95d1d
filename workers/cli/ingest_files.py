"""Which files a command line names, which table each goes to, and how they are written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from loaders.inputs import Manner

_NAMED = re.compile(r"(\w+)=(.+)")

Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="NAME,NAME...",
        help="The columns of files without a header, in their order [default: the table's].",
    ),
]
Forms = Annotated[
    list[str] | None,
    typer.Option(
        "--form",
        metavar="NAME=VALUE",
        help="How files are written: format, delimiter, quote, escape, line_end, comment, header,"
        " skip, nulls, encoding. May be repeated.",
    ),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping", metavar="FILE", help="Renames, units, computed columns, defaults (YAML)."
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        "--split", metavar="SIZE", help="Stage larger files in pieces of this size, in parallel."
    ),
]

Dry = Annotated[
    bool,
    typer.Option("--dry-run", help="Say what would become of the files; change nothing."),
]
MostRows = Annotated[
    int | None,
    typer.Option("--rows", min=1, help="Of a dry run: rows of each file to read [default: all]."),
]

WaitS = Annotated[
    float | None,
    typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for it. [60]"),
]


def pairs(table: str, files: list[str]) -> list[tuple[str, str]]:
    """Each file with the table that its rows go to: `table`, or what TABLE=FILE said last."""
    is_table_given = bool(table)
    found: list[tuple[str, str]] = []
    for file in files:
        named = None if is_table_given else _NAMED.fullmatch(file)
        table, path = (named[1], named[2]) if named else (table, file)
        if not table:
            raise typer.BadParameter(
                f"{file}: say CATALOG.TABLE FILE..., or CATALOG TABLE=FILE...", param_hint="FILE"
            )
        found.append((table, path))
    return found


def manner(
    columns: str | None, forms: list[str] | None, mapping: Path | None, split: str | None
) -> Manner:
    """How the given files are to be taken. Raises FormRefused, WrongSize."""
    from loaders.inputs import Manner, size_of
    from loaders.readers.form import form_of

    said: dict[str, object] = {}
    for one in forms or ():
        name, is_said, text = one.partition("=")
        if not is_said:
            raise typer.BadParameter(f"{one}: say NAME=VALUE", param_hint="--form")
        said[name] = _value(name, text)
    if columns:
        said["columns"] = [name.strip() for name in columns.split(",")]
    return Manner(form_of(said), mapping, None if split is None else size_of(split))


def _value(name: str, text: str) -> object:
    """A value of a form, as its name wants it."""
    from loaders.readers.form import sign

    match name:
        case "header":
            known = {"yes": True, "true": True, "no": False, "false": False}
            return known.get(text.lower(), text)
        case "skip":
            return int(text) if text.isdecimal() else text
        case "columns" | "nulls":
            return [one.strip() for one in text.split(",")]
        case "format" | "encoding":
            return text
        case _:
            return sign(text)
