"""The text of live parts' tables on a shard: CREATE, indexes, and the name that a reader uses."""

from __future__ import annotations

from schema.catalog import DIRECTOR_29, HEALPIX_29, Column, Table
from schema.ddl import INDEX_COLUMNS, INDEX_KEY, qualified, quote
from schema.manifest import Part, PartId, PartKind
from schema.types import Type, postgres_type
from schema.units import FROM_UNIT, LIVE_SCHEMA, TO_UNIT

_FILL_FACTOR = 90
"""Closing a version writes the row anew: room for that on its page."""


def live_name(part_id: PartId) -> str:
    """A live part's table with its schema."""
    return f"{quote(LIVE_SCHEMA)}.{quote(f'p{part_id}')}"


def read_name(part: Part, name: str) -> str:
    """What a reader selects from: a part's table, of a live part the rows that it sees."""
    if part.seen is None:
        return qualified(name)
    return f"(SELECT * FROM {live_name(part.part_id)} WHERE {part.seen.visible_sql()}) AS {quote(name)}"


def live_columns(table: Table, kind: PartKind) -> tuple[Column, ...]:
    """The stored columns of a live part."""
    if kind is PartKind.INDEX:
        units = (Column(FROM_UNIT, Type.LONG, nullable=False), Column(TO_UNIT, Type.LONG))
        return (*INDEX_COLUMNS, *units)
    return table.stored_columns()


def live_key(table: Table, kind: PartKind) -> tuple[str, ...]:
    """The columns that tell the newest versions of a live part's rows apart; empty where none do."""
    return (INDEX_KEY,) if kind is PartKind.INDEX else table.primary_key


def create_live(part_id: PartId, kind: PartKind, table: Table) -> list[str]:
    """The statements that create a live part's table with its indexes.

    Of one key there is one version that no unit closed, and one that each unit closed.
    """
    name, columns = live_name(part_id), live_columns(table, kind)
    body = [
        f"{quote(c.name)} {postgres_type(c.type, c.length)}{'' if c.nullable else ' NOT NULL'}"
        for c in columns
    ]
    if kind is not PartKind.INDEX:
        body += [f"CONSTRAINT {quote(c.name)} CHECK ({c.expression})" for c in table.checks]
    made = [f"CREATE TABLE {name} ({', '.join(body)}) WITH (fillfactor = {_FILL_FACTOR})"]
    closed = f"coalesce({quote(TO_UNIT)}, 0)"
    made += [
        f"CREATE UNIQUE INDEX ON {name} ({_list(key)}, {closed})" for key in _unique(table, kind)
    ]
    made += [f"CREATE INDEX ON {name} ({_list(key)})" for key in _indexes(table, kind)]
    made.append(f"CREATE INDEX ON {name} ({quote(TO_UNIT)}) WHERE {quote(TO_UNIT)} IS NOT NULL")
    return made


def _unique(table: Table, kind: PartKind) -> tuple[tuple[str, ...], ...]:
    """Keys that hold within a part; of partitioned tables only the primary one can."""
    own = live_key(table, kind)
    more = table.unique if kind is PartKind.WHOLE else ()
    return tuple(dict.fromkeys(key for key in (own, *more) if key))


def _indexes(table: Table, kind: PartKind) -> tuple[tuple[str, ...], ...]:
    """The columns of the other B-trees; those that a unique one begins with need none."""
    if kind is PartKind.INDEX:
        return ()
    names = {column.name for column in table.stored_columns()}
    found = [(name,) for name in (DIRECTOR_29, HEALPIX_29) if name in names]
    if table.key is not None and table.key != next(iter(table.primary_key), None):
        found.append((table.key,))
    return tuple(dict.fromkeys([*found, *table.indexes]))


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(quote(name) for name in names)
