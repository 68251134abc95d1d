"""The checksum of rows: the sum modulo 2**64 of a hash of each row over canonical values.

A sum, so that neither the order of the rows nor how they were cut into batches matters; over
values, so that a PostgreSQL table, its Parquet twin and the encoder's Arrow agree. Not
cryptographic: it finds lost, doubled and damaged rows, not forged ones.

A value hashes as 64 bits: integers, booleans and timestamps (microseconds) by value, floats as
their double (-0 as 0, NaN as NULL), text and binary by their bytes, arrays by their
elements and places. A row's hash is a mix of the sum of its values' hashes, each under a seed made
from its column's name, so the order of columns does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schema.placement import splitmix64

U64 = NDArray[np.uint64]
BATCH_ROWS = 65_536
"""Rows hashed at once: their temporaries stay in the processor's cache."""
_ODD = np.uint64(0xFF51AFD7ED558CCD)
_HIGH = np.uint64(32)


def checksum(table: pa.Table, columns: Sequence[str]) -> int:
    """The checksum of all rows over the named columns, 0 <= result < 2**64."""
    chosen = table.select(list(columns))
    return combine(_batch_sum(batch) for batch in chosen.to_batches(max_chunksize=BATCH_ROWS))


def combine(checksums: Iterable[int]) -> int:
    """The checksum of all rows from those of disjoint parts."""
    return sum(checksums) % 2**64


def row_hashes(batch: pa.RecordBatch) -> U64:
    """One hash a row, over all columns of the batch."""
    rows = np.zeros(batch.num_rows, np.uint64)
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        digest = blake2b(name.encode(), digest_size=8).digest()
        rows += _hashes(values, np.uint64(int.from_bytes(digest, "little")))
    return splitmix64(rows)


def _batch_sum(batch: pa.RecordBatch) -> int:
    return int(row_hashes(batch).sum(dtype=np.uint64))


def _hashes(values: pa.Array, seed: np.uint64) -> U64:
    """One hash a value."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    words, valid = _words(values)
    words = words ^ seed
    high = np.empty_like(words)
    for _ in range(2):
        words *= _ODD
        words ^= np.right_shift(words, _HIGH, out=high)
    if valid is not None:
        words[~valid] = splitmix64(np.array([~seed], np.uint64))[0]
    return words


def _words(values: pa.Array) -> tuple[U64, NDArray[np.bool_] | None]:
    """Each value as 64 bits, and which are not NULL (None: all)."""
    kind = values.type
    valid = None
    if values.null_count:
        valid = np.asarray(values.is_valid().to_numpy(zero_copy_only=False), np.bool_)
    if pa.types.is_floating(kind):
        floats = _filled(values, 0.0).astype(np.float64)
        floats += 0.0
        is_nan = np.isnan(floats)
        if is_nan.any():
            valid = ~is_nan if valid is None else valid & ~is_nan
        return floats.view(np.uint64), valid
    if _is_bytes(kind):
        return _byte_words(values), valid
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _list_words(values), valid
    if pa.types.is_timestamp(kind):
        values = values.cast(pa.timestamp("us")).cast(pa.int64())
    elif pa.types.is_boolean(kind):
        values = values.cast(pa.int8())
    elif not pa.types.is_integer(kind):
        raise TypeError(f"no checksum for {kind}")
    return _filled(values, 0).astype(np.int64).view(np.uint64), valid


def _filled(values: pa.Array, value: float) -> NDArray[np.generic]:
    filled = pc.fill_null(values, value) if values.null_count else values
    return np.asarray(filled.to_numpy(zero_copy_only=False))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _list_words(values: pa.Array) -> U64:
    """Each array as the sum over its elements of a hash of (place, element), with its length."""
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(lengths, dtype=np.int64)
    starts = ends - lengths
    words, valid = _words(values.flatten())
    mixed = splitmix64(words)
    if valid is not None:
        mixed[~valid] = _ODD
    places = np.arange(len(mixed)) - np.repeat(starts, lengths)
    mixed = splitmix64(mixed + places.astype(np.uint64))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])
    return np.asarray(sums[ends] - sums[starts] + lengths.astype(np.uint64))


def _byte_words(values: pa.Array) -> U64:
    """Each text as the sum over its bytes of a hash of (place, byte), with its length."""
    if pa.types.is_fixed_size_binary(values.type):
        values = values.cast(pa.binary())
    values = pc.fill_null(values.cast(pa.large_binary()), b"")
    _, offset_buffer, data = values.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64)[
        values.offset : values.offset + len(values) + 1
    ]
    lengths = np.diff(offsets)
    if data is None or not lengths.any():
        return lengths.astype(np.uint64)
    flat = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]
    places = np.arange(len(flat)) - np.repeat(offsets[:-1] - offsets[0], lengths)
    mixed = splitmix64((places * 256 + flat).astype(np.uint64))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])
    at = offsets - offsets[0]
    return np.asarray(sums[at[1:]] - sums[at[:-1]] + lengths.astype(np.uint64))
