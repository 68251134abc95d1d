"""What a catalog holds in one state, and what each question has for an answer then."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tests.loaders.skies import objects, sources_of

Rows = Mapping[str, pa.Table]
Lines = list[str]


@dataclass(frozen=True, slots=True)
class Question:
    """A query on a catalog `{c}`, and its answer's lines as the rows of a state say it."""

    name: str
    text: str
    expected: Callable[[Rows], Lines]

    def answer(self, rows: Rows) -> tuple[int, int]:
        return order_free(self.expected(rows))


def order_free(lines: Lines) -> tuple[int, int]:
    """How many lines, and a sum over them that their order does not change."""
    return len(lines), sum(zlib.crc32(line.encode()) for line in lines)


def _sources(rows: Rows) -> Lines:
    table = rows["Source"]
    pairs = zip(table["sourceId"].to_pylist(), table["objectId"].to_pylist(), strict=True)
    return [f"{source},{of}" for source, of in pairs]


def _objects(rows: Rows) -> Lines:
    total = pc.sum(rows["Object"]["objectId"]).as_py()
    return [f"{rows['Object'].num_rows},{'' if total is None else total}"]


def _joined(rows: Rows) -> Lines:
    is_there = pc.is_in(rows["Source"]["objectId"], value_set=rows["Object"]["objectId"])
    return [str(pc.sum(is_there, min_count=0).as_py())]


KEYS = (3, 150, 1001, 1020, 2003)


def _by_key(rows: Rows) -> Lines:
    known = set(rows["Object"]["objectId"].to_pylist())
    return [str(key) for key in KEYS if key in known]


def _filters(rows: Rows) -> Lines:
    return [str(one) for one in rows["Filter"]["filterId"].to_pylist()]


QUESTIONS = (
    Question("rows", "SELECT sourceId, objectId FROM {c}.Source", _sources),
    Question("sums", "SELECT COUNT(*) AS n, SUM(objectId) AS s FROM {c}.Object", _objects),
    Question(
        "join",
        "SELECT COUNT(*) AS n FROM {c}.Object AS o JOIN {c}.Source AS s ON o.objectId = s.objectId",
        _joined,
    ),
    Question(
        "keys",
        f"SELECT objectId FROM {{c}}.Object WHERE objectId IN ({', '.join(map(str, KEYS))})",
        _by_key,
    ),
    Question("whole", "SELECT filterId FROM {c}.Filter", _filters),
)


def joined(*worlds: Rows) -> Rows:
    """The rows of several, table by table."""
    names = {name for world in worlds for name in world}
    return {
        name: pa.concat_tables([world[name] for world in worlds if name in world]) for name in names
    }


def _filters_table(*numbers: int) -> pa.Table:
    return pa.table(
        {"filterId": pa.array(numbers, pa.int16()), "name": [f"f{one}" for one in numbers]}
    )


_FIRST, _LATE, _THIRD = (
    objects(240),
    objects(60, first=1001, seed=5),
    objects(40, first=2001, seed=6),
)
FIRST: Rows = {
    "Object": _FIRST,
    "Source": pa.concat_tables(
        # The last are orphans: their objects come with LATE.
        [sources_of(_FIRST, 2), sources_of(_LATE, 1, first=50_001)]
    ),
    "Filter": _filters_table(1, 2),
}
LATE: Rows = {
    "Object": _LATE,
    "Source": sources_of(_LATE, 3, first=60_001),
    "Filter": _filters_table(3),
}
THIRD: Rows = {"Object": _THIRD, "Source": sources_of(_THIRD, 2, first=70_001)}
CROWD: Rows = {"Object": objects(1500, first=10_001, seed=7)}
"""So many that chunks of FIRST are split."""
assert np.intersect1d(CROWD["Object"]["objectId"], KEYS).size == 0
