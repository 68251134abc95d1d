"""One table of types."""

import pyarrow as pa
import pytest

from schema.types import FELIS_TYPES, SPELLINGS, Type, postgres_type, votable_arraysize


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
    ],
)
def test_postgres_holds_the_length_of_text(kind: Type, length: int | None, expected: str) -> None:
    assert postgres_type(kind, length) == expected


@pytest.mark.parametrize(
    ("kind", "length", "expected"),
    [(Type.DOUBLE, None, None), (Type.TEXT, None, "*"), (Type.TEXT, 16, "16*")],
)
def test_the_arraysize_is_the_length(kind: Type, length: int | None, expected: str | None) -> None:
    assert votable_arraysize(kind, length) == expected


def test_timestamps_are_microseconds_without_zone() -> None:
    assert SPELLINGS[Type.TIMESTAMP].arrow == pa.timestamp("us")
