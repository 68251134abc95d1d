"""FROM as pieces: the largest locals, joined by what no chunk can do alone.

Inner joins are gathered into one list of leaves and conditions and combined greedily; an outer join
combines its two sides or stays in the merge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from qserv.bound import (
    BaseTable,
    Derived,
    Expression,
    Fetched,
    Join,
    JoinKind,
    Literal,
    Output,
    Query,
    RelationId,
    Select,
    Source,
    Values,
)
from qserv.constants import constant_of
from qserv.plan.local import (
    Local,
    Refusal,
    Separations,
    combine,
    is_paired,
    linked_by_key,
    single,
)
from qserv.traverse import conjunction, conjuncts, has_subquery, leaves, relations
from schema.names import HELD_CATALOGS, UPLOADS
from schema.types import Type

Piece = Local | Source
"""What each chunk can answer, or what only the merge can."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Pieces and the conditions that no single one took up; `reasons` tell why there are several."""

    pieces: tuple[Piece, ...]
    conditions: tuple[Expression, ...]
    reasons: tuple[str, ...] = ()

    def local(self) -> Local | None:
        """The one local that all of it is; None where there is more to do than one local can."""
        if len(self.pieces) == 1 and not self.conditions and isinstance(self.pieces[0], Local):
            return self.pieces[0]
        return None


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Takes FROM apart; `plan_derived` plans a sub-query, `fetch` makes a local a fragment."""

    separations: Separations
    plan_derived: Callable[[Query], Query]
    fetch: Callable[[Local, str], Fetched]
    is_better_fed: Callable[[Local, Local, Local], bool] = lambda *_: False
    """Given two sides and their join, whether one should be asked first, its keys sent to the other."""

    def gather(self, source: Source, conditions: tuple[Expression, ...]) -> Gathered:
        """The pieces of `source` under `conditions`, which hold for every row (those of WHERE)."""
        pieces, inner, reasons = self._flatten(source)
        own = frozenset(leaf.relation for leaf in leaves(source))
        pending = [*inner, *(c for c in conditions if is_local(c, own))]
        kept = [c for c in conditions if not is_local(c, own)]
        reasons += self._combine(pieces, pending)
        pieces, pending = _take_filters(pieces, pending)
        return Gathered(tuple(pieces), (*pending, *kept), tuple(dict.fromkeys(reasons)))

    def joined(self, gathered: Gathered) -> Source:
        """The pieces side by side as a source of the merge; their conditions are left to the caller."""
        why = "; ".join(gathered.reasons) or "the rest of the statement needs all rows at once"
        sources = [
            self.fetch(piece, why) if isinstance(piece, Local) else piece
            for piece in gathered.pieces
        ]
        result, *rest = sources
        for source in rest:
            result = Join(JoinKind.CROSS, result, source, None)
        return result

    def _flatten(self, source: Source) -> tuple[list[Piece], list[Expression], list[str]]:
        """The leaves of a chain of inner joins, its conditions, and reasons met on the way."""
        match source:
            case Join(kind=JoinKind.INNER | JoinKind.CROSS):
                left, left_on, left_why = self._flatten(source.left)
                right, right_on, right_why = self._flatten(source.right)
                on = [*left_on, *right_on, *conjuncts(source.on)]
                return left + right, on, left_why + right_why
            case Join():
                piece, why = self._outer(source)
                return [piece], [], why
            case BaseTable() if source.catalog.name not in HELD_CATALOGS:
                return [single(source)], [], []
            case BaseTable() if source.catalog.name == UPLOADS:
                return [Fetched(source.relation, source.relation)], [], []
            case Derived():
                return [replace(source, query=self.plan_derived(source.query))], [], []
            case BaseTable() | Values() | Fetched():
                return [source], [], []

    # -------------------------------------------------------------- outer joins

    def _outer(self, join: Join) -> tuple[Piece, list[str]]:
        """An outer join as one local, or as a join of the merge."""
        if join.kind is JoinKind.RIGHT:
            join = Join(JoinKind.LEFT, join.right, join.left, join.on)
        on = conjuncts(join.on)
        left, right = self.gather(join.left, ()), self.gather(join.right, ())
        found = self._left(left, right, on) if join.kind is JoinKind.LEFT else _FULL
        if isinstance(found, Local) and not self._is_few(found, left, right):
            return found, [*left.reasons, *right.reasons]
        found = FEW_PAIRS if isinstance(found, Local) else found
        if join.kind is JoinKind.LEFT:
            right, on = _filter_nullable(right, on)
        right = replace(right, reasons=(*right.reasons, found.reason))
        left = replace(left, reasons=(*left.reasons, found.reason))
        condition = conjunction(on) or Literal(True, Type.BOOLEAN)
        return Join(join.kind, self._side(left), self._side(right), condition), [found.reason]

    def _is_few(self, found: Local, left: Gathered, right: Gathered) -> bool:
        """Whether a match table's few pairs had better send their keys ahead."""
        one, other = left.local(), right.local()
        if one is None or other is None or not is_paired(found, one, other):
            return False
        return self.is_better_fed(one, other, found)

    def _left(self, left: Gathered, right: Gathered, on: tuple[Expression, ...]) -> Local | Refusal:
        """A LEFT join as one local, where both sides are and a rule allows it."""
        one, other = left.local(), right.local()
        if one is None or other is None:
            return Refusal("a side of the outer join is not local to a chunk")
        if not all(is_local(condition, one.relations | other.relations) for condition in on):
            return Refusal("the outer join's condition holds a sub-query or an outer column")
        return combine(one, other, JoinKind.LEFT, on, self.separations)

    def _side(self, gathered: Gathered) -> Source:
        """One side of an outer join in the merge, its own conditions applied."""
        source = self.joined(gathered)
        condition = conjunction(gathered.conditions)
        if condition is None:
            return source
        row = Output(Literal(1, Type.INT), "c0")
        relations_named = "_".join(sorted(leaf.relation for leaf in leaves(source)))
        one_row = Derived(RelationId(f"one_{relations_named}"), Select((row,)))
        return Join(JoinKind.INNER, source, one_row, condition)

    # -------------------------------------------------------------- inner joins

    def _combine(self, pieces: list[Piece], conditions: list[Expression]) -> list[str]:
        """Merge locals pairwise, in place, while a rule allows it; the reasons where none does."""
        while True:
            reasons: list[str] = []
            for i, j in _pairs(pieces, conditions):
                found = self._pair(pieces, i, j, conditions)
                if isinstance(found, Local):
                    pieces[i] = found
                    del pieces[j]
                    break
                reasons += [found.reason] if found is not None else []
            else:
                return reasons

    def _pair(
        self, pieces: list[Piece], i: int, j: int, conditions: list[Expression]
    ) -> Local | Refusal | None:
        """Two pieces as one local, which takes up the conditions between them."""
        left, right = pieces[i], pieces[j]
        if not (isinstance(left, Local) and isinstance(right, Local)):
            return None
        own = left.relations | right.relations
        between = tuple(
            c
            for c in conditions
            if is_local(c, own) and relations(c) & left.relations and relations(c) & right.relations
        )
        if not between and not _may_cross(pieces):
            return None
        found = combine(left, right, JoinKind.INNER, between, self.separations)
        if isinstance(found, Local) and is_paired(found, left, right):
            sides = [_filtered(side, conditions) for side in (left, right)]
            if self.is_better_fed(sides[0], sides[1], _filtered(found, conditions)):
                return FEW_PAIRS
        if isinstance(found, Local):
            for condition in between:
                conditions.remove(condition)
        return found


