"""EXPLAIN: a plan as facts and as text; with EXPLAIN ANALYZE also what it really did. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import pyarrow as pa

from qserv.bound import BaseTable, Fetched, RelationId
from qserv.planned import ChunkSource, Engine, Fragment, Plan, Reading
from qserv.render import Dialect, render
from qserv.result import ResultColumn
from qserv.trace import Asked, Trace
from qserv.traverse import base_relations
from schema.ddl import quote
from schema.types import SPELLINGS, Type

PLAN_COLUMN = ResultColumn("plan", Type.TEXT)
"""The one column of `EXPLAIN SELECT ...`, a line of the text a row."""


@dataclass(frozen=True, slots=True)
class ShardActual:
    """What one engine of one shard did for a fragment: statements, and those that failed.

    `elapsed_s` is the time of all its statements, which may overlap; `slowest_s` that of one.
    """

    shard: int
    engine: str
    batches: int
    retries: int
    chunks: int
    rows: int
    bytes: int
    elapsed_s: float
    slowest_s: float


@dataclass(frozen=True, slots=True)
class FragmentFacts:
    """One fragment as EXPLAIN shows it. `chunks` of `all_chunks` are asked, by `engine`."""

    name: str
    engine: str
    chunks: int
    all_chunks: int
    chosen_by: str
    """Which conditions chose the chunks; empty where none did."""
    estimated_rows: int
    estimated_bytes: int
    estimated_sent: int
    """How many rows the merge may get of it."""
    why: str
    fed_by: tuple[str, ...]
    """The fragments that are asked before, and narrow it."""
    bounds: tuple[str, ...]
    """How many ranges of which hidden column bound each relation."""
    sql: str
    actual: tuple[ShardActual, ...] = ()
    """By shard and engine; of EXPLAIN ANALYZE only."""


@dataclass(frozen=True, slots=True)
class Actual:
    """What the whole query did: its rows, and seconds by stage."""

    rows: int
    overflowed: bool
    elapsed_s: float
    stages: dict[str, float]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A plan in words: what each chunk is asked, and the SQL of the merge.

    In the SQL a table stands for its parts in the chunks at hand: `Object` its own rows,
    `Object_with_overlap` those and the rows within the margin, `Visit_whole` a replicated table;
    `f1_by_cells` has each row of fragment f1 once for every cell around its position.
    """

    fragments: tuple[FragmentFacts, ...]
    merge: str
    snapshots: tuple[tuple[str, int], ...]
    cost: str
    """`interactive` where every fragment reads by index, else `scan`."""
    actual: Actual | None = None

    def to_json(self) -> dict[str, object]:
        """For `--json` and HTTP: all there is."""
        fragments = [asdict(f) for f in self.fragments]
        if self.actual is None:
            for fragment in fragments:
                del fragment["actual"]
        said = {"cost": self.cost, "snapshots": dict(self.snapshots), "fragments": fragments}
        actual = {} if self.actual is None else {"actual": asdict(self.actual)}
        return {**said, "merge": self.merge, **actual}

    def to_text(self) -> str:
        """For people."""
        lines = [f"cost: {self.cost}"]
        for fragment in self.fragments:
            lines += _fragment_lines(fragment, is_analyzed=self.actual is not None)
        lines.append(f"merge: {self.merge}")
        if self.actual is not None:
            lines += _actual_lines(self.actual)
        return "\n".join(lines)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The text as rows of `PLAN_COLUMN`."""
        lines = pa.array(self.to_text().splitlines(), SPELLINGS[Type.TEXT].arrow)
        yield pa.RecordBatch.from_arrays([lines], names=[PLAN_COLUMN.name])

    def summary(self) -> str:
        """One line: what is read, and by what."""
        if not self.fragments:
            return "answered without asking a shard"
        return "; ".join(
            f"{f.name}: {f.chunks}/{f.all_chunks} chunks by {f.engine}, ~{f.estimated_rows:,} rows"
            for f in self.fragments
        )


def explain_plan(plan: Plan) -> Explanation:
    """What the plan would do."""
    is_interactive = all(f.engine is Engine.POSTGRES for f in plan.fragments)
    names: dict[RelationId, str] = {}
    for base in base_relations(plan.merge):
        match base:
            case Fetched():
                names[base.relation] = base.fragment
            case BaseTable():
                names[base.relation] = quote(base.table.name)
    names |= {side.relation: f"{names[side.relation]}_by_cells" for side in plan.by_cells}
    return Explanation(
        fragments=tuple(_facts(fragment) for fragment in plan.fragments),
        merge=render(plan.merge, Dialect.DUCKDB, names),
        snapshots=plan.snapshots,
        cost="interactive" if is_interactive else "scan",
    )


def with_actual(explained: Explanation, trace: Trace, actual: Actual) -> Explanation:
    """The explanation with what a traced run of the plan did."""
    fragments = tuple(
        replace(f, actual=_by_shard([a for a in trace.asked if a.asking.fragment == f.name]))
        for f in explained.fragments
    )
    return replace(explained, fragments=fragments, actual=actual)


def _by_shard(asked: Sequence[Asked]) -> tuple[ShardActual, ...]:
    """The statements of one fragment, summed."""
    ways = sorted({(a.asking.shard, a.asking.engine) for a in asked})
    return tuple(
        _summed(way, [a for a in asked if (a.asking.shard, a.asking.engine) == way]) for way in ways
    )


def _summed(way: tuple[int, str], asked: Sequence[Asked]) -> ShardActual:
    good = [one for one in asked if not one.error]
    return ShardActual(
        shard=way[0],
        engine=way[1],
        batches=len(good),
        retries=len(asked) - len(good),
        chunks=sum(one.asking.chunks for one in good),
        rows=sum(one.rows for one in good),
        bytes=sum(one.size_bytes for one in good),
        elapsed_s=sum(one.elapsed_s for one in asked),
        slowest_s=max(one.elapsed_s for one in asked),
    )


# ------------------------------------------------------------------ facts of a fragment


def _facts(fragment: Fragment) -> FragmentFacts:
    dialect = Dialect.POSTGRES if fragment.engine is Engine.POSTGRES else Dialect.DUCKDB
    names = {source.relation: _name(source) for source in fragment.sources}
    return FragmentFacts(
        name=fragment.name,
        engine=str(fragment.engine),
        chunks=len(fragment.pixels),
        all_chunks=fragment.all_pixels,
        chosen_by=fragment.chosen_by,
        estimated_rows=fragment.estimated_rows,
        estimated_bytes=fragment.estimated_bytes,
        estimated_sent=fragment.estimated_sent,
        why=fragment.why,
        fed_by=tuple(dict.fromkeys(feed.source for feed in fragment.feeds)),
        bounds=tuple(_bound(source) for source in fragment.sources if source.ranges is not None),
        sql=render(fragment.query, dialect, names),
    )


def _bound(source: ChunkSource) -> str:
    """How a relation is bounded by pixels."""
    assert source.ranges is not None
    count = len(source.ranges.pairs)
    return f"{source.relation}.{source.range_column} in {count} range{'' if count == 1 else 's'}"


def _name(source: ChunkSource) -> str:
    """What stands for the parts that a relation reads."""
    suffix = {Reading.OWN: "", Reading.OVERLAP: "_with_overlap", Reading.WHOLE: "_whole"}
    return quote(source.table.name + suffix[source.reading])


# ------------------------------------------------------------------ text


def _fragment_lines(fragment: FragmentFacts, *, is_analyzed: bool) -> list[str]:
    many = f"chunks {fragment.chunks} of {fragment.all_chunks}"
    asked = many if fragment.all_chunks else "any one shard"
    rows = f"rows ~{fragment.estimated_rows:,}, {_size(fragment.estimated_bytes)}"
    lines = [f"fragment {fragment.name}: {asked}, {fragment.engine}, {rows}"]
    if fragment.chosen_by:
        lines.append(f"  chunks by: {fragment.chosen_by}")
    if fragment.fed_by:
        lines.append(f"  fed by: {', '.join(fragment.fed_by)}")
    if fragment.why:
        lines.append(f"  why: {fragment.why}")
    lines += [f"  index: {bound}" for bound in fragment.bounds]
    lines.append(f"  sql: {fragment.sql}")
    if is_analyzed:
        lines.append(f"  estimated: {fragment.estimated_sent:,} rows sent")
        lines += [_shard_line(one) for one in fragment.actual] or ["  actual: no shard was asked"]
    return lines


def _shard_line(actual: ShardActual) -> str:
    statements = f"{actual.batches} statement{'' if actual.batches == 1 else 's'}"
    retried = f", {actual.retries} failed" if actual.retries else ""
    return (
        f"  actual: shard {actual.shard} by {actual.engine}: {statements}{retried},"
        f" {actual.chunks} chunks, {actual.rows:,} rows, {_size(actual.bytes)},"
        f" {_time(actual.elapsed_s)} (slowest {_time(actual.slowest_s)})"
    )


def _actual_lines(actual: Actual) -> list[str]:
    stages = ", ".join(f"{name} {_time(elapsed)}" for name, elapsed in actual.stages.items())
    cut = " (cut by a limit)" if actual.overflowed else ""
    return [
        f"stages: {stages or 'none'}",
        f"answer: {actual.rows:,} rows{cut} in {_time(actual.elapsed_s)}",
    ]


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _size(size_bytes: int) -> str:
    """Bytes for people."""
    size, units = float(size_bytes), ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "B" else f"{size:.3g} {units[0]}"
