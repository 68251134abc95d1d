"""One column of a file to the type of the model: pure; cells that do not fit are named.

Text is parsed; numbers may widen, and narrow where no digit is lost (a DOUBLE may round to REAL);
floating NaN becomes NULL; times lose what is finer than a microsecond, and their zone (as UTC).
Arrays are lists of numbers, or texts with blanks between them; a geometry with a NaN is NULL.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schema.catalog import Column
from schema.errors import InputError
from schema.types import SPELLINGS, Type

_NULLS = pa.array(["", "\\N", "NULL", "null", "None", "nan", "NaN", "NAN"])
"""Texts that mean NULL in a column that is not of text."""
_TRUE = pa.array(["t", "T", "y", "Y", "yes", "\x01"])
_FALSE = pa.array(["f", "F", "n", "N", "no", "\x00"])
_EXACT_FLOAT = 2**53
_EARLIEST = -210_866_803_200_000_000
"""PostgreSQL's first timestamp (4713 BC), microseconds from 1970."""
_SHOWN = 60
"""Characters of a bad value that a reason repeats."""


class WrongType(InputError):
    """A file's column has a type that can never become the model's."""

    code = "WRONG_TYPE"

    def __init__(self, column: str, given: str, needed: str, file: str = "the file") -> None:
        super().__init__(f"column {column!r} is {given} in {file}; {needed} is needed")
        self.column, self.given, self.needed = column, given, needed

    def within(self, file: str) -> WrongType:
        """The same fault, with the file that has it."""
        return WrongType(self.column, self.given, self.needed, file)


@dataclass(frozen=True, slots=True)
class Converted:
    """A column in its model's type; faulty cells are NULL in it, with their reasons by row."""

    array: pa.Array
    faults: dict[int, str]


def convert(array: pa.Array, column: Column) -> Converted:
    """Convert one column of a batch."""
    array = _plain(array)
    if array.type == pa.null():
        return Converted(pa.nulls(len(array), arrow_type(column)), {})
    cast = _caster(array.type, column)
    result, bad = _cast_cells(array, cast, arrow_type(column))
    if column.type.is_geometry:
        result = _without_nan_elements(result)
    faults = {row: _reason(array[row], column) for row in bad}
    match column.type:
        case Type.FLOAT | Type.DOUBLE:
            result = _without_nan(result)
        case Type.TEXT:
            faults = _text_faults(result, column) | faults
        case Type.TIMESTAMP:
            early = pc.less(result, pa.scalar(_EARLIEST, pa.int64()).cast(result.type))
            faults |= dict.fromkeys(_rows(early), f"column {column.name!r}: a time before 4713 BC")
        case _:
            pass
    return Converted(result, faults)


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type in which a column's values are staged and stored."""
    return SPELLINGS[column.type].arrow


def _plain(array: pa.Array) -> pa.Array:
    """Without dictionary or run-end encoding, views, or extension types."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _plain(array.dictionary_decode())
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return array.cast(pa.string())
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return array.cast(pa.binary())
    return array


Cast = Callable[[pa.Array], pa.Array]


def _caster(given: pa.DataType, column: Column) -> Cast:
    """The conversion from a file's type; it raises ArrowInvalid where any cell does not fit."""
    target = arrow_type(column)
    if column.type.element is not None:
        return _array_caster(given, column)
    if pa.types.is_string(given) or (pa.types.is_binary(given) and target != pa.binary()):
        return _text_caster(column.type, target)
    is_number = (
        pa.types.is_integer(given)
        or pa.types.is_floating(given)
        or pa.types.is_decimal(given)
        or pa.types.is_boolean(given)
    )
    is_time = pa.types.is_timestamp(given) or pa.types.is_date(given)
    match column.type:
        case Type.SHORT | Type.INT | Type.LONG if is_number:
            return lambda array: _to_integer(array, target)
        case Type.FLOAT | Type.DOUBLE if is_number:
            return lambda array: _to_floating(array, target)
        case Type.BOOLEAN if pa.types.is_boolean(given) or pa.types.is_integer(given):
            return _to_boolean
        case Type.TIMESTAMP if is_time:
            return lambda array: _to_timestamp(array, target)
        case Type.TEXT if is_number or is_time:
            return lambda array: array.cast(target)
        case Type.BINARY if pa.types.is_binary(given) or pa.types.is_fixed_size_binary(given):
            return lambda array: array.cast(target)
        case _:
            raise WrongType(column.name, str(given), str(column.type))


