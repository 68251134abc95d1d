"""Snapshots on the coordinator: listed, named, found, dropped; what changed since one.

Every call takes an open psycopg2 connection to the coordinator and leaves the transaction to its
caller. A dropped snapshot is asked for no more; its parts go when nobody reads them
(`procedures.retired`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from procedures.pins import Pin
from schema.errors import CatalogError
from schema.manifest import IngestId, PartId
from schema.names import hint

_TAG = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,62}")
_UNIT = re.compile(r"unit-(\d+)", re.IGNORECASE | re.ASCII)


class UnknownSnapshot(CatalogError):
    """A catalog has no snapshot of that number or tag."""

    code = "UNKNOWN_SNAPSHOT"


class SnapshotDropped(CatalogError):
    """A snapshot was dropped: its parts are gone, or are about to go."""

    code = "SNAPSHOT_DROPPED"


class SnapshotKept(CatalogError):
    """The newest snapshot, or one with a tag, is not dropped."""

    code = "SNAPSHOT_KEPT"


class TagRefused(CatalogError):
    """A tag cannot be given."""

    code = "TAG_REFUSED"


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One published version of a catalog. `kind`: what made it; `parts` and `rows`: what it holds."""

    snapshot: int
    published_at: datetime
    kind: str
    ingest_id: IngestId | None
    tag: str | None
    version: int
    dropped_at: datetime | None
    parts: int
    rows: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What was published after a snapshot. `moved`: parts that an ingest replaced by others."""

    ingests: frozenset[IngestId]
    moved: frozenset[PartId]


def list_snapshots(connection: Any, catalog_name: str) -> list[SnapshotRow]:
    """All snapshots of a catalog (its model's spelling), the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_LIST, (catalog_name,))
        return [SnapshotRow(*row) for row in cursor]


def find_pin(connection: Any, catalog_name: str, word: str) -> Pin:
    """The snapshot of a catalog (in any case) with that number or tag (in any case), or of `unit-17`.

    Raises UnknownSnapshot, for an unknown catalog too, and SnapshotDropped.
    """
    number, tag = (int(word), None) if word.isascii() and word.isdigit() else (None, word)
    with connection.cursor() as cursor:
        if number is not None and number > 2**31 - 1:
            number = -1
        match = _UNIT.fullmatch(word)
        unit = min(int(match[1]), 2**63 - 1) if match is not None else None
        cursor.execute(_FIND, (catalog_name, number, tag, unit))
        row = cursor.fetchone()
        if row is None:
            raise UnknownSnapshot(
                f"no snapshot {catalog_name}@{word}{_known(cursor, catalog_name)}"
            )
        if row[-1] is not None:
            kept = _known(cursor, catalog_name)
            raise SnapshotDropped(f"snapshot {row[0]}@{word} was dropped at {row[-1]:%F %T}{kept}")
        return Pin(*row[:-1])


def tag_snapshot(connection: Any, pin: Pin, tag: str) -> None:
    """Name a snapshot; it is kept until `untag_snapshot`. Raises TagRefused."""
    if not _TAG.fullmatch(tag) or _UNIT.fullmatch(tag):
        raise TagRefused(
            f"{tag!r} is no tag: up to 63 letters, digits and `_.-`, beginning with a letter"
        )
    with connection.cursor() as cursor:
        _lock(cursor, pin.catalog_id)
        cursor.execute(
            "SELECT snapshot FROM skyshard.snapshot WHERE catalog_id = %s"
            " AND lower(tag) = lower(%s) AND snapshot <> %s",
            (pin.catalog_id, tag, pin.snapshot),
        )
        other = cursor.fetchone()
        if other is not None:
            raise TagRefused(f"{tag} is snapshot {other[0]} of {pin.name}: untag that one first")
        cursor.execute(
            "UPDATE skyshard.snapshot SET tag = %s"
            " WHERE catalog_id = %s AND snapshot = %s AND dropped_at IS NULL",
            (tag, pin.catalog_id, pin.snapshot),
        )
        if not cursor.rowcount:
            raise SnapshotDropped(f"snapshot {pin.name}@{pin.snapshot} was dropped")


def untag_snapshot(connection: Any, pin: Pin) -> None:
    """Take a snapshot's tag away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.snapshot SET tag = NULL WHERE catalog_id = %s AND snapshot = %s",
            (pin.catalog_id, pin.snapshot),
        )


def drop_snapshots(connection: Any, pins: Sequence[Pin]) -> None:
    """Let no query read these snapshots of one catalog again.

    Raises SnapshotKept for the newest, which can only be followed by another, and for tagged ones.
    """
    with connection.cursor() as cursor:
        for pin in pins:
            newest = _lock(cursor, pin.catalog_id)
            if pin.snapshot == newest:
                raise SnapshotKept(f"{pin.name}@{pin.snapshot} is the newest snapshot: it stays")
            cursor.execute(_DROP, (pin.catalog_id, pin.snapshot))
            row = cursor.fetchone()
            if row is not None and row[0] is not None:
                raise SnapshotKept(
                    f"{pin.name}@{pin.snapshot} has the tag {row[0]}: untag it first"
                )


def keep_snapshots(connection: Any, catalog_name: str, count: int | None) -> list[int]:
    """Keep only so many of the newest snapshots and those with tags from now on (None: all).

    Gives the snapshots that are dropped by that at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.catalog SET keep_snapshots = %s WHERE name = %s RETURNING catalog_id",
            (count, catalog_name),
        )
        row = cursor.fetchone()
        assert row is not None, f"catalog {catalog_name} vanished"
        return drop_surplus(cursor, row[0])


