"""The catalog model's own answers."""

from schema.catalog import Catalog, Column, Role, Table
from schema.types import Type

OBJECT = Table(
    "Object",
    (Column("objectId", Type.LONG), Column("ra", Type.DOUBLE), Column("dec", Type.DOUBLE)),
    Role.DIRECTOR,
    primary_key=("objectId",),
    key="objectId",
    ra="ra",
    dec="dec",
)
SOURCE = Table(
    "Source",
    (Column("sourceId", Type.LONG), Column("objectId", Type.LONG)),
    Role.CHILD,
    key="objectId",
    parent="Object",
    parent_key="objectId",
)
FLAG = Table("Flag", (Column("sourceId", Type.LONG),), Role.CHILD, key="sourceId", parent="Source")
VISIT = Table("Visit", (Column("visit", Type.LONG),), Role.REPLICATED)
SKY = Catalog("sky1", (OBJECT, SOURCE, FLAG, VISIT))


def stored(table: Table) -> list[str]:
    return [column.name for column in table.stored_columns()]


def test_a_column_answers_in_any_case() -> None:
    assert OBJECT.column("OBJECTID") == Column("objectId", Type.LONG)


def test_an_unknown_column_is_none() -> None:
    assert OBJECT.column("objectid2") is None


def test_a_table_answers_in_any_case() -> None:
    assert SKY.table("object") is OBJECT


def test_a_director_stores_its_position() -> None:
    assert stored(OBJECT) == ["objectId", "ra", "dec", "_healpix_29", "_ingest"]


def test_a_child_without_position_stores_its_directors() -> None:
    assert stored(SOURCE) == ["sourceId", "objectId", "_director_29", "_ingest"]


def test_a_replicated_table_stores_its_ingest_only() -> None:
    assert stored(VISIT) == ["visit", "_ingest"]


def test_parts_are_sorted_by_where_their_rows_lie() -> None:
    sorts = [table.sort_column() for table in SKY.tables]
    assert sorts == ["_healpix_29", "_director_29", "_director_29", None]


def test_a_childs_child_lies_with_the_director() -> None:
    assert SKY.root_director(FLAG) is OBJECT


def test_a_directors_key_tells_its_rows_apart() -> None:
    assert OBJECT.is_key_unique


def test_a_versioned_directors_key_does_not() -> None:
    from dataclasses import replace

    versioned = replace(OBJECT, primary_key=("objectId", "validityStart"))
    assert not versioned.is_key_unique
