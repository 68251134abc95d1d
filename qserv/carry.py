"""Conditions carried over equalities: `a.k = b.k AND a.k = 5` says `b.k = 5` too. Pure.

Only equalities that every row of the block fulfils count: those of WHERE and of ON of inner joins.
What is carried goes into WHERE, so that each table is filtered, and its chunks are chosen, on its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from qserv.bound import (
    BaseTable,
    Call,
    Cast,
    Column,
    Expression,
    InList,
    Join,
    JoinKind,
    Literal,
    Query,
    RelationId,
    Select,
    Source,
)
from qserv.constants import constant_of
from qserv.rebuild import rewrite_blocks
from qserv.traverse import conjunction, conjuncts, leaves
from schema.types import Type

MAX_CARRIED_ITEMS = 1000
"""A longer list is not written once more for every table."""
_COMPARISONS = {"=", "<", "<=", ">", ">="}
_WIDTHS = {Type.SHORT: 0, Type.INT: 1, Type.LONG: 2}
Term = Column | Cast
"""A column, or the widening of an integer one."""


def carry(query: Query) -> Query:
    """The query with such conditions added, at every depth; the same rows."""
    return rewrite_blocks(query, _with_carried)


def _with_carried(block: Select) -> Select:
    """One block with what its conditions say of further tables."""
    added = _carried(block)
    if not added:
        return block
    return replace(block, where=conjunction((*conjuncts(block.where), *added)))


def certain_of(source: Source | None) -> tuple[Expression, ...]:
    """Conditions of ON that hold for every row of the source."""
    match source:
        case Join(kind=JoinKind.INNER | JoinKind.CROSS):
            return (*certain_of(source.left), *certain_of(source.right), *conjuncts(source.on))
        case Join(kind=JoinKind.LEFT):
            return certain_of(source.left)
        case Join(kind=JoinKind.RIGHT):
            return certain_of(source.right)
        case _:
            return ()


def _carried(block: Select) -> tuple[Expression, ...]:
    """What the block's conditions say of further tables, and do not say themselves."""
    own = {leaf.relation for leaf in leaves(block.source) if isinstance(leaf, BaseTable)}
    if len(own) < 2:
        return ()
    conditions = (*conjuncts(block.where), *certain_of(block.source))
    equal = _Classes.of(conditions)
    if not equal.members:
        return ()
    said = dict.fromkeys(conditions)
    found: dict[Expression, None] = {}
    for condition in conditions:
        for carried in _over(condition, equal, own):
            if carried not in said:
                found[carried] = None
    return tuple(found)


def _over(condition: Expression, equal: _Classes, own: set[RelationId]) -> Iterator[Expression]:
    """A comparison of a column with constants, said of the columns that are equal to it."""
    found = _comparison(condition)
    if found is None:
        return
    column, constants = found
    for term in equal.terms_of(column):
        if not all(_fits(one.type, term.type) for one in constants):
            continue
        values = tuple(Literal(one.value, term.type) for one in constants)
        for other in equal.members[equal.root[term]]:
            relation = _column(other).relation
            if relation in own and relation != column.relation:
                yield _said_of(condition, column, other, values)


def _said_of(
    condition: Expression, column: Column, other: Term, values: tuple[Literal, ...]
) -> Expression:
    """The condition with another term in the column's place."""
    if isinstance(condition, InList):
        return replace(condition, argument=other, items=values)
    assert isinstance(condition, Call)
    sides: list[Expression] = [
        other if _is_of(side, column) else values[0] for side in condition.arguments
    ]
    return replace(condition, arguments=tuple(sides))


def _is_of(side: Expression, column: Column) -> bool:
    term = _term(side)
    return term is not None and _column(term) == column


def _comparison(condition: Expression) -> tuple[Column, tuple[Literal, ...]] | None:
    """The column that a condition compares with constants, none of them NULL."""
    match condition:
        case Call(name=name, arguments=(one, other)) if name in _COMPARISONS:
            sides: list[tuple[Expression, ...]] = [(one, other), (other, one)]
        case InList(negated=False, items=items) if len(items) <= MAX_CARRIED_ITEMS:
            sides = [(condition.argument, *items)]
        case _:
            return None
    for first, *rest in sides:
        term = _term(first)
        constants = [constant_of(value) for value in rest]
        known = tuple(c for c in constants if c is not None and c.value is not None)
        if term is not None and len(known) == len(rest):
            return _column(term), known
    return None


def carried_equalities(conditions: Iterable[Expression]) -> tuple[Expression, ...]:
    """`a.k = c.k`, said by `a.k = b.k` and `b.k = c.k`: of columns, in both orders."""
    equal = _Classes.of(conditions)
    return tuple(
        Call("=", (one, other), Type.BOOLEAN)
        for members in equal.members.values()
        for one in members
        for other in members
        if one != other and isinstance(one, Column) and isinstance(other, Column)
    )


@dataclass(frozen=True, slots=True)
class _Classes:
    """Sets of equal terms, of one type each; `root` names a term's set."""

    root: dict[Term, Term]
    members: dict[Term, list[Term]]

    @classmethod
    def of(cls, conditions: Iterable[Expression]) -> _Classes:
        """From the equalities among the conditions."""
        found = cls({}, {})
        for condition in conditions:
            if isinstance(condition, Call) and condition.name == "=":
                one, other = (_term(side) for side in condition.arguments)
                if one is not None and other is not None and one.type is other.type:
                    found._join(one, other)
        return found

    def _join(self, one: Term, other: Term) -> None:
        first, second = (self.root.setdefault(term, term) for term in (one, other))
        for root in (first, second):
            self.members.setdefault(root, [root])
        if first != second:
            for term in self.members.pop(second):
                self.root[term] = first
                self.members[first].append(term)

    def terms_of(self, column: Column) -> list[Term]:
        """The terms of a column that are equal to others: itself, and its widenings."""
        casts = (Cast(column, kind) for kind in _WIDTHS)
        return [term for term in (column, *casts) if term in self.root]


def _term(expression: Expression) -> Term | None:
    """A column, or the widening of an integer one; None for others. Floats may be equal and differ."""
    match expression:
        case Column(type=kind) if kind in _WIDTHS or kind in (Type.TEXT, Type.TIMESTAMP):
            return expression
        case Cast(argument=Column(type=narrow), type=wide) if narrow in _WIDTHS and wide in _WIDTHS:
            return expression if _WIDTHS[wide] > _WIDTHS[narrow] else None
        case _:
            return None


def _fits(kind: Type, wanted: Type) -> bool:
    """Whether any value of a type is one of the other."""
    if kind in _WIDTHS and wanted in _WIDTHS:
        return _WIDTHS[kind] <= _WIDTHS[wanted]
    return kind is wanted


def _column(term: Term) -> Column:
    found = term.argument if isinstance(term, Cast) else term
    assert isinstance(found, Column)
    return found
