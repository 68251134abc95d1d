"""The path of a question: parse -> bind -> analyse -> plan -> dispatch -> spool -> merge -> stream."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Hashable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from qserv.analyse import analyse
from qserv.as_of import AsOf, parse_as_of
from qserv.bind import BindError, Moment, bind_at
from qserv.bound import BaseTable, Query
from qserv.dispatch.loop import dispatch
from qserv.explain import PLAN_COLUMN, Actual, Explanation, explain_plan, with_actual
from qserv.languages import LANGUAGES, language_of
from qserv.limits import Limits
from qserv.merge import check_size
from qserv.pinned import Pinned
from qserv.plan.make import make_plan
from qserv.planned import Plan
from qserv.recent import KEPT_CHUNKS, KEPT_TEXT, Prepared
from qserv.result import Answer
from qserv.rights.caller import OPERATOR, Caller
from qserv.running import Running, new_query_id
from qserv.show import show
from qserv.store import Store
from qserv.stream import batches_of, cut_plan, held_rows, result_column, told
from qserv.trace import Trace, stage
from qserv.traverse import base_relations
from qserv.uploads.tables import NO_UPLOADS, Uploads
from schema.errors import LimitExceeded

_DEFAULT = Limits()
_EXPLAIN = re.compile(
    r"\s*EXPLAIN(?P<analyze>\s+ANALYZE)?\s*(?=\b(SELECT|WITH|VALUES)\b|\()", re.IGNORECASE
)


def answer(
    text: str,
    store: Store,
    *,
    limits: Limits = _DEFAULT,
    maxrec: int | None = None,
    language: str = "ADQL",
    as_of: str | Iterable[str] = (),
    caller: Caller = OPERATOR,
    running: Running | None = None,
    uploads: Uploads = NO_UPLOADS,
) -> Answer:
    """Run one query over the shards.

    What is wrong with the query is raised here, before any shard is asked for rows; they are asked
    when the first batch is. The answer must be closed. `EXPLAIN SELECT ...` answers with its plan,
    `EXPLAIN ANALYZE SELECT ...` with what it did besides; MySQL's SHOW and DESCRIBE with what there is.

    Parameters
    ----------
    maxrec
        The most rows that the caller wants; where there are more the answer overflows.
    as_of
        Snapshots to read in place of the newest: `dp1@3`, `dp1@TAG`. The answer names what it read.
    caller
        Who asks: what she may not read does not exist for the query.
    running
        What `store.watch` has begun for this query, where somebody wants to follow or stop it.
    uploads
        Tables that come with the query, which names them `tap_upload.NAME`.
    """
    entry = store.log.begin(caller, text, language)
    try:
        asked = _Asked(limits, maxrec, language, parse_as_of(as_of), caller, uploads)
        found = _answered(text, store, asked, running)
    except BaseException as error:
        store.log.fail(entry, running.query_id if running else new_query_id(), error)
        raise
    return store.log.follow(entry, found)


def _answered(text: str, store: Store, asked: _Asked, running: Running | None) -> Answer:
    """The answer to a query, a SHOW or an EXPLAIN."""
    language, caller = asked.language, asked.caller
    if language_of(language) == "MySQL":
        pinned = store.pin(asked.as_of, caller)
        shown = show(text, pinned.catalogs, store.watch.running(caller))
        if shown is not None:
            return shown.to_answer()
    prefix = _EXPLAIN.match(text)
    if prefix is not None:
        rest = re.sub(r"\S", " ", prefix[0]) + text[prefix.end() :]  # errors keep their places
        if prefix["analyze"]:
            return _analyzed(rest, store, asked, running)
        pinned = asked.pin(store)
        plan = plan_text(rest, pinned, store, limits=asked.limits, language=language)
        explanation = explain_plan(plan)
        columns, batches = (PLAN_COLUMN,), explanation.batches()
        return Answer(new_query_id(), columns, batches, explanation.snapshots)
    running = running or store.watch.begin(asked.limits.timeout_s, caller=caller)
    return _begun(text, store, running, asked)[1]


@dataclass(frozen=True, slots=True)
class _Asked:
    """How a query is to be answered."""

    limits: Limits
    maxrec: int | None
    language: str
    as_of: tuple[AsOf, ...]
    caller: Caller = OPERATOR
    uploads: Uploads = NO_UPLOADS

    def pin(self, store: Store) -> Pinned:
        """What the query reads."""
        return store.pin(self.as_of, self.caller).with_uploads(self.uploads)


def explain(
    text: str,
    store: Store,
    *,
    limits: Limits = _DEFAULT,
    language: str = "ADQL",
    as_of: str | Iterable[str] = (),
    caller: Caller = OPERATOR,
    uploads: Uploads = NO_UPLOADS,
) -> Explanation:
    """What `answer` would do."""
    pinned = _Asked(limits, None, language, parse_as_of(as_of), caller, uploads).pin(store)
    return explain_plan(plan_text(text, pinned, store, limits=limits, language=language))


def explain_analyze(
    text: str,
    store: Store,
    *,
    limits: Limits = _DEFAULT,
    language: str = "ADQL",
    as_of: str | Iterable[str] = (),
    caller: Caller = OPERATOR,
    uploads: Uploads = NO_UPLOADS,
) -> Explanation:
    """What `answer` does: the query is run, its rows are counted and thrown away."""
    asked = _Asked(limits, None, language, parse_as_of(as_of), caller, uploads)
    started = time.perf_counter()
    running = store.watch.begin(limits.timeout_s, caller=caller)
    running.trace = Trace()
    plan, found = _begun(text, store, running, asked)
    with closing(found):
        return _run(plan, found, running.trace, started)


def cancel(query_id: str, store: Store) -> bool:
    """Cancel a running query; False where none of that id runs."""
    return store.watch.cancel(query_id)


def plan_text(text: str, pinned: Pinned, store: Store, *, limits: Limits, language: str) -> Plan:
    """parse -> bind -> analyse -> plan."""
    return _planned(text, pinned, store, (limits, language), None)


def _analyzed(text: str, store: Store, asked: _Asked, running: Running | None) -> Answer:
    """The answer to EXPLAIN ANALYZE: the query runs when the first batch is asked for."""
    started = time.perf_counter()
    running = running or store.watch.begin(asked.limits.timeout_s, caller=asked.caller)
    trace = running.trace = Trace()
    plan, found = _begun(text, store, running, asked)

    def lines() -> Iterator[pa.RecordBatch]:
        yield from _run(plan, found, trace, started).batches()

    return Answer(
        running.query_id,
        (PLAN_COLUMN,),
        lines(),
        found.snapshots,
        warnings=found.warnings,
        on_close=[found.close],
    )


def _run(plan: Plan, found: Answer, trace: Trace, started: float) -> Explanation:
    """Read an answer to its end, and tell what that took."""
    rows = sum(batch.num_rows for batch in found.batches)
    elapsed = time.perf_counter() - started
    actual = Actual(rows, found.overflowed, elapsed, dict(trace.stages))
    return with_actual(explain_plan(plan), trace, actual)


def _begun(text: str, store: Store, running: Running, asked: _Asked) -> tuple[Plan, Answer]:
    """The plan of a query, and its answer before the first row."""
    running.text = text
    try:
        pinned = asked.pin(store)
        store.check_quota(asked.caller, pinned.rights)
        running.pins = {pin.catalog_id: pin.snapshot for pin in pinned.pins}
        plan = _planned(text, pinned, store, (asked.limits, asked.language), running)
        read = dict(plan.snapshots)
        running.pins = {pin.catalog_id: pin.snapshot for pin in pinned.pins if pin.name in read}
        return plan, _started(plan, pinned, store, running, asked)
    except BaseException:
        store.watch.end(running)
        raise


def _planned(
    text: str, pinned: Pinned, store: Store, asked: tuple[Limits, str], running: Running | None
) -> Plan:
    """parse -> bind -> analyse -> plan; stopping `running` ends the look-ups.

    What was asked before is not done again: preparing while the catalogs stay, planning while the
    snapshots do that are read. Raises LimitExceeded where the statement is nested too deeply for us.
    """
    try:
        return _planned_anew(text, pinned, store, asked, running)
    except RecursionError:
        raise LimitExceeded(
            "The statement is nested too deeply, or joins too many tables"
        ) from None


def _planned_anew(
    text: str, pinned: Pinned, store: Store, asked: tuple[Limits, str], running: Running | None
) -> Plan:
    """What is kept of it, and the rest made."""
    asked = (asked[0], language_of(asked[1]))
    key = _key(text, pinned, asked)
    trace = running.trace if running is not None else None
    prepared = store.prepared.get(key) or _prepared(text, pinned, asked, running)
    read = tuple(pin for pin in pinned.pins if pin.name in prepared.reads)
    plan = store.plans.get((key, read))
    if plan is None:
        with stage(trace, "locate"):
            located = store.locate(prepared.analysed.wanted, pinned, running)
        manifests = {pin.name: pinned.parts[pin.name].manifest for pin in read}
        with stage(trace, "plan"):
            plan = make_plan(prepared.analysed.query, manifests, located, pinned.uploads.counts())
        _check(running)
        if prepared.is_lasting and len(text) <= KEPT_TEXT and not pinned.uploads:
            store.prepared.put(key, prepared)
            if sum(len(fragment.pixels) for fragment in plan.fragments) <= KEPT_CHUNKS:
                store.plans.put((key, read), plan)
    return plan


def _key(text: str, pinned: Pinned, asked: tuple[Limits, str]) -> Hashable:
    """All that a prepared query depends on."""
    limits, language = asked
    versions = tuple((pin.catalog_id, pin.version) for pin in pinned.pins)
    bounds = (limits.max_text_bytes, limits.max_tokens, limits.max_nesting)
    return (text, language, versions, bounds, pinned.hidden, pinned.uploads)


def _prepared(
    text: str, pinned: Pinned, asked: tuple[Limits, str], running: Running | None
) -> Prepared:
    """parse -> bind -> analyse; a query that was stopped, or is late, goes no further."""
    limits, language = asked
    trace = running.trace if running is not None else None
    with stage(trace, "parse"):
        tree = LANGUAGES[language](text, limits)
    _check(running)
    moment = Moment(datetime.now(UTC).replace(tzinfo=None), random.random())  # noqa: S311
    with stage(trace, "bind"):
        query = _bound(tree, pinned, moment, text)
    _check(running)
    reads = {base.catalog.name for base in base_relations(query) if isinstance(base, BaseTable)}
    known = frozenset(name for name in reads if name in pinned.parts)
    with stage(trace, "analyse"):
        analysed = analyse(query)
    _check(running)
    return Prepared(analysed, known, is_lasting=not moment.is_taken)


def _check(running: Running | None) -> None:
    """Raise what stopped the query, its deadline too, if anything did."""
    if running is not None:
        running.check()


def _bound(tree: Any, pinned: Pinned, moment: Moment, text: str) -> Query:
    """The bound query; an error shows its place in the text."""
    try:
        return bind_at(tree, pinned.catalogs, moment)
    except BindError as error:
        error.show(text)
        raise


def _started(plan: Plan, pinned: Pinned, store: Store, running: Running, asked: _Asked) -> Answer:
    """dispatch -> spool -> merge -> stream, as the batches are asked for."""
    limits, maxrec = asked.limits, asked.maxrec
    check_size(plan, limits.max_merge_rows)
    bounds = [bound for bound in (limits.max_rows, maxrec) if bound is not None]
    most = min(bounds, default=None)
    cut = plan if most is None else cut_plan(plan, most + 1)
    running.all_chunks = sum(len(fragment.pixels) for fragment in plan.fragments)
    spool = store.spool(running, limits)
    find = store.finder(pinned, running)
    held = tuple(held_rows(cut, pinned))
    rows = dispatch(cut, pinned.parts, store.shards, running, spool, find=find, held=held)
    answer = Answer(
        query_id=running.query_id,
        columns=tuple(result_column(output) for output in plan.outputs),
        batches=iter(()),
        snapshots=plan.snapshots,
        warnings=list(pinned.warnings),
        scratch=store.scratch(limits),
        chunks=running.all_chunks,
    )
    batches = told(batches_of(cut, rows, pinned, spool, (store, running, limits)), answer, most)
    answer.batches = batches
    answer.on_close += [
        spool.close,
        lambda: store.watch.end(running),
        lambda: _close(batches),
        running.cancel,
    ]
    return answer


def _close(batches: Iterator[pa.RecordBatch]) -> None:
    """End the stream; one that another thread is in ends by itself, because the query is stopped."""
    assert hasattr(batches, "close")
    with suppress(ValueError):
        batches.close()