_FULL = Refusal("a FULL join preserves both sides")
FEW_PAIRS = Refusal("few pairs are expected, whose keys are sent ahead")


def _filtered(local: Local, conditions: Iterable[Expression]) -> Local:
    """The local with those of the conditions that are its own."""
    own = tuple(c for c in conditions if relations(c) and is_local(c, local.relations))
    return replace(local, filters=(*local.filters, *own))


def _pairs(pieces: list[Piece], conditions: list[Expression]) -> list[tuple[int, int]]:
    """Pairs of pieces in the order to try: equal keys first, since a partner that is read from the
    overlap cannot take them up later; then replicated tables; then distances."""

    def rank(pair: tuple[int, int]) -> int:
        left, right = pieces[pair[0]], pieces[pair[1]]
        if not (isinstance(left, Local) and isinstance(right, Local)):
            return 3
        if left.anchor is None or right.anchor is None:
            return 1
        return 0 if linked_by_key(left, right, conditions) else 2

    pairs = [(i, j) for i in range(len(pieces)) for j in range(i + 1, len(pieces))]
    return sorted(pairs, key=rank)


def _may_cross(pieces: Iterable[Piece]) -> bool:
    """Whether a product without a condition is what is left to do, and each chunk can do it."""
    return all(isinstance(piece, Local) for piece in pieces) and (
        sum(1 for piece in pieces if isinstance(piece, Local) and piece.anchor is not None) <= 1
    )


def _take_filters(
    pieces: list[Piece], conditions: list[Expression]
) -> tuple[list[Piece], list[Expression]]:
    """Conditions on a single local become its filters."""
    left_over = []
    pieces = list(pieces)
    for condition in conditions:
        named = relations(condition)
        if has_subquery(condition):
            left_over.append(condition)
            continue
        if constant_of(condition) is not None and len(pieces) > 1:
            pieces = [_with_filter(piece, condition) for piece in pieces]
            left_over.append(condition)
            continue
        for k, piece in enumerate(pieces):
            is_its = isinstance(piece, Local) and named <= piece.relations
            if is_its and (named or len(pieces) == 1):
                assert isinstance(piece, Local)
                pieces[k] = replace(piece, filters=(*piece.filters, condition))
                break
        else:
            left_over.append(condition)
    return pieces, left_over


def _with_filter(piece: Piece, condition: Expression) -> Piece:
    """A local under one more condition; what is no local is left to the merge."""
    if not isinstance(piece, Local):
        return piece
    return replace(piece, filters=(*piece.filters, condition))


def _filter_nullable(
    right: Gathered, on: tuple[Expression, ...]
) -> tuple[Gathered, tuple[Expression, ...]]:
    """Conditions of a LEFT join's ON that name only one local of its right side filter that local."""
    pieces, left_over = _take_filters(
        list(right.pieces), [c for c in on if relations(c) and not has_subquery(c)]
    )
    others = [c for c in on if not relations(c) or has_subquery(c)]
    return replace(right, pieces=tuple(pieces)), (*left_over, *others)


def is_local(condition: Expression, own: frozenset[RelationId]) -> bool:
    """Whether the condition names no relation but these and holds no sub-query."""
    return not has_subquery(condition) and relations(condition) <= own