def _text_caster(kind: Type, target: pa.DataType) -> Cast:
    """The parser of text cells."""
    match kind:
        case Type.TEXT | Type.BINARY:
            return lambda array: array.cast(target)
        case Type.SHORT | Type.INT | Type.LONG:
            return lambda array: _either(_cells(array), _parse, _parse_integral, target)
        case Type.FLOAT | Type.DOUBLE:
            return lambda array: _to_floating(_parse(_cells(array), pa.float64()), target)
        case Type.BOOLEAN:
            return lambda array: _either(_cells(array), _parse, _parse_boolean, target)
        case Type.TIMESTAMP:
            return lambda array: _either(_cells(array), _parse, _parse_instant, target)
        case _:
            return lambda array: _parse_arrays(array, target)


def _array_caster(given: pa.DataType, column: Column) -> Cast:
    """The conversion to an array; a geometry's must have as many numbers as it takes."""
    target = arrow_type(column)
    if pa.types.is_string(given) or pa.types.is_binary(given):
        cast = _text_caster(column.type, target)
    elif pa.types.is_list(given) or pa.types.is_fixed_size_list(given) or _is_large_list(given):
        cast = lambda array: array.cast(target)  # noqa: E731
    else:
        raise WrongType(column.name, str(given), str(column.type))
    return lambda array: _of_right_length(cast(array), column.type)


def _is_large_list(given: pa.DataType) -> bool:
    return bool(pa.types.is_large_list(given))


def _parse_arrays(array: pa.Array, target: pa.DataType) -> pa.Array:
    """Numbers with blanks or commas between, in brackets or without; JSON for arrays of texts."""
    if target.value_type == pa.string():
        return pa.array([None if c is None else json.loads(c) for c in array.to_pylist()], target)
    bare = pc.utf8_trim(pc.replace_substring_regex(_cells(array), r"[\[\](){},\s]+", " "), " ")
    words = pc.if_else(pc.equal(bare, ""), pa.scalar(None, pa.string()), bare)
    return pc.split_pattern(words, " ").cast(target)


def _of_right_length(arrays: pa.ListArray, kind: Type) -> pa.ListArray:
    """The same arrays; ArrowInvalid where one is no geometry of its kind."""
    lengths = pc.list_value_length(arrays)
    match kind:
        case Type.POINT | Type.CIRCLE | Type.INTERVAL:
            wrong = pc.not_equal(lengths, 3 if kind is Type.CIRCLE else 2)
        case Type.POLYGON:
            wrong = pc.or_(pc.less(lengths, 6), pc.equal(pc.bit_wise_and(lengths, 1), 1))
        case _:
            return arrays
    if _has(wrong):
        msg = f"not the numbers of a {kind}"
        raise pa.ArrowInvalid(msg)
    return arrays


def _without_nan_elements(arrays: pa.ListArray) -> pa.ListArray:
    """Geometries of which a number is NaN or NULL as NULL."""
    numbers = arrays.flatten()
    missing = pc.or_(pc.is_null(numbers), pc.fill_null(pc.is_nan(numbers), False))
    if not _has(missing):
        return arrays
    rows = pc.unique(pc.filter(pc.list_parent_indices(arrays), missing))
    is_bad = pc.is_in(pa.array(np.arange(len(arrays))), value_set=rows.cast(pa.int64()))
    return pc.if_else(is_bad, pa.scalar(None, arrays.type), arrays)


def _cells(array: pa.Array) -> pa.Array:
    """Cells as text, trimmed, with the spellings of NULL as NULL."""
    text = pc.utf8_trim(array.cast(pa.string()), " \t\r\n")
    empty = pc.is_in(text, value_set=_NULLS)
    return pc.if_else(empty, pa.scalar(None, pa.string()), text) if _has(empty) else text


def _either(
    cells: pa.Array,
    first: Callable[[pa.Array, pa.DataType], pa.Array],
    second: Callable[[pa.Array, pa.DataType], pa.Array],
    target: pa.DataType,
) -> pa.Array:
    """The first parser's result, else the second's."""
    try:
        return first(cells, target)
    except pa.ArrowInvalid:
        return second(cells, target)


def _parse(cells: pa.Array, target: pa.DataType) -> pa.Array:
    return cells.cast(target)


def _parse_integral(cells: pa.Array, target: pa.DataType) -> pa.Array:
    """Integers written as 12.0 or 1e3, as pandas writes a column with NULLs."""
    values = cells.cast(pa.float64())
    if _has(pc.greater_equal(pc.abs(values), float(_EXACT_FLOAT))):
        msg = "an integer in floating point beyond 2**53"
        raise pa.ArrowInvalid(msg)
    return values.cast(target)


