"""Rows in another order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from loaders.readers.source import I64

_LEAST_SHARED = 1_000_000
"""From so many values on, two threads sort them."""


def ascending(values: I64) -> I64:
    """The places of the values in ascending order; those of equal ones as they came.

    Only where some are equal they need NumPy's stable sort, which takes three times as long.
    """
    order = _quickly_sorted(values)
    found = values[order]
    return np.argsort(values, kind="stable") if np.any(found[1:] == found[:-1]) else order


def _quickly_sorted(values: I64) -> I64:
    """The places of the values in ascending order, those of equal ones in any."""
    if len(values) < _LEAST_SHARED:
        return np.argsort(values)
    sample = np.sort(values[:: len(values) // 1000])
    is_low = values < sample[len(sample) // 2]
    halves = np.flatnonzero(is_low), np.flatnonzero(~is_low)
    with ThreadPoolExecutor(len(halves), thread_name_prefix="sort") as threads:
        return np.concatenate(
            list(threads.map(lambda half: half[np.argsort(values[half])], halves))
        )


def reordered(rows: pa.Table, order: I64) -> pa.Table:
    """The rows at the given places, in that order, in one piece.

    A record batch and 32-bit places: 2.5 times faster than `Table.take`.
    """
    batches = rows.combine_chunks().to_batches()
    if not batches:
        return rows.slice(0, 0)
    places = pa.array(order.astype(np.int32 if rows.num_rows < 2**31 else np.int64))
    return pa.Table.from_batches([batches[0].take(places)])
