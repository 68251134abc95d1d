"""Fragments that wait for others: what a complete fragment's rows tell those that it feeds.

The rows stay in the spool for the merge; nothing is read twice. What is too much to send along is
left out, and the fed fragment is asked without it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from procedures.director_index import KeyMap
from qserv.plan.feeds import MAX_FED_VALUES
from qserv.plan.narrow import Positions, Told, Values, narrowed
from qserv.planned import ChunkSource, Feed, Fragment, KeyFeed, NearFeed, Plan
from qserv.spool import Rows
from schema.healpix import I64

MAX_FED_ROWS = 5_000_000
"""Values are not sought among more rows than these: that would take seconds."""

Find = Callable[[str, str, I64], KeyMap]
"""(catalog, table, keys) -> what the director index of the pinned snapshot knows of them."""


class Waiting:
    """The fragments of one plan that are not asked yet, and the rows that they wait for."""

    def __init__(self, plan: Plan, find: Find, held: Sequence[Rows] = ()) -> None:
        """`held` are complete rows that nobody is asked for: those of uploaded tables."""
        self._find = find
        self._fragments = {f.name: f for f in plan.fragments if f.feeds}
        self._feeding = {feed.source for f in plan.fragments for feed in f.feeds}
        self._rows: dict[str, list[Rows]] = defaultdict(list)
        self._left: dict[str, int] = defaultdict(int)
        self._complete: set[str] = set()
        for rows in held:
            self.keep(rows)

    def begun(self, fragment: str, batches: int) -> None:
        """So many more batches of a fragment will come."""
        self._left[fragment] += batches

    def keep(self, rows: Rows) -> None:
        """Remember rows that a fragment waits for."""
        if rows.fragment in self._feeding:
            self._rows[rows.fragment].append(rows)

    def done(self, fragment: str) -> None:
        """One batch of a fragment is over."""
        self._left[fragment] -= 1

    def ready(self) -> Iterator[Fragment]:
        """The fragments that nothing keeps waiting any more, narrowed; each once."""
        open_ = {name for name, left in self._left.items() if left} | set(self._fragments)
        for name, fragment in list(self._fragments.items()):
            if not {feed.source for feed in fragment.feeds} & open_:
                del self._fragments[name]
                yield narrowed(fragment, [(f, self._told(fragment, f)) for f in fragment.feeds])

    def _told(self, fragment: Fragment, feed: Feed) -> Told:
        """What a complete fragment tells; None where it is too much."""
        rows = self._rows[feed.source]
        if sum(one.num_rows for one in rows) > MAX_FED_ROWS:
            return None
        match feed:
            case KeyFeed():
                return self._values(fragment, feed, rows)
            case NearFeed():
                return positions_in(rows, feed.ra, feed.dec)

    def _values(self, fragment: Fragment, feed: KeyFeed, rows: list[Rows]) -> Values | None:
        values = values_in(rows, feed.output)
        if values is None:
            return None
        if feed.index is None:
            return Values(values)
        source = _source(fragment, feed)
        keys = np.asarray(values.cast(pa.int64()), dtype=np.int64)
        if not len(keys):
            return Values(values, keys, keys)
        known = self._find(source.catalog.name, feed.index, keys)
        return Values(values, known.keys, known.pixels)


def values_in(rows: Iterable[Rows], output: int) -> pa.Array | None:
    """The distinct values of an output that are not NULL; None where they are too many."""
    found: pa.Array | None = None
    for one in rows:
        for batch in one.batches():
            fresh = pc.unique(batch.column(output)).drop_null()
            found = fresh if found is None else pc.unique(pa.concat_arrays([found, fresh]))
            if len(found) > MAX_FED_VALUES:
                return None
    return pa.array([], pa.int64()) if found is None else found


def positions_in(rows: Iterable[Rows], ra: int, dec: int) -> Positions | None:
    """The positions in two outputs, where both are given; None where they are too many."""
    found = [np.empty((2, 0))]
    count = 0
    for one in rows:
        for batch in one.batches():
            pair = np.stack([_doubles(batch.column(ra)), _doubles(batch.column(dec))])
            pair = pair[:, np.isfinite(pair).all(axis=0)]
            count += pair.shape[1]
            if count > MAX_FED_VALUES:
                return None
            found.append(pair)
    points = np.concatenate(found, axis=1)
    points = points[:, np.abs(points[1]) <= 90]
    return Positions(points[0], points[1])


def _doubles(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Numbers, NaN where NULL."""
    return column.cast(pa.float64()).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _source(fragment: Fragment, feed: KeyFeed) -> ChunkSource:
    return next(source for source in fragment.sources if source.relation == feed.relation)
