"""Part tables, in text and in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import cache
from typing import Any

import psycopg2
import psycopg2.errors
import pytest

from schema import ddl
from schema.catalog import Catalog, Check, Column, Role, Table
from schema.felis import known_schemas, read_catalog, read_schema
from schema.healpix import Pixel
from schema.layout import Layout, TableLayout
from schema.manifest import IngestId, Part, PartId, PartKind
from schema.roles import lay_out
from schema.types import Type

OBJECT = Table(
    "Object",
    (
        Column("id", Type.LONG, nullable=False),
        Column("ra", Type.DOUBLE, nullable=False),
        Column("dec", Type.DOUBLE, nullable=False),
        Column("Flux", Type.FLOAT),
        Column("band", Type.TEXT, 2),
    ),
    Role.DIRECTOR,
    primary_key=("id",),
    key="id",
    ra="ra",
    dec="dec",
    indexes=(("Flux",),),
    checks=(Check("positive", '"Flux" > 0'),),
)
SOURCE = replace(OBJECT, name="Source", role=Role.CHILD, parent="Object", indexes=())
VISIT = Table(
    "Visit",
    (Column("visit", Type.LONG, nullable=False), Column("name", Type.TEXT)),
    Role.REPLICATED,
    primary_key=("visit",),
    unique=(("name",),),
)


def part(table: Table, number: int = 7, kind: PartKind | None = None) -> Part:
    chosen = kind or (PartKind.ROWS if table.is_partitioned else PartKind.WHOLE)
    pixel = Pixel(2, 5) if chosen is PartKind.ROWS else None
    bucket = 3 if chosen is PartKind.INDEX else None
    return Part(PartId(number), table.name, chosen, pixel, bucket, IngestId(1), rows=0)


@pytest.mark.parametrize(
    ("name", "expected"), [("ra", '"ra"'), ('a"b', '"a""b"'), ("Größe", '"Größe"')]
)
def test_a_name_is_quoted(name: str, expected: str) -> None:
    assert ddl.quote(name) == expected


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64])
def test_what_postgres_would_change_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        ddl.quote(name)


def test_a_directors_part_has_own_rows_and_overlap() -> None:
    own, overlap = ddl.create_part(part(OBJECT), OBJECT)
    assert (
        own
        == """CREATE TABLE "parts"."p7" (
  "id" bigint NOT NULL,
  "ra" double precision NOT NULL,
  "dec" double precision NOT NULL,
  "Flux" real,
  "band" varchar(2) COLLATE "C",
  "_healpix_29" bigint,
  "_ingest" bigint NOT NULL,
  CONSTRAINT "positive" CHECK ("Flux" > 0)
) WITH (autovacuum_enabled = false)"""
    )
    assert overlap == own.replace('"p7"', '"o7"')


def test_other_parts_have_own_rows_only() -> None:
    assert len(ddl.create_part(part(SOURCE), SOURCE)) == 1


def test_a_directors_part_is_indexed_by_position_and_as_the_layout_asks() -> None:
    assert ddl.part_indexes(OBJECT) == (("_healpix_29",), ("Flux",))


def test_a_childs_part_is_indexed_by_its_directors_position_and_its_own() -> None:
    assert ddl.part_indexes(SOURCE) == (("_director_29",), ("_healpix_29",))


def test_a_replicated_table_holds_its_keys_unique() -> None:
    statements = ddl.index_part(part(VISIT), VISIT)
    assert statements == [
        'CREATE UNIQUE INDEX ON "parts"."p7" ("visit")',
        'CREATE UNIQUE INDEX ON "parts"."p7" ("name")',
        "SET LOCAL default_statistics_target = 10",
        'ANALYZE "parts"."p7" ("visit", "name")',
    ]


def test_an_index_part_maps_keys_to_pixels() -> None:
    bucket = part(OBJECT, kind=PartKind.INDEX)
    (create,) = ddl.create_part(bucket, OBJECT)
    assert '"key" bigint NOT NULL,\n  "_healpix_29" bigint NOT NULL' in create
    assert ddl.index_part(bucket, OBJECT)[0] == 'CREATE INDEX ON "parts"."p7" ("key")'


def test_dropping_nothing_is_no_statement() -> None:
    assert ddl.drop_parts([]) == []


# ------------------------------------------------------------------ in a real PostgreSQL


@pytest.fixture(scope="module")
def dsn(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("server").new_database("ddl"))


@pytest.fixture
def cursor(dsn: str) -> Iterator[Any]:
    """A cursor of a transaction that is rolled back; schema `parts` is there."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as made:
        made.execute("CREATE SCHEMA parts")
        yield made
        connection.rollback()


