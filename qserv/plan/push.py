"""Blocks that go to the chunks whole: filters and projections, top-N, DISTINCT, groups.

A group is final in the fragment only where a chunk holds all of its rows: the group's key holds the
own, non-null key of a director that the local reads from own rows and no outer join can lose. All
other groups are sent as partial aggregates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from qserv.bound import (
    Aggregate,
    BaseTable,
    Column,
    Expression,
    Fetched,
    Literal,
    Output,
    RelationId,
    Select,
    Window,
)
from qserv.plan.aggregates import Aggregates, aggregates_of, finished, over_values, value_of
from qserv.plan.from_manifest import from_manifest
from qserv.plan.local import Local, Refusal
from qserv.plan.subqueries import inner_bases
from qserv.planned import Reading
from qserv.rebuild import rewrite, rewrite_keys, rewrite_outputs
from qserv.traverse import has_subquery, relations, windows
from schema.catalog import Role
from schema.manifest import Manifest
from schema.types import Type


@dataclass(frozen=True, slots=True)
class Pushed:
    """A block split in two: what each chunk answers (None: nothing), and the merge by its name."""

    fragment: Select | None
    merge: Callable[[str], Select]
    why: str = ""


def push(block: Select, local: Local, manifests: Mapping[str, Manifest]) -> Pushed | Refusal:
    """The block as a fragment over the local and a merge of its rows."""
    expressions = tuple(_expressions(block))
    if any(has_subquery(e) and not _is_answered(e, local) for e in expressions):
        return Refusal("a sub-query stands in the block")
    if any(not relations(expression) <= local.relations for expression in expressions):
        return Refusal("the block names a relation of the query around it")
    found = [window for expression in expressions for window in windows(expression)]
    are_whole = all(_lies_in_one_chunk(window, local) for window in found)
    if not block.is_grouped:
        if block.distinct_on:
            return Refusal("DISTINCT ON keeps the first of all chunks' rows")
        if not are_whole:
            return Refusal("the rows of a window may lie in several chunks")
        return _rows(block)
    counted = _counted(block, local, manifests)
    if counted is not None:
        return counted
    is_plain = are_whole and not block.grouping_sets and not block.distinct_on
    if is_plain and any(_is_own_key(key, local) for key in block.group):
        return _rows(block, why="groups are final: each lies in one chunk")
    aggregates = aggregates_of(expressions)
    inner = [e for e in expressions if has_subquery(e)]
    if any(has_subquery(_without(e, aggregates, block.group)) for e in inner):
        return Refusal("a sub-query stands beside groups that several chunks may share")
    argument = aggregates.sole_distinct()
    if argument is not None and not _is_disjoint(argument, block, local):
        return _distinct_values(block, argument)
    if aggregates.are_partial:
        return _partial(block, aggregates, local)
    return Refusal(aggregates.why_not_partial())


def _expressions(block: Select) -> Iterable[Expression]:
    """The expressions of a block but those of its FROM and WHERE."""
    yield from (output.expression for output in block.outputs)
    yield from (key.expression for key in block.order)
    yield from block.group
    yield from block.distinct_on
    if block.having is not None:
        yield block.having


def _is_answered(expression: Expression, local: Local) -> bool:
    """Whether the sub-queries in it read nothing but members of the local."""
    return all(base.relation in local.relations for base in inner_bases(expression))


def _without(
    expression: Expression, aggregates: Aggregates, group: tuple[Expression, ...]
) -> Expression:
    """The expression, its aggregates and group keys left out: what the merge must reckon."""
    sent: set[Expression] = {*aggregates.found, *group}
    return rewrite(expression, lambda node: _NOTHING if node in sent else None)


_NOTHING = Literal(None, Type.INT)


class _Sent:
    """The outputs of a fragment, each once, and their columns in the merge."""

    def __init__(self) -> None:
        self._places: dict[Expression, int] = {}

    def place(self, expression: Expression) -> int:
        """The output that gives the expression."""
        return self._places.setdefault(expression, len(self._places))

    def outputs(self) -> tuple[Output, ...]:
        """At least one: where the merge needs nothing, how many rows there are."""
        if not self._places:
            self.place(Aggregate("count", None, distinct=False, type=Type.LONG))
        return tuple(Output(expression, f"c{i}") for expression, i in self._places.items())

    def column(self, expression: Expression) -> Column:
        """The merge's column of it, of a fragment yet without name."""
        return Column(_UNNAMED, f"c{self.place(expression)}", expression.type)


_UNNAMED = RelationId("")
MOST_ROWS = 2**63 - 1
"""The largest LIMIT that the engines take."""


def _named(block: Select, name: str) -> Select:
    """The merge of a fragment that has its name now."""

    def name_it(node: Expression) -> Expression | None:
        if isinstance(node, Column) and node.relation == _UNNAMED:
            return Column(fetched.relation, node.name, node.type)
        return None

    fetched = Fetched(RelationId(name), name)

    return replace(
        block,
        source=fetched,
        outputs=rewrite_outputs(block.outputs, name_it),
        order=rewrite_keys(block.order, name_it),
        group=tuple(rewrite(key, name_it) for key in block.group),
        distinct_on=tuple(rewrite(key, name_it) for key in block.distinct_on),
        having=None if block.having is None else rewrite(block.having, name_it),
    )


