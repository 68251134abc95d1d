"""How many rows a local may send: estimated from counts and its conditions. Pure.

It only orders things: which fragment is asked first, and what is refused as far too much.
"""

from __future__ import annotations

from qserv.plan.local import Local
from qserv.plan.prune import Known, Reach, member_rows, reach, rows_to_read
from qserv.plan.selectivity import Selectivity
from qserv.planned import Reading
from schema.manifest import PartKind


def rows_to_send(local: Local, known: Known, found: Reach | None) -> int:
    """An estimate of the rows of a local after its filters, at least 1."""
    share = Selectivity(local, known, found).of_all(local.filters)
    return max(1, _points(local, found), int(_rows(local, known, found) * share))


def _rows(local: Local, known: Known, found: Reach | None) -> float:
    """The rows of its largest member in the chosen ranges: joins are by keys or close by."""
    most = 0.0
    for member in local.members:
        if member.reading is Reading.WHOLE:
            if local.anchor is None:
                manifest = known.manifests[member.base.catalog.name]
                rows = sum(p.rows for p in manifest.parts_of(member.table.name, PartKind.WHOLE))
                most = max(most, 1.0) * max(1, rows)
            continue
        assert found is not None, "a partitioned local has its reach"
        most = max(most, member_rows(member, known, found) * found.fraction)
    return most


def _points(local: Local, found: Reach | None) -> int:
    """How many single pixels, of keys, the anchor's home is: a row each at least."""
    if found is None or local.anchor is None or local.anchor not in found.ranges:
        return 0
    _, ranges = found.ranges[local.anchor]
    return sum(1 for low, high in ranges.pairs if low == high)


def is_better_fed(one: Local, other: Local, joined: Local, known: Known) -> bool:
    """Whether one side sends so few keys that the join had better not read all of the other.

    A join in the chunks is one round trip, but it reads the rows of whole chunks unless a region
    bounds them.
    """
    sides = [(side, reach(side, known)) for side in (one, other) if side.anchor is not None]
    if any(_points(side, found) >= MANY_POINTS for side, found in sides):
        return True
    few = min(rows_to_send(side, known, found) for side, found in sides)
    if few > FEW_KEYS:
        return False
    found = reach(joined, known)
    beside = (m.base.relation for m in joined.members if m.reading is Reading.OVERLAP)
    ranges = sum(len(found.ranges[name][1].pairs) for name in beside if name in found.ranges)
    together = rows_to_read(joined, known, found) + READ_FOR_EACH * ranges
    return together > LEAST_READ + READ_FOR_EACH * few


FEW_KEYS = 20_000
MANY_POINTS = 64
"""For so many keys the partner would be read in as many surroundings: its keys are looked up instead."""
LEAST_READ, READ_FOR_EACH = 5_000, 20
"""A second round trip costs about what reading so many rows does, and looking up a key or a range."""
