"""Sub-queries that each chunk can answer alone: semi-joins, anti-joins, scalars. Pure.

A sub-query joins a local where every row that it can see of an outer row lies in that row's chunk:

- it reads replicated tables only; or
- an equality of keys, a distance within the margin or a match table, among the conditions that all its
  rows fulfil, links it to the outer local; where it is several locals, each one of them;
- `IN` may be such an equality, of a plain or grouped column. Elsewhere than at the top of WHERE
  (`NOT IN`, under NOT, in a select list) both sides must never be NULL: a NULL among the values, or no
  values at all, change what it means for rows of all chunks.

The outer local keeps the anchor; the sub-query's relations are partners, read like those of a join.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from qserv.bound import (
    BaseTable,
    Call,
    Column,
    Derived,
    Exists,
    Expression,
    Fetched,
    InQuery,
    Join,
    JoinKind,
    Literal,
    Output,
    Query,
    RelationId,
    Scalar,
    Select,
    Source,
    Values,
)
from qserv.carry import carried_equalities
from qserv.plan.local import Local, Member, Refusal, Separations, beside, linked_by_key
from qserv.plan.pieces import Gathered
from qserv.rebuild import rewrite, rewrite_block
from qserv.traverse import (
    blocks,
    conjunction,
    conjuncts,
    has_subquery,
    leaves,
    query_nodes,
    relations,
    windows,
)
from schema.names import HELD_CATALOGS
from schema.types import Type

Gather = Callable[[Source, tuple[Expression, ...]], Gathered]
"""Takes a sub-query's FROM apart; raises NotLocal where that needs fragments of its own."""


class NotLocal(Exception):
    """A sub-query that chunks cannot answer; never leaves `plan`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason)


@dataclass(slots=True)
class Localiser:
    """Takes sub-queries into one local, which grows by what they read."""

    local: Local
    gather: Gather
    separations: Separations
    _held: tuple[Expression, ...] = ()
    """What holds for every row of the sub-queries around the one at hand."""
    _known: list[tuple[Query, Expression | None, Select]] = field(default_factory=list)
    """Sub-queries taken in already: a select list and ORDER BY may hold the same one."""

    def condition(self, condition: Expression) -> Expression:
        """A condition of WHERE with its sub-queries taken in; raises NotLocal."""
        match condition:
            case Call(name="and" | "or", arguments=parts):
                return replace(condition, arguments=tuple(self.condition(part) for part in parts))
            case InQuery(negated=False):
                return self._in_query(condition, may_be_null=True)
            case _:
                return self.expression(condition)

    def expression(self, expression: Expression) -> Expression:
        """Any expression with its sub-queries taken in; raises NotLocal."""
        return rewrite(expression, self._node)

    def block(self, block: Select) -> Select:
        """A block's own expressions with their sub-queries taken in, but for FROM and WHERE."""
        alone = rewrite_block(replace(block, source=None, where=None), self._node)
        return replace(alone, source=block.source, where=block.where)

    def _node(self, node: Expression) -> Expression | None:
        match node:
            case Exists() | Scalar():
                return replace(node, query=self._inner(node.query, None))
            case InQuery():
                return self._in_query(node, may_be_null=False)
            case _:
                return None

    def _in_query(self, node: InQuery, *, may_be_null: bool) -> Expression:
        """`IN`, which may itself be the equality that links the sub-query."""
        argument = rewrite(node.argument, self._node)
        if not isinstance(node.query, Select):
            raise NotLocal("the sub-query is a set operation")
        value = node.query.outputs[0].expression
        link = None
        if _is_seen_by_value(node.query, value):
            is_known = _is_never_null(argument, self.local.members) and _is_given(node.query, value)
            if may_be_null or is_known:
                link = Call("=", (argument, value), Type.BOOLEAN)
        if link is not None and node.negated and not node.query.is_grouped:
            return Exists(self._inner(_with_equality(node.query, link), None), negated=True)
        why = "" if link is not None or may_be_null else "a NULL in any chunk counts for NOT IN"
        return replace(node, argument=argument, query=self._inner(node.query, link, why))

    def _inner(self, query: Query, link: Expression | None, why: str = "") -> Select:
        """A sub-query as one that the local's chunks answer; its relations become members."""
        for known, by, answered in self._known:
            if known == query and by == link:
                return answered
        answered = self._taken_in(query, link, why)
        self._known.append((query, link, answered))
        return answered

    def _taken_in(self, query: Query, link: Expression | None, why: str) -> Select:
        if not isinstance(query, Select):
            raise NotLocal("the sub-query is a set operation")
        if query.source is None:
            return self._finished(query, conjuncts(query.where))
        if not all(
            isinstance(leaf, BaseTable) and _is_stored(leaf) for leaf in leaves(query.source)
        ):
            raise NotLocal("the sub-query reads more than tables")
        gathered = self.gather(query.source, conjuncts(query.where))
        between = tuple(c for c in gathered.conditions if not has_subquery(c))
        nested = tuple(c for c in gathered.conditions if has_subquery(c))
        linking = between if link is None else (*between, link)
        before, self._held = self._held, (*self._held, *linking)
        partner, added = self._partner(gathered, why)
        inside = tuple(self.condition(condition) for condition in nested)
        self._held = before
        where = (*partner.filters, *between, *added, *inside)
        return self._finished(replace(query, source=partner.source), where)

    def _partner(self, gathered: Gathered, why: str) -> tuple[Local, tuple[Expression, ...]]:
        """The sub-query's pieces as partners side by side, and the conditions that come with that.

        Each is linked to the local, or to those taken in before it.
        """
        waiting = [piece for piece in gathered.pieces if isinstance(piece, Local)]
        if len(waiting) < len(gathered.pieces):
            raise NotLocal("; ".join(gathered.reasons) or "the sub-query is not local to a chunk")
        equal = carried_equalities(self._held)
        taken: list[Local] = []
        added: list[Expression] = []
        while waiting:
            piece, partner, conditions = self._next(waiting, (*self._held, *equal), why)
            waiting.remove(piece)
            taken.append(partner)
            added += conditions
            self.local = replace(self.local, members=(*self.local.members, *_partners(partner)))
        return _side_by_side(taken), tuple(added)

    def _next(
        self, waiting: Sequence[Local], linking: tuple[Expression, ...], why: str
    ) -> tuple[Local, Local, tuple[Expression, ...]]:
        """The first piece that is linked to the local, as a partner; raises NotLocal."""
        for piece in waiting[:-1]:
            with suppress(NotLocal):
                return piece, *self._linked(piece, linking, why)
        return waiting[-1], *self._linked(waiting[-1], linking, why)

    def _linked(
        self, inner: Local, linking: tuple[Expression, ...], why: str
    ) -> tuple[Local, tuple[Expression, ...]]:
        """The sub-query's local as a partner, and the conditions that come with that."""
        if inner.anchor is None:
            return inner, ()
        if self.local.anchor is None:
            raise NotLocal("a replicated table is preserved: each chunk would return its rows")
        if linked_by_key(self.local, inner, linking):
            return inner, ()
        found = beside(self.local, inner, linking, self.separations)
        if isinstance(found, Refusal):
            raise NotLocal(why or found.reason)
        return found.partner, found.conditions

    def _finished(self, query: Select, where: tuple[Expression, ...]) -> Select:
        """The sub-query with its conditions and what its other expressions hold."""
        whole = self.block(replace(query, where=conjunction(where)))
        if not {n.relation for n in query_nodes(whole) if isinstance(n, Column)} <= (
            self.local.relations
        ):
            raise NotLocal("the sub-query names a relation of a query farther out")
        return whole