def create(cursor: Any, catalog: Catalog) -> list[Part]:
    """Create and index a part of every table."""
    parts = []
    for number, table in enumerate(catalog.tables, start=1):
        made = part(table, number)
        for statement in (*ddl.create_part(made, table), *ddl.index_part(made, table)):
            cursor.execute(statement)
        parts.append(made)
    return parts


def tables_of(cursor: Any) -> set[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'parts'")
    return {name for (name,) in cursor}


@cache
def cached_schema(schema: str) -> Catalog:
    return read_schema(schema)


def replicated(schema: str) -> Catalog:
    """A schema with every table replicated."""
    declared = cached_schema(schema)
    whole = TableLayout(Role.REPLICATED, indexes=None)
    layout = Layout(tables={table.name: whole for table in declared.tables})
    return lay_out("mine", declared, layout)


@pytest.mark.postgres
@pytest.mark.parametrize("schema", known_schemas())
def test_every_rubin_schema_creates_and_drops(schema: str, cursor: Any) -> None:
    catalog = replicated(schema)
    parts = create(cursor, catalog)
    assert tables_of(cursor) == {made.own_name for made in parts}
    for statement in ddl.drop_parts([made.part_id for made in parts]):
        cursor.execute(statement)
    assert tables_of(cursor) == set()


@pytest.mark.postgres
@pytest.mark.parametrize("schema", ["dp1", "dp02_dc2", "apdb"])
def test_every_shipped_layout_creates(schema: str, cursor: Any) -> None:
    catalog = read_catalog("mine", schema)
    parts = create(cursor, catalog)
    expected = {made.own_name for made in parts}
    expected |= {f"o{n}" for n, t in enumerate(catalog.tables, 1) if t.role is Role.DIRECTOR}
    assert tables_of(cursor) == expected


@pytest.mark.postgres
def test_postgres_has_the_columns_of_the_model(cursor: Any) -> None:
    catalog = Catalog("mine", (read_catalog("mine", "dp1").tables[0],))
    create(cursor, catalog)
    cursor.execute(
        "SELECT column_name, is_nullable = 'YES', character_maximum_length"
        " FROM information_schema.columns WHERE table_name = 'p1' ORDER BY ordinal_position"
    )
    stored = catalog.tables[0].stored_columns()
    assert cursor.fetchall() == [(c.name, c.nullable, c.length) for c in stored]


@pytest.mark.postgres
def test_a_full_row_of_all_1296_columns_fits_a_page(cursor: Any) -> None:
    table = next(t for t in replicated("dp1").tables if t.name == "Object")
    create(cursor, Catalog("mine", (table,)))
    filler = {Type.BOOLEAN: "true", Type.TEXT: "'u'", Type.TIMESTAMP: "now()"}
    values = ", ".join(filler.get(column.type, "1") for column in table.stored_columns())
    cursor.execute(f"INSERT INTO parts.p1 VALUES ({values})")
    assert len(table.columns) == 1296


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("values", "error"),
    [
        ("1, 2.0, 3.0, -1.0, 'g', 5, 1", psycopg2.errors.CheckViolation),
        ("NULL, 2.0, 3.0, 1.0, 'g', 5, 1", psycopg2.errors.NotNullViolation),
        ("1, 2.0, 3.0, 1.0, 'gri', 5, 1", psycopg2.errors.StringDataRightTruncation),
    ],
)
def test_postgres_holds_constraints_and_lengths(
    values: str, error: type[Exception], cursor: Any
) -> None:
    create(cursor, Catalog("mine", (OBJECT,)))
    with pytest.raises(error):
        cursor.execute(f"INSERT INTO parts.p1 VALUES ({values})")


@pytest.mark.postgres
def test_a_replicated_key_is_unique(cursor: Any) -> None:
    create(cursor, Catalog("mine", (VISIT,)))
    with pytest.raises(psycopg2.errors.UniqueViolation):
        cursor.execute("INSERT INTO parts.p1 VALUES (1, 'a', 1), (1, 'b', 1)")


@pytest.mark.postgres
def test_text_sorts_by_code_point(cursor: Any) -> None:
    create(cursor, Catalog("mine", (VISIT,)))
    cursor.execute("INSERT INTO parts.p1 VALUES (1, 'a', 1), (2, 'B', 1), (3, 'é', 1)")
    cursor.execute("SELECT name FROM parts.p1 ORDER BY name")
    assert cursor.fetchall() == [("B",), ("a",), ("é",)]
