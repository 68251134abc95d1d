"""A layout applied to tables."""

from dataclasses import replace

import pytest

from schema.catalog import Catalog, Check, Column, ForeignKey, Role, Table
from schema.layout import LayoutError, parse_layout
from schema.names import InvalidName
from schema.roles import lay_out, position_columns
from schema.types import Type


def declared(name: str, *columns: str, **more: object) -> Table:
    """A table as a schema declares it; `name:type` columns, double by default."""
    split = [column.partition(":") for column in columns]
    made = tuple(Column(name, Type(kind or "double")) for name, _, kind in split)
    return replace(Table(name, made, Role.REPLICATED, is_named=False), **more)  # type: ignore[arg-type]


OBJECT = declared("Object", "id:long", "ra", "dec", "g_flux", "r_flux", primary_key=("id",))
SOURCE = declared(
    "Source", "sourceId:long", "objectId:long", "visit:long", "flux", "band:text",
    primary_key=("sourceId",),
)  # fmt: skip
FLAG = declared("Flag", "sourceId:long", "isBad:boolean")
VISIT = declared("Visit", "visit:long", "seeing", primary_key=("visit",), indexes=(("seeing",),))
SCHEMA = Catalog("lab", (OBJECT, SOURCE, FLAG, VISIT))
ROLES = """
tables:
  object: {role: director, key: ID, ra: RA, dec: dec%s}
  Source: {role: child, parent: Object, key: objectid%s}
  Flag: {role: child, parent: source, key: sourceId}
"""

CHILD_OF_SOURCE = """
keep: [Flag, Source]
tables: {Flag: {role: child, parent: Source, key: sourceId}}
"""
CIRCLE = """
keep: [Flag, Source]
tables:
  Flag: {role: child, parent: Source, key: sourceId}
  Source: {role: child, parent: Flag, key: sourceId}
"""
MATCH_OF_SOURCES = """
keep: [Flag, Source]
tables:
  Flag:
    role: match
    pairs: [{director: Source, key: sourceId}, {director: Source, key: sourceId}]
"""


def laid_out(of_object: str = "", of_source: str = "", schema: Catalog = SCHEMA) -> Catalog:
    return lay_out("mine", schema, parse_layout(ROLES % (of_object, of_source), "x.yaml"))


def table(catalog: Catalog, name: str) -> Table:
    found = catalog.table(name)
    assert found is not None
    return found


def names(found: Table) -> list[str]:
    return [column.name for column in found.columns]


def test_names_take_the_schemas_spelling() -> None:
    found = table(laid_out(), "Object")
    assert (found.role, found.key, found.ra, found.dec) == (Role.DIRECTOR, "id", "ra", "dec")


def test_a_child_refers_to_its_directors_key() -> None:
    assert table(laid_out(), "Source").parent_key == "id"


def test_a_childs_child_refers_to_its_parents_own_key() -> None:
    assert table(laid_out(), "Flag").parent_key == "sourceId"


def test_a_child_has_a_foreign_key_even_if_the_schema_forgot_it() -> None:
    assert table(laid_out(), "Source").foreign_keys == (
        ForeignKey("Source_objectId_Object", ("objectId",), "Object", ("id",)),
    )


def test_a_small_table_without_position_may_go_unnamed() -> None:
    found = table(laid_out(), "Visit")
    assert (found.role, found.is_named) == (Role.REPLICATED, False)


def test_a_table_with_positions_must_be_named() -> None:
    with pytest.raises(LayoutError) as caught:
        lay_out("mine", SCHEMA, parse_layout("", "x.yaml"))
    assert "`Object: {role: director, key: id, ra: ra, dec: dec}`" in str(caught.value)


def test_keys_positions_and_what_refers_to_them_are_kept() -> None:
    found = laid_out(", columns: [g_*]", ", columns: [flux]")
    assert names(table(found, "Object")) == ["id", "ra", "dec", "g_flux"]
    assert names(table(found, "Source")) == ["sourceId", "objectId", "flux"]


def test_a_directors_key_and_position_are_never_null() -> None:
    required = {
        column.name for column in table(laid_out(), "Object").columns if not column.nullable
    }
    assert required == {"id", "ra", "dec"}


def test_unplaced_rows_may_be_kept() -> None:
    found = table(laid_out(", unplaced: keep"), "Object")
    assert [column.nullable for column in found.columns[:3]] == [False, True, True]


