"""One table of types."""

import pyarrow as pa
import pytest

from schema.types import (
    FELIS_TYPES,
    SPELLINGS,
    Type,
    felis_type,
    postgres_type,
    votable_arraysize,
)


def test_every_type_is_spelled_in_every_system() -> None:
    assert set(SPELLINGS) == set(Type)


def test_every_felis_datatype_has_a_type() -> None:
    from felis.datamodel import DataType

    assert {datatype.value for datatype in DataType} == set(FELIS_TYPES)


def test_a_felis_byte_is_unsigned_so_it_needs_16_bits() -> None:
    assert FELIS_TYPES["byte"] is Type.SHORT


@pytest.mark.parametrize(
    ("kind", "length", "expected"),
    [
        (Type.LONG, None, "bigint"),
        (Type.TEXT, None, 'text COLLATE "C"'),
        (Type.TEXT, 16, 'varchar(16) COLLATE "C"'),
        (Type.TEXT, 20_000_000, 'text COLLATE "C"'),
        (Type.BINARY, 16, "bytea"),
        (Type.POINT, None, "double precision[]"),
        (Type.TEXTS, None, 'text[] COLLATE "C"'),
    ],
)
def test_postgres_holds_the_length_of_text(kind: Type, length: int | None, expected: str) -> None:
    assert postgres_type(kind, length) == expected


@pytest.mark.parametrize(
    ("kind", "length", "expected"),
    [
        (Type.DOUBLE, None, None),
        (Type.TEXT, None, "*"),
        (Type.TEXT, 16, "16*"),
        (Type.POINT, 2, "2"),
    ],
)
def test_the_arraysize_is_the_length(kind: Type, length: int | None, expected: str | None) -> None:
    assert votable_arraysize(kind, length) == expected


def test_timestamps_are_microseconds_without_zone() -> None:
    assert SPELLINGS[Type.TIMESTAMP].arrow == pa.timestamp("us")


@pytest.mark.parametrize(
    ("datatype", "arraysize", "xtype", "expected"),
    [
        ("double", "2", "point", Type.POINT),
        ("double", "*", "polygon", Type.POLYGON),
        ("double", "2", None, Type.DOUBLES),
        ("float", "5", None, Type.DOUBLES),
        ("float", "2", "interval", Type.INTERVAL),
        ("int", "*", None, Type.LONGS),
        ("double", "1", None, Type.DOUBLE),
        ("char", "16", None, Type.TEXT),
    ],
)
def test_felis_declares_arrays_by_their_size(
    datatype: str, arraysize: str, xtype: str | None, expected: Type
) -> None:
    assert felis_type(datatype, arraysize, xtype) is expected


def test_every_array_is_a_list_of_its_elements() -> None:
    arrays = {kind: kind.element for kind in Type if kind.element is not None}
    assert all(
        SPELLINGS[kind].arrow == pa.list_(SPELLINGS[element].arrow)
        for kind, element in arrays.items()
    )
    assert len(arrays) == 7
