"""The bytes of a text file as Arrow's reader takes them, and what its first lines tell."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
from typing_extensions import override

from loaders.readers.compressed import bare_name, open_bytes, packing
from loaders.readers.dump import needs_translation, translated
from loaders.readers.encoding import is_utf8, transcoded
from loaders.readers.form import Form, Piece
from loaders.readers.source import UnreadableFile

_HEAD_LINES = 10_000
"""An ECSV header of more lines is refused."""
_LINE_BYTES = 2**20
"""A first line of more bytes is refused."""
_COMMENT_BYTES = 2**24
"""A line without an end of more bytes is refused where comments are left out."""
_ECSV_DELIMITER = re.compile(r"^#\s*-?\s*delimiter:\s*['\"]?(.)['\"]?\s*$")


_ESCAPED_END = re.compile(rb"(?<!\\)(?:\\\\)*\\\n\Z")


@dataclass(frozen=True, slots=True)
class Head:
    """What stands first: `skip` lines to leave out, then `line`; how its fields are parted."""

    skip: int
    line: str
    delimiter: str


@contextmanager
def plain_stream(path: Path, form: Form, piece: Piece | None = None) -> Iterator[IO[bytes]]:
    """A text's bytes: unpacked, in UTF-8 (if they are not damaged), without comments, as Arrow takes them."""
    with open_bytes(path) as packed:
        stream: IO[bytes] = packed
        if piece is not None:
            _check_piece(path, form)
            stream = _limited(packed, piece)
        if not is_utf8(form.encoding):
            stream = transcoded(stream, form.encoding)
        if form.comment:
            stream = io.BufferedReader(_WithoutComments(stream, form.comment.encode()))
        if needs_translation(form):
            stream = translated(stream, form)
        yield stream


def _check_piece(path: Path, form: Form) -> None:
    if packing(path) is not None or not is_utf8(form.encoding) or form.comment:
        raise UnreadableFile(
            path, "pieces are of text that is neither packed nor transcoded, without comments"
        )


def read_head(path: Path, form: Form) -> Head:
    """What a text file begins with. Raises UnreadableFile."""
    try:
        with plain_stream(path, form) as stream:
            lines = io.BufferedReader(_Reader(stream), _LINE_BYTES)
            return _head_of(path, form, lines)
    except UnicodeDecodeError as error:
        raise UnreadableFile(path, f"it is not {form.encoding}: {error}") from error
    except (OSError, EOFError, pa.ArrowException) as error:
        raise UnreadableFile(path, str(error)) from error


def _head_of(path: Path, form: Form, lines: IO[bytes]) -> Head:
    is_ecsv = form.format == "ecsv"
    declared, skip = "", 0
    while line := _first_line(lines, is_escaped=needs_translation(form)):
        if not line.endswith(b"\n") and len(line) >= _LINE_BYTES:
            raise UnreadableFile(path, f"its first line has no end in {_LINE_BYTES} bytes")
        text = line.decode("utf-8", "replace").removeprefix("\ufeff")
        if skip >= form.skip and not (is_ecsv and text.startswith("#")):
            if not needs_translation(form):
                # A lone carriage return ends a line, too.
                text = text.splitlines()[0] if text.strip("\r\n") else ""
            return Head(skip, text, _delimiter(path, form, text, declared))
        skip += 1
        if skip > _HEAD_LINES:
            raise UnreadableFile(path, f"its header has more than {_HEAD_LINES} lines")
        if found := _ECSV_DELIMITER.match(text):
            declared = found[1]
    return Head(skip, "", _delimiter(path, form, "", declared))


def _first_line(lines: IO[bytes], *, is_escaped: bool) -> bytes:
    """The next line, with the ends of lines in it that are escaped."""
    line = lines.readline(_LINE_BYTES)
    while is_escaped and _ESCAPED_END.search(line) and len(line) < _LINE_BYTES:
        more = lines.readline(_LINE_BYTES - len(line))
        if not more:
            break
        line += more
    return line


def _delimiter(path: Path, form: Form, line: str, declared: str) -> str:
    """What the form says, or the header, or the name; else what occurs most of , tab ; | in the line."""
    if form.delimiter:
        return form.delimiter
    if form.format == "ecsv":
        return declared or " "
    if form.format == "tsv" or bare_name(path).suffix.lower() == ".tsv":
        return "\t"
    if needs_translation(form):
        # Escaped ones part nothing.
        line = re.sub(r"\\.", "", line, flags=re.DOTALL)
    return max(",\t;|", key=line.count)


def _limited(stream: IO[bytes], piece: Piece) -> IO[bytes]:
    """Only the bytes of a piece."""
    stream.seek(piece.first)
    left = piece.end - piece.first

    def read(size: int) -> bytes:
        nonlocal left
        block = stream.read(min(size, left))
        left -= len(block)
        return block

    return io.BufferedReader(_Reader(stream, read), 2**20)


class _Reader(io.RawIOBase):
    """A stream of Python's of one that is not, or of a part of it."""

    def __init__(self, stream: IO[bytes], read: Callable[[int], bytes] | None = None) -> None:
        self._read = read or stream.read

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """As io.RawIOBase has it."""
        given = self._read(len(buffer))
        buffer[: len(given)] = given
        return len(given)


class _WithoutComments(io.RawIOBase):
    """A text without the lines that begin with a sign."""

    def __init__(self, stream: IO[bytes], sign: bytes) -> None:
        self._stream, self._ready, self._rest, self._is_over = stream, b"", b"", False
        self._comment = re.compile(rb"^" + re.escape(sign) + rb"[^\n]*(?:\n|\Z)", re.MULTILINE)

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """As io.RawIOBase has it."""
        while not self._ready and not self._is_over:
            self._ready = self._next()
        given, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)

    def _next(self) -> bytes:
        block = self._stream.read(2**20)
        self._is_over = not block
        text = self._rest + block
        end = len(text) if self._is_over else text.rfind(b"\n") + 1
        if end == 0 and len(text) > _COMMENT_BYTES:
            raise OSError(f"a line of more than {_COMMENT_BYTES} bytes")
        lines, self._rest = text[:end], text[end:]
        return self._comment.sub(b"", lines)
