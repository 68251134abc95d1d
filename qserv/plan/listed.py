"""Long lists of keys whose places are known: each chunk is sent its own keys only. Pure.

A thousand keys in every statement, and a range for each, take PostgreSQL longer to read than the rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from qserv.analyse import key_condition
from qserv.bound import BaseTable, Expression, InList, RelationId
from qserv.plan.bounds import plain_column
from qserv.plan.local import Local
from qserv.plan.places import Located
from qserv.planned import Among, ChunkSource, Reading
from qserv.traverse import conjuncts
from schema.healpix import I64

LONG_LIST = 64
"""Fewer keys stay in the statement, as ranges of pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Keys that a column of an own relation must have one of, and the pixel that each lies at."""

    relation: RelationId
    among: Among


def take_lists(local: Local, located: Located) -> tuple[Local, tuple[Listed, ...]]:
    """The local without the long lists of keys among its filters, and those.

    Not those of a side that an outer join fills with NULLs: a filter drops such rows, a list does not.
    """
    bases = {
        member.base.relation: member.base
        for member in local.members
        if member.reading is Reading.OWN and member.preserved
    }
    kept: list[Expression] = []
    found: list[Listed] = []
    for condition in (part for whole in local.filters for part in conjuncts(whole)):
        listed = _listed(condition, bases, located)
        if listed is None:
            kept.append(condition)
        else:
            found.append(listed)
    return (replace(local, filters=tuple(kept)), tuple(found)) if found else (local, ())


def _listed(
    condition: Expression, bases: dict[RelationId, BaseTable], located: Located
) -> Listed | None:
    if not isinstance(condition, InList) or len(condition.items) < LONG_LIST:
        return None
    column, key = plain_column(condition.argument), key_condition(condition, bases)
    if column is None or key is None:
        return None
    places = located.get((bases[key.relation].catalog.name, key.family), {})
    if not all(one in places for one in key.keys):
        return None
    pairs = {one: pixel for one in key.keys if (pixel := places[one]) is not None}
    keys, homes = np.array(list(pairs), np.int64), np.array(list(pairs.values()), np.int64)
    order = np.argsort(homes, kind="stable")
    return Listed(column.relation, Among(column.name, pa.array(keys[order]), homes[order]))


def with_lists(
    sources: tuple[ChunkSource, ...], lists: Iterable[Listed]
) -> tuple[ChunkSource, ...]:
    """The sources bounded by lists of keys, and so is what lies with them."""
    for one in lists:
        assert one.among.homes is not None
        sources = bounded_by(sources, one.relation, one.among)
        sources = lying_at(sources, one.relation, one.among.homes)
    return sources


def bounded_by(
    sources: tuple[ChunkSource, ...], relation: RelationId, among: Among
) -> tuple[ChunkSource, ...]:
    """One relation bounded by values."""
    return tuple(
        replace(one, among=(*one.among, among)) if one.relation == relation else one
        for one in sources
    )


def lying_at(
    sources: tuple[ChunkSource, ...], relation: RelationId, homes: I64
) -> tuple[ChunkSource, ...]:
    """All other relations that lie with a bounded one bounded to the same directors' pixels.

    Ranges that are as many as the pixels say no more than these.
    """
    distinct = np.unique(homes)
    pixels = pa.array(distinct)

    def bounded(one: ChunkSource) -> ChunkSource:
        if one.reading is not Reading.OWN:
            return one
        if one.ranges is not None and len(one.ranges.pairs) >= LONG_LIST:
            one = replace(one, ranges=None)
        if one.relation == relation:
            return one
        column = one.table.sort_column()
        assert column is not None, f"{one.table.name} has no chunks"
        return replace(one, among=(*one.among, Among(column, pixels, distinct)))

    return tuple(bounded(one) for one in sources)
