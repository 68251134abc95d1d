"""A stream of bytes in a content coding (RFC 9110, section 8.4): gzip or zstd."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from enum import StrEnum

import pyarrow as pa

from qserv.formats.outbox import Outbox

_GZIP_LEVEL = 1
"""Arrow's gzip has level 9 only, which is several times slower for a few percent less."""
_GZIP_FRAME = 31
"""What zlib calls gzip's header and trailer around the largest window."""


class Coding(StrEnum):
    """The codings offered, the best first."""

    ZSTD = "zstd"
    GZIP = "gzip"


def accepted_coding(accept: str, offered: Sequence[Coding]) -> Coding | None:
    """The best of the codings offered that an Accept-Encoding header allows; None: as it is.

    What the client weighs highest wins, and of equals the first; `q=0` forbids, `*` stands for those
    not named.
    """
    weights = dict(_weighed(item) for item in accept.lower().split(","))
    others = weights.get("*", 0.0)
    best = max(offered, key=lambda coding: weights.get(coding, others), default=None)
    return best if best is not None and weights.get(best, others) > 0 else None


def _weighed(item: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in item.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, float(parameter[2:])
            except ValueError:
                return name, 0.0
    return name, 1.0


def compress(chunks: Iterator[bytes], coding: Coding) -> Iterator[bytes]:
    """The same bytes in a coding, as they come; what breaks off is never closed.

    A coder holds back up to some 100 kB; a failure of `chunks` passes through, so that whoever reads
    the stream finds it without its end.
    """
    return _gzip(chunks) if coding is Coding.GZIP else _zstd(chunks)


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    coder = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_FRAME)
    for chunk in chunks:
        if ready := coder.compress(chunk):
            yield ready
    yield coder.flush()


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    outbox = Outbox()
    coder = pa.CompressedOutputStream(outbox, "zstd")
    for chunk in chunks:
        coder.write(chunk)
        if ready := outbox.collect():
            yield ready
    coder.close()
    yield outbox.collect()
