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
    LONGS = "longs"  # an array of LONG, as are the next of TEXT and DOUBLE
    TEXTS = "texts"
    POINT = "point"  # (ra, dec); this and the next in ICRS degrees, as an array of DOUBLE
    CIRCLE = "circle"  # (ra, dec, radius)
    POLYGON = "polygon"  # (ra1, dec1, ra2, dec2, ...), three vertices or more
    INTERVAL = "interval"  # (low, high), as an array of DOUBLE; bounds may be infinite
    DOUBLES = "doubles"

    @property
    def is_integer(self) -> bool:
        return self in (Type.SHORT, Type.INT, Type.LONG)

    @property
    def is_floating(self) -> bool:
        return self in (Type.FLOAT, Type.DOUBLE)

    @property
    def is_numeric(self) -> bool:
        return self.is_integer or self.is_floating

    @property
    def is_geometry(self) -> bool:
        return self in (Type.POINT, Type.CIRCLE, Type.POLYGON)

    @property
    def element(self) -> Type | None:
        """The type of an array's elements; None for a scalar."""
        return _ELEMENTS.get(self)


_ELEMENTS = {
    Type.LONGS: Type.LONG,
    Type.TEXTS: Type.TEXT,
    Type.POINT: Type.DOUBLE,
    Type.CIRCLE: Type.DOUBLE,
    Type.POLYGON: Type.DOUBLE,
    Type.INTERVAL: Type.DOUBLE,
    Type.DOUBLES: Type.DOUBLE,
}


@dataclass(frozen=True, slots=True)
class Spelling:
    """How one type is written in each system. `votable_arraysize` is None for a scalar.

    VOTable has no arrays of texts of any length; there they are one text, a JSON array.
    """

    postgres: str
    duckdb: str
    arrow: pa.DataType
    votable: str
    votable_arraysize: str | None = None
    votable_xtype: str | None = None


_DOUBLES = ("double precision[]", "DOUBLE[]", pa.list_(pa.float64()), "double")

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
    Type.LONGS: Spelling("bigint[]", "BIGINT[]", pa.list_(pa.int64()), "long", "*"),
    Type.TEXTS: Spelling("text[]", "VARCHAR[]", pa.list_(pa.string()), "unicodeChar", "*"),
    Type.POINT: Spelling(*_DOUBLES, "2", "point"),
    Type.CIRCLE: Spelling(*_DOUBLES, "3", "circle"),
    Type.POLYGON: Spelling(*_DOUBLES, "*", "polygon"),
    Type.INTERVAL: Spelling(*_DOUBLES, "2", "interval"),
    Type.DOUBLES: Spelling(*_DOUBLES, "*"),
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
"""The type of each Felis datatype of one value."""


def felis_type(datatype: str, arraysize: str | None, xtype: str | None) -> Type:
    """The type of a column that Felis declares so; numbers of an array size other than 1 are arrays.

    `xtype` is DALI's: point, circle and polygon are geometries where the numbers are double, and two
    floating numbers may be an interval.
    """
    kind = FELIS_TYPES[datatype]
    if arraysize in (None, "1") or not kind.is_numeric:
        return kind
    if kind is Type.DOUBLE and xtype in ("point", "circle", "polygon"):
        return Type(xtype)
    if kind.is_floating and xtype == "interval":
        return Type.INTERVAL
    return Type.LONGS if kind.is_integer else Type.DOUBLES


def postgres_type(kind: Type, length: int | None = None) -> str:
    """How PostgreSQL spells a column's type.

    Text of a known length is `varchar(length)`, never the blank-padded `char(length)`; it sorts by
    code point, as DuckDB's does.
    """
    if (kind.element or kind) is not Type.TEXT:
        return SPELLINGS[kind].postgres
    if kind is Type.TEXTS:
        return 'text[] COLLATE "C"'
    bounded = length is not None and length <= MAX_TEXT_LENGTH
    return f'{f"varchar({length})" if bounded else "text"} COLLATE "C"'


def votable_arraysize(kind: Type, length: int | None = None) -> str | None:
    """The VOTable `arraysize` of a column: None for a scalar, `16*` for at most 16 characters."""
    arraysize = SPELLINGS[kind].votable_arraysize
    if arraysize == "*" and length is not None:
        return f"{length}*"
    return arraysize
