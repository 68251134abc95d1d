"""Avro object container files, block by block.

Logical types are read as what they mean: times, dates, decimals, UUIDs as texts. A union with null is
nullable; records within records, maps and unions of several types are not taken.
"""

from __future__ import annotations

import itertools
import struct
import uuid
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import fastavro
import pyarrow as pa

from loaders.readers.compressed import open_bytes
from loaders.readers.source import SourceBatch, UnreadableFile, numbered, rows_per_batch

_MOST_ROWS = 65_536
"""Rows are Python's objects on their way: more of them at a time are not faster."""
_MOST_BYTES = 2**28
"""Of a block, or of one value; more is refused."""
_PLAIN = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.string(),
    "enum": pa.string(),
    "fixed": pa.binary(),
}
_LOGICAL = {
    "timestamp-millis": pa.timestamp("ms", "UTC"),
    "timestamp-micros": pa.timestamp("us", "UTC"),
    "timestamp-nanos": pa.timestamp("ns", "UTC"),
    "local-timestamp-millis": pa.timestamp("ms"),
    "local-timestamp-micros": pa.timestamp("us"),
    "date": pa.date32(),
    "uuid": pa.string(),
}
_BAD = (
    *(ValueError, TypeError, KeyError, IndexError, EOFError, OSError, OverflowError, MemoryError),
    *(struct.error, zlib.error, RecursionError, AssertionError, pa.ArrowException),
    fastavro.schema.SchemaParseException,
)


@dataclass(frozen=True, slots=True)
class AvroSource:
    """An Avro object container file of records."""

    path: Path
    types: dict[str, pa.DataType | None]
    """None: of a type that is not taken."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.types)

    def batches(self, wanted: Sequence[str]) -> Iterator[SourceBatch]:
        """The rows with the wanted columns."""
        types = [self._type(name) for name in wanted]
        size, first = min(_MOST_ROWS, rows_per_batch(len(wanted))), 1
        try:
            with open_bytes(self.path) as stream:
                records = _records(stream)
                while rows := list(itertools.islice(records, size)):
                    arrays = [
                        _array([row[name] for row in rows], kind)
                        for name, kind in zip(wanted, types, strict=True)
                    ]
                    batch = pa.RecordBatch.from_arrays(arrays, list(wanted))
                    yield numbered(batch, first)
                    first += len(rows)
        except _BAD as error:
            raise UnreadableFile(self.path, _said(error)) from error

    def _type(self, name: str) -> pa.DataType:
        kind = self.types[name]
        if kind is None:
            raise UnreadableFile(self.path, f"column {name!r} is of a type that no column takes")
        return kind


def open_avro(path: Path) -> AvroSource:
    """Read the header of an Avro file."""
    try:
        with open_bytes(path) as stream:
            schema = fastavro.reader(_Bounded(stream)).writer_schema
    except _BAD as error:
        raise UnreadableFile(path, _said(error)) from error
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise UnreadableFile(path, "it holds no records")
    return AvroSource(path, {field["name"]: _arrow(field["type"]) for field in schema["fields"]})


class _Bounded:
    """A stream of which nobody reads more at a time than a block may have."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        """As a stream has it. Raises ValueError for what only a damaged file asks for."""
        if not 0 <= size <= _MOST_BYTES:
            raise ValueError(f"a block or a value of {size} bytes")
        return self._stream.read(size)


def _records(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    yield from fastavro.reader(_Bounded(stream), handle_unicode_errors="strict")


def _arrow(kind: Any) -> pa.DataType | None:
    """The Arrow type of an Avro type; None where there is none."""
    match kind:
        case list():
            others = [one for one in kind if one != "null"]
            return _arrow(others[0]) if len(others) == 1 else None
        case {"logicalType": "decimal", "precision": int(precision)}:
            return pa.decimal256(precision, int(kind.get("scale", 0))) if precision <= 76 else None
        case {"logicalType": str(logical)} if logical in _LOGICAL:
            return _LOGICAL[logical]
        case {"type": "array", "items": items}:
            element = _arrow(items)
            return None if element is None else pa.list_(element)
        case {"type": inner}:
            return _arrow(inner)
        case str():
            return _PLAIN.get(kind)
        case _:
            return None


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        values = [str(v) if isinstance(v, uuid.UUID) else v for v in values]
    return pa.array(values, kind)


def _said(error: BaseException) -> str:
    return f"it is no whole Avro file ({type(error).__name__}: {str(error)[:200]})"
