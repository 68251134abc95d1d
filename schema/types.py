"""Column types: the one table that maps catalog, PostgreSQL, Arrow, DuckDB and VOTable.

Nobody else spells a database type. Felis datatypes map onto `Type` one to one, but for the text
kinds, which differ only in their length.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

MAX_TEXT_LENGTH = 10_485_760
"""PostgreSQL's longest varchar(n)."""


class Type(StrEnum):
    """The type of a column or of an expression."""

    BOOLEAN = "boolean"
    SHORT = "short"  # 16 bits; Felis `byte` too
    INT = "int"  # 32 bits
    LONG = "long"  # 64 bits
    FLOAT = "float"  # 32 bits
    DOUBLE = "double"  # 64 bits
    TEXT = "text"  # Felis char, string, unicode, text
    BINARY = "binary"
    TIMESTAMP = "timestamp"  # microseconds, without zone (TAI or UTC as the catalog says)

    @property
    def is_integer(self) -> bool:
        return self in (Type.SHORT, Type.INT, Type.LONG)

    @property
    def is_floating(self) -> bool:
        return self in (Type.FLOAT, Type.DOUBLE)

    @property
    def is_numeric(self) -> bool:
        return self.is_integer or self.is_floating


@dataclass(frozen=True, slots=True)
class Spelling:
    """How one type is written in each system. `votable_arraysize` is None for a scalar."""

    postgres: str
    duckdb: str
    arrow: pa.DataType
    votable: str
    votable_arraysize: str | None = None
    votable_xtype: str | None = None


SPELLINGS: dict[Type, Spelling] = {
    Type.BOOLEAN: Spelling("boolean", "BOOLEAN", pa.bool_(), "boolean"),
    Type.SHORT: Spelling("smallint", "SMALLINT", pa.int16(), "short"),
    Type.INT: Spelling("integer", "INTEGER", pa.int32(), "int"),
    Type.LONG: Spelling("bigint", "BIGINT", pa.int64(), "long"),
    Type.FLOAT: Spelling("real", "REAL", pa.float32(), "float"),
    Type.DOUBLE: Spelling("double precision", "DOUBLE", pa.float64(), "double"),
    Type.TEXT: Spelling("text", "VARCHAR", pa.string(), "unicodeChar", "*"),
    Type.BINARY: Spelling("bytea", "BLOB", pa.binary(), "unsignedByte", "*"),
    Type.TIMESTAMP: Spelling(
        "timestamp", "TIMESTAMP", pa.timestamp("us"), "char", "*", "timestamp"
    ),
}

FELIS_TYPES: dict[str, Type] = {
    "boolean": Type.BOOLEAN,
    "byte": Type.SHORT,
    "short": Type.SHORT,
    "int": Type.INT,
    "long": Type.LONG,
    "float": Type.FLOAT,
    "double": Type.DOUBLE,
    "char": Type.TEXT,
    "string": Type.TEXT,
    "unicode": Type.TEXT,
    "text": Type.TEXT,
    "binary": Type.BINARY,
    "timestamp": Type.TIMESTAMP,
}
"""The type of each Felis datatype."""


def postgres_type(kind: Type, length: int | None = None) -> str:
    """How PostgreSQL spells a column's type.

    Text of a known length is `varchar(length)`, never the blank-padded `char(length)`; it sorts by
    code point, as DuckDB's does.
    """
    if kind is not Type.TEXT:
        return SPELLINGS[kind].postgres
    bounded = length is not None and length <= MAX_TEXT_LENGTH
    return f'{f"varchar({length})" if bounded else "text"} COLLATE "C"'


def votable_arraysize(kind: Type, length: int | None = None) -> str | None:
    """The VOTable `arraysize` of a column: None for a scalar, `16*` for at most 16 characters."""
    arraysize = SPELLINGS[kind].votable_arraysize
    if arraysize is not None and length is not None:
        return f"{length}*"
    return arraysize
