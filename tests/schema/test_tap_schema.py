"""TAP_SCHEMA from the model."""

from typing import Any

from schema.catalog import Catalog, Column, ForeignKey, Role, Table
from schema.tap_schema import TAP_SCHEMA, rows
from schema.types import SPELLINGS, Type

OBJECT = Table(
    "Object",
    (
        Column("id", Type.LONG, nullable=False, ucd="meta.id", indexed=True, principal=True),
        Column("flux (g)", Type.FLOAT, unit="nJy", description="Flux"),
        Column("band", Type.TEXT, 4),
        Column("seen", Type.TIMESTAMP),
        Column("year", Type.INT),
    ),
    Role.DIRECTOR,
    key="id",
    description="Stars",
)
SOURCE = Table(
    "Source",
    (Column("objectId", Type.LONG),),
    Role.CHILD,
    key="objectId",
    parent="Object",
    foreign_keys=(ForeignKey("owner", ("objectId",), "Object", ("id",), "whose"),),
)
LAB = Catalog("lab", (OBJECT, SOURCE), description="The lab")


def told(table: str, **wanted: object) -> list[dict[str, Any]]:
    """The rows of one TAP_SCHEMA table that have these values."""
    return [
        row
        for row in rows([LAB])[table].to_pylist()
        if all(row[name] == value for name, value in wanted.items())
    ]


def test_a_catalog_is_a_schema() -> None:
    assert told("schemas", schema_name="lab") == [
        {"schema_name": "lab", "utype": None, "description": "The lab", "schema_index": 1}
    ]


def test_a_table_is_named_as_a_query_names_it() -> None:
    names = [row["table_name"] for row in told("tables", schema_name="lab")]
    assert names == ["lab.Object", "lab.Source"]


def test_columns_are_told_in_order() -> None:
    found = told("columns", table_name="lab.Object")
    listed = [(row["column_name"], row["column_index"]) for row in found]
    assert listed == [("id", 1), ('"flux (g)"', 2), ("band", 3), ("seen", 4), ('"year"', 5)]


def test_a_column_is_told_whole() -> None:
    assert told("columns", column_name="id") == [
        {
            "table_name": "lab.Object",
            "column_name": "id",
            "datatype": "long",
            "arraysize": None,
            "xtype": None,
            "size": None,
            "description": None,
            "utype": None,
            "unit": None,
            "ucd": "meta.id",
            "indexed": 1,
            "principal": 1,
            "std": 0,
            "column_index": 1,
        }
    ]


def test_text_tells_its_length() -> None:
    (band,) = told("columns", column_name="band")
    assert (band["datatype"], band["arraysize"], band["size"]) == ("unicodeChar", "4*", 4)


def test_a_timestamp_tells_its_xtype() -> None:
    (seen,) = told("columns", column_name="seen")
    assert seen["xtype"] == "timestamp"


def test_hidden_columns_are_not_told() -> None:
    assert not [row for row in told("columns") if row["column_name"].strip('"').startswith("_")]


def test_a_key_tells_both_ends() -> None:
    key_id = "lab.Source.owner"
    assert told("keys", key_id=key_id) == [
        {
            "key_id": key_id,
            "from_table": "lab.Source",
            "target_table": "lab.Object",
            "description": "whose",
            "utype": None,
        }
    ]
    assert told("key_columns", key_id=key_id) == [
        {"key_id": key_id, "from_column": "objectId", "target_column": "id"}
    ]


def test_it_tells_of_itself() -> None:
    names = {row["table_name"] for row in told("tables", schema_name="tap_schema")}
    assert names == {
        "tap_schema.schemas",
        "tap_schema.tables",
        "tap_schema.columns",
        "tap_schema.keys",
        "tap_schema.key_columns",
    }


def test_its_rows_have_the_types_that_its_model_says() -> None:
    made = rows([])
    for table in TAP_SCHEMA.tables:
        expected = [(column.name, SPELLINGS[column.type].arrow) for column in table.columns]
        assert [(field.name, field.type) for field in made[table.name].schema] == expected
