"""A table's export as pieces: one plan, asked chunk by chunk. Pure but for looking keys up.

The condition is bound like any WHERE, the plan is that of `SELECT * FROM table WHERE condition`, which the
chunks must answer alone: so any of its chunks may be asked by itself, now or by a later process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from loaders.exports.hats_files import leaf_path
from qserv.analyse import analyse
from qserv.bind import BindError, Moment, bind_at
from qserv.bound import BaseTable, Column, Fetched, Output, Query, Select, SortKey
from qserv.export_condition import ExportRefused, table_condition, table_name
from qserv.languages import LANGUAGES
from qserv.limits import Limits
from qserv.pinned import Pinned
from qserv.plan.make import make_plan
from qserv.planned import ChunkSource, Fragment, Plan
from qserv.store import Store
from schema.catalog import HEALPIX_29, Catalog, Role, Table
from schema.cover import Ranges
from schema.healpix import Pixel
from schema.manifest import Manifest, Part, PartKind
from schema.types import Type

_RANDOM = 0.5
"""What RAND means in a condition: the same for all pieces, and for those who write the rest later."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an export asks of a pinned catalog. `now`: what NOW means, the same in each of its runs."""

    store: Store
    pinned: Pinned
    catalog: Catalog
    condition: str | None
    now: datetime
    limits: Limits

    @property
    def manifest(self) -> Manifest:
        """The snapshot that is exported."""
        return self.pinned.parts[self.catalog.name].manifest


@dataclass(frozen=True, slots=True)
class PlannedPiece:
    """One file: where it lies, the plan of its rows, its pixel in a HATS catalog."""

    path: str
    plan: Plan
    pixel: Pixel | None = None


def plan_pieces(asked: Asked, table: Table, ending: str) -> list[PlannedPiece]:
    """A file for each chunk; for a replicated table one in all."""
    plan = _table_plan(asked, table, is_hats=False)
    fragment = plan.fragments[0]
    if fragment.any_shard:
        return [PlannedPiece(f"{table.name}/{table.name}.{ending}", plan)]
    return [
        PlannedPiece(
            f"{table.name}/{table.name}-{pixel.order}-{pixel.number}.{ending}",
            _sorted_piece(plan, table, (pixel,)),
        )
        for pixel in fragment.pixels
    ]


def plan_leaves(asked: Asked, table: Table) -> list[PlannedPiece]:
    """A HATS leaf for each chunk, with the rows whose own position lies in it.

    A director's rows lie in the chunk that holds them. Others may lie across a border, so that the
    catalog's whole tiling is gone through, each pixel asked of all chunks that may have rows in it.
    """
    if not (table.is_partitioned and table.has_position):
        raise ExportRefused(
            f"{table.name} has no position of its own: HATS has no place for its rows"
        )
    plan = _table_plan(asked, table, is_hats=True)
    pixels = plan.fragments[0].pixels
    if table.role is Role.DIRECTOR:
        return [_leaf(table, pixel, _sorted_piece(plan, table, (pixel,))) for pixel in pixels]
    parts = asked.manifest.parts_of(table.name, PartKind.ROWS)
    leaves = []
    for pixel in asked.manifest.chunks:
        holding = tuple(_holding(pixels, [part for part in parts if _may_reach(part, pixel)]))
        if holding:
            leaves.append(_leaf(table, pixel, _bounded(plan, table, pixel, holding)))
    return leaves


def plan_counts(asked: Asked, table: Table) -> Plan:
    """The plan of two numbers: how many rows are asked for, and how many of them have no position."""
    is_unplaced = f'CASE WHEN "{table.ra}" IS NULL OR "{table.dec}" IS NULL THEN 1 ELSE 0 END'
    text = _text(asked, table, f"COUNT(*) AS n, SUM({is_unplaced}) AS unplaced")
    return _plan(_bound(asked, text), asked)


# ------------------------------------------------------------------ the table's plan


def _table_plan(asked: Asked, table: Table, *, is_hats: bool) -> Plan:
    """The plan of the table's rows that fulfil the condition. Raises ExportRefused."""
    query = _bound(asked, _text(asked, table, "*"))
    if not _is_plain(query):
        raise ExportRefused(
            "--where takes one condition on the table's rows, and nothing behind it"
        )
    if is_hats:
        query = _with_pixel(query)
    plan = _plan(query, asked)
    if not plan.is_concatenation or len(plan.fragments) != 1 or plan.fragments[0].feeds:
        raise ExportRefused(
            f"the chunks of {table.name} cannot judge this condition each alone, as an export needs"
            " (`skyshard explain` tells why); answer it with `skyshard query --output`"
        )
    return plan


