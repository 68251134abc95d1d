"""Rows in bites of bounded size, and what several writers need to know of their columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from qserv.result import Answer, ResultColumn
from schema.types import SPELLINGS

SLICE_ROWS = 32_768
"""Rows encoded at once; a few MB for usual widths, small enough for the processor's caches."""


def slices(answer: Answer) -> Iterator[pa.RecordBatch]:
    """The answer's rows in order, at most `SLICE_ROWS` at a time, never empty."""
    for batch in answer.batches:
        for start in range(0, batch.num_rows, SLICE_ROWS):
            yield batch.slice(start, SLICE_ROWS)


def unique_names(columns: Sequence[ResultColumn]) -> tuple[str, ...]:
    """One name per column; a name that came before (in any case) gets `_2`, `_3`...

    For formats whose readers look columns up by name.
    """
    taken = {column.name.casefold() for column in columns}
    seen: set[str] = set()
    names: list[str] = []
    for column in columns:
        name, count = column.name, 1
        while name.casefold() in seen or (count > 1 and name.casefold() in taken):
            count += 1
            name = f"{column.name}_{count}"
        seen.add(name.casefold())
        names.append(name)
    return tuple(names)


def described_schema(columns: Sequence[ResultColumn]) -> pa.Schema:
    """Arrow schema with unique names; unit, ucd, utype, description are the fields' metadata."""
    return pa.schema(
        pa.field(name, SPELLINGS[column.type].arrow, metadata=_metadata(column))
        for name, column in zip(unique_names(columns), columns, strict=True)
    )


def _metadata(column: ResultColumn) -> dict[str, str]:
    facts = {
        "unit": column.unit,
        "ucd": column.ucd,
        "utype": column.utype,
        "description": column.description,
    }
    return {name: value for name, value in facts.items() if value}
