"""Leases on ingests: one loader works on an ingest at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.extensions import connection as Connection  # noqa: N812

from schema.manifest import IngestId


@dataclass(frozen=True, slots=True)
class Held:
    """Who has a lease, and for how many seconds yet."""

    owner: str
    left_s: float


def take_lease(
    connection: Connection,
    ingest_id: IngestId,
    owner: str,
    *,
    seconds: float,
    gone: Sequence[str] = (),
) -> bool:
    """Take an ingest's lease if nobody has it, it has lapsed, or its owner is one of the `gone`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET lease_owner = %s,"
            " lease_until = clock_timestamp() + %s * interval '1 second'"
            " WHERE ingest_id = %s AND (lease_owner IS NULL OR lease_until < clock_timestamp()"
            " OR lease_owner = ANY(%s))",
            (owner, seconds, ingest_id, list(gone)),
        )
        return bool(cursor.rowcount)


def read_lease(connection: Connection, ingest_id: IngestId) -> Held | None:
    """Who has an ingest's lease; None where nobody has, or it has lapsed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lease_owner, extract(epoch FROM lease_until - clock_timestamp())::float8"
            " FROM skyshard.ingest WHERE ingest_id = %s AND lease_until > clock_timestamp()",
            (ingest_id,),
        )
        row = cursor.fetchone()
        return None if row is None or row[0] is None else Held(*row)


def renew_lease(
    connection: Connection, ingest_id: IngestId, owner: str, *, seconds: float
) -> str | None:
    """Keep a lease for longer; the ingest's state, None where somebody else took it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET lease_until = clock_timestamp() + %s * interval '1 second'"
            " WHERE ingest_id = %s AND lease_owner = %s RETURNING state",
            (seconds, ingest_id, owner),
        )
        row = cursor.fetchone()
        return None if row is None else str(row[0])


def state_if_leased(connection: Connection, ingest_id: IngestId, owner: str) -> str | None:
    """The ingest's state, its row locked until the transaction ends; None without the lease."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state FROM skyshard.ingest WHERE ingest_id = %s AND lease_owner = %s"
            " FOR NO KEY UPDATE",
            (ingest_id, owner),
        )
        row = cursor.fetchone()
        return None if row is None else str(row[0])


def state_of_owner(connection: Connection, ingest_id: IngestId, owner: str) -> str | None:
    """The ingest's state as it is now, without a lock; None where somebody else has its lease."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state FROM skyshard.ingest WHERE ingest_id = %s AND lease_owner = %s",
            (ingest_id, owner),
        )
        row = cursor.fetchone()
        return None if row is None else str(row[0])


def release_lease(connection: Connection, ingest_id: IngestId, owner: str) -> None:
    """Give a lease back; nothing happens where somebody else has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE skyshard.ingest SET lease_owner = NULL, lease_until = NULL"
            " WHERE ingest_id = %s AND lease_owner = %s",
            (ingest_id, owner),
        )