def _side_by_side(locals_: Sequence[Local]) -> Local:
    """Locals as one without further conditions; what they are partners of keeps the anchor."""
    first, *others = locals_
    for other in others:
        source = Join(JoinKind.CROSS, first.source, other.source, None)
        filters = (*first.filters, *other.filters)
        first = Local(source, (*first.members, *other.members), first.anchor, filters)
    return first


def outer_relations(expression: Expression) -> set[RelationId]:
    """The relations that an expression names and that no sub-query in it holds."""
    return relations(expression) - {base.relation for base in inner_bases(expression)}


def inner_bases(expression: Expression) -> list[BaseTable | Derived | Values | Fetched]:
    """The relations that the sub-queries in an expression read."""
    return [
        leaf
        for query in _queries(expression)
        for block in blocks(query)
        for leaf in leaves(block.source)
    ]


def _queries(expression: Expression) -> Iterator[Query]:
    found: list[Query] = []

    def note(node: Expression) -> Expression | None:
        if isinstance(node, Exists | Scalar | InQuery):
            found.append(node.query)
        return None

    rewrite(expression, note)
    return iter(found)


def _partners(partner: Local) -> tuple[Member, ...]:
    """Its members as those of a sub-query: no row of the block is theirs."""
    return tuple(replace(member, preserved=False) for member in partner.members)


def _is_stored(base: BaseTable) -> bool:
    return base.catalog.name not in HELD_CATALOGS


def _is_seen_by_value(query: Select, value: Expression) -> bool:
    """Whether rows of one value of the first output tell alone whether it is there."""
    is_cut = query.limit is not None or query.offset or query.distinct_on
    if is_cut or any(windows(output.expression) for output in query.outputs):
        return False
    return not query.is_grouped or (value in query.group and not query.grouping_sets)


def _with_equality(query: Select, link: Expression) -> Select:
    """The rows of a sub-query that equal the outer value: an anti-join is faster than NOT IN."""
    one = Output(Literal(1, Type.INT), "c0")
    where = conjunction((*conjuncts(query.where), link))
    return replace(query, outputs=(one,), where=where, distinct=False, order=())


def _is_given(query: Select, value: Expression) -> bool:
    """Whether the sub-query's first output is never NULL."""
    if any(
        isinstance(c, Call) and c.name == "is not null" and c.arguments == (value,)
        for c in conjuncts(query.where)
    ):
        return True
    source = query.source
    if not isinstance(source, BaseTable) or not isinstance(value, Column):
        return False
    column = source.table.column(value.name)
    return column is not None and not column.nullable


def _is_never_null(value: Expression, members: tuple[Member, ...]) -> bool:
    """Whether an outer value is never NULL: a column that is not, of a preserved member."""
    if not isinstance(value, Column):
        return False
    member = next((m for m in members if m.base.relation == value.relation), None)
    column = None if member is None else member.table.column(value.name)
    return member is not None and member.preserved and column is not None and not column.nullable
