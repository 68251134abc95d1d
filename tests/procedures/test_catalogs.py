"""Catalogs on the coordinator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg2
import pytest

from migrations.upgrade import upgrade
from procedures.catalogs import (
    DROP_BATCH,
    CatalogExists,
    UnknownCatalog,
    create_catalog,
    drop_catalog,
    drop_parts,
    get_catalog,
    list_catalogs,
    parts_of_catalog,
)
from schema.catalog import Catalog, Column, Role, Table
from schema.manifest import PartId
from schema.names import InvalidName
from schema.types import Type

pytestmark = pytest.mark.postgres
VISIT = Table("Visit", (Column("visit", Type.LONG, description='a "b" %s'),), Role.REPLICATED)
LAB = Catalog("Lab", (VISIT,), family="mine", margin_arcsec=12.5)


def upgraded_coordinator(dsn: str) -> None:
    upgrade(dsn, "coordinator")


def upgraded_shard(dsn: str) -> None:
    upgrade(dsn, "shard")


@pytest.fixture
def coordinator(new_database: Callable[..., str]) -> Iterator[Any]:
    dsn = new_database("coordinator", prepare=upgraded_coordinator)
    with closing(psycopg2.connect(dsn)) as connection:
        yield connection


@pytest.fixture
def shard(new_database: Callable[..., str]) -> Iterator[Any]:
    dsn = new_database("shard", prepare=upgraded_shard)
    with closing(psycopg2.connect(dsn)) as connection:
        yield connection


def run(connection: Any, statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor) if cursor.description else []


def test_a_catalog_is_found_as_it_was_created(coordinator: Any) -> None:
    create_catalog(coordinator, LAB)
    assert get_catalog(coordinator, "lab") == LAB


def test_catalogs_are_listed_by_name(coordinator: Any) -> None:
    for name in ("b", "A", "c"):
        create_catalog(coordinator, replace(LAB, name=name))
    assert [catalog.name for catalog in list_catalogs(coordinator)] == ["A", "b", "c"]


def test_a_name_is_taken_in_every_case(coordinator: Any) -> None:
    create_catalog(coordinator, LAB)
    with pytest.raises(CatalogExists, match="'LAB' exists already"):
        create_catalog(coordinator, replace(LAB, name="LAB"))


def test_an_unknown_catalog_is_told_with_the_nearest(coordinator: Any) -> None:
    create_catalog(coordinator, LAB)
    with pytest.raises(UnknownCatalog, match="no catalog 'lap'; did you mean 'Lab'"):
        get_catalog(coordinator, "lap")


@pytest.mark.parametrize("name", ["tap_schema", "a b", ""])
def test_a_name_that_cannot_be_asked_for_is_refused(name: str, coordinator: Any) -> None:
    with pytest.raises(InvalidName):
        create_catalog(coordinator, replace(LAB, name=name))


def test_a_catalog_is_created_by_its_callers_commit(coordinator: Any) -> None:
    create_catalog(coordinator, LAB)
    coordinator.rollback()
    assert list_catalogs(coordinator) == ()


PUBLISHED = """
INSERT INTO skyshard.shard (shard_id) VALUES (0), (1);
INSERT INTO skyshard.ingest (catalog_id, state) SELECT catalog_id, 'PUBLISHED' FROM skyshard.catalog;
INSERT INTO skyshard.snapshot (catalog_id, snapshot, ingest_id)
SELECT catalog_id, 1, ingest_id FROM skyshard.ingest;
INSERT INTO skyshard.contribution (ingest_id, number, table_name, source)
SELECT ingest_id, 1, 'Visit', 'visits.csv' FROM skyshard.ingest;
INSERT INTO skyshard.chunk SELECT catalog_id, 2, 5 FROM skyshard.catalog;
INSERT INTO skyshard.part (catalog_id, ingest_id, table_name, kind, rows, checksum)
SELECT catalog_id, ingest_id, 'Visit', 'whole', 1, 18446744073709551615
FROM skyshard.ingest, generate_series(1, 3);
INSERT INTO skyshard.replica (part_id, shard_id) VALUES (1, 0), (1, 1), (2, 1), (3, 1);
"""


def test_dropping_a_catalog_tells_what_the_shards_hold(coordinator: Any) -> None:
    create_catalog(coordinator, LAB)
    run(coordinator, PUBLISHED)
    assert drop_catalog(coordinator, "LAB") == {0: (1,), 1: (1, 2, 3)}


def test_dropping_a_catalog_leaves_no_row_of_it(coordinator: Any) -> None:
    create_catalog(coordinator, LAB)
    run(coordinator, PUBLISHED)
    drop_catalog(coordinator, "lab")
    for table in ("catalog", "chunk", "ingest", "contribution", "snapshot", "part", "replica"):
        assert run(coordinator, f"SELECT * FROM skyshard.{table}") == []


def test_dropping_an_unknown_catalog_is_an_error(coordinator: Any) -> None:
    with pytest.raises(UnknownCatalog):
        drop_catalog(coordinator, "lab")


def fill(shard: Any, count: int) -> None:
    """Give a shard `count` parts of a catalog."""
    for number in range(count):
        run(shard, f"CREATE TABLE parts.p{number} (); CREATE TABLE parts.o{number} ()")
    run(
        shard,
        "INSERT INTO skyshard.part"
        " (part_id, catalog, table_name, kind, ingest_id, rows, overlap_rows, checksum)"
        f" SELECT n, 'Lab', 'Visit', 'whole', 1, 0, 0, 0 FROM generate_series(0, {count - 1}) n",
    )
    shard.commit()


def test_parts_are_dropped_in_batches_with_their_bookkeeping(shard: Any) -> None:
    fill(shard, DROP_BATCH + 1)
    drop_parts(shard, parts_of_catalog(shard, "Lab"))
    assert run(shard, "SELECT 1 FROM pg_tables WHERE schemaname = 'parts'") == []
    assert parts_of_catalog(shard, "Lab") == ()


def test_parts_that_are_gone_are_passed(shard: Any) -> None:
    fill(shard, 2)
    drop_parts(shard, [PartId(1), PartId(99)])
    drop_parts(shard, [PartId(1)])
    assert parts_of_catalog(shard, "Lab") == (0,)
