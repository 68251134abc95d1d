"""Plan: every maximal subtree that each chunk can answer alone becomes a fragment; DuckDB does the rest.

Read in this order: `make_plan`, `_Planner.query`, `_Planner.select`, then `push.py` for blocks that go
to the chunks whole. A local that cannot take its block along is fetched: its columns that the rest of
the statement names are the outputs of its fragment, known only when the whole merge is.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Never

from qserv.bound import (
    BaseTable,
    Column,
    Exists,
    Expression,
    Fetched,
    InQuery,
    Literal,
    Output,
    Query,
    RelationId,
    Scalar,
    Select,
    SetOperation,
)
from qserv.plan.cells import join_by_cells
from qserv.plan.estimate import is_better_fed
from qserv.plan.fragments import build_fragment, separations_of
from qserv.plan.local import Local
from qserv.plan.pieces import Gathered, Gatherer, Piece
from qserv.plan.prune import Known, Located
from qserv.plan.push import Pushed, push
from qserv.plan.staging import Open, with_feeds
from qserv.plan.subqueries import Localiser, NotLocal, outer_relations
from qserv.planned import Fragment, Plan
from qserv.rebuild import rewrite, rewrite_block, rewrite_query
from qserv.traverse import (
    base_relations,
    conjunction,
    conjuncts,
    has_subquery,
    query_nodes,
    windows,
)
from schema.catalog import Table
from schema.manifest import Manifest
from schema.names import HELD_CATALOGS, UPLOADS
from schema.types import Type

NO_ROWS: Mapping[str, int] = {}


def make_plan(
    query: Query,
    manifests: Mapping[str, Manifest],
    located: Located,
    uploaded: Mapping[str, int] = NO_ROWS,
) -> Plan:
    """The plan of an analysed query.

    Parameters
    ----------
    manifests
        The pinned snapshot of each catalog that the query reads, by the catalog's name.
    located
        Where the director index found the keys that `analyse` wanted.
    uploaded
        How many rows each uploaded table has. They are here: the merge fetches them from nobody.
    """
    held = {
        base.relation: Held(base.table, uploaded[base.table.name])
        for base in base_relations(query)
        if isinstance(base, BaseTable) and base.catalog.name == UPLOADS
    }
    planner = _Planner(Known(manifests, located, separations_of(manifests)), held)
    merge = planner.query(query)
    merge = planner.finish(merge)
    assert all(isinstance(base, Fetched) or _is_here(base) for base in base_relations(merge))
    sent = {RelationId(name): f.estimated_sent for name, f in planner.fragments.items()}
    sent |= {relation: one.rows for relation, one in held.items()}
    merge, by_cells = join_by_cells(merge, sent)
    return Plan(
        fragments=tuple(planner.fragments.values()),
        merge=merge,
        outputs=query.outputs,
        snapshots=tuple((name, manifest.snapshot) for name, manifest in sorted(manifests.items())),
        is_concatenation=_is_concatenation(merge, held),
        limit=merge.limit,
        offset=merge.offset,
        by_cells=by_cells,
        rows_to_merge=sum(sent[RelationId(name)] for name in planner.fetched),
        uploaded=tuple((str(relation), one.table.name) for relation, one in held.items()),
    )


class _Planner:
    """One planning: the fragments made so far, and the locals whose outputs are still open."""

    def __init__(self, known: Known, held: Mapping[RelationId, Held]) -> None:
        self.known, self.held = known, held
        self.fragments: dict[str, Fragment] = {}
        self._open: dict[str, tuple[Local, str, bool]] = {}
        self._planned: dict[Expression, Expression] = {}
        """Sub-queries that are planned: where one stands twice (as an output and a sort key, or
        merged into several places), both name the same relations, so both are the same rows."""

    @property
    def fetched(self) -> Iterable[str]:
        """The fragments whose rows the merge needs one by one."""
        return self._open

    # -------------------------------------------------------------- the tree

    def query(self, query: Query) -> Query:
        """The query with its locals replaced by fetched relations."""
        if isinstance(query, SetOperation):
            return replace(query, left=self.query(query.left), right=self.query(query.right))
        return self.select(query)

    def select(self, block: Select, *, once: bool = False) -> Query:
        """One block: sent to the chunks whole where that is sound, else over fetched pieces.

        `once`: only the set of the block's rows matters, so its own pieces may send each row once.
        """
        if block.source is None:
            return self._with_subqueries(block)

        def fetch(local: Local, why: str) -> Fetched:
            return self.fetch(local, why, once=once)

        def better_fed(one: Local, other: Local, joined: Local) -> bool:
            return is_better_fed(one, other, joined, self.known)

        gatherer = Gatherer(self.known.separations, self.query, fetch, better_fed)
        gathered = self._with_semijoins(gatherer.gather(block.source, conjuncts(block.where)))
        local = gathered.local()
        if local is not None:
            whole, local, why = self._with_inner(block, local)
            pushed = push(whole, local, self.known.manifests)
            if isinstance(pushed, Pushed):
                return self._pushed(pushed, local)
            gathered = replace(gathered, reasons=(why or pushed.reason,))
        source = gatherer.joined(gathered)
        rest = replace(block, source=source, where=conjunction(gathered.conditions))
        return self._with_subqueries(rest)

    # -------------------------------------------------------------- sub-queries in the chunks

    def _localiser(self, local: Local) -> Localiser:
        """Takes sub-queries into a local; what needs fragments of its own is left to the merge."""

        def refuse(*_: object) -> Never:
            raise NotLocal("the sub-query needs rows of several chunks")

        gatherer = Gatherer(self.known.separations, refuse, refuse)
        return Localiser(local, gatherer.gather, self.known.separations)

    def _with_semijoins(self, gathered: Gathered) -> Gathered:
        """Conditions with sub-queries that the chunks of one piece answer become its filters."""
        pieces, kept, reasons = list(gathered.pieces), [], list(gathered.reasons)
        for condition in gathered.conditions:
            k = _owner(condition, pieces)
            piece = None if k is None else pieces[k]
            if k is None or not isinstance(piece, Local):
                kept.append(condition)
                continue
            localiser = self._localiser(piece)
            try:
                taken = localiser.condition(condition)
            except NotLocal as error:
                kept.append(condition)
                reasons.append(str(error))
            else:
                local = localiser.local
                pieces[k] = replace(local, filters=(*local.filters, taken))
        return Gathered(tuple(pieces), tuple(kept), tuple(dict.fromkeys(reasons)))

    def _with_inner(self, block: Select, local: Local) -> tuple[Select, Local, str]:
        """The block with the sub-queries of its select list taken in; why not, where they are not."""
        localiser = self._localiser(local)
        try:
            return localiser.block(block), localiser.local, ""
        except NotLocal as error:
            return block, local, str(error)

    def fetch(self, local: Local, why: str, *, once: bool) -> Fetched:
        """A fragment whose outputs are the columns that the finished merge names."""
        name = self._next_name()
        self._open[name] = (local, why, once)
        return Fetched(RelationId(name), name)

    def _next_name(self) -> str:
        return f"f{len(self.fragments) + len(self._open)}"

    def _pushed(self, pushed: Pushed, local: Local) -> Query:
        """A block that chunks answer; nothing to ask where the manifest knows the answer."""
        if pushed.fragment is None:
            return pushed.merge("")
        name = self._next_name()
        self.fragments[name] = build_fragment(name, pushed.fragment, local, self.known, pushed.why)
        return pushed.merge(name)

    def _with_subqueries(self, block: Select) -> Query:
        """The block with the sub-queries of its expressions planned, ON of outer joins included.

        Its derived tables are planned already.
        """

        def plan(node: Expression) -> Expression | None:
            if not isinstance(node, Exists | InQuery | Scalar):
                return None
            if node not in self._planned:
                self._planned[node] = planned(node)
            return self._planned[node]

        def planned(node: Exists | InQuery | Scalar) -> Expression:
            match node:
                case Exists():
                    return replace(node, query=self._set_of_rows(node.query))
                case InQuery():
                    inner = self._set_of_rows(_distinct(node.query))
                    return replace(node, argument=rewrite(node.argument, plan), query=inner)
                case Scalar():
                    return replace(node, query=self.query(node.query))

        return rewrite_block(block, plan)

    def _set_of_rows(self, query: Query) -> Query:
        """A sub-query of which only the set of rows matters."""
        if isinstance(query, Select):
            return self.select(query, once=_is_plain(query))
        return self.query(query)

    # -------------------------------------------------------------- open fragments

    def finish(self, merge: Query) -> Query:
        """Close the open fragments: their outputs are the columns that the merge names."""
        named: dict[RelationId, dict[Column, None]] = {}
        for node in query_nodes(merge):
            if isinstance(node, Column):
                named.setdefault(node.relation, {})[node] = None
        renames: dict[Column, Column] = {
            Column(relation, column.name, column.type): Column(relation, f"c{i}", column.type)
            for relation, one in self.held.items()
            for i, column in enumerate(one.table.columns)
        }
        locals_ = {name: local for name, (local, _, _) in self._open.items()}
        fetched = Open(locals_, renames, {name: one.rows for name, one in self.held.items()})
        for name, (local, why, once) in self._open.items():
            columns = [c for r in sorted(local.joined) for c in named.get(r, {})]
            outputs = tuple(Output(c, c.name) for c in columns)
            renames |= {
                column: Column(RelationId(name), f"c{i}", column.type)
                for i, column in enumerate(columns)
            }
            block = Select(outputs or (Output(Literal(1, Type.INT), "c0"),), distinct=once)
            self.fragments[name] = build_fragment(name, block, local, self.known, why)
        self.fragments = with_feeds(self.fragments, merge, fetched, self.known)
        if not renames:
            return merge
        return rewrite_query(
            merge, lambda node: renames.get(node) if isinstance(node, Column) else None
        )


@dataclass(frozen=True, slots=True)
class Held:
    """An uploaded table that a query reads, and how many rows it has."""

    table: Table
    rows: int


def _owner(condition: Expression, pieces: Sequence[Piece]) -> int | None:
    """The piece that a condition with sub-queries is about, where it is about one."""
    if not has_subquery(condition):
        return None
    named = outer_relations(condition)
    for k, piece in enumerate(pieces):
        if isinstance(piece, Local) and named <= piece.relations and (named or len(pieces) == 1):
            return k
    return None


def _is_here(base: BaseTable) -> bool:
    """Whether the czar holds the table's rows itself."""
    return base.catalog.name in HELD_CATALOGS


def _distinct(query: Query) -> Query:
    """The query of `IN (...)`: the same set with each value once."""
    if isinstance(query, Select) and _is_plain(query):
        return replace(query, distinct=True, order=())
    return query


def _is_plain(query: Select) -> bool:
    """Whether which rows it has depends on each alone, so that each may come once or often."""
    has_shape = query.is_grouped or query.distinct_on or query.limit is not None or query.offset
    return not has_shape and not any(windows(output.expression) for output in query.outputs)


def _is_concatenation(merge: Query, held: Container[RelationId]) -> bool:
    """Whether the merge only passes on the columns of one fragment, in their order."""
    if not isinstance(merge, Select) or not isinstance(merge.source, Fetched):
        return False
    if merge.source.relation in held:
        return False
    has_work = merge.where or merge.group or merge.is_grouped or merge.distinct or merge.order
    has_work = has_work or merge.distinct_on
    straight = all(
        output.expression == Column(merge.source.relation, f"c{i}", output.type)
        for i, output in enumerate(merge.outputs)
    )
    return not has_work and straight
