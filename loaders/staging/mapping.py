"""Mappings: how the columns of files become those of a table, where names and types alone do not say.

A mapping file is YAML:

    tables:
      Object:
        ignore: [htmId, "tmp_*"]            # columns of the files that nobody wants
        types: {g_flux: double}             # texts of files (CSV) that expressions use
        columns:
          objectId: OBJ_ID                  # the same as {from: OBJ_ID}
          ra: {from: RAJ2000, unit: hourangle}
          gMag: {compute: "31.4 - 2.5 * log10(g_flux)"}
          band: {default: r}                # where the file has no such column, or NULL there

It is kept with each contribution, so that whoever goes on with an ingest uses the same.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np
import pyarrow as pa
from astropy import units

from loaders.staging.convert import WrongType, convert
from loaders.staging.expressions import ExpressionInvalid, read_expression
from schema.catalog import Column, Table
from schema.errors import InputError
from schema.names import hint
from schema.types import Type

_ROUNDED = 1e-14
"""astropy's factor from hours to degrees is 14.999999999999998."""
Scalar = str | int | float | bool


class MappingInvalid(InputError):
    """A mapping is wrong, or does not fit the table; `line` and `column` count from 1."""

    code = "MAPPING_INVALID"

    def __init__(self, message: str, *, source: str = "the mapping", place: str = "") -> None:
        super().__init__(f"{source}{place}: {message}")
        self.message, self.source, self.place = message, source, place


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Where a table's column comes from: a file's column, or an expression over them; or a constant."""

    source: str | None = None
    compute: str | None = None
    unit: str | None = None
    """The unit of what the file has; it is converted to the column's own."""
    default: Scalar | None = None


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How files become one table."""

    columns: tuple[tuple[str, ColumnMapping], ...] = ()
    """By the table's columns, in its spelling."""
    ignore: tuple[str, ...] = ()
    types: tuple[tuple[str, Type], ...] = ()
    """By the files' columns."""

    def of(self, column: str) -> ColumnMapping | None:
        """What is said of a table's column."""
        return dict(self.columns).get(column)

    def ignores(self, name: str) -> bool:
        """Whether a file's column is not wanted."""
        return any(fnmatch.fnmatchcase(name.casefold(), p.casefold()) for p in self.ignore)

    def to_document(self) -> dict[str, object]:
        """All of it, for the coordinator."""
        return {
            "columns": {
                name: {key: value for key, value in asdict(one).items() if value is not None}
                for name, one in self.columns
            },
            "ignore": list(self.ignore),
            "types": {name: str(kind) for name, kind in self.types},
        }


NOTHING = TableMapping()


def mapping_of(document: Mapping[str, Any]) -> TableMapping:
    """A mapping from its document."""
    return TableMapping(
        tuple((name, ColumnMapping(**one)) for name, one in document["columns"].items()),
        tuple(document["ignore"]),
        tuple((name, Type(kind)) for name, kind in document["types"].items()),
    )


def check_column(column: Column, said: ColumnMapping) -> None:
    """See that what is said of a column can be. Raises MappingInvalid, without its place."""
    if said.source is not None and said.compute is not None:
        raise MappingInvalid("`from` and `compute` cannot both be said")
    if said.compute is not None:
        try:
            read_expression(said.compute)
        except ExpressionInvalid as error:
            raise MappingInvalid(str(error)) from error
    if said.unit is not None:
        unit_converter(column, said.unit)
    if said.default is not None:
        default_of(column, said.default)


def unit_converter(column: Column, unit: str) -> UnitConverter:
    """Converts numbers in a unit to those in a column's. Raises MappingInvalid."""
    if not column.type.is_numeric:
        raise MappingInvalid(f"{column.name} is {column.type}: only numbers have units")
    if column.unit is None:
        raise MappingInvalid(f"the schema says no unit of {column.name} to convert to")
    given, own = read_unit(unit), read_unit(column.unit)
    try:
        given.to(own, np.ones(1))
    except (units.UnitsError, TypeError, ValueError) as error:
        raise MappingInvalid(
            f"{unit!r} cannot become {column.unit!r}, the unit of {column.name}: {error}"
        ) from error
    return UnitConverter(column, unit)


def read_unit(text: str) -> Any:
    """astropy's unit of a name. Raises MappingInvalid."""
    for form in ("vounit", "generic", "cds"):
        try:
            return units.Unit(text, format=form)
        except (ValueError, TypeError):
            continue
    raise MappingInvalid(f"{text!r} is no unit that astropy knows")


@dataclass(frozen=True, slots=True)
class UnitConverter:
    """Numbers of a file in a column's unit."""

    column: Column
    unit: str

    def __call__(self, array: pa.Array) -> tuple[pa.Array, dict[int, str]]:
        """The numbers converted, as float64, and the cells that are no numbers."""
        numbers = convert(array, replace(self.column, type=Type.DOUBLE))
        values = numbers.array.to_numpy(zero_copy_only=False)
        assert self.column.unit is not None
        with np.errstate(all="ignore"):
            there = _converted(read_unit(self.unit), read_unit(self.column.unit), values)
        given = np.asarray(numbers.array.is_valid())
        found = pa.array(np.asarray(there, dtype=np.float64), mask=~given)
        return found, numbers.faults


def _converted(given: Any, own: Any, values: Any) -> Any:
    """Numbers in another unit. A factor that is whole, or one over it, but for rounding, is whole."""
    if not isinstance(given, units.UnitBase) or not isinstance(own, units.UnitBase):
        return given.to(own, values)
    factor = given.to(own)
    if factor >= 1:
        return values * (
            round(factor) if abs(factor - round(factor)) < _ROUNDED * factor else factor
        )
    inverse = 1 / factor
    whole = round(inverse) if abs(inverse - round(inverse)) < _ROUNDED * inverse else inverse
    return values / whole


def default_of(column: Column, value: Scalar) -> pa.Scalar:
    """A constant in a column's type. Raises MappingInvalid."""
    try:
        given = pa.array([value if not isinstance(value, bool) else str(value).lower()])
        found = convert(given, column)
    except (WrongType, pa.ArrowException) as error:
        raise MappingInvalid(f"{value!r} is no value of type {column.type}") from error
    if found.faults or found.array.null_count:
        raise MappingInvalid(f"{value!r} is no value of type {column.type}")
    return cast("pa.Scalar", found.array[0])


def check_table(table: Table, mapping: TableMapping) -> None:
    """See that a mapping fits a table. Raises MappingInvalid."""
    for name, said in mapping.columns:
        column = table.column(name)
        if column is None:
            known = [one.name for one in table.columns]
            raise MappingInvalid(f"{table.name} has no column {name!r}{hint(name, known)}")
        check_column(column, said)
