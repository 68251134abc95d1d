"""From a local and what is asked of it to a Fragment: chunks, ranges, columns, engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from qserv.bound import BaseTable, Call, Column, Expression, Join, Select, Source
from qserv.plan.estimate import rows_to_send
from qserv.plan.listed import take_lists, with_lists
from qserv.plan.local import CELL, Local, Member, Separations, colocated, single
from qserv.plan.prune import Known, Reach, bytes_to_read, reach, rows_to_read
from qserv.planned import ChunkSource, Engine, Fragment, Reading
from qserv.traverse import conjunction, conjuncts, leaves, query_nodes
from schema.catalog import DIRECTOR_29, HEALPIX_29, home_column
from schema.manifest import Manifest
from schema.types import Type

SMALL_ROWS = 20_000
"""Up to so many rows to read PostgreSQL's indexes are faster than a scan of twins."""
SMALL_PAIRS = 2_000
"""Likewise for near-neighbour joins, which PostgreSQL does by nested loops."""


def separations_of(manifests: Mapping[str, Manifest]) -> Separations:
    """How far rows of every table lie from what they lie with."""
    return Separations(
        {
            (name, table): largest
            for name, manifest in manifests.items()
            for table, largest in manifest.separations().items()
        },
        lambda catalog, table: manifests[catalog].ingests_of(table),
    )


def build_fragment(name: str, asked: Select, local: Local, known: Known, why: str) -> Fragment:
    """The fragment that asks `asked` (a block without FROM and WHERE) of a local."""
    block = replace(asked, source=local.source, where=conjunction(local.filters))
    types = tuple(output.type for output in block.outputs)
    if local.anchor is None:
        sources = _sources(block, local, None)
        return Fragment(
            name=name,
            query=block,
            sources=sources,
            pixels=(),
            all_pixels=0,
            engine=Engine.POSTGRES,
            types=types,
            any_shard=True,
            why=why,
            estimated_sent=rows_to_send(local, known, None),
        )
    found = reach(local, known)
    rows = rows_to_read(local, known, found)
    sent = _cut(rows_to_send(local, known, found), block, len(found.pixels))
    engine, reason = _engine(local, rows)
    local, lists = take_lists(local, known.located)
    if lists:
        block = replace(block, where=conjunction(local.filters))
        counted = " and ".join(f"{len(one.among.values):,}" for one in lists)
        reason += f"; {counted} keys, each sent to its chunk"
    if engine is Engine.POSTGRES:
        block = replace(block, source=with_home_equalities(local.source))
    sources = with_lists(_sources(block, local, found), lists)
    return Fragment(
        name=name,
        query=block,
        sources=sources,
        pixels=found.pixels,
        all_pixels=found.all_pixels,
        engine=engine,
        types=types,
        estimated_rows=rows,
        estimated_bytes=bytes_to_read(local, known, found, sources),
        why="; ".join(filter(None, (why, reason))),
        chosen_by=found.why,
        estimated_sent=sent,
    )


def _cut(rows: int, block: Select, chunks: int) -> int:
    """The rows to send, of a block that may be cut by LIMIT in each chunk, or be one row of each."""
    if block.is_grouped and not block.group:
        return min(rows, max(1, chunks))
    return rows if block.limit is None else min(rows, block.limit * max(1, chunks))


def _engine(local: Local, rows: int) -> tuple[Engine, str]:
    """PostgreSQL for keys and small regions, the scan engine for the rest."""
    has_neighbours = any(m.reading is Reading.OVERLAP for m in local.members)
    small = SMALL_PAIRS if has_neighbours else SMALL_ROWS
    if rows <= small:
        return Engine.POSTGRES, f"about {rows:,} rows to read by index"
    return Engine.SCAN, f"about {rows:,} rows to read by scan"


def _sources(block: Select, local: Local, found: Reach | None) -> tuple[ChunkSource, ...]:
    """What each relation of the fragment reads."""
    used: dict[str, dict[str, None]] = {}
    for node in query_nodes(block):
        if isinstance(node, Column):
            used.setdefault(node.relation, {})[node.name] = None
    return tuple(
        _source(member, tuple(used.get(member.base.relation, ())), found)
        for member in local.members
    )


def _source(member: Member, used: tuple[str, ...], found: Reach | None) -> ChunkSource:
    base = member.base
    column, ranges = HEALPIX_29, None
    if found is not None and member.reading is not Reading.WHOLE:
        column, ranges = found.ranges.get(base.relation, (HEALPIX_29, None))
    return ChunkSource(
        relation=base.relation,
        catalog=base.catalog,
        table=base.table,
        reading=member.reading,
        columns=tuple(name for name in used if name != CELL),
        ranges=ranges,
        range_column=column,
        cells_radius=member.cells_radius,
    )


def with_home_equalities(source: Source) -> Source:
    """Joins by key say also that the director's pixels are equal: it is what parts are indexed by."""
    if not isinstance(source, Join):
        return source
    left, right = with_home_equalities(source.left), with_home_equalities(source.right)
    on = conjuncts(source.on)
    added = [
        equality
        for condition in on
        if isinstance(condition, Call) and condition.name == "="
        if (equality := _home_equality(source, condition)) is not None
    ]
    return replace(source, left=left, right=right, on=conjunction((*on, *added)))


def _home_equality(join: Join, condition: Call) -> Expression | None:
    """`a._healpix_29 = b._director_29` beside an equality of their keys."""
    left, right = _locals_of(join.left), _locals_of(join.right)
    for one, other in (condition.arguments, condition.arguments[::-1]):
        if not (isinstance(one, Column) and isinstance(other, Column)):
            continue
        a, b = left.get(one.relation), right.get(other.relation)
        if a is None or b is None or not colocated(a, one, b, other):
            continue
        home_a, home_b = _home(a.members[0]), _home(b.members[0])
        if (HEALPIX_29 in (home_a, home_b) and home_a != home_b) or home_a == home_b == DIRECTOR_29:
            return Call(
                "=",
                (
                    Column(one.relation, home_a, Type.LONG),
                    Column(other.relation, home_b, Type.LONG),
                ),
                Type.BOOLEAN,
            )
    return None


def _locals_of(source: Source) -> dict[str, Local]:
    """Each base table of a join tree as a local of its own."""
    return {leaf.relation: single(leaf) for leaf in leaves(source) if isinstance(leaf, BaseTable)}


def _home(member: Member) -> str:
    return home_column(member.table)
