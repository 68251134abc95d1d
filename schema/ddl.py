"""The text of part tables: CREATE, indexes, DROP. The one place that quotes identifiers."""

from __future__ import annotations

from collections.abc import Iterable

from schema.catalog import DIRECTOR_29, HEALPIX_29, Column, Role, Table
from schema.manifest import Part, PartId, PartKind
from schema.names import MAX_NAME_BYTES, PARTS_SCHEMA
from schema.types import Type, postgres_type

INDEX_KEY = "key"
"""The key column of a director index's part."""
INDEX_COLUMNS = (
    Column(INDEX_KEY, Type.LONG, nullable=False),
    Column(HEALPIX_29, Type.LONG, nullable=False),
)
"""The columns of a director index's part."""
_STATISTICS_TARGET = 10
"""Histogram bins of a part's statistics: 3,000 sampled rows tell as much as chunk scans need."""


def quote(identifier: str) -> str:
    """A PostgreSQL or DuckDB identifier, whatever it holds.

    Raises
    ------
    ValueError
        The name is empty, holds a NUL, or PostgreSQL would cut it.
    """
    if not identifier or "\0" in identifier:
        raise ValueError(f"{identifier!r} is no identifier")
    if len(identifier.encode()) > MAX_NAME_BYTES:
        raise ValueError(f"{identifier!r} is longer than {MAX_NAME_BYTES} bytes")
    return '"' + identifier.replace('"', '""') + '"'


def qualified(name: str) -> str:
    """A part table's name with its schema."""
    return f"{quote(PARTS_SCHEMA)}.{quote(name)}"


def create_part(part: Part, table: Table) -> list[str]:
    """The statements that create a part's tables, empty and without indexes.

    A part of a director has the table of its own rows and, alike, the one of its overlap rows.
    Parts never change once filled, so PostgreSQL need not vacuum them.
    """
    if part.kind is PartKind.INDEX:
        return create_index_part(part)
    body = [_definition(column) for column in table.stored_columns()]
    body += [f"CONSTRAINT {quote(check.name)} CHECK ({check.expression})" for check in table.checks]
    return [_create(name, body) for name in part_tables(part, table)]


def create_index_part(part: Part) -> list[str]:
    """The statement that creates one bucket of a director index."""
    return [_create(part.own_name, [_definition(column) for column in INDEX_COLUMNS])]


def index_part(part: Part, table: Table) -> list[str]:
    """The statements that index a filled part and take its statistics (in a transaction).

    A replicated table's own keys are unique indexes: a violation is PostgreSQL's UniqueViolation.
    """
    statements = []
    if part.kind is PartKind.INDEX:
        indexed: tuple[tuple[str, ...], ...] = ((INDEX_KEY,),)
        names: tuple[str, ...] = (part.own_name,)
    else:
        indexed, names = part_indexes(table), part_tables(part, table)
    unique = set() if table.is_partitioned else {table.primary_key, *table.unique}
    for name in names:
        for columns in indexed:
            kind = "UNIQUE INDEX" if columns in unique else "INDEX"
            listed = ", ".join(quote(column) for column in columns)
            statements.append(f"CREATE {kind} ON {qualified(name)} ({listed})")
    statements.append(f"SET LOCAL default_statistics_target = {_STATISTICS_TARGET}")
    known = ", ".join(quote(name) for name in dict.fromkeys(sum(indexed, ())))
    statements += [f"ANALYZE {qualified(name)}{f' ({known})' if known else ''}" for name in names]
    return statements


def part_indexes(table: Table) -> tuple[tuple[str, ...], ...]:
    """The columns of each B-tree of a table's parts."""
    indexes: list[tuple[str, ...]] = []
    if table.role in (Role.CHILD, Role.MATCH):
        indexes.append((DIRECTOR_29,))
    if table.has_position:
        indexes.append((HEALPIX_29,))
    if not table.is_partitioned:
        indexes += [key for key in (table.primary_key, *table.unique) if key]
    return tuple(dict.fromkeys([*indexes, *table.indexes]))


def drop_part(part: Part) -> list[str]:
    """The statement that drops a part's tables, where they are."""
    return drop_parts([part.part_id])


def drop_parts(part_ids: Iterable[PartId]) -> list[str]:
    """The statement that drops the tables of several parts, where they are."""
    names = ", ".join(qualified(f"{kind}{part_id}") for part_id in part_ids for kind in ("p", "o"))
    return [f"DROP TABLE IF EXISTS {names}"] if names else []


def part_tables(part: Part, table: Table) -> tuple[str, ...]:
    """The tables of a part: own rows, and a director's overlap."""
    if table.role is Role.DIRECTOR and part.kind is not PartKind.INDEX:
        return part.own_name, part.overlap_name
    return (part.own_name,)


def _create(name: str, body: Iterable[str]) -> str:
    lines = ",\n  ".join(body)
    return f"CREATE TABLE {qualified(name)} (\n  {lines}\n) WITH (autovacuum_enabled = false)"


def _definition(column: Column) -> str:
    not_null = "" if column.nullable else " NOT NULL"
    return f"{quote(column.name)} {postgres_type(column.type, column.length)}{not_null}"
