"""Whether an answer is the oracle's: its rows, and their order as far as the query fixes it."""

from __future__ import annotations

from collections.abc import Sequence

from qserv.bound import Query
from tests.support.compare import Row, assert_same_rows


def assert_agrees(query: Query, found: Sequence[Row], wanted: Sequence[Row]) -> None:
    """Raise AssertionError where they differ.

    With a limit the bound order is total, so rows stand where the oracle's do. Without one ties are
    free: then the sort keys that are outputs stand in the same sequence, and the rows agree as a bag.
    """
    if query.limit is not None or query.offset:
        assert_same_rows(found, wanted, ordered=True)
        return
    assert_same_rows(found, wanted, ordered=False)
    outputs = [output.expression for output in query.outputs]
    keys = [outputs.index(key.expression) for key in query.order if key.expression in outputs]
    if len(keys) == len(query.order):
        assert_same_rows(_only(found, keys), _only(wanted, keys), ordered=True)


def _only(rows: Sequence[Row], columns: Sequence[int]) -> list[Row]:
    return [tuple(row[k] for k in columns) for row in rows]
