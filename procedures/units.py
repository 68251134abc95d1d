"""Units of work on the coordinator: begun, committed by one transaction, given up, listed.

Every call takes an open psycopg2 connection to the coordinator and leaves the transaction to its
caller. Beginning and committing lock the catalog's row, so that a committed unit's reader knows every
unit with a smaller id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extras import Json, execute_values

from procedures.live_parts import seen_at
from procedures.snapshots import drop_surplus
from schema.errors import CatalogError
from schema.manifest import PartId
from schema.units import Seen, UnitId, UnitState

_ABORTED_DAYS = 1
"""How long at least `unit show` tells why a unit was aborted."""


class UnknownUnit(CatalogError):
    """There is no unit of that number."""

    code = "UNKNOWN_UNIT"


@dataclass(frozen=True, slots=True)
class Begun:
    """A new unit, and what it sees of its catalog."""

    unit_id: UnitId
    catalog_id: int
    snapshot: int
    seen: Seen


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit; `facts` are rows by table, `left_s` what is left of its writer's lease, seconds."""

    unit_id: UnitId
    catalog: str
    state: UnitState
    label: str
    snapshot: int | None
    started_at: datetime
    finished_at: datetime | None
    lease_owner: str | None
    left_s: float
    facts: dict[str, Any]
    error: str | None


@dataclass(frozen=True, slots=True)
class Grown:
    """What a unit did to a part: rows more, and the largest distance of one from its home."""

    rows: int = 0
    separation_arcsec: float = 0.0


def begin_unit(
    connection: Any, catalog_name: str, *, label: str, owner: str, seconds: float
) -> Begun:
    """A new open unit of a catalog (its model's spelling), its writer's for so long."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, (catalog_name,))
        row = cursor.fetchone()
        assert row is not None, f"catalog {catalog_name} vanished"
        catalog_id, snapshot = row
        cursor.execute(
            "INSERT INTO skyshard.unit (catalog_id, state, label, lease_owner, lease_until)"
            " VALUES (%s, 'open', %s, %s, clock_timestamp() + %s * interval '1 second')"
            " RETURNING unit_id",
            (catalog_id, label, owner, seconds),
        )
        unit_id = UnitId(cursor.fetchone()[0])
    return Begun(unit_id, catalog_id, snapshot, seen_at(connection, catalog_id, snapshot))


def renew_unit(connection: Any, unit_id: UnitId, owner: str, *, seconds: float) -> bool:
    """Keep an open unit's lease; False where the unit is no more the owner's to write."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.unit SET lease_until = clock_timestamp() + %s * interval '1 second'"
            " WHERE unit_id = %s AND lease_owner = %s AND state = 'open'",
            (seconds, unit_id, owner),
        )
        return bool(cursor.rowcount)


def catalog_id_of(connection: Any, catalog_name: str) -> int:
    """The id of a catalog (its model's spelling), which is there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT catalog_id FROM skyshard.catalog WHERE name = %s", (catalog_name,))
        row = cursor.fetchone()
        assert row is not None, f"catalog {catalog_name} vanished"
        return int(row[0])


def newest_snapshots(connection: Any) -> dict[str, int]:
    """The newest snapshot of each catalog, by the models' spelling."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, snapshot FROM skyshard.catalog")
        return dict(cursor.fetchall())


def lock_catalog_of(connection: Any, catalog_id: int) -> int:
    """Keep out who begins or commits units until the transaction ends; the newest snapshot."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT snapshot FROM skyshard.catalog WHERE catalog_id = %s FOR NO KEY UPDATE",
            (catalog_id,),
        )
        return int(cursor.fetchone()[0])


def next_snapshot(connection: Any, catalog_id: int, kind: str) -> int:
    """A new snapshot of a catalog whose row is locked."""
    with connection.cursor() as cursor:
        cursor.execute(_SNAPSHOT, (catalog_id, kind))
        return int(cursor.fetchone()[0])


def commit_unit(
    connection: Any,
    unit_id: UnitId,
    owner: str,
    *,
    grown: Mapping[PartId, Grown],
    facts: Mapping[str, Any],
) -> int | None:
    """Make a unit visible as a new snapshot; None where it is not open, or not the owner's.

    None too where one of its parts was retired meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT catalog_id FROM skyshard.unit WHERE unit_id = %s", (unit_id,))
        row = cursor.fetchone()
        if row is None:
            return None
        lock_catalog_of(connection, row[0])
        cursor.execute(_READY, (unit_id, owner))
        if cursor.fetchone() is None:
            return None
        snapshot = next_snapshot(connection, row[0], "unit")
        cursor.execute(
            "UPDATE skyshard.unit SET state = 'committed', snapshot = %s, facts = %s,"
            " finished_at = clock_timestamp(), lease_owner = NULL, lease_until = NULL"
            " WHERE unit_id = %s",
            (snapshot, Json(dict(facts)), unit_id),
        )
        _grow(cursor, unit_id, snapshot, grown)
        drop_surplus(cursor, row[0])
    return snapshot


def _grow(cursor: Any, unit_id: UnitId, snapshot: int, grown: Mapping[PartId, Grown]) -> None:
    """New parts are there from this snapshot on; estimates follow."""
    cursor.execute(
        "UPDATE skyshard.live_part SET from_snapshot = %s FROM skyshard.unit_part"
        " WHERE unit_part.part_id = live_part.part_id AND unit_part.unit_id = %s"
        " AND live_part.from_snapshot IS NULL",
        (snapshot, unit_id),
    )
    if grown:
        execute_values(
            cursor,
            "UPDATE skyshard.live_part SET rows = greatest(live_part.rows + given.rows, 0),"
            " separation_arcsec = greatest(separation_arcsec, given.apart)"
            " FROM (VALUES %s) AS given (part_id, rows, apart)"
            " WHERE live_part.part_id = given.part_id",
            [(part, one.rows, float(one.separation_arcsec)) for part, one in grown.items()],
        )


