"""Catalogs as JSON."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.catalog import Catalog, Check, Column, ForeignKey, Kind, Role, Table
from schema.catalog_json import ModelUnreadable, from_json, to_json
from schema.tap_schema import TAP_SCHEMA
from schema.types import Type

names = st.text(min_size=1, max_size=8)
several = st.lists(names, max_size=3).map(tuple)
maybe = st.none() | names
columns = st.builds(
    Column,
    name=names,
    type=st.sampled_from(Type),
    length=st.none() | st.integers(1, 1000),
    nullable=st.booleans(),
    unit=maybe,
    ucd=maybe,
    description=names,
    principal=st.booleans(),
    indexed=st.booleans(),
    std=st.booleans(),
)
tables = st.builds(
    Table,
    name=names,
    columns=st.lists(columns, max_size=3).map(tuple),
    role=st.sampled_from(Role),
    primary_key=several,
    key=maybe,
    ra=maybe,
    dec=maybe,
    parent=maybe,
    parent_key=maybe,
    match=st.none() | st.tuples(names, names),
    sentinels=st.lists(st.integers(), max_size=2).map(tuple),
    keep_unplaced=st.booleans(),
    indexes=st.lists(several, max_size=2).map(tuple),
    unique=st.lists(several, max_size=2).map(tuple),
    checks=st.lists(st.builds(Check, names, names), max_size=2).map(tuple),
    foreign_keys=st.lists(
        st.builds(ForeignKey, names, several, names, several, names), max_size=2
    ).map(tuple),
    is_named=st.booleans(),
)
catalogs = st.builds(
    Catalog,
    name=names,
    tables=st.lists(tables, max_size=3).map(tuple),
    family=names,
    kind=st.sampled_from(Kind),
    margin_arcsec=st.floats(0, 3600),
    chunk_rows=st.none() | st.integers(1),
    placement_order=st.none() | st.integers(1, 5),
    replicas=st.none() | st.integers(1, 16),
    description=names,
    version=st.integers(1),
)


@given(catalogs)
def test_what_is_written_is_read_back_equal(catalog: Catalog) -> None:
    assert from_json(json.loads(json.dumps(to_json(catalog)))) == catalog


def test_a_field_that_is_missing_takes_its_default() -> None:
    written = to_json(replace(TAP_SCHEMA, tables=()))
    del written["replicas"]
    assert from_json(written).replicas is None


@pytest.mark.parametrize("change", [{"format": 2}, {"kind": "frozen"}, {"colour": "red"}])
def test_a_model_of_a_newer_skyshard_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ModelUnreadable):
        from_json({**to_json(TAP_SCHEMA), **change})
