"""Answers for the writers: hand-made ones, and random ones of every type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
from hypothesis import strategies as st

from qserv.result import Answer, ResultColumn
from schema.types import SPELLINGS, Type

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12
)
VALUES: dict[Type, st.SearchStrategy[object]] = {
    Type.BOOLEAN: st.booleans(),
    Type.SHORT: st.integers(-(2**15) + 1, 2**15 - 1),
    Type.INT: st.integers(-(2**31) + 1, 2**31 - 1),
    Type.LONG: st.integers(-(2**63) + 1, 2**63 - 1),
    Type.FLOAT: st.floats(width=32, allow_nan=False),
    Type.DOUBLE: st.floats(allow_nan=False),
    Type.TEXT: TEXT,
    Type.BINARY: st.binary(max_size=9),
    Type.TIMESTAMP: st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)),  # noqa: DTZ001
}
NUMBER = st.floats(allow_nan=False)
VALUES |= {
    Type.LONGS: st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=4),
    Type.TEXTS: st.lists(st.none() | st.text('ab",[ ', max_size=4), max_size=3),
    Type.POINT: st.lists(NUMBER, min_size=2, max_size=2),
    Type.CIRCLE: st.lists(NUMBER, min_size=3, max_size=3),
    Type.POLYGON: st.lists(NUMBER, min_size=6, max_size=8),
    Type.INTERVAL: st.lists(NUMBER, min_size=2, max_size=2),
    Type.DOUBLES: st.lists(NUMBER, min_size=1, max_size=4),
}


@st.composite
def columns_and_rows(
    draw: st.DrawFn, text: st.SearchStrategy[str] = TEXT
) -> tuple[tuple[ResultColumn, ...], list[list[object]]]:
    """One to nine columns of any types, and a few rows, cell by cell, with NULLs."""
    kinds = draw(st.lists(st.sampled_from(list(Type)), min_size=1, max_size=9))
    columns = tuple(ResultColumn(f"c{i}", kind) for i, kind in enumerate(kinds))
    values = {**VALUES, Type.TEXT: text}
    row = st.tuples(*(st.none() | values[kind] for kind in kinds)).map(list)
    return columns, draw(st.lists(row, max_size=6))


def answer_of(
    columns: Sequence[ResultColumn], rows: Sequence[Sequence[object]], cut: int | None = None
) -> Answer:
    """An answer of these rows, in two batches split at `cut`, read as slices with an offset."""
    arrays = [
        pa.array([None, *(row[i] for row in rows)], SPELLINGS[column.type].arrow)
        for i, column in enumerate(columns)
    ]
    whole = pa.RecordBatch.from_arrays(arrays, names=[c.name for c in columns]).slice(1)
    at = len(rows) // 2 if cut is None else cut
    return Answer("q-1", tuple(columns), iter([whole.slice(0, at), whole.slice(at)]))


def example(*columns: ResultColumn, rows: Sequence[Sequence[object]]) -> Answer:
    return answer_of(columns, rows)
