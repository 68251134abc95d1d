"""Live parts on a shard: a unit's rows merged into them, undone, looked up, cleaned.

What a unit writes to one shard at once is one transaction; a part has one writer at a time (an advisory
lock), readers never wait. A unit that was undone is written down, and nothing more is written for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg2
import psycopg2.errors

from procedures.parts import Readable
from schema.catalog import Table
from schema.ddl import quote
from schema.errors import InputError, UsageError
from schema.live_ddl import create_live, live_columns, live_key, live_name
from schema.live_parts import LivePart
from schema.manifest import PartId
from schema.units import FROM_UNIT, TO_UNIT, Seen, UnitId

_COPY_BYTES = 1 << 20
_LOCK = 0x534B_594C << 32
"""Of the advisory locks on live parts: this and the part's id."""
_SHOWN = 3
_GROWN = 0.3
"""A part that grew by such a share is counted anew."""
_FROM, _TO = f"t.{quote(FROM_UNIT)}", f"t.{quote(TO_UNIT)}"
_SETTINGS = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'; SET LOCAL jit = off"


class UnitConflict(UsageError):
    """Another unit changed the same rows, and this one does not see it."""

    code = "UNIT_CONFLICT"


class UnitEnded(UsageError):
    """A unit was given up, or has another owner: nothing more is written in its name."""

    code = "UNIT_ENDED"

    def __init__(self, unit_id: UnitId) -> None:
        super().__init__(
            f"unit {unit_id} was ended (its writer did not renew its lease, or somebody gave it up);"
            " nothing of it is seen: write it again as a new unit"
        )
        self.unit_id = unit_id


class DuplicateKey(InputError):
    """A row to insert has a key that is there, or stands twice among the rows given."""

    code = "DUPLICATE_KEY"


class RowsRefused(InputError):
    """Rows for a live table do not fit it."""

    code = "ROWS_REFUSED"


