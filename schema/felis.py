"""Felis YAML -> catalog model. The one file that calls `lsst-felis`, lazily: it takes a second.

A schema is named by its short name in the package `lsst-sdm-schemas` (`dp1`) or by a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from schema.catalog import Catalog, Check, Column, ForeignKey, Role, Table
from schema.conditions import parse_condition
from schema.errors import CatalogError
from schema.layout import Layout, read_layout, shipped_layouts
from schema.names import hint
from schema.roles import lay_out
from schema.types import felis_type

_SHOWN_ERRORS = 5
"""How many of a schema's errors a message tells."""


class SchemaInvalid(CatalogError):
    """A Felis schema cannot be read or is not valid."""

    code = "SCHEMA_INVALID"

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"schema {source}: {reason}")
        self.source = source


def read_catalog(
    name: str, schema_source: str | Path, layout_source: str | Path | None = None
) -> Catalog:
    """The catalog `name`: a Felis schema laid out.

    Parameters
    ----------
    name
        What the new catalog is called.
    schema_source
        A short name of `lsst-sdm-schemas`, or a Felis file.
    layout_source
        A shipped layout's name, or a file. None: the one shipped for the schema's short name, else
        none, and then every table is replicated and may not have positions.
    """
    if layout_source is None and str(schema_source) in shipped_layouts():
        layout_source = str(schema_source)
    layout = Layout() if layout_source is None else read_layout(layout_source)
    return lay_out(name, read_schema(schema_source), layout)


def known_schemas() -> tuple[str, ...]:
    """The short names that `lsst-sdm-schemas` has."""
    folder = resources.files("lsst.sdm.schemas")
    return tuple(sorted(Path(f.name).stem for f in folder.iterdir() if f.name.endswith(".yaml")))


def read_schema(source: str | Path) -> Catalog:
    """A Felis schema as declared: every table replicated, with all its columns, unnamed."""
    if str(source) in known_schemas():
        entry = resources.files("lsst.sdm.schemas") / f"{source}.yaml"
        with resources.as_file(entry) as path:
            return _declared(_felis_schema(path, str(source)))
    path = Path(source)
    if not path.is_file():
        known = known_schemas()
        suggestion = hint(str(source), known) or f"; there are {', '.join(known)}"
        raise SchemaInvalid(
            str(source), f"no such file, and lsst-sdm-schemas has none of that name{suggestion}"
        )
    return _declared(_felis_schema(path, str(source)))


def _felis_schema(path: Path, source: str) -> Any:
    """The schema that felis reads from a file."""
    import yaml
    from felis.datamodel import Schema
    from pydantic import ValidationError

    try:
        return Schema.from_uri(str(path.resolve()), context={"id_generation": True})
    except ValidationError as error:
        raise SchemaInvalid(source, _summary(error.errors())) from error
    except (ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        raise SchemaInvalid(source, str(error)) from error


def _summary(errors: list[Any]) -> str:
    """The first of a validation's errors, each with its place."""
    shown = [
        f"{'.'.join(str(step) for step in error['loc'])}: {error['msg']}"
        for error in errors[:_SHOWN_ERRORS]
    ]
    rest = len(errors) - len(shown)
    return "; ".join([*shown, f"and {rest} more"] if rest else shown)


def _declared(schema: Any) -> Catalog:
    """The tables of a felis schema, in TAP's order."""
    columns = {
        column.id: (table.name, column.name) for table in schema.tables for column in table.columns
    }
    tables = sorted(schema.tables, key=lambda table: _order(table.tap_table_index))
    return Catalog(
        name=schema.name,
        tables=tuple(_table(table, columns) for table in tables),
        description=_line(schema.description),
    )


def _table(table: Any, ids: dict[str, tuple[str, str]]) -> Table:
    """One table; `ids` gives the (table, column) of each Felis id."""

    def names(felis_ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(ids[felis_id][1] for felis_id in felis_ids)

    key = table.primary_key or []
    constraints = table.constraints
    ordered = sorted(table.columns, key=lambda column: _order(column.tap_column_index))
    columns = tuple(_column(column) for column in ordered)
    return Table(
        name=table.name,
        columns=columns,
        role=Role.REPLICATED,
        primary_key=names([key] if isinstance(key, str) else key),
        indexes=tuple(names(index.columns) for index in table.indexes if index.columns),
        unique=tuple(names(c.columns) for c in constraints if c.type == "Unique"),
        checks=tuple(
            Check(c.name, parse_condition(c.expression, [column.name for column in columns]))
            for c in constraints
            if c.type == "Check"
        ),
        foreign_keys=tuple(
            _foreign_key(c, ids)
            for c in constraints
            if c.type == "ForeignKey" and set(c.referenced_columns) <= ids.keys()
        ),
        description=_line(table.description),
        felis_id=table.id,
        is_named=False,
    )


def _foreign_key(constraint: Any, ids: dict[str, tuple[str, str]]) -> ForeignKey:
    return ForeignKey(
        name=constraint.name,
        columns=tuple(ids[felis_id][1] for felis_id in constraint.columns),
        target=ids[constraint.referenced_columns[0]][0],
        target_columns=tuple(ids[felis_id][1] for felis_id in constraint.referenced_columns),
        description=_line(constraint.description),
    )


def _column(column: Any) -> Column:
    datatype = str(column.datatype.value)
    arraysize = None if column.votable_arraysize is None else str(column.votable_arraysize)
    return Column(
        name=column.name,
        type=felis_type(datatype, arraysize, column.votable_xtype),
        length=column.length,
        nullable=column.nullable,
        unit=column.ivoa_unit or column.fits_tunit or None,
        ucd=column.ivoa_ucd,
        utype=column.votable_utype,
        description=_line(column.description),
        principal=bool(column.tap_principal),
        std=bool(column.tap_std),
        felis_type=datatype,
    )


def _order(index: int | None) -> tuple[bool, int]:
    """Sorts what has a TAP index by it, and the rest behind, as declared."""
    return (index is None, index or 0)


def _line(text: str | None) -> str:
    """A description as one line."""
    return " ".join((text or "").split())
