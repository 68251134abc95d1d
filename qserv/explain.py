"""EXPLAIN: a plan as facts and as text. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from qserv.bound import BaseTable, Fetched, RelationId
from qserv.planned import ChunkSource, Engine, Fragment, Plan, Reading
from qserv.render import Dialect, render
from qserv.result import Answer, ResultColumn
from qserv.traverse import base_relations
from schema.ddl import quote
from schema.types import SPELLINGS, Type


@dataclass(frozen=True, slots=True)
class FragmentFacts:
    """One fragment as EXPLAIN shows it. `chunks` of `all_chunks` are asked, by `engine`."""

    name: str
    engine: str
    chunks: int
    all_chunks: int
    estimated_rows: int
    why: str
    bounds: tuple[str, ...]
    """How many ranges of which hidden column bound each relation."""
    sql: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A plan in words: what each chunk is asked, and the SQL of the merge.

    In the SQL a table stands for its parts in the chunks at hand: `Object` its own rows,
    `Object_with_overlap` those and the rows within the margin, `Visit_whole` a replicated table.
    """

    fragments: tuple[FragmentFacts, ...]
    merge: str
    snapshots: tuple[tuple[str, int], ...]
    cost: str
    """`interactive` where every fragment reads by index, else `scan`."""

    def to_json(self) -> dict[str, object]:
        """For `--json` and HTTP."""
        return {
            "cost": self.cost,
            "snapshots": dict(self.snapshots),
            "fragments": [
                {
                    "name": f.name,
                    "engine": f.engine,
                    "chunks": f.chunks,
                    "all_chunks": f.all_chunks,
                    "estimated_rows": f.estimated_rows,
                    "why": f.why,
                    "bounds": list(f.bounds),
                    "sql": f.sql,
                }
                for f in self.fragments
            ],
            "merge": self.merge,
        }

    def to_text(self) -> str:
        """For people."""
        lines = [f"cost: {self.cost}"]
        for f in self.fragments:
            asked = f"chunks {f.chunks} of {f.all_chunks}" if f.all_chunks else "any one shard"
            lines.append(f"fragment {f.name}: {asked}, {f.engine}, rows ~{f.estimated_rows:,}")
            if f.why:
                lines.append(f"  why: {f.why}")
            lines += [f"  index: {bound}" for bound in f.bounds]
            lines.append(f"  sql: {f.sql}")
        lines.append(f"merge: {self.merge}")
        return "\n".join(lines)

    def to_answer(self, query_id: str) -> Answer:
        """The text as the answer of a query `EXPLAIN SELECT ...`: one column, a row a line."""
        column = ResultColumn("plan", Type.TEXT)
        lines = pa.array(self.to_text().splitlines(), SPELLINGS[Type.TEXT].arrow)
        batch = pa.RecordBatch.from_arrays([lines], names=[column.name])
        return Answer(query_id, (column,), iter([batch]), snapshots=self.snapshots)

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
    return Explanation(
        fragments=tuple(_facts(fragment) for fragment in plan.fragments),
        merge=render(plan.merge, Dialect.DUCKDB, names),
        snapshots=plan.snapshots,
        cost="interactive" if is_interactive else "scan",
    )


def _facts(fragment: Fragment) -> FragmentFacts:
    dialect = Dialect.POSTGRES if fragment.engine is Engine.POSTGRES else Dialect.DUCKDB
    names = {source.relation: _name(source) for source in fragment.sources}
    return FragmentFacts(
        name=fragment.name,
        engine=str(fragment.engine),
        chunks=len(fragment.pixels),
        all_chunks=fragment.all_pixels,
        estimated_rows=fragment.estimated_rows,
        why=fragment.why,
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
