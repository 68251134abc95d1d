r"""Text as databases dump it: MySQL's `SELECT ... INTO OUTFILE` and PostgreSQL's `COPY ... TO`.

Files are named `*.outfile` or `*.outfile.gz`. A backslash says that the character behind it stands for
itself, be it a delimiter or the end of a line, or names one that cannot be written (`\0`, `\n`, `\t`);
`\N` is NULL, an empty cell an empty text. Nothing is quoted. There is no header.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import pyarrow as pa
from typing_extensions import override

from loaders.readers.source import UnreadableFile
from loaders.readers.text import TextSource, guess_delimiter
from schema.catalog import Table
from schema.types import Type

_ESCAPE = re.compile(rb"\\(.)|\r(?!\n)", re.DOTALL)
"""Also a carriage return inside a record, which would end it for Arrow's reader."""
_MEANINGS = {
    b"0": b"\0",
    b"N": b"\\\\N",
    b"Z": b"\x1a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\\\n",
    b"r": b"\\\r",
    b"t": b"\\\t",
    b"v": b"\v",
}
"""What Arrow's reader, which takes each character behind a backslash as itself, must see instead."""
_FIRST_BYTES = 2**20
"""A first record of more bytes is refused."""


def open_dump(path: Path, table: Table, columns: Sequence[str] = ()) -> TextSource:
    """Open a database's dump; `columns` names its columns where they are not in the table's order."""
    fields, delimiter = _first_record(path)
    names = list(columns) or [column.name for column in table.columns]
    if 0 < fields < len(names):
        raise UnreadableFile(
            path, f"it has {fields} fields a record; {table.name} has {len(names)} columns"
        )
    names += [f"field {n}" for n in range(len(names) + 1, fields + 1)]
    found = (table.column(name) for name in names)
    raw = frozenset(
        name
        for name, column in zip(names, found, strict=True)
        if column is not None and column.type is Type.BINARY
    )
    return TextSource(path, tuple(names), delimiter, 0, raw, unescaped=unescaped)


def unescaped(stream: IO[bytes]) -> io.BufferedReader:
    r"""The same bytes, with only such escapes as mean the character itself, and `\\N` for NULL."""
    return io.BufferedReader(_Unescaped(stream), _FIRST_BYTES)


class _Unescaped(io.RawIOBase):
    """Reads another stream, replacing its escapes; none is cut in two."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._ready = stream, b""

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """As io.RawIOBase has it."""
        if not self._ready:
            self._ready = self._next()
        given, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)

    def _next(self) -> bytes:
        block = self._stream.read(_FIRST_BYTES)
        while block.endswith(b"\r") or (len(block) - len(block.rstrip(b"\\"))) % 2:
            more = self._stream.read(1)
            if not more:
                break
            block += more
        return _ESCAPE.sub(_meaning, block)


def _meaning(escape: re.Match[bytes]) -> bytes:
    return _MEANINGS.get(escape[1], escape[0]) if escape[1] else b"\\\r"


def _first_record(path: Path) -> tuple[int, str]:
    """How many fields the first record has, and its delimiter; 0 for an empty file."""
    try:
        with pa.input_stream(path) as stream:
            start = stream.read(_FIRST_BYTES)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(path, str(error)) from error
    plain = _ESCAPE.sub(b"", start)
    record, newline, _ = plain.partition(b"\n")
    if not newline and len(start) == _FIRST_BYTES:
        raise UnreadableFile(path, f"its first record has no end in {_FIRST_BYTES} bytes")
    line = record.decode("utf-8", "replace")
    delimiter = guess_delimiter(path, line)
    return (line.count(delimiter) + 1 if line else 0), delimiter
