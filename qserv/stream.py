"""The end of the path: complete rows, or a merge, to an answer's batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from qserv.bound import Output, Query
from qserv.limits import Limits
from qserv.merge import MergeInput, merged
from qserv.pinned import Pinned
from qserv.plan.push import MOST_ROWS
from qserv.planned import Fragment, Plan
from qserv.result import Answer, ResultColumn
from qserv.running import Running
from qserv.spool import Rows, Spool
from qserv.store import Store
from qserv.trace import stage


def cut_plan(plan: Plan, most: int) -> Plan:
    """The plan that gives at most `most` rows of the same answer (any of them, if unordered)."""
    limit = min(most, MOST_ROWS if plan.merge.limit is None else plan.merge.limit)
    merge: Query = replace(plan.merge, limit=limit)
    if not plan.is_concatenation:
        return replace(plan, merge=merge)
    enough = min(limit + plan.offset, MOST_ROWS)
    fragments = tuple(_cut_fragment(fragment, enough) for fragment in plan.fragments)
    return replace(plan, merge=merge, fragments=fragments, limit=limit)


def _cut_fragment(fragment: Fragment, enough: int) -> Fragment:
    """The fragment with no more rows from any shard, or in all, than suffice."""
    query, total = fragment.query, fragment.limit_total
    limit = enough if query.limit is None else min(query.limit, enough)
    return replace(
        fragment,
        query=replace(query, limit=limit),
        limit_total=enough if total is None else min(total, enough),
    )


def batches_of(
    plan: Plan,
    rows: Iterator[Rows],
    pinned: Pinned,
    spool: Spool,
    query: tuple[Store, Running, Limits],
) -> Iterator[pa.RecordBatch]:
    """The answer's rows, columns c0, c1...: passed on as they come, or merged once all came."""
    store, running, limits = query
    if plan.is_concatenation:
        with stage(running.trace, "dispatch"):
            yield from _window(rows, plan, spool)
        return
    with stage(running.trace, "dispatch"):
        complete = [*held_rows(plan, pinned), *rows]
    running.check()
    given = MergeInput(plan, complete, pinned.tap_rows, spool.total_bytes)
    with stage(running.trace, "merge"):
        yield from merged(
            given,
            store.merges,
            running,
            memory_bytes=limits.merge_memory_bytes,
            temp_bytes=limits.merge_temp_bytes,
        )


def held_rows(plan: Plan, pinned: Pinned) -> Iterator[Rows]:
    """The rows of the uploaded tables that a plan reads, as those of fragments."""
    for name, table in plan.uploaded:
        rows = pinned.uploads.rows_of(table)
        yield Rows(name, rows.schema, tuple(rows.to_batches()), None, rows.num_rows)


def _window(rows: Iterator[Rows], plan: Plan, spool: Spool) -> Iterator[pa.RecordBatch]:
    """The rows after the plan's offset, up to its limit; freed once they are passed on."""
    skip, left = plan.offset, plan.limit
    for complete in rows:
        for batch in complete.batches():
            kept = batch.slice(skip, left)
            skip = max(0, skip - batch.num_rows)
            if kept.num_rows:
                yield kept
            if left is not None:
                left -= kept.num_rows
                if left <= 0:
                    return
        spool.release(complete)


def told(
    batches: Iterator[pa.RecordBatch], answer: Answer, most: int | None
) -> Iterator[pa.RecordBatch]:
    """The batches under the users' names; one row more than `most` makes the answer overflow."""
    schema = answer.arrow_schema()
    left = most
    for batch in batches:
        kept = batch if left is None else batch.slice(0, left)
        if kept.num_rows:
            yield pa.RecordBatch.from_arrays(kept.columns, schema=schema)
        if left is not None:
            left -= kept.num_rows
            if kept.num_rows < batch.num_rows:
                answer.overflowed = True
                return


def result_column(output: Output) -> ResultColumn:
    """An output as users see it."""
    known = output.metadata
    if known is None:
        return ResultColumn(output.name, output.type)
    return ResultColumn(
        output.name,
        output.type,
        length=known.length,
        unit=known.unit,
        ucd=known.ucd,
        utype=known.utype,
        description=known.description,
    )
