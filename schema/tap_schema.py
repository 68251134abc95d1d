"""TAP_SCHEMA: what a TAP service tells of its tables, made from the catalog model.

IVOA TAP 1.1, section 4. Hidden columns are not told; TAP_SCHEMA tells of itself too. Names are
spelled as a query must spell them: what is no regular ADQL identifier stands in double quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pyarrow as pa

from schema.catalog import Catalog, Column, ForeignKey, Role, Table
from schema.reserved import RESERVED
from schema.types import SPELLINGS, Type, votable_arraysize

_REGULAR = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_Row = tuple[object, ...]


def rows(catalogs: Sequence[Catalog]) -> dict[str, pa.Table]:
    """The rows of TAP_SCHEMA's tables, by table name, for these catalogs and for itself."""
    told = (*catalogs, TAP_SCHEMA)
    made = {
        "schemas": _schemas(told),
        "tables": _tables(told),
        "columns": _columns(told),
        "keys": _keys(told),
        "key_columns": _key_columns(told),
    }
    return {table.name: _arrow(table, made[table.name]) for table in TAP_SCHEMA.tables}


def adql_name(name: str) -> str:
    """A name as ADQL spells it: in double quotes where it is no regular identifier, or reserved."""
    if _REGULAR.fullmatch(name) and name.upper() not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def table_name(catalog: Catalog, table: Table) -> str:
    """A table's name as a query spells it: `catalog.Table`."""
    return f"{adql_name(catalog.name)}.{adql_name(table.name)}"


def _schemas(catalogs: Sequence[Catalog]) -> Iterator[_Row]:
    for number, catalog in enumerate(catalogs, start=1):
        yield catalog.name, None, catalog.description or None, number


def _tables(catalogs: Sequence[Catalog]) -> Iterator[_Row]:
    number = 0
    for catalog in catalogs:
        for table in catalog.tables:
            number += 1
            name, said = table_name(catalog, table), table.description or None
            yield catalog.name, name, "table", None, said, number


def _columns(catalogs: Sequence[Catalog]) -> Iterator[_Row]:
    for catalog in catalogs:
        for table in catalog.tables:
            name = table_name(catalog, table)
            for number, column in enumerate(table.columns, start=1):
                yield (name, *_column(table, column), number)


def _column(table: Table, column: Column) -> _Row:
    """A column's row from `column_name` to `std`."""
    spelling = SPELLINGS[column.type]
    return (
        adql_name(column.name),
        spelling.votable,
        votable_arraysize(column.type, column.length),
        spelling.votable_xtype,
        column.length,
        column.description or None,
        column.utype,
        column.unit,
        column.ucd,
        int(table.is_indexed(column)),
        int(column.principal),
        int(column.std),
    )


def _keys(catalogs: Sequence[Catalog]) -> Iterator[_Row]:
    for key_id, catalog, table, key in _every_key(catalogs):
        target = catalog.table(key.target)
        assert target is not None, f"{key_id} refers to {key.target}"
        ends = table_name(catalog, table), table_name(catalog, target)
        yield key_id, *ends, key.description or None, None


def _key_columns(catalogs: Sequence[Catalog]) -> Iterator[_Row]:
    for key_id, _, _, key in _every_key(catalogs):
        for column, target in zip(key.columns, key.target_columns, strict=True):
            yield key_id, adql_name(column), adql_name(target)


def _every_key(
    catalogs: Sequence[Catalog],
) -> Iterator[tuple[str, Catalog, Table, ForeignKey]]:
    for catalog in catalogs:
        for table in catalog.tables:
            for key in table.foreign_keys:
                yield f"{catalog.name}.{table.name}.{key.name}", catalog, table, key


def _arrow(table: Table, made: Iterator[_Row]) -> pa.Table:
    """Rows as an Arrow table of the model's columns."""
    fields = pa.schema([(column.name, SPELLINGS[column.type].arrow) for column in table.columns])
    columns = list(zip(*made, strict=True)) or [()] * len(fields)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, fields, strict=True)]
    return pa.table(arrays, schema=fields)


