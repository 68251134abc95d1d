"""The path of a question: parse -> bind -> analyse -> plan -> dispatch -> spool -> merge -> stream."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pyarrow as pa
from sqlglot import exp

from qserv.adql import parse_adql
from qserv.analyse import analyse
from qserv.bind import bind
from qserv.bound import BaseTable, Query
from qserv.dispatch.loop import dispatch
from qserv.explain import Explanation, explain_plan
from qserv.limits import Limits
from qserv.pinned import Pinned
from qserv.plan.make import make_plan
from qserv.planned import Plan
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
        query = _bound(text, pinned, store, limits, language)
        plan = _planned(query, pinned, store, running)
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
    return _planned(_bound(text, pinned, store, limits, language), pinned, store, None)


def _planned(query: Query, pinned: Pinned, store: Store, running: Running | None) -> Plan:
    """analyse -> plan; stopping `running` ends the look-ups."""
    analysed = analyse(query)
    located = store.locate(analysed.wanted, pinned, running)
    read = {base.catalog.name for base in base_relations(query) if isinstance(base, BaseTable)}
    manifests = {name: pinned.parts[name].manifest for name in read if name in pinned.parts}
    return make_plan(analysed.query, manifests, located)


def _bound(text: str, pinned: Pinned, store: Store, limits: Limits, language: str) -> Query:
    """The bound query of a text; the texts asked last are bound once per catalog version."""
    parse = _PARSERS.get(language.upper())
    if parse is None:
        raise UnknownLanguage(language)
    versions = tuple((pin.catalog_id, pin.version) for pin in pinned.pins)
    bounds = (limits.max_text_bytes, limits.max_tokens, limits.max_nesting)
    key = (text, language.upper(), versions, bounds)
    query = store.bound.get(key)
    if query is None:
        tree = parse(text, limits)
        now = datetime.now(UTC).replace(tzinfo=None)
        query = bind(tree, pinned.catalogs, now=now, random=random.random())  # noqa: S311
        store.bound.put(text, key, query)
    return query


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
