"""Primary keys of replicated tables: each comes once, in an ingest and in what is published.

Such tables are small: the keys of one lie in memory, whatever their types. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from loaders.readers.source import I64
from loaders.staging.validate import Bools
from schema.catalog import Role, Table

_PLACE = "_place"
SHOWN_KEYS = 3
"""So many keys are named where several are wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """Which rows have a key that is published, and which one that a row before them has."""

    is_taken: Bools
    is_again: Bools


def unique_key(table: Table) -> tuple[str, ...]:
    """The columns whose values together come once; () where nothing is compared."""
    return table.primary_key if table.role is Role.REPLICATED else ()


def repeated(keys: pa.Table, published: pa.Table) -> Repeated:
    """The rows of `keys` that come again; both have the key's columns alone."""
    before = published.num_rows
    names = keys.column_names
    every = pa.concat_tables([published.select(names).cast(keys.schema), keys])
    numbered = every.append_column(_PLACE, pa.array(np.arange(every.num_rows)))
    groups = numbered.group_by(names).aggregate([(_PLACE, "list")])
    lists = groups.column(f"{_PLACE}_list").combine_chunks()
    sizes = np.asarray(lists.value_lengths())
    places = np.asarray(lists.flatten())
    first = np.empty(every.num_rows, np.int64)
    if len(places):
        starts = np.cumsum(sizes) - sizes
        first[places] = np.repeat(np.minimum.reduceat(places, starts), sizes)
    is_taken = first < before
    is_again = ~is_taken & (first < np.arange(every.num_rows))
    return Repeated(is_taken[before:], is_again[before:])


def shown(keys: pa.Table, rows: I64) -> str:
    """The first keys at the given rows, as texts."""
    picked = keys.take(pa.array(rows[:SHOWN_KEYS])).to_pylist()
    return ", ".join(" ".join(str(value) for value in row.values()) for row in picked)