def test_statistics_are_the_layouts_patterns_of_numbers() -> None:
    assert table(laid_out("", ", statistics: [VISIT]"), "Source").statistics == ("visit",)
    assert table(laid_out("", ", statistics: []"), "Source").statistics == ()
    assert table(laid_out("", ""), "Source").statistics is None
    with pytest.raises(LayoutError, match="key `statistics`: 'visits' fits no column"):
        laid_out("", ", statistics: [visits]")


def test_indexes_of_a_partitioned_table_are_the_layouts() -> None:
    found = table(laid_out("", ", indexes: [VISIT]"), "Source")
    assert found.indexes == (("visit",),)


def test_columns_that_are_searched_without_a_scan_are_told() -> None:
    told = {column.name for column in table(laid_out(), "Object").columns if column.indexed}
    assert told == {"id", "ra", "dec"}


def test_a_constraint_goes_with_its_columns() -> None:
    source = replace(SOURCE, unique=(("visit", "flux"),), checks=(Check("c", '"visit" > 0'),))
    schema = replace(SCHEMA, tables=(OBJECT, source, FLAG, VISIT))
    kept = table(laid_out("", ", columns: [visit]", schema), "Source")
    assert (kept.unique, kept.checks) == ((), source.checks)


def test_tables_are_kept_by_pattern() -> None:
    layout = parse_layout("keep: ['*', '!Object']", "x.yaml")
    assert [t.name for t in lay_out("m", SCHEMA, layout).tables] == ["Source", "Flag", "Visit"]


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ("keep: [Objects]", "'Objects' fits no table of schema lab; did you mean 'Object'"),
        ("tables: {Objekt: {role: replicated}}", "no such table; did you mean 'Object'"),
        ("{keep: [Visit], tables: {Flag: {role: replicated}}}", "`keep:` leaves it out"),
        (
            "tables: {Object: {role: director, key: idd, ra: ra, dec: dec}}",
            "x.yaml, table Object, key `key`: no column 'idd'; did you mean 'id'",
        ),
        (
            "tables: {Object: {role: director, key: ra, ra: ra, dec: dec}}",
            "ra is double; a key must be an integer",
        ),
        (
            "tables: {Object: {role: director, key: id, ra: id, dec: dec}}",
            "id is long; a position is in degrees",
        ),
        (
            "{keep: [Object], tables: {Object: {role: replicated, columns: [u_flux]}}}",
            "x.yaml, table Object, key `columns`: 'u_flux' fits no column; did you mean 'r_flux'",
        ),
        (
            CHILD_OF_SOURCE,
            "Source is neither a director nor a child",
        ),
        (
            CIRCLE,
            "is its own ancestor",
        ),
        (
            MATCH_OF_SOURCES,
            "Source is no director",
        ),
        (
            "{keep: [Source], tables: {Source: {role: child, parent: Objekt, key: objectId}}}",
            "no table 'Objekt'",
        ),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(layout: str, said: str) -> None:
    with pytest.raises(LayoutError) as caught:
        lay_out("mine", SCHEMA, parse_layout(layout, "x.yaml"))
    assert said in str(caught.value)


def test_columns_that_differ_by_case_only_are_refused() -> None:
    schema = Catalog("lab", (declared("Visit", "seeing", "Seeing"),))
    with pytest.raises(InvalidName, match="'Seeing' stands beside 'seeing' in table Visit"):
        lay_out("mine", schema, parse_layout("", "x.yaml"))


def test_more_columns_than_postgres_takes_are_refused() -> None:
    schema = Catalog("lab", (declared("Wide", *(f"c{number}" for number in range(1591))),))
    with pytest.raises(LayoutError, match="1591 columns"):
        lay_out("mine", schema, parse_layout("", "x.yaml"))


def test_the_main_position_is_told_by_its_ucd() -> None:
    spelled = {
        "ra": "pos.eq.ra",
        "dec": "pos.eq.dec",
        "a": "pos.eq.ra;meta.main",
        "b": "pos.eq.dec;meta.main",
    }
    columns = tuple(Column(name, Type.DOUBLE, ucd=ucd) for name, ucd in spelled.items())
    assert position_columns(Table("T", columns, Role.REPLICATED)) == ("a", "b")
