"""A file's bytes, unpacked where it is packed: by its first bytes, whatever its name is."""

from __future__ import annotations

from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from loaders.readers.source import UnreadableFile

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"\x04\x22\x4d\x18": "lz4",
}
SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}
"""What names say. Only a reason to wonder where the first bytes say otherwise."""
_LONGEST = 4


def packing(path: Path) -> str | None:
    """How a file is packed; None where it is not. Raises UnreadableFile."""
    try:
        with path.open("rb") as file:
            start = file.read(_LONGEST)
    except OSError as error:
        raise UnreadableFile(path, str(error)) from error
    found = next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)
    said = SUFFIXES.get(path.suffix.lower())
    if said is not None and found is None:
        raise UnreadableFile(path, f"its name says {said}, its first bytes do not")
    return found


def bare_name(path: Path) -> Path:
    """A path without the ending that says how it is packed."""
    return path.with_suffix("") if path.suffix.lower() in SUFFIXES else path


def open_bytes(path: Path) -> IO[bytes]:
    """The file's unpacked bytes as a stream, which seeks only where it is not packed."""
    compression = packing(path)
    try:
        # A NativeFile is what IO[bytes] asks of a reader.
        return cast("IO[bytes]", pa.input_stream(path, compression=compression))
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(path, str(error)) from error
