r"""Text as databases write and read it (`INTO OUTFILE`, `LOAD DATA`, `COPY`), made fit for Arrow's reader.

An escape sign says that the character behind it stands for itself, be it a delimiter or the end of a
line, or names one that cannot be written (`\0`, `\n`, `\t`); `\N` is NULL. Arrow's reader knows one
escape (a backslash before the character itself), delimiters of one byte, and the ends of lines of texts:
`translated` makes the one of the other.
"""

from __future__ import annotations

import io
import re
from typing import IO

from typing_extensions import override

from loaders.readers.form import Form

DELIMITER = "\x1f"
"""What stands for a delimiter of several bytes."""
_BLOCK_BYTES = 2**20
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


def needs_translation(form: Form) -> bool:
    """Whether Arrow's reader cannot read such a text as it stands."""
    return bool(form.escape) or len(form.delimiter.encode()) > 1 or form.has_own_line_end


def translated(stream: IO[bytes], form: Form) -> io.BufferedReader:
    r"""The same records, with only such escapes as mean the character itself, and `\\N` for NULL."""
    return io.BufferedReader(_Translated(stream, form), _BLOCK_BYTES)


def _tokens(form: Form) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """What is replaced: in the midst of a text, where a token may be cut off (`tail`), and at its end."""
    escape, delimiter = (form.escape or "").encode(), form.delimiter.encode()
    line_end = b"" if form.line_end in ("", "\n") else form.line_end.encode()
    kinds: list[tuple[bytes, bytes]] = []
    if escape:
        kinds.append((b"escape", re.escape(escape) + b"(?P<meant>.)"))
    if line_end:
        kinds.append((b"line", re.escape(line_end)))
    if len(delimiter) > 1:
        kinds.append((b"delimiter", re.escape(delimiter)))
    own = b"\n\r" if line_end else b""
    own += DELIMITER.encode() if len(delimiter) > 1 else b""
    own += b"" if escape == b"\\" else b"\\"
    raw = [b"[" + re.escape(own) + b"]"] if own else []
    # A carriage return inside a record would end it for Arrow's reader.
    raw += [] if line_end else [rb"\r(?!\n)"]
    kinds.append((b"raw", b"|".join(raw)))
    ended = b"|".join(b"(?P<%b>%b)" % kind for kind in kinds)
    cut = [escape, b"" if line_end else b"\r"]
    cut += [sign[:size] for sign in (line_end, delimiter) for size in range(1, len(sign))]
    tail = b"|".join(re.escape(sign) for sign in sorted(filter(None, cut), key=len, reverse=True))
    whole = b"(?P<tail>(?:%b)\\Z)|%b" % (tail, ended)
    return re.compile(whole, re.DOTALL), re.compile(ended, re.DOTALL)


class _Translated(io.RawIOBase):
    """Reads another stream, replacing its tokens; none is cut in two."""

    def __init__(self, stream: IO[bytes], form: Form) -> None:
        self._stream, self._ready, self._tail, self._is_over = stream, b"", b"", False
        self._midst, self._end = _tokens(form)

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
        block = self._stream.read(_BLOCK_BYTES)
        self._is_over = not block
        text, self._tail = self._tail + block, b""
        return (self._midst if block else self._end).sub(self._replaced, text)

    def _replaced(self, found: re.Match[bytes]) -> bytes:
        match found.lastgroup:
            case "tail":
                self._tail = found[0]
                return b""
            case "line":
                return b"\n"
            case "delimiter":
                return DELIMITER.encode()
            case "raw":
                return b"\\" + found[0]
            case _:
                meant = found["meant"]
                return _MEANINGS.get(meant, b"\\" + meant)