class Change(StrEnum):
    """What becomes of rows with the keys that are given."""

    INSERT = "insert"
    """They must not be there."""
    UPSERT = "upsert"
    """Theirs are replaced."""
    DELETE = "delete"
    """Theirs go; only keys are given."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Rows for one live part. `beside`: other slices of time where the same keys may lie."""

    part: LivePart
    table: Table
    change: Change
    stream: Readable
    beside: tuple[LivePart, ...] = ()


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did: rows that came, and versions that were closed or own rows replaced."""

    part_id: PartId
    came: int
    went: int


def write_unit(connection: Any, catalog: str, unit: Seen, merges: Sequence[Merge]) -> list[Merged]:
    """Do some merges of a unit (`unit.own`) in one transaction, and commit it.

    Raises UnitConflict, UnitEnded, DuplicateKey, RowsRefused; nothing is changed then.
    """
    parts = [one for merge in merges for one in (merge.part, *merge.beside)]
    with connection.cursor() as cursor:
        _enter(cursor, unit, [part.part_id for part in parts])
        held = _held(cursor, [part.part_id for part in parts])
        done = []
        for number, merge in enumerate(merges):
            if merge.part.part_id not in held:
                _create(cursor, catalog, merge)
                held.add(merge.part.part_id)
            beside = [part for part in merge.beside if part.part_id in held]
            with _told(merge.table):
                done.append(_merge(cursor, unit, merge, beside, f"stage_{number}"))
    connection.commit()
    return done


def _enter(cursor: Any, unit: Seen, part_ids: Iterable[PartId]) -> None:
    """Lock the parts, and see that the unit was not undone."""
    cursor.execute(_SETTINGS)
    for part_id in sorted(set(part_ids)):
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK | part_id,))
    cursor.execute("SELECT 1 FROM skyshard.ended_unit WHERE unit_id = %s", (unit.own,))
    if cursor.fetchone() is not None:
        raise UnitEnded(UnitId(unit.own or 0))


def _held(cursor: Any, part_ids: Sequence[PartId]) -> set[PartId]:
    """Those of some parts that the shard has."""
    cursor.execute(
        "SELECT part_id FROM skyshard.live_part WHERE part_id = ANY(%s)", (list(part_ids),)
    )
    return {PartId(row[0]) for row in cursor}


def _create(cursor: Any, catalog: str, merge: Merge) -> None:
    part = merge.part
    cursor.execute("; ".join(create_live(part.part_id, part.place.kind, merge.table)))
    cursor.execute(
        "INSERT INTO skyshard.live_part (part_id, catalog, table_name) VALUES (%s, %s, %s)",
        (part.part_id, catalog, part.place.table),
    )


@contextmanager
def _told(table: Table) -> Iterator[None]:
    """What PostgreSQL refuses, in words."""
    try:
        yield
    except psycopg2.errors.UniqueViolation as error:
        detail = (error.diag.message_detail or str(error)).strip()
        raise DuplicateKey(f"table {table.name}: {detail}") from error
    except (psycopg2.errors.IntegrityError, psycopg2.errors.DataError) as error:
        reason = error.diag.message_primary or str(error)
        raise RowsRefused(f"table {table.name}: {reason}; nothing was changed") from error


# ------------------------------------------------------------------ merges


def _merge(cursor: Any, unit: Seen, merge: Merge, beside: Sequence[LivePart], stage: str) -> Merged:
    part = merge.part
    name, kind = live_name(part.part_id), part.place.kind
    key = live_key(merge.table, kind)
    columns = ", ".join(quote(c.name) for c in live_columns(merge.table, kind))
    if not key:
        cursor.copy_expert(f"COPY {name} ({columns}) FROM STDIN (FORMAT BINARY)", merge.stream)
        return Merged(part.part_id, cursor.rowcount, 0)
    keys = ", ".join(map(quote, key))
    given = keys if merge.change is Change.DELETE else columns
    cursor.execute(
        f"CREATE TEMP TABLE {stage} ON COMMIT DROP AS SELECT {given} FROM {name} LIMIT 0"
    )
    cursor.copy_expert(
        f"COPY {stage} ({given}) FROM STDIN (FORMAT BINARY)", merge.stream, _COPY_BYTES
    )
    cursor.execute(f"ANALYZE {stage} ({keys})")
    went = 0
    matched = " AND ".join(f"t.{quote(k)} = s.{quote(k)}" for k in key)
    for one in (part, *beside):
        name_of = live_name(one.part_id)
        closing = _Closing(name_of, merge.table, key, f"{stage} AS s", matched, unit)
        if merge.change is Change.INSERT:
            closing.check(cursor, is_insert=True)
        else:
            went += len(closing.close(cursor))
    if merge.change is Change.DELETE:
        return Merged(part.part_id, 0, went)
    cursor.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {stage}")
    came = cursor.rowcount
    _count_anew(cursor, name, keys, came)
    return Merged(part.part_id, came, went)


def _count_anew(cursor: Any, name: str, keys: str, came: int) -> None:
    """Let the server know of a part that grew much: later merges are planned by its size."""
    cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", (name,))
    if came > _GROWN * max(0.0, cursor.fetchone()[0]):
        cursor.execute("SET LOCAL default_statistics_target = 10")
        cursor.execute(f"ANALYZE {name} ({keys})")


@dataclass(frozen=True, slots=True)
class _Closing:
    """The rows `t` of a live part that a condition chooses, perhaps over another relation."""

    name: str
    table: Table
    key: tuple[str, ...]
    other: str | None
    condition: str
    unit: Seen

    def check(self, cursor: Any, *, is_insert: bool = False) -> bool:
        """Whether the unit brought newest versions itself.

        Raises UnitConflict where one was brought or closed by a unit that this one does not see, and
        DuplicateKey where one is there and is to be inserted. A condition alone chooses among the rows
        that it sees: what others bring is none of them.
        """
        from_seen, to_seen = self.unit.holds_sql(_FROM), self.unit.holds_sql(_TO)
        closed = f"({_TO} IS NOT NULL AND NOT {to_seen})"
        wrong = (
            f"({from_seen} AND {closed})"
            if self.other is None
            else f"(NOT {from_seen} OR {closed})"
        )
        newest = f"{_TO} IS NULL" if is_insert else f"({_TO} IS NULL AND {_FROM} = {self.unit.own})"
        cursor.execute(
            f"SELECT {wrong}, CASE WHEN {closed} THEN {_TO} ELSE {_FROM} END{self._keys()}"
            f" FROM {self.name} AS t{f', {self.other}' if self.other else ''}"
            f" WHERE {self.condition} AND ({wrong} OR {newest})"
            # no LIMIT: it would choose nested loops
        )
        rows = cursor.fetchall()
        others = [row[1:] for row in rows if row[0]]
        if others:
            raise UnitConflict(
                f"table {self.table.name}: unit {others[0][0]} changed the same rows"
                f" ({self._shown([row[1:] for row in others])}); nothing of this unit is seen: try it"
                " again as a new one"
            )
        if rows and is_insert:
            raise DuplicateKey(
                f"table {self.table.name} has rows with {self._shown([row[2:] for row in rows])};"
                " upsert replaces them"
            )
        return bool(rows)

    def close(self, cursor: Any, returning: str = "0") -> list[int]:
        """Close the newest versions; the unit's own rows go at once. An expression of each.

        Raises UnitConflict.
        """
        has_own = self.check(cursor)
        own, is_newest = f"{_FROM} = {self.unit.own}", f"{_TO} IS NULL"
        using, source = (
            f" {word} {self.other}" if self.other else "" for word in ("USING", "FROM")
        )
        found = []
        if has_own:
            cursor.execute(
                f"DELETE FROM {self.name} AS t{using}"
                f" WHERE {self.condition} AND {own} AND {is_newest} RETURNING {returning}"
            )
            found = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            f"UPDATE {self.name} AS t SET {quote(TO_UNIT)} = {self.unit.own}{source}"
            f" WHERE {self.condition} AND {is_newest} AND {self.unit.holds_sql(_FROM)}"
            f" RETURNING {returning}"
        )
        return found + [row[0] for row in cursor.fetchall()]

    def _keys(self) -> str:
        """The key's columns, to be selected after another."""
        return "".join(f", t.{quote(name)}" for name in self.key)

    def _shown(self, rows: Sequence[Sequence[object]]) -> str:
        """Keys, for a message."""
        names = ", ".join(self.key)
        shown = "; ".join(", ".join(map(str, row)) for row in rows[:_SHOWN])
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        return f"{names} = {shown}{more}"