def _parse_boolean(cells: pa.Array, target: pa.DataType) -> pa.Array:
    """T and F, yes and no, MySQL's BIT bytes; the rest as Arrow reads it."""
    text = pc.if_else(pc.is_in(cells, value_set=_TRUE), "1", cells)
    return pc.if_else(pc.is_in(cells, value_set=_FALSE), "0", text).cast(target)


def _to_boolean(array: pa.Array) -> pa.Array:
    """Booleans, 0 and 1; ArrowInvalid for other numbers, which Arrow would call true."""
    if pa.types.is_integer(array.type) and _has(
        pc.not_equal(array, array.cast(pa.bool_()).cast(array.type))
    ):
        msg = "a number that is neither 0 nor 1"
        raise pa.ArrowInvalid(msg)
    return array.cast(pa.bool_())


def _parse_instant(cells: pa.Array, target: pa.DataType) -> pa.Array:
    """ISO times with a zone or with nanoseconds."""
    bare = pc.replace_substring_regex(cells, r"(\.\d{6})\d+", r"\1")
    try:
        return bare.cast(target)
    except pa.ArrowInvalid:
        return bare.cast(pa.timestamp("us", tz="UTC")).cast(target)


def _to_integer(array: pa.Array, target: pa.DataType) -> pa.Array:
    """Exact or ArrowInvalid; NaN is NULL."""
    if pa.types.is_boolean(array.type):
        return array.cast(target)
    return (_without_nan(array) if pa.types.is_floating(array.type) else array).cast(target)


def _to_floating(array: pa.Array, target: pa.DataType) -> pa.Array:
    """Rounded to the nearest; ArrowInvalid where a finite number would become infinite."""
    if array.type == target:
        return array
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    if pa.types.is_integer(array.type) and target == pa.float64():
        return array.cast(target)  # Exact: it refuses what lies beyond 2**53.
    result = array.cast(target, safe=False)
    if target == pa.float32() and pa.types.is_floating(array.type):
        overflow = pc.and_(pc.is_inf(result), pc.is_finite(array))
        if _has(overflow):
            msg = "out of the range of REAL"
            raise pa.ArrowInvalid(msg)
    return result


def _to_timestamp(array: pa.Array, target: pa.DataType) -> pa.Array:
    options = pc.CastOptions(target, allow_time_truncate=True)
    return pc.cast(array, options=options)


def _without_nan(array: pa.Array) -> pa.Array:
    """NaN as NULL."""
    nan = pc.is_nan(array)
    return pc.if_else(nan, pa.scalar(None, array.type), array) if _has(nan) else array


def _cast_cells(array: pa.Array, cast: Cast, target: pa.DataType) -> tuple[pa.Array, list[int]]:
    """Convert all cells; those that do not fit become NULL and are listed, found by halving."""
    try:
        return cast(array), []
    except (pa.ArrowInvalid, UnicodeDecodeError, json.JSONDecodeError):
        if len(array) == 1:
            return pa.nulls(1, target), [0]
    half = len(array) // 2
    left, bad_left = _cast_cells(array.slice(0, half), cast, target)
    right, bad_right = _cast_cells(array.slice(half), cast, target)
    return pa.concat_arrays([left, right]), bad_left + [half + row for row in bad_right]


def _text_faults(array: pa.Array, column: Column) -> dict[int, str]:
    """Texts that are too long, or hold a NUL character, which PostgreSQL cannot store."""
    faults: dict[int, str] = {}
    nul = pc.match_substring(array, "\x00")
    for row in _rows(nul):
        faults[row] = f"column {column.name!r}: a text with a NUL character"
    if column.length is not None:
        for row in _rows(pc.greater(pc.utf8_length(array), column.length)):
            shown = str(array[row])[:_SHOWN]
            faults[row] = f"column {column.name!r}: {shown!r} is longer than {column.length}"
    return faults


def _reason(value: pa.Scalar, column: Column) -> str:
    shown = str(value.as_py())[:_SHOWN]
    return f"column {column.name!r}: {shown!r} is not a value of type {column.type}"


def _has(mask: pa.Array) -> bool:
    """Whether any element is true."""
    return pc.any(mask).as_py() is True


def _rows(mask: pa.Array) -> list[int]:
    """Where the mask is true."""
    if not _has(mask):
        return []
    flags = np.asarray(pc.fill_null(mask, fill_value=False), dtype=np.bool_)
    return [int(row) for row in np.flatnonzero(flags)]
