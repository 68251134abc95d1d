"""What uploaded columns are: Arrow's types as the catalog's, what the file says of units and UCDs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from loaders.readers.fits import FitsSource
from loaders.readers.votable import VotableSource
from qserv.uploads.tables import Upload, UploadRefused
from schema.catalog import Column, Role, Table
from schema.types import SPELLINGS, Type

Declared = Mapping[str, Column]
"""What a file says of its columns, by name; a type other than TEXT is a DALI xtype's."""
Is = Callable[[pa.DataType], bool]
_SIZES = {Type.POINT: 2, Type.CIRCLE: 3, Type.INTERVAL: 2}


def described(name: str, rows: pa.Table, declared: Declared) -> Upload:
    """Rows as a table of the catalog's types. Raises UploadRefused for a type that has none."""
    columns, arrays = [], []
    for field, values in zip(rows.schema, rows.columns, strict=True):
        column = _column(field, declared.get(field.name))
        columns.append(column)
        arrays.append(_cast(values, column))
    schema = pa.schema([(c.name, SPELLINGS[c.type].arrow) for c in columns])
    return Upload(Table(name, tuple(columns), Role.REPLICATED), pa.table(arrays, schema=schema))


def _column(field: pa.Field, declared: Column | None) -> Column:
    kind = _type_of(field)
    if declared is not None:
        is_shape = declared.type in _SIZES or declared.type is Type.POLYGON
        suits = (is_shape and kind is Type.DOUBLES) or (
            declared.type is Type.TIMESTAMP and kind is Type.TEXT
        )
        return replace(declared, type=declared.type if suits else kind)
    known = {k.decode(): v.decode() for k, v in (field.metadata or {}).items() if _is_ours(k)}
    return Column(field.name, kind, **known)


def _is_ours(key: bytes) -> bool:
    return key in (b"unit", b"ucd", b"utype", b"description")


def _type_of(field: pa.Field) -> Type:
    """The narrowest of the catalog's types that holds all of an Arrow type's values."""
    kind = field.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    for is_one, found in _RULES:
        if is_one(kind):
            return found
    raise UploadRefused(f"column {field.name!r} is of type {kind}, which queries do not know")


def _is_list_of(is_element: Is) -> Is:
    def found(kind: pa.DataType) -> bool:
        is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
        is_list = is_list or pa.types.is_fixed_size_list(kind)
        return bool(is_list and is_element(kind.value_type))

    return found


_RULES: tuple[tuple[Is, Type], ...] = (
    (pa.types.is_boolean, Type.BOOLEAN),
    (lambda kind: kind in (pa.int8(), pa.uint8(), pa.int16()), Type.SHORT),
    (lambda kind: kind in (pa.uint16(), pa.int32()), Type.INT),
    (pa.types.is_integer, Type.LONG),
    (lambda kind: kind in (pa.float16(), pa.float32()), Type.FLOAT),
    (lambda kind: pa.types.is_floating(kind) or pa.types.is_decimal(kind), Type.DOUBLE),
    (lambda kind: pa.types.is_timestamp(kind) or pa.types.is_date(kind), Type.TIMESTAMP),
    (lambda kind: pa.types.is_binary(kind) or pa.types.is_large_binary(kind), Type.BINARY),
    (
        lambda kind: (
            pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)
        ),
        Type.TEXT,
    ),
    (lambda kind: kind == pa.string_view(), Type.TEXT),
    (_is_list_of(pa.types.is_integer), Type.LONGS),
    (_is_list_of(pa.types.is_floating), Type.DOUBLES),
)


def _cast(values: pa.ChunkedArray, column: Column) -> pa.Array:
    """The values in the catalog's type; a NaN is NULL, a zone is applied and dropped."""
    target = SPELLINGS[column.type].arrow
    try:
        if pa.types.is_timestamp(values.type) and values.type.tz is not None:
            values = values.cast(pa.timestamp(values.type.unit, "UTC"))
            values = pc.local_timestamp(values)
        cast = values.cast(target, safe=column.type is not Type.TIMESTAMP)
    except pa.ArrowException as error:
        raise UploadRefused(f"column {column.name!r}: {error}") from error
    array = cast.combine_chunks()
    if column.type.is_floating:
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, target), array)
    _check_shape(array, column)
    return array


def _check_shape(array: pa.Array, column: Column) -> None:
    size = _SIZES.get(column.type)
    if size is None or not len(array):
        return
    lengths = pc.drop_null(pc.list_value_length(array))
    if len(lengths) and not pc.all(pc.equal(lengths, size)).as_py():
        raise UploadRefused(f"column {column.name!r}: a {column.type} has {size} numbers")


def fields_of(source: VotableSource) -> dict[str, Column]:
    """What the FIELDs of a VOTable say, by the names that its reader gives them."""
    return {
        name: Column(
            name,
            _xtype(field.xtype),
            unit=str(field.unit) if field.unit is not None else None,
            ucd=field.ucd,
            utype=field.utype,
            description=field.description or "",
        )
        for name, field in zip(source.names, source.fields, strict=True)
    }


def columns_of_fits(source: FitsSource) -> dict[str, Column]:
    """What a FITS table's header says of its columns."""
    return {
        name: Column(
            name,
            Type.TEXT,
            unit=_word(source, "TUNIT", number),
            ucd=_word(source, "TUCD", number),
            description=_word(source, "TCOMM", number) or "",
        )
        for number, name in enumerate(source.names, start=1)
    }


def _word(source: FitsSource, keyword: str, number: int) -> str | None:
    value = source.header.get(f"{keyword}{number}")
    return value.strip() or None if isinstance(value, str) else None


def _xtype(xtype: str | None) -> Type:
    """The type that a DALI xtype says; TEXT where it says none."""
    known = {kind.value: kind for kind in (*_SIZES, Type.POLYGON, Type.TIMESTAMP)}
    return known.get((xtype or "").lower(), Type.TEXT)
