"""The path of a question: parse -> bind -> analyse -> plan -> dispatch -> spool -> merge -> stream."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pyarrow as pa
from sqlglot import exp

from qserv.adql import parse_adql
from qserv.analyse import analyse
from qserv.bind import Moment, bind_at
from qserv.bound import BaseTable
from qserv.dispatch.loop import dispatch
from qserv.explain import Explanation, explain_plan
from qserv.limits import Limits
from qserv.pinned import Pinned
from qserv.plan.make import make_plan
from qserv.planned import Plan
from qserv.recent import KEPT_CHUNKS, KEPT_TEXT, Prepared
from qserv.result import Answer
from qserv.running import Running, new_query_id
from qserv.store import Store
from qserv.stream import batches_of, cut_plan, result_column, told
from qserv.traverse import base_relations
from schema.errors import QueryError

_DEFAULT = Limits()
_EXPLAIN = re.compile(r"[ \t]*EXPLAIN[ \t]+(?=(SELECT|WITH)\b|\()", re.IGNORECASE)
_PARSERS: dict[str, Callable[[str, Limits], exp.Expression]] = {
    "ADQL": parse_adql,
    "ADQL-2.0": parse_adql,
    "ADQL-2.1": parse_adql,
}


class UnknownLanguage(QueryError):
    """The query is in a language that is not spoken here."""

    code = "UNKNOWN_LANGUAGE"

    def __init__(self, language: str) -> None:
        super().__init__(f"no query language {language!r}; there are {', '.join(_PARSERS)}")


def answer(
    text: str,
    store: Store,
    *,
    limits: Limits = _DEFAULT,
    maxrec: int | None = None,
    language: str = "ADQL",
) -> Answer:
    """Run one query over the shards.

    What is wrong with the query is raised here, before any shard is asked for rows; they are asked
    when the first batch is. The answer must be closed. `EXPLAIN SELECT ...` answers with its plan.

    Parameters
    ----------
    maxrec
        The most rows that the caller wants; where there are more the answer overflows.
    """
    prefix = _EXPLAIN.match(text)
    if prefix is not None:
        asked = " " * prefix.end() + text[prefix.end() :]  # blanks keep the places of errors
        explanation = explain(asked, store, limits=limits, language=language)
        return explanation.to_answer(new_query_id())
    running = store.watch.begin(limits.timeout_s)
    try:
        pinned = store.pin()
        plan = _planned(text, pinned, store, (limits, language), running)
        return _started(plan, pinned, store, running, (limits, maxrec))
    except BaseException:
        store.watch.end(running)
        raise


def explain(
    text: str, store: Store, *, limits: Limits = _DEFAULT, language: str = "ADQL"
) -> Explanation:
    """What `answer` would do."""
    return explain_plan(plan_text(text, store.pin(), store, limits=limits, language=language))


def cancel(query_id: str, store: Store) -> bool:
    """Cancel a running query; False where none of that id runs."""
    return store.watch.cancel(query_id)


def plan_text(text: str, pinned: Pinned, store: Store, *, limits: Limits, language: str) -> Plan:
    """parse -> bind -> analyse -> plan."""
    return _planned(text, pinned, store, (limits, language), None)


def _planned(
    text: str, pinned: Pinned, store: Store, asked: tuple[Limits, str], running: Running | None
) -> Plan:
    """parse -> bind -> analyse -> plan; stopping `running` ends the look-ups.

    What was asked before is not done again: preparing while the catalogs stay, planning while the
    snapshots do that are read.
    """
    key = _key(text, pinned, asked)
    prepared = store.prepared.get(key) or _prepared(text, pinned, asked)
    read = tuple(pin for pin in pinned.pins if pin.name in prepared.reads)
    plan = store.plans.get((key, read))
    if plan is None:
        located = store.locate(prepared.analysed.wanted, pinned, running)
        manifests = {pin.name: pinned.parts[pin.name].manifest for pin in read}
        plan = make_plan(prepared.analysed.query, manifests, located)
        if prepared.is_lasting and len(text) <= KEPT_TEXT:
            store.prepared.put(key, prepared)
            if sum(len(fragment.pixels) for fragment in plan.fragments) <= KEPT_CHUNKS:
                store.plans.put((key, read), plan)
    return plan


def _key(text: str, pinned: Pinned, asked: tuple[Limits, str]) -> Hashable:
    """All that a prepared query depends on."""
    limits, language = asked
    versions = tuple((pin.catalog_id, pin.version) for pin in pinned.pins)
    bounds = (limits.max_text_bytes, limits.max_tokens, limits.max_nesting)
    return (text, language.upper(), versions, bounds)


def _prepared(text: str, pinned: Pinned, asked: tuple[Limits, str]) -> Prepared:
    """parse -> bind -> analyse."""
    limits, language = asked
    parse = _PARSERS.get(language.upper())
    if parse is None:
        raise UnknownLanguage(language)
    tree = parse(text, limits)
    moment = Moment(datetime.now(UTC).replace(tzinfo=None), random.random())  # noqa: S311
    query = bind_at(tree, pinned.catalogs, moment)
    reads = {base.catalog.name for base in base_relations(query) if isinstance(base, BaseTable)}
    known = frozenset(name for name in reads if name in pinned.parts)
    return Prepared(analyse(query), known, is_lasting=not moment.is_taken)


def _started(
    plan: Plan, pinned: Pinned, store: Store, running: Running, asked: tuple[Limits, int | None]
) -> Answer:
    """dispatch -> spool -> merge -> stream, as the batches are asked for."""
    limits, maxrec = asked
    bounds = [bound for bound in (limits.max_rows, maxrec) if bound is not None]
    most = min(bounds, default=None)
    cut = plan if most is None else cut_plan(plan, most + 1)
    spool = store.spool(running, limits)
    find = store.finder(pinned, running)
    rows = dispatch(cut, pinned.parts, store.shards, running, spool, find=find)
    answer = Answer(
        query_id=running.query_id,
        columns=tuple(result_column(output) for output in plan.outputs),
        batches=iter(()),
        snapshots=plan.snapshots,
        warnings=list(pinned.warnings),
        scratch=store.scratch(limits),
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