def give_up(connection: Any, unit_id: UnitId, reason: str, *, owner: str | None = None) -> bool:
    """A unit will never be seen; False where it is committed, undone, or has another owner.

    Without an owner it is given up whosever it is. Locks nothing but the unit.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.unit SET state = 'aborting', error = coalesce(error, %s)"
            " WHERE unit_id = %s AND state IN ('open', 'aborting')"
            " AND (%s::text IS NULL OR lease_owner = %s)",
            (reason, unit_id, owner, owner),
        )
        return bool(cursor.rowcount)


def undone(connection: Any, unit_id: UnitId) -> None:
    """A unit that was given up has no rows any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.unit SET state = 'aborted', finished_at = clock_timestamp(),"
            " lease_owner = NULL, lease_until = NULL WHERE unit_id = %s AND state = 'aborting'",
            (unit_id,),
        )
        cursor.execute("DELETE FROM skyshard.unit_part WHERE unit_id = %s", (unit_id,))


def list_units(
    connection: Any, catalog_name: str | None = None, *, open_only: bool = False
) -> list[UnitRow]:
    """The units of a catalog (its model's spelling; None: of all), the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_UNITS} WHERE (%s::text IS NULL OR catalog.name = %s)"
            " AND (NOT %s OR unit.state IN ('open', 'aborting')) ORDER BY unit_id",
            (catalog_name, catalog_name, open_only),
        )
        return [_unit(row) for row in cursor]


def read_unit(connection: Any, unit_id: UnitId) -> UnitRow:
    """One unit. Raises UnknownUnit."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_UNITS} WHERE unit_id = %s", (unit_id,))
        row = cursor.fetchone()
    if row is None:
        raise UnknownUnit(f"no unit {unit_id}; `skyshard unit list` shows those that are known")
    return _unit(row)


def horizon_of(connection: Any, catalog_id: int, *, grace_s: float) -> int:
    """The oldest snapshot of a live catalog that somebody may still read.

    `grace_s` is how long after a snapshot was dropped a query may read it without a lease.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HORIZON, {"catalog": catalog_id, "grace": grace_s})
        return int(cursor.fetchone()[0])


def forget_units(connection: Any, catalog_id: int, horizon: int) -> list[UnitId]:
    """Forget units that every reader sees, and snapshots that nobody reads; those units."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"catalog": catalog_id, "horizon": horizon})
        found = [UnitId(row[0]) for row in cursor]
        cursor.execute(
            "DELETE FROM skyshard.unit WHERE catalog_id = %s AND state = 'aborted'"
            " AND finished_at < (SELECT published_at FROM skyshard.snapshot"
            "                    WHERE catalog_id = %s AND snapshot = %s)"
            " AND finished_at < clock_timestamp() - %s * interval '1 day'",
            (catalog_id, catalog_id, horizon, _ABORTED_DAYS),
        )
        cursor.execute(
            "DELETE FROM skyshard.snapshot WHERE catalog_id = %s AND snapshot < %s"
            " AND dropped_at IS NOT NULL",
            (catalog_id, horizon),
        )
    return found


_LOCK = """
SELECT catalog_id, snapshot
FROM skyshard.catalog
WHERE name = %s
FOR NO KEY UPDATE
"""

_SNAPSHOT = """
WITH newer AS (
  UPDATE skyshard.catalog
  SET snapshot = snapshot + 1
  WHERE catalog_id = %s
  RETURNING catalog_id, snapshot, version
)
INSERT INTO skyshard.snapshot (catalog_id, snapshot, kind, version)
SELECT catalog_id, snapshot, %s, version
FROM newer
RETURNING snapshot
"""

_READY = """
SELECT unit_id
FROM skyshard.unit
WHERE unit_id = %s AND state = 'open' AND lease_owner = %s
  AND NOT EXISTS (
    SELECT 1 FROM skyshard.unit_part
    JOIN skyshard.live_part USING (part_id)
    WHERE unit_part.unit_id = unit.unit_id AND live_part.to_snapshot IS NOT NULL)
FOR UPDATE
"""

_UNITS = """
SELECT unit.unit_id, catalog.name, unit.state, unit.label, unit.snapshot, unit.started_at,
       unit.finished_at, unit.lease_owner,
       coalesce(extract(epoch FROM unit.lease_until - clock_timestamp()), 0)::float8,
       unit.facts, unit.error
FROM skyshard.unit
JOIN skyshard.catalog USING (catalog_id)
"""

_HORIZON = """
SELECT least(
  (SELECT snapshot FROM skyshard.catalog WHERE catalog_id = %(catalog)s),
  (SELECT min(snapshot) FROM skyshard.snapshot
   WHERE catalog_id = %(catalog)s
     AND (dropped_at IS NULL
          OR dropped_at > clock_timestamp() - %(grace)s * interval '1 second')),
  (SELECT min((pins ->> %(catalog)s::text)::integer) FROM skyshard.lease
   WHERE lease_until > clock_timestamp()))
"""

_FORGET = """
DELETE FROM skyshard.unit
WHERE catalog_id = %(catalog)s AND state = 'committed' AND snapshot < %(horizon)s
  AND unit_id < (
    SELECT max(unit_id) FROM skyshard.unit
    WHERE catalog_id = %(catalog)s AND state = 'committed' AND snapshot <= %(horizon)s)
RETURNING unit_id
"""


def _unit(row: Sequence[Any]) -> UnitRow:
    unit_id, catalog, state, *rest = row
    return UnitRow(UnitId(unit_id), catalog, UnitState(state), *rest)
