"""Distances in the merge: an equality of cells beside each, so that no loop compares all pairs. Pure.

A join by distance that no chunk can do alone runs in DuckDB over the fragments' rows. One side's rows
stand there once for every cell around their position (`Plan.by_cells`), the other's are asked for their
own cell. Rows within the radius meet in exactly one cell, so the join has the rows that it had.
The side that stands there several times is never preserved by an outer join, where rows that meet
nobody would come several times too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from qserv.analyse import certain_of
from qserv.bound import (
    Call,
    Column,
    Expression,
    Fetched,
    Join,
    JoinKind,
    Literal,
    Query,
    RelationId,
    Select,
    Source,
    Within,
)
from qserv.plan.local import CELL
from qserv.planned import ByCells
from qserv.rebuild import rewrite_query
from qserv.traverse import blocks, conjuncts, leaves, relations
from schema.types import Type


def join_by_cells(
    merge: Query, rows: Mapping[RelationId, int]
) -> tuple[Query, tuple[ByCells, ...]]:
    """The merge with equalities of cells, and the fetched relations that stand there by cells.

    `rows` are what the fragments are expected to send: the fewer rows are repeated.
    """
    chosen: dict[Within, Expression] = {}
    by_cells: dict[RelationId, ByCells] = {}
    for block in blocks(merge):
        for condition, repeatable in _distances(block):
            candidates = [
                one
                for one in _sides(condition)
                if one.relation in repeatable and one.relation not in by_cells
            ]
            if condition in chosen or not candidates:
                continue
            side = min(candidates, key=lambda one: rows.get(one.relation, 0))
            by_cells[side.relation] = side
            chosen[condition] = _same_cell(condition, side)
    if not chosen:
        return merge, ()

    def beside(node: Expression) -> Expression | None:
        if isinstance(node, Within) and node in chosen:
            return Call("and", (node, chosen[node]), Type.BOOLEAN)
        return None

    return rewrite_query(merge, beside), tuple(by_cells.values())


def _distances(block: Select) -> Iterator[tuple[Within, set[RelationId]]]:
    """The distances that rows of a block must keep, and the relations that may be repeated for each."""
    own = {leaf.relation for leaf in leaves(block.source) if isinstance(leaf, Fetched)}
    for condition in (*conjuncts(block.where), *certain_of(block.source)):
        if isinstance(condition, Within):
            yield condition, own - _of_full_joins(block.source)
    yield from _of_outer_joins(block.source)


def _of_outer_joins(source: Source | None) -> Iterator[tuple[Within, set[RelationId]]]:
    """Those in ON of LEFT joins: only the right side's rows may come several times."""
    if not isinstance(source, Join):
        return
    yield from _of_outer_joins(source.left)
    yield from _of_outer_joins(source.right)
    if source.kind is JoinKind.LEFT and isinstance(source.right, Fetched):
        for condition in conjuncts(source.on):
            if isinstance(condition, Within):
                yield condition, {source.right.relation}


def _of_full_joins(source: Source | None) -> set[RelationId]:
    """The relations under a FULL join, which are left alone."""
    if not isinstance(source, Join):
        return set()
    if source.kind is JoinKind.FULL:
        return {leaf.relation for leaf in leaves(source)}
    return _of_full_joins(source.left) | _of_full_joins(source.right)


def _sides(condition: Within) -> list[ByCells]:
    """The fetched relations whose plain columns the distance is from, where the radius is constant."""
    radius = condition.radius
    if not isinstance(radius, Literal) or not isinstance(radius.value, float | int):
        return []
    found = []
    points = ((condition.ra1, condition.dec1), (condition.ra2, condition.dec2))
    for (ra, dec), (other_ra, other_dec) in (points, points[::-1]):
        if not (isinstance(ra, Column) and isinstance(dec, Column)):
            continue
        is_other = ra.relation not in relations(other_ra) | relations(other_dec)
        if ra.relation == dec.relation and is_other:
            found.append(ByCells(ra.relation, ra.name, dec.name, float(radius.value)))
    return found


def _same_cell(condition: Within, side: ByCells) -> Expression:
    """The other point's cell is the one that the repeated row stands for."""
    points = ((condition.ra1, condition.dec1), (condition.ra2, condition.dec2))
    (other,) = [
        point
        for point in points
        if not (isinstance(point[0], Column) and point[0].relation == side.relation)
    ]
    cell = Call("cell", (*other, condition.radius), Type.LONG)
    return Call("=", (cell, Column(side.relation, CELL, Type.LONG)), Type.BOOLEAN)
