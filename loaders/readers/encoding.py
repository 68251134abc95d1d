"""The bytes of a text file on their way to Arrow's CSV reader, which wants UTF-8.

`checked` passes UTF-8 and raises UnicodeDecodeError at anything else. `as_latin1` takes any bytes, each
for a character, and `back` undoes that cell by cell, so that a bad cell is one row's fault.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import override

_BLOCK_BYTES = 2**20


def checked(stream: IO[bytes]) -> io.BufferedReader:
    """The same bytes; UnicodeDecodeError where they are not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()

    def check(block: bytes) -> bytes:
        is_plain = block.isascii() and not decoder.getstate()[0]
        if not block or not is_plain:
            decoder.decode(block, final=not block)
        return block

    return io.BufferedReader(_Mapped(stream, check), _BLOCK_BYTES)


def as_latin1(stream: IO[bytes]) -> io.BufferedReader:
    """Each byte as the character of its number, in UTF-8; without a byte order mark."""
    is_start = True

    def transcode(block: bytes) -> bytes:
        nonlocal is_start
        if is_start:
            block = block.removeprefix(codecs.BOM_UTF8)
        is_start = False
        return block.decode("latin-1").encode()

    return io.BufferedReader(_Mapped(stream, transcode), _BLOCK_BYTES)


def transcoded(stream: IO[bytes], encoding: str) -> io.BufferedReader:
    """Text of another encoding as UTF-8; UnicodeDecodeError where it is not of that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()

    def transcode(block: bytes) -> bytes:
        return decoder.decode(block, final=not block).encode()

    return io.BufferedReader(_Mapped(stream, transcode), _BLOCK_BYTES)


def is_utf8(encoding: str) -> bool:
    """Whether an encoding is UTF-8, or part of it."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


def back(text: str) -> str:
    """A text read through `as_latin1` as it was meant."""
    return text.encode("latin-1").decode("utf-8", "replace")


def column_back(column: pa.Array) -> pa.Array:
    """A column read through `as_latin1`: its bytes, as text where all are UTF-8."""
    if not pc.any(pc.not_equal(pc.binary_length(column), pc.utf8_length(column))).as_py():
        return column
    cells = (None if text is None else text.encode("latin-1") for text in column.to_pylist())
    return as_text(pa.array(cells, pa.binary()))


def as_text(column: pa.Array) -> pa.Array:
    """A column of bytes as text; unchanged where some are not UTF-8."""
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return column


class _Mapped(io.RawIOBase):
    """Reads another stream, changing each block."""

    def __init__(self, stream: IO[bytes], change: Callable[[bytes], bytes]) -> None:
        self._stream, self._change, self._ready = stream, change, b""

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """As io.RawIOBase has it."""
        block = b"?"
        while block and not self._ready:
            # A block may become nothing: only an empty one is the end.
            block = self._stream.read(_BLOCK_BYTES)
            self._ready = self._change(block)
        given, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)
