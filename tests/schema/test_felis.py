"""Felis schemas read: the real ones of Rubin, and wrong ones."""

from functools import cache
from pathlib import Path

import pytest

from schema.catalog import Catalog, Check, Column, Role, Table
from schema.felis import SchemaInvalid, read_catalog, read_schema
from schema.names import InvalidName
from schema.types import Type

OWN = """
name: lab
"@id": "#lab"
tables:
- name: Star
  "@id": "#Star"
  primaryKey: "#Star.id"
  description: >
    Stars of
    the lab
  columns:
  - {name: id, "@id": "#Star.id", datatype: long, "ivoa:ucd": meta.id, "tap:principal": 1}
  - {name: name, "@id": "#Star.name", datatype: char, length: 12, nullable: false}
  - {name: flux, "@id": "#Star.flux", datatype: float, "fits:tunit": nJy}
  - {name: n, "@id": "#Star.n", datatype: byte}
  constraints:
  - {name: positive, "@type": Check, "@id": "#c1", expression: "flux > 0"}
  - {name: one_name, "@type": Unique, "@id": "#c2", columns: ["#Star.name"]}
  indexes:
  - {name: by_n, "@id": "#i1", columns: ["#Star.n"]}
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "lab.yaml"
    path.write_text(OWN)
    return path


@cache
def dp1() -> Catalog:
    return read_catalog("dp1", "dp1")


def table(catalog: Catalog, name: str) -> Table:
    found = catalog.table(name)
    assert found is not None
    return found


def test_the_whole_object_table_is_read() -> None:
    assert len(table(read_schema("dp1"), "Object").columns) == 1296


def test_dp1_is_laid_out_as_its_users_need_it() -> None:
    roles = {found.name: (found.role, found.parent) for found in dp1().tables}
    assert roles == {
        "Object": (Role.DIRECTOR, None),
        "Source": (Role.DIRECTOR, None),
        "DiaObject": (Role.DIRECTOR, None),
        "ForcedSource": (Role.CHILD, "Object"),
        "DiaSource": (Role.CHILD, "DiaObject"),
        "ForcedSourceOnDiaObject": (Role.CHILD, "DiaObject"),
        "SSSource": (Role.CHILD, "DiaSource"),
        "Visit": (Role.REPLICATED, None),
        "CcdVisit": (Role.REPLICATED, None),
        "CoaddPatches": (Role.REPLICATED, None),
        "SSObject": (Role.REPLICATED, None),
        "MPCORB": (Role.REPLICATED, None),
    }


@pytest.mark.parametrize("name", ["Object", "Source", "DiaObject", "DiaSource"])
def test_the_big_tables_of_dp1_have_30_to_70_columns(name: str) -> None:
    assert 30 <= len(table(dp1(), name).columns) <= 70


def test_a_solar_system_source_lies_with_its_dia_source() -> None:
    found = table(dp1(), "SSSource")
    assert (found.key, found.parent_key) == ("diaSourceId", "diaSourceId")
    assert dp1().root_director(found).name == "DiaObject"


def test_units_and_ucds_are_read() -> None:
    column = table(dp1(), "Object").column("coord_ra")
    assert column is not None
    assert (column.unit, column.ucd) == ("deg", "pos.eq.ra;meta.main")


def test_the_versioned_director_of_the_apdb_is_told() -> None:
    found = table(read_catalog("apdb", "apdb"), "DiaObject")
    assert not found.is_key_unique


def test_tables_keyed_by_text_are_left_out_of_dp02() -> None:
    assert read_catalog("dp02", "dp02_dc2").table("TruthSummary") is None


def test_a_file_is_a_schema(own: Path) -> None:
    star = table(read_catalog("lab", own), "Star")
    assert star.columns == (
        Column(
            "id",
            Type.LONG,
            nullable=False,
            ucd="meta.id",
            principal=True,
            indexed=True,
            felis_type="long",
        ),
        Column("name", Type.TEXT, 12, nullable=False, indexed=True, felis_type="char"),
        Column("flux", Type.FLOAT, unit="nJy", felis_type="float"),
        Column("n", Type.SHORT, indexed=True, felis_type="byte"),
    )


def test_keys_constraints_and_indexes_are_read(own: Path) -> None:
    star = table(read_schema(own), "Star")
    assert (star.primary_key, star.unique, star.indexes) == (("id",), (("name",),), (("n",),))
    assert star.checks == (Check("positive", '"flux" > 0'),)


def test_a_description_is_one_line(own: Path) -> None:
    assert table(read_schema(own), "Star").description == "Stars of the lab"


def test_an_unknown_schema_is_told_with_the_nearest() -> None:
    with pytest.raises(SchemaInvalid, match="did you mean 'dp1'"):
        read_schema("dp_1")


def test_an_invalid_schema_tells_the_place(own: Path) -> None:
    own.write_text(OWN.replace("length: 12", "length: -12"))
    with pytest.raises(SchemaInvalid, match=r"tables\.0\.columns\.1\.length"):
        read_schema(own)


def test_an_unknown_datatype_is_refused(own: Path) -> None:
    own.write_text(OWN.replace("datatype: float", "datatype: flaot"))
    with pytest.raises(SchemaInvalid, match="flaot"):
        read_schema(own)


def test_a_file_that_is_not_yaml_is_refused(own: Path) -> None:
    own.write_text("a: [")
    with pytest.raises(SchemaInvalid):
        read_schema(own)


def test_columns_that_differ_by_case_only_are_refused(own: Path) -> None:
    own.write_text(OWN.replace("{name: flux,", "{name: ID,").replace("flux > 0", "n > 0"))
    with pytest.raises(InvalidName, match="'ID' stands beside 'id'"):
        read_catalog("lab", own)


def test_a_schema_without_a_shipped_layout_tells_what_to_write() -> None:
    with pytest.raises(Exception, match=r"ObsCore: \{role: director, key: KEY, ra: s_ra"):
        read_catalog("obs", "ivoa_obscore")


def test_the_apdb_is_live_under_its_layout() -> None:
    found = table(read_catalog("prompt", "apdb"), "DiaSource")
    names = [column.name for column in found.stored_columns()[-4:]]
    assert names == ["_director_29", "_healpix_29", "_from_unit", "_to_unit"]
    assert (found.is_live, found.time, found.statistics) == (
        True,
        "midpointMjdTai",
        ("midpointMjdTai",),
    )