def _text(name: str, description: str, *, nullable: bool = True) -> Column:
    return _described(name, Type.TEXT, description, nullable=nullable)


def _number(name: str, description: str, *, nullable: bool = True) -> Column:
    return _described(name, Type.INT, description, nullable=nullable)


def _described(name: str, kind: Type, description: str, *, nullable: bool) -> Column:
    return Column(name, kind, nullable=nullable, description=description, principal=True, std=True)


def _refers(column: str, target: str, target_column: str) -> ForeignKey:
    return ForeignKey(f"{column}_{target}", (column,), target, (target_column,))


TAP_SCHEMA = Catalog(
    name="tap_schema",
    description="What this service offers: schemas, tables, columns and keys",
    tables=(
        Table(
            "schemas",
            (
                _text("schema_name", "Name of the schema", nullable=False),
                _text("utype", "UType of the schema"),
                _text("description", "Description of the schema"),
                _number("schema_index", "Recommended place in a list of schemas"),
            ),
            Role.REPLICATED,
            primary_key=("schema_name",),
            description="The schemas (catalogs) of this service",
        ),
        Table(
            "tables",
            (
                _text("schema_name", "Schema of the table", nullable=False),
                _text("table_name", "Name of the table, as in queries", nullable=False),
                _text("table_type", "table or view", nullable=False),
                _text("utype", "UType of the table"),
                _text("description", "Description of the table"),
                _number("table_index", "Recommended place in a list of tables"),
            ),
            Role.REPLICATED,
            primary_key=("table_name",),
            foreign_keys=(_refers("schema_name", "schemas", "schema_name"),),
            description="The tables of the schemas",
        ),
        Table(
            "columns",
            (
                _text("table_name", "Table of the column", nullable=False),
                _text("column_name", "Name of the column, as in queries", nullable=False),
                _text("datatype", "VOTable datatype", nullable=False),
                _text("arraysize", "VOTable arraysize"),
                _text("xtype", "DALI extended type"),
                _number("size", "Length of text (deprecated; see arraysize)"),
                _text("description", "Description of the column"),
                _text("utype", "UType of the column"),
                _text("unit", "Unit (VOUnits)"),
                _text("ucd", "UCD of the column"),
                _number("indexed", "1: conditions on it need no scan", nullable=False),
                _number("principal", "1: among the columns most use", nullable=False),
                _number("std", "1: defined by an IVOA standard", nullable=False),
                _number("column_index", "Recommended place in a list of columns"),
            ),
            Role.REPLICATED,
            primary_key=("table_name", "column_name"),
            foreign_keys=(_refers("table_name", "tables", "table_name"),),
            description="The columns of the tables",
        ),
        Table(
            "keys",
            (
                _text("key_id", "Identifier of the key", nullable=False),
                _text("from_table", "Table that refers", nullable=False),
                _text("target_table", "Table referred to", nullable=False),
                _text("description", "Description of the key"),
                _text("utype", "UType of the key"),
            ),
            Role.REPLICATED,
            primary_key=("key_id",),
            foreign_keys=(
                _refers("from_table", "tables", "table_name"),
                _refers("target_table", "tables", "table_name"),
            ),
            description="How the tables refer to one another",
        ),
        Table(
            "key_columns",
            (
                _text("key_id", "Identifier of the key", nullable=False),
                _text("from_column", "Column that refers", nullable=False),
                _text("target_column", "Column referred to", nullable=False),
            ),
            Role.REPLICATED,
            primary_key=("key_id", "from_column", "target_column"),
            foreign_keys=(_refers("key_id", "keys", "key_id"),),
            description="The columns of the keys",
        ),
    ),
)
"""TAP_SCHEMA as a catalog: `tap_schema`, every table replicated."""