# ------------------------------------------------------------------ deletes by a condition


@dataclass(frozen=True, slots=True)
class Deleted:
    """What went from one part; `keys` of the column that was asked for."""

    part_id: PartId
    went: int
    keys: tuple[int, ...] = ()


def delete_where(
    connection: Any,
    unit: Seen,
    parts: Sequence[LivePart],
    table: Table,
    condition: str,
    *,
    returning: str | None,
) -> list[Deleted]:
    """Close the rows that fulfil a condition (made by `schema.conditions`), in one transaction."""
    found = []
    with connection.cursor() as cursor:
        _enter(cursor, unit, [part.part_id for part in parts])
        held = _held(cursor, [part.part_id for part in parts])
        for part in parts:
            if part.part_id not in held:
                continue
            name = live_name(part.part_id)
            closing = _Closing(name, table, table.primary_key, None, f"({condition})", unit)
            with _told(table):
                keys = closing.close(cursor, quote(returning) if returning else "0")
            found.append(Deleted(part.part_id, len(keys), tuple(keys if returning else ())))
    connection.commit()
    return found


# ------------------------------------------------------------------ undo, clean, drop


def undo_unit(connection: Any, unit_id: UnitId, part_ids: Sequence[PartId]) -> int:
    """Remove all that a unit did to parts here, and let it do nothing more; commits.

    Gives how many rows that changed.
    """
    changed = 0
    with connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
        for part_id in sorted(part_ids):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK | part_id,))
        cursor.execute(
            "INSERT INTO skyshard.ended_unit (unit_id) VALUES (%s) ON CONFLICT DO NOTHING",
            (unit_id,),
        )
        for part_id in sorted(_held(cursor, part_ids)):
            name = live_name(part_id)
            cursor.execute(f'DELETE FROM {name} WHERE "{FROM_UNIT}" = %s', (unit_id,))
            changed += cursor.rowcount
            cursor.execute(
                f'UPDATE {name} SET "{TO_UNIT}" = NULL WHERE "{TO_UNIT}" = %s', (unit_id,)
            )
            changed += cursor.rowcount
    connection.commit()
    return changed


def clean_part(connection: Any, part_id: PartId, oldest: Seen) -> int:
    """Remove versions that were closed before the oldest set of units that anybody reads; commits."""
    last = quote(TO_UNIT)
    with connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK | part_id,))
        if not _held(cursor, [part_id]):
            connection.commit()
            return 0
        cursor.execute(
            f"DELETE FROM {live_name(part_id)} WHERE {last} IS NOT NULL"
            f" AND {oldest.holds_sql(last)}"
        )
        count = int(cursor.rowcount)
    connection.commit()
    return count


def vacuum_part(connection: Any, part_id: PartId) -> int:
    """Give the room of removed versions to new ones; an estimate of the rows that are left."""
    connection.rollback()
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute(f"VACUUM (ANALYZE) {live_name(part_id)}")
            cursor.execute("RESET statement_timeout")
            cursor.execute(
                "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass",
                (live_name(part_id),),
            )
            return int(cursor.fetchone()[0])
    finally:
        connection.autocommit = False


def drop_live(connection: Any, part_ids: Sequence[PartId]) -> None:
    """Drop live parts' tables, those that are there; commits each."""
    for part_id in part_ids:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {live_name(part_id)}")
            cursor.execute("DELETE FROM skyshard.live_part WHERE part_id = %s", (part_id,))
        connection.commit()


def parts_of_live_catalog(connection: Any, catalog: str) -> list[PartId]:
    """The live parts that a shard has of a catalog (the model's spelling)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT part_id FROM skyshard.live_part WHERE catalog = %s ORDER BY part_id",
            (catalog,),
        )
        return [PartId(row[0]) for row in cursor]


def count_live(connection: Any, part_ids: Sequence[PartId]) -> Mapping[PartId, tuple[int, int]]:
    """Rows (all versions) and bytes with indexes of live parts, those that the shard has."""
    found = {}
    with connection.cursor() as cursor:
        for part_id in sorted(_held(cursor, part_ids)):
            name = live_name(part_id)
            cursor.execute(
                f"SELECT count(*), pg_total_relation_size(%s::regclass) FROM {name}", (name,)
            )
            found[part_id] = cursor.fetchone()
    return found