def drop_surplus(cursor: Any, catalog_id: int) -> list[int]:
    """Drop the snapshots beyond those that the catalog's policy keeps; they."""
    cursor.execute(_SURPLUS, (catalog_id,))
    return sorted(row[0] for row in cursor)


def changes_since(connection: Any, catalog_name: str, snapshot: int) -> Changes:
    """What ingests published after a snapshot, and which parts they replaced.

    Compactions and retractions change where rows are stored, or remove some: they move none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_INGESTS_SINCE, (catalog_name, snapshot))
        ingests = frozenset(IngestId(row[0]) for row in cursor)
        cursor.execute(_MOVED_SINCE, (catalog_name, snapshot))
        return Changes(ingests, frozenset(PartId(row[0]) for row in cursor))


def _lock(cursor: Any, catalog_id: int) -> int:
    """Keep publishers out until the transaction ends; the newest snapshot."""
    cursor.execute(
        "SELECT snapshot FROM skyshard.catalog WHERE catalog_id = %s FOR NO KEY UPDATE",
        (catalog_id,),
    )
    return int(cursor.fetchone()[0])


def _known(cursor: Any, catalog_name: str) -> str:
    """What there is instead, for a message."""
    cursor.execute(_KEPT, (catalog_name,))
    rows = cursor.fetchall()
    if not rows:
        cursor.execute("SELECT name FROM skyshard.catalog ORDER BY lower(name)")
        names = [row[0] for row in cursor]
        if catalog_name.casefold() not in {name.casefold() for name in names}:
            return f": there is no such catalog{hint(catalog_name, names)}"
        return ": the catalog has no snapshot yet"
    shown = [f"{number} ({tag})" if tag else str(number) for number, tag in rows[:8]]
    return f"; there are {', '.join(shown)}{'...' if len(rows) > 8 else ''}"


_LIST = """
SELECT snapshot.snapshot, snapshot.published_at, snapshot.kind, snapshot.ingest_id, snapshot.tag,
       snapshot.version, snapshot.dropped_at, count(part.part_id)::integer,
       coalesce(sum(part.rows) FILTER (WHERE part.kind <> 'index'), 0)::bigint
FROM skyshard.snapshot
JOIN skyshard.catalog USING (catalog_id)
LEFT JOIN skyshard.part
  ON part.catalog_id = snapshot.catalog_id
 AND part.from_snapshot <= snapshot.snapshot
 AND (part.to_snapshot IS NULL OR part.to_snapshot > snapshot.snapshot)
 AND part.dropped_at IS NULL
WHERE catalog.name = %s
GROUP BY snapshot.catalog_id, snapshot.snapshot
ORDER BY snapshot.snapshot
"""

_FIND = """
SELECT catalog.name, catalog.catalog_id, snapshot.version, snapshot.snapshot, catalog.placement,
       snapshot.dropped_at
FROM skyshard.snapshot
JOIN skyshard.catalog USING (catalog_id)
WHERE lower(catalog.name) = lower(%s)
  AND (snapshot.snapshot = %s OR lower(snapshot.tag) = lower(%s)
       OR snapshot.snapshot = (SELECT unit.snapshot FROM skyshard.unit
                               WHERE unit.unit_id = %s AND unit.catalog_id = catalog.catalog_id))
"""

_KEPT = """
SELECT snapshot.snapshot, snapshot.tag
FROM skyshard.snapshot
JOIN skyshard.catalog USING (catalog_id)
WHERE lower(catalog.name) = lower(%s) AND snapshot.dropped_at IS NULL
ORDER BY snapshot.snapshot DESC
"""

_DROP = """
UPDATE skyshard.snapshot
SET dropped_at = CASE WHEN tag IS NULL THEN coalesce(dropped_at, clock_timestamp()) END
WHERE catalog_id = %s AND snapshot = %s
RETURNING tag
"""

_SURPLUS = """
UPDATE skyshard.snapshot
SET dropped_at = clock_timestamp()
FROM skyshard.catalog
WHERE catalog.catalog_id = snapshot.catalog_id
  AND snapshot.catalog_id = %s
  AND snapshot.snapshot <= catalog.snapshot - catalog.keep_snapshots
  AND snapshot.tag IS NULL
  AND snapshot.dropped_at IS NULL
RETURNING snapshot.snapshot
"""

_INGESTS_SINCE = """
SELECT snapshot.ingest_id
FROM skyshard.snapshot
JOIN skyshard.catalog USING (catalog_id)
WHERE catalog.name = %s AND snapshot.snapshot > %s AND snapshot.kind = 'ingest'
  AND snapshot.ingest_id IS NOT NULL
"""

_MOVED_SINCE = """
SELECT part.part_id
FROM skyshard.part
JOIN skyshard.catalog USING (catalog_id)
JOIN skyshard.snapshot
  ON snapshot.catalog_id = part.catalog_id AND snapshot.snapshot = part.to_snapshot
WHERE catalog.name = %s AND part.to_snapshot > %s AND snapshot.kind = 'ingest'
"""
