"""Where a library writes to, and a generator takes from."""

from __future__ import annotations


class Outbox:
    """A sink that hands over what was written to it; not seekable, so formats must stream."""

    def __init__(self) -> None:
        self.closed = False
        self._chunks: list[bytes] = []
        self._written = 0

    def write(self, chunk: bytes) -> int:
        taken = bytes(chunk)
        self._chunks.append(taken)
        self._written += len(taken)
        return len(taken)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Nothing waits here for anyone but `collect`."""

    def close(self) -> None:
        self.closed = True

    def collect(self) -> bytes:
        """What was written since the last call."""
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)