def _text(asked: Asked, table: Table, items: str) -> str:
    condition = table_condition(asked.catalog, table, asked.condition)
    where = "" if condition is None else f" WHERE (\n{condition}\n)"
    return f"SELECT {items} FROM {table_name(asked.catalog, table)}{where}"


def _bound(asked: Asked, text: str) -> Query:
    tree = LANGUAGES["ADQL"](text, asked.limits)
    try:
        return bind_at(tree, asked.pinned.catalogs, Moment(asked.now, _RANDOM))
    except BindError as error:
        error.show(text)
        raise


def _is_plain(query: Query) -> bool:
    """Whether nothing but rows of the table is asked for: a text may close the bracket itself."""
    if not isinstance(query, Select) or not isinstance(query.source, BaseTable):
        return False
    has_shape = query.is_grouped or query.group or query.having or query.distinct or query.order
    return not has_shape and query.limit is None and not query.offset


def _with_pixel(query: Query) -> Query:
    """The rows' own pixels before their columns."""
    assert isinstance(query, Select)
    assert isinstance(query.source, BaseTable)
    pixel = Column(query.source.relation, HEALPIX_29, Type.LONG)
    return replace(query, outputs=(Output(pixel, HEALPIX_29), *query.outputs))


def _plan(query: Query, asked: Asked) -> Plan:
    analysed = analyse(query)
    located = asked.store.locate(analysed.wanted, asked.pinned)
    return make_plan(analysed.query, asked.pinned.manifests, located)


# ------------------------------------------------------------------ one piece of it


def _leaf(table: Table, pixel: Pixel, plan: Plan) -> PlannedPiece:
    return PlannedPiece(f"{table.name}/dataset/{leaf_path(pixel)}", plan, pixel)


def _sorted_piece(plan: Plan, table: Table, pixels: tuple[Pixel, ...]) -> Plan:
    """The plan for one chunk, sorted there: by place, then by key."""
    fragment = plan.fragments[0]
    by = (table.sort_column(), *table.primary_key)
    own = _own_source(fragment, table)
    types = {column.name: column.type for column in table.stored_columns()}
    order = tuple(SortKey(Column(own.relation, name, types[name])) for name in by if name)
    names = tuple(dict.fromkeys((*own.columns, *(name for name in by if name))))
    changed = replace(own, columns=names)
    return _with_fragment(plan, _with_source(fragment, changed), pixels, order)


def _bounded(plan: Plan, table: Table, leaf: Pixel, pixels: tuple[Pixel, ...]) -> Plan:
    """The plan of the rows of some chunks whose own position lies in a pixel, sorted by it."""
    fragment = plan.fragments[0]
    own = _own_source(fragment, table)
    bounds = Ranges(((leaf.first_29, leaf.last_29),))
    changed = replace(own, ranges=bounds, range_column=HEALPIX_29)
    bounded = _with_fragment(plan, _with_source(fragment, changed), pixels, ())
    names = [output.name for output in plan.outputs]
    places = [names.index(name) for name in (HEALPIX_29, *table.primary_key)]
    assert isinstance(plan.merge, Select)
    assert isinstance(plan.merge.source, Fetched)
    fetched = plan.merge.source.relation
    types = fragment.types
    order = tuple(SortKey(Column(fetched, f"c{place}", types[place])) for place in places)
    return replace(bounded, merge=replace(plan.merge, order=order), is_concatenation=False)


def _own_source(fragment: Fragment, table: Table) -> ChunkSource:
    """The relation whose rows are exported: the fragment's anchor."""
    outputs = [output.expression for output in fragment.query.outputs]
    relations = {one.relation for one in outputs if isinstance(one, Column)}
    found = [source for source in fragment.sources if source.relation in relations]
    assert len(found) == 1, f"{table.name} is read as {len(found)} relations"
    return found[0]


def _with_source(fragment: Fragment, source: ChunkSource) -> Fragment:
    sources = (source if one.relation == source.relation else one for one in fragment.sources)
    return replace(fragment, sources=tuple(sources))


def _with_fragment(
    plan: Plan, fragment: Fragment, pixels: tuple[Pixel, ...], order: tuple[SortKey, ...]
) -> Plan:
    query = replace(fragment.query, order=order)
    return replace(plan, fragments=(replace(fragment, query=query, pixels=pixels),))


def _may_reach(part: Part, pixel: Pixel) -> bool:
    """Whether a row of the part may lie in the pixel by its own position."""
    if part.low_29 is None or part.high_29 is None:
        return False
    return part.low_29 <= pixel.last_29 and part.high_29 >= pixel.first_29


def _holding(pixels: Sequence[Pixel], parts: Sequence[Part]) -> Iterator[Pixel]:
    """The plan's chunks that hold one of the parts."""
    for pixel in pixels:
        if any(part.pixel is not None and pixel.contains(part.pixel) for part in parts):
            yield pixel
