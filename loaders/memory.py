"""Memory given back to the system, so that what one phase of an ingest needed is free for the next.

Arrow's allocator and glibc's keep what was freed; of 20M rows that was half a gigabyte after staging.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import pyarrow as pa

_LARGE_BYTES = 4 << 20
_M_MMAP_THRESHOLD = -3


def keep_large_apart() -> None:
    """From now on arrays of 4 MiB and more go back to the system when they are freed (glibc)."""
    if hasattr(_libc(), "mallopt"):
        _libc().mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Return what is free, as far as the allocators can."""
    pa.default_memory_pool().release_unused()
    if hasattr(_libc(), "malloc_trim"):
        _libc().malloc_trim(0)


@cache
def _libc() -> Any:
    """The C library of this process."""
    return ctypes.CDLL(None)