def _merge_of(block: Select) -> Callable[[str], Select]:
    return lambda name: _named(block, name)


def _rows(block: Select, why: str = "") -> Pushed:
    """Rows as they are (or final groups): each chunk sends its own, at most the first `limit`."""
    sent = _Sent()
    outputs = tuple(Output(sent.column(o.expression), o.name, o.metadata) for o in block.outputs)
    order = tuple(replace(key, expression=sent.column(key.expression)) for key in block.order)
    merge = replace(
        block, outputs=outputs, where=None, group=(), having=None, is_grouped=False, order=order
    )
    first = None if block.limit is None else min(block.limit + block.offset, MOST_ROWS)
    fragment = replace(
        block,
        outputs=sent.outputs(),
        source=None,
        where=None,
        order=block.order if first is not None else (),
        limit=first,
        offset=0,
    )
    return Pushed(fragment, _merge_of(merge), why)


def _partial(block: Select, aggregates: Aggregates, local: Local) -> Pushed:
    """Groups that several chunks may share: partial aggregates, finished in the merge.

    Values of which each counts once make the fragment's groups finer.
    """
    sent = _Sent()
    keys = {key: sent.column(key) for key in block.group}
    counted = [a for a in aggregates.found if a.distinct]
    are_apart = all(a.name == "count" and _is_disjoint(a.argument, block, local) for a in counted)
    values = [] if are_apart else list(dict.fromkeys(map(value_of, counted)))
    columns = {value: sent.column(value) for value in values}

    def whole_of(a: Aggregate) -> Expression:
        if not a.distinct:
            return finished(a, sent.column)
        if are_apart:
            is_row = isinstance(local.source, BaseTable)
            return finished(replace(a, distinct=not is_row), sent.column)
        return over_values(a, columns[value_of(a)])

    whole = {a: whole_of(a) for a in aggregates.found}

    def finish(node: Expression) -> Expression | None:
        if node in keys:
            return keys[node]
        return whole[node] if isinstance(node, Aggregate) else None

    fragment = Select(sent.outputs(), group=(*block.group, *values), is_grouped=True)
    why = "groups may lie in several chunks: partial aggregates"
    if values:
        why += " by the values that count once"
    return Pushed(fragment, _merge_of(_over_groups(block, finish)), why)


def _is_disjoint(argument: Expression | None, block: Select, local: Local) -> bool:
    """Whether no two chunks send the same value of a group, so that counts of values add up."""
    return argument is not None and not block.grouping_sets and _is_own_key(argument, local)


def _distinct_values(block: Select, argument: Expression) -> Pushed:
    """Distinct aggregates of one argument: chunks send each group's values once."""
    sent = _Sent()
    keys = {key: sent.column(key) for key in block.group}
    value = sent.column(argument)

    def finish(node: Expression) -> Expression | None:
        if node in keys:
            return keys[node]
        return replace(node, argument=value) if isinstance(node, Aggregate) else None

    return Pushed(
        Select(sent.outputs(), distinct=True),
        _merge_of(_over_groups(block, finish)),
        "chunks send each value once",
    )


def _over_groups(block: Select, finish: Callable[[Expression], Expression | None]) -> Select:
    """The merge of a grouped block, its expressions finished."""
    return replace(
        block,
        outputs=tuple(replace(o, expression=rewrite(o.expression, finish)) for o in block.outputs),
        order=rewrite_keys(block.order, finish),
        group=tuple(rewrite(key, finish) for key in block.group),
        distinct_on=tuple(rewrite(key, finish) for key in block.distinct_on),
        having=None if block.having is None else rewrite(block.having, finish),
        where=None,
    )


def _is_own_key(key: Expression, local: Local) -> bool:
    """Whether a group by this key lies in one chunk: it is a preserved own director's non-null key."""
    if not isinstance(key, Column):
        return False
    member = local.member(key.relation)
    if member is None or member.reading is not Reading.OWN or not member.preserved:
        return False
    column = member.table.column(key.name)
    is_key = member.table.role is Role.DIRECTOR and member.table.key == key.name
    return is_key and column is not None and not column.nullable


def _lies_in_one_chunk(window: Window, local: Local) -> bool:
    """Whether all rows that a window sees come from the chunk of the row that it is for."""
    return any(_is_own_key(key, local) for key in window.partition)


def _counted(block: Select, local: Local, manifests: Mapping[str, Manifest]) -> Pushed | None:
    """Aggregates of one whole table that the manifest knows."""
    base = local.source
    if not isinstance(base, BaseTable) or local.filters:
        return None
    if base.table.is_live:
        return None  # the manifest only estimates it
    merge = from_manifest(block, base, manifests[base.catalog.name])
    if merge is None:
        return None
    return Pushed(None, lambda _name: merge, "the manifest knows it")
