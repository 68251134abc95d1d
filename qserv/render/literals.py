"""Constants and types, each with its type whatever stands around it."""

from __future__ import annotations

import math
from datetime import datetime

from qserv.bound import Literal
from qserv.render.dialect import Dialect
from schema.types import SPELLINGS, Type


class Literals:
    """Writes constants and the names of types in one dialect."""

    def __init__(self, dialect: Dialect, *, is_careful: bool = False) -> None:
        self.dialect = dialect
        self.is_careful = is_careful

    def type(self, type_: Type) -> str:
        """The dialect's spelling of a type."""
        spelling = SPELLINGS[type_]
        return spelling.postgres if self.dialect is Dialect.POSTGRES else spelling.duckdb

    def literal(self, node: Literal) -> str:
        """A constant that has its type whatever stands around it."""
        value = node.value
        match value:
            case None:
                return f"CAST(NULL AS {self.type(node.type)})"
            case bool():
                return "TRUE" if value else "FALSE"
            case int() if node.type is Type.INT and value >= 0:
                return str(value)
            case int() | float() if node.type.is_floating:
                return self.number(float(value), node.type)
            case int() | float():
                return f"CAST({value} AS {self.type(node.type)})"
            case str():
                return f"CAST({_quoted(value)} AS {self.type(node.type)})"
            case datetime():
                return f"CAST('{value.isoformat(sep=' ')}' AS {self.type(node.type)})"
            case bytes():
                return self.binary(value)

    def number(self, value: float, type_: Type = Type.DOUBLE) -> str:
        """A floating constant; with an exponent DuckDB reads it as DOUBLE, not as a decimal."""
        if not math.isfinite(value):
            name = "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
            return f"CAST('{name}' AS {self.type(type_)})"
        text = repr(value)
        text = text if "e" in text else f"{text}e0"
        if self.dialect is Dialect.DUCKDB and type_ is Type.DOUBLE and value >= 0:
            return text
        return f"CAST({text} AS {self.type(type_)})"

    def binary(self, value: bytes) -> str:
        """A constant of bytes."""
        if self.dialect is Dialect.POSTGRES:
            return f"CAST('\\x{value.hex()}' AS bytea)"
        return "CAST('" + "".join(f"\\x{byte:02X}" for byte in value) + "' AS BLOB)"


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
