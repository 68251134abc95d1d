"""MySQL's CREATE TABLE statements as a Felis schema: what `SHOW CREATE TABLE` prints, no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import sqlglot
import yaml
from sqlglot import exp
from sqlglot.expressions.datatypes import DType

_FELIS = {
    DType.BIT: "boolean",
    DType.TINYINT: "byte",
    DType.SMALLINT: "short",
    DType.INT: "int",
    DType.BIGINT: "long",
    DType.FLOAT: "float",
    DType.DOUBLE: "double",
    DType.CHAR: "string",
    DType.VARCHAR: "string",
    DType.BINARY: "binary",
    DType.TIMESTAMPTZ: "timestamp",
}
"""Felis' datatype of each of MySQL's; BIT(1) is a truth value."""
_WITH_LENGTH = {"string", "binary"}


def to_felis(name: str, statements: Sequence[str]) -> str:
    """The Felis YAML text of a schema with the table of each CREATE TABLE statement."""
    schema = {"name": name, "tables": [_table(_parsed(text)) for text in statements]}
    return str(yaml.safe_dump(schema, sort_keys=False))


def column_names(statement: str) -> tuple[str, ...]:
    """The columns of a CREATE TABLE statement, in its order."""
    return tuple(column.name for column in _columns(_parsed(statement)))


def _parsed(statement: str) -> exp.Schema:
    return cast("exp.Schema", sqlglot.parse_one(statement, dialect="mysql").this)


def _columns(schema: exp.Schema) -> list[exp.ColumnDef]:
    return [part for part in schema.expressions if isinstance(part, exp.ColumnDef)]


def _table(schema: exp.Schema) -> dict[str, object]:
    name = schema.this.name
    columns = [_column(column) for column in _columns(schema)]
    key = schema.find(exp.PrimaryKey)
    primary = {"primaryKey": [f"#{name}.{part.name}" for part in key.expressions]} if key else {}
    return {"name": name, **primary, "columns": columns}


def _column(column: exp.ColumnDef) -> dict[str, object]:
    kind = column.args["kind"]
    datatype = _FELIS[kind.this]
    length = {"length": int(kind.expressions[0].name)} if datatype in _WITH_LENGTH else {}
    is_required = column.find(exp.NotNullColumnConstraint) is not None
    return {"name": column.name, "datatype": datatype, **length, "nullable": not is_required}
