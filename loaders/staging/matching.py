"""Which column of a file fills which of a table: by name in any case, or as a mapping says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from loaders.staging.expressions import ExpressionInvalid, known_columns, read_expression
from loaders.staging.mapping import (
    NOTHING,
    ColumnMapping,
    MappingInvalid,
    TableMapping,
    check_table,
)
from schema.catalog import Column, Role, Table
from schema.errors import InputError
from schema.names import hint
from schema.types import Type


class MissingColumn(InputError):
    """A file lacks a column that may not be NULL."""

    code = "MISSING_COLUMN"

    def __init__(self, table: str, column: str, names: Sequence[str], file: str) -> None:
        super().__init__(
            f"{file} has no column {column!r}, which {table} needs{hint(column, names)}"
        )
        self.table, self.column = table, column


@dataclass(frozen=True, slots=True)
class Matching:
    """Which column of a file fills each column of a table (None: NULL), and those left over."""

    names: tuple[str | None, ...]
    unknown: tuple[str, ...]
    file: str
    ignored: tuple[str, ...] = ()
    """Columns of the file that the mapping leaves out."""
    mapping: TableMapping = NOTHING
    used: dict[str, str] = field(default_factory=dict)
    """The columns that expressions name, and how the file spells them."""
    types: dict[str, Type] = field(default_factory=dict)
    """What texts of those columns are read as."""

    @property
    def wanted(self) -> tuple[str, ...]:
        named = [name for name in self.names if name is not None]
        return tuple(dict.fromkeys([*named, *self.used.values()]))


def match_columns(
    table: Table,
    names: Sequence[str],
    file: str = "the file",
    mapping: TableMapping | None = None,
) -> Matching:
    """Match a file's columns to a table's; an exact match wins over one that differs in case.

    `file` is what messages call it. Raises MissingColumn, MappingInvalid.
    """
    mapping = mapping or NOTHING
    check_table(table, mapping)
    ignored = tuple(name for name in names if mapping.ignores(name))
    offered = [name for name in names if name not in ignored]
    used = _used(mapping, names, file)
    found = [_found(column, names, offered, mapping) for column in table.columns]
    for column, name in zip(table.columns, found, strict=True):
        said = mapping.of(column.name) or ColumnMapping()
        is_needed = said.source or not column.nullable or column.name in _required(table)
        if name is None and said.compute is None and said.default is None and is_needed:
            raise MissingColumn(table.name, said.source or column.name, names, file)
    taken = {*found, *used.values()}
    unknown = tuple(name for name in offered if name not in taken)
    types = _types(mapping, used)
    return Matching(tuple(found), unknown, file, ignored, mapping, used, types)


def _found(
    column: Column,
    names: Sequence[str],
    offered: Sequence[str],
    mapping: TableMapping,
) -> str | None:
    """The file's column that fills one of the table's; None where none does as it is."""
    said = mapping.of(column.name) or ColumnMapping()
    if said.compute is not None:
        return None
    return spelled(said.source or column.name, names if said.source else offered)


def spelled(name: str, names: Sequence[str]) -> str | None:
    """How a file spells a name: exactly, or in another case."""
    if name in names:
        return name
    folded = name.casefold()
    return next((one for one in names if one.casefold() == folded), None)


def _required(table: Table) -> set[str | None]:
    """Columns without which no row can be placed."""
    return {table.key, table.ra, table.dec} if table.role is Role.DIRECTOR else set()


def _used(mapping: TableMapping, names: Sequence[str], file: str) -> dict[str, str]:
    """The columns that the mapping's expressions name, in its spelling and the file's."""
    found: dict[str, str] = {}
    for column, said in mapping.columns:
        if said.compute is None:
            continue
        try:
            for name, own in known_columns(read_expression(said.compute), names).items():
                if name.casefold() not in {one.casefold() for one in found}:
                    found[name] = own
        except ExpressionInvalid as error:
            raise MappingInvalid(f"{column}, for {file}: {error}") from error
    return found


def _types(mapping: TableMapping, used: dict[str, str]) -> dict[str, Type]:
    """The types that are said of the columns that expressions name, in the expressions' spelling."""
    said = {name.casefold(): kind for name, kind in mapping.types}
    return {
        name: said[key]
        for name, own in used.items()
        for key in (own.casefold(), name.casefold())
        if key in said
    }
