"""Bring the coordinator and every shard to this program's schema, and register the shards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import psycopg2
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from migrations.upgrade import check_version, is_current, upgrade
from procedures.identity import check_cluster
from procedures.pools import Pools
from schema import coordinator
from schema.errors import StoreError, Unavailable
from schema.topology import Topology
from workers.local.binaries import OLDEST

CONNECT_TIMEOUT_S = 5


class ServerSilent(Unavailable):
    """A PostgreSQL server given by DSN does not answer."""

    code = "SERVER_SILENT"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} does not answer: {reason}; check its dsn and that it runs")
        self.name = name


class ServerTooOld(StoreError):
    """A PostgreSQL server given by DSN is older than Skyshard supports."""

    code = "SERVER_TOO_OLD"


class ShardsChanged(StoreError):
    """The configuration has fewer shards than the coordinator knows."""

    code = "SHARDS_CHANGED"

    def __init__(self, missing: list[int]) -> None:
        names = ", ".join(map(str, missing))
        super().__init__(
            f"the coordinator knows shard {names}, which the configuration does not name; shards "
            "hold data: put them back (shards are numbered in the order of their [[shards]] tables)"
        )


def migrate(topology: Topology, report: Callable[[str], None]) -> None:
    """Upgrade every database; refuses all of it if one has a newer schema than this program."""
    databases = [("coordinator", topology.coordinator)]
    databases += [(f"shard-{shard.shard_id}", shard.dsn) for shard in topology.shards]
    for name, dsn in databases:
        check_server(name, dsn)
        check_version(dsn, _kind(name))
    for name, dsn in databases:
        if not is_current(dsn, _kind(name)):
            report(f"upgrading the schema of {name}")
        upgrade(dsn, _kind(name))
    register(topology)
    mind_ids(topology, report)


def mind_ids(topology: Topology, report: Callable[[str], None]) -> None:
    """Take shards that are nobody's, and move past the ids that shards know; say what is amiss.

    Queries may go on where a shard is another cluster's, or the coordinator is behind; ingests are
    refused then.
    """
    pools = Pools(topology, size=1, application_name="skyshard migrate")
    try:
        check_cluster(pools, topology)
    except StoreError as error:
        report(f"warning: {error}")
    finally:
        pools.close()


def _kind(name: str) -> Literal["coordinator", "shard"]:
    return "coordinator" if name == "coordinator" else "shard"


def check_server(name: str, dsn: str) -> None:
    """Refuse a server that is silent or too old."""
    try:
        asked = psycopg2.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S)
    except psycopg2.OperationalError as error:
        raise ServerSilent(name, " ".join(str(error).split())) from error
    version = asked.server_version // 10_000
    asked.close()
    if version < OLDEST:
        raise ServerTooOld(f"{name} is PostgreSQL {version}; Skyshard needs >= {OLDEST}")


def register(topology: Topology) -> None:
    """Write the shards into the coordinator; refuses to forget one."""
    engine = sa.create_engine(
        "postgresql+psycopg2://",
        creator=lambda: psycopg2.connect(topology.coordinator, connect_timeout=CONNECT_TIMEOUT_S),
        poolclass=sa.NullPool,
    )
    ids = [int(shard.shard_id) for shard in topology.shards]
    table = coordinator.shard
    with engine.begin() as connection:
        known = connection.scalars(sa.select(table.c.shard_id)).all()
        missing = sorted(set(known) - set(ids))
        if missing:
            raise ShardsChanged(missing)
        rows = insert(table).values(
            [{"shard_id": int(s.shard_id), "weight": s.weight} for s in topology.shards]
        )
        connection.execute(
            rows.on_conflict_do_update(
                index_elements=[table.c.shard_id], set_={"weight": rows.excluded.weight}
            )
        )
