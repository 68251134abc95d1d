"""FROM: tables, sub-queries and joins, and the names that they bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from qserv.bind.coercion import unify
from qserv.bind.conditions import condition
from qserv.bind.errors import (
    AmbiguousColumn,
    Node,
    TypeMismatch,
    UnknownColumn,
    UnknownTable,
    Unsupported,
)
from qserv.bind.names import Field, Fields
from qserv.bind.operators import compare, every
from qserv.bind.outputs import fields_of
from qserv.bind.scope import CommonTable, Env, Frame, Merged, Named, Relation, Scope, Statement
from qserv.bind.values import bind_values, fields_of_values, series
from qserv.bound import (
    BaseTable,
    Call,
    Column,
    Derived,
    Expression,
    Join,
    JoinKind,
    Literal,
    RelationId,
    Source,
)
from schema.types import Type

_NOTHING = Frame()


@dataclass(frozen=True, slots=True)
class Bound:
    """A source and the names that it brings."""

    source: Source
    frame: Frame


@dataclass(frozen=True, slots=True)
class Sources:
    """Binds the FROM clause of one block, of which `around` is the scope outside."""

    statement: Statement
    around: Scope

    def clause(self, first: Node, joins: Sequence[Node]) -> Bound:
        """FROM first, joins...; a comma binds looser than JOIN."""
        groups = [(self.source(first), first)]
        for join in joins:
            seen = Frame(tuple(item for bound, _ in groups for item in bound.frame.layout))
            if _is_comma(join):
                groups.append((self.source(join.this, seen), join.this))
            else:
                left, node = groups[-1]
                groups[-1] = (self.join(left, join, seen), node)
        (found, _), *rest = groups
        for right, node in rest:
            frame = found.frame.beside(right.frame, node)
            found = Bound(Join(JoinKind.CROSS, found.source, right.source, None), frame)
        return found

    # -------------------------------------------------------------- one source

    def source(self, node: Node, seen: Frame = _NOTHING) -> Bound:
        """A table, a sub-query or a join in parentheses, with the joins nested in it.

        `seen` are the names to its left, which a LATERAL sub-query may use.
        """
        match node:
            case exp.Table():
                found = self._table(node)
            case exp.Values():
                found = self._values(node)
            case exp.Lateral():
                found = self._lateral(node, seen)
            case exp.Subquery() if _is_query(node.this):
                found = self._derived(node, self.around)
            case exp.Subquery():
                found = self.source(node.this, seen)
            case _:
                raise Unsupported(f"{type(node).__name__.upper()} in FROM is not supported", node)
        for join in node.args.get("joins") or ():
            found = self.join(found, join, Frame(seen.layout + found.frame.layout))
        return found

    def _table(self, node: Node) -> Bound:
        """A common table expression or a catalog's table."""
        _refuse_extras(node)
        if not isinstance(node.this, exp.Identifier):
            return self._series(node)
        name, database = node.name, node.args.get("db")
        if node.args.get("catalog") is not None:
            raise UnknownTable(".".join(part.name for part in node.parts), node)
        alias = node.args.get("alias")
        common = None if database is not None else self.around.common_table(name)
        if common is not None:
            return self._common(common, alias.name if alias else name, node)
        catalog, table = self.statement.catalogs.find(
            None if database is None else database.name, name, node
        )
        relation = self.statement.new_relation()
        fields = self.statement.catalogs.fields(catalog, table)
        if alias is None:
            names = Relation(relation, table.name, fields, catalog.name)
        else:
            renamed = [item.name for item in alias.args.get("columns") or ()]
            names = Relation(relation, alias.name, _renamed(fields, renamed, node))
        return Bound(BaseTable(relation, catalog, table), Frame((names,)))

    def _series(self, node: Node) -> Bound:
        """generate_series(first, last [, step]) [AS name [(column)]]: constant whole numbers."""
        function, alias = node.this, node.args.get("alias")
        if not isinstance(function, exp.Anonymous) or function.name.lower() != "generate_series":
            hint = (
                "a table, (SELECT ...), (VALUES ...) or generate_series(first, last) stands there"
            )
            raise Unsupported("A function in FROM is not supported", node, hint=hint)
        env = Env(self.statement, self.around, clause="generate_series")
        numbers = series([env.bind(item) for item in function.expressions], node)
        relation = self.statement.new_relation()
        name = "generate_series" if alias is None else alias.name
        columns = [] if alias is None else alias.args.get("columns") or []
        field = Field(columns[0].name if columns else name, "c0", numbers.type)
        names = Frame((Relation(relation, name, Fields((field,))),))
        return Bound(numbers.source(relation), names)

    def _common(self, common: CommonTable, alias: str, node: Node) -> Bound:
        """A use of a common table expression: its query bound anew."""
        common.used.append(True)
        query = self.statement.bind_query(common.node, common.scope, self.statement)
        relation = self.statement.new_relation()
        fields = _renamed(fields_of(query), common.columns, node)
        return Bound(Derived(relation, query), Frame((Relation(relation, alias, fields),)))

    def _derived(self, node: Node, scope: Scope, *, is_lateral: bool = False) -> Bound:
        """A sub-query in FROM; it sees `scope`: what is outside the block, not its neighbours."""
        alias = node.args.get("alias")
        query = self.statement.bind_query(node.this, scope, self.statement)
        relation = self.statement.new_relation()
        columns = () if alias is None else alias.args.get("columns") or ()
        fields = _renamed(fields_of(query), [item.name for item in columns], node)
        name = f"({relation})" if alias is None else alias.name  # which nobody can write
        names = Frame((Relation(relation, name, fields),))
        return Bound(Derived(relation, query, is_lateral), names)

    def _lateral(self, node: Node, seen: Frame) -> Bound:
        """LATERAL (query): it sees its neighbours to the left too."""
        inner = node.this
        if not isinstance(inner, exp.Subquery):
            raise Unsupported("LATERAL takes a sub-query", node)
        holder = exp.Subquery(this=inner.this.copy(), alias=node.args.get("alias"))
        return self._derived(holder, Scope(seen, self.around), is_lateral=True)

    def _values(self, node: Node) -> Bound:
        """VALUES (...), (...) AS name (columns)."""
        alias = node.args.get("alias")
        if alias is None:
            raise Unsupported("VALUES in FROM needs a name", node)
        values = bind_values(node, Env(self.statement, self.around, clause="VALUES"))
        renamed = [item.name for item in alias.args.get("columns") or ()]
        fields = _renamed(fields_of_values(values), renamed, node)
        return Bound(values, Frame((Relation(values.relation, alias.name, fields),)))

    # -------------------------------------------------------------- joins

    def join(self, left: Bound, node: Node, seen: Frame) -> Bound:
        """`left JOIN node`; `seen` are the names to the left of it."""
        right = self.source(node.this, seen)
        kind = _kind(node)
        frame = left.frame.beside(right.frame, node.this)
        shared = self._shared(left, right, node)
        if shared is not None:
            return self._merge(kind, (left, right), shared)
        on = node.args.get("on")
        if on is None:
            return Bound(Join(JoinKind.CROSS, left.source, right.source, None), frame)
        scope = Scope(frame, self.around)
        bound = condition(on, Env(self.statement, scope, clause="a join's condition"), "ON")
        return Bound(Join(kind, left.source, right.source, bound), frame)

    def _shared(self, left: Bound, right: Bound, node: Node) -> list[tuple[str, Node]] | None:
        """The names of the columns that USING or NATURAL joins by; None for ON."""
        using = node.args.get("using")
        if using:
            return [(name.name, name) for name in using]
        if node.args.get("method") != "NATURAL":
            return None
        theirs = {named.name.casefold() for named in right.frame.star()}
        return [(n.name, node) for n in left.frame.star() if n.name.casefold() in theirs]

    def _merge(
        self,
        kind: JoinKind,
        sides: tuple[Bound, Bound],
        shared: Sequence[tuple[str, Node]],
    ) -> Bound:
        """A join by equal columns, each of which becomes one."""
        left, right = sides
        merged: list[Merged] = []
        conditions: list[Expression] = []
        replaced: list[Relation | Merged] = []
        for name, place in shared:
            one, one_item = _unique(left.frame, name, place)
            other, other_item = _unique(right.frame, name, place)
            conditions.append(compare("=", one.expression, other.expression, place))
            hides = _hides(one, one_item) | _hides(other, other_item)
            replaced += [item for item in (one_item, other_item) if isinstance(item, Merged)]
            merged.append(Merged(_merged(kind, one, other, place), hides))
        layout = (*left.frame.layout, *right.frame.layout)
        kept = [item for item in layout if not any(item is gone for gone in replaced)]
        frame = Frame((*merged, *kept))
        if not conditions and kind is JoinKind.INNER:
            return Bound(Join(JoinKind.CROSS, left.source, right.source, None), frame)
        conditions = conditions or [Literal(True, Type.BOOLEAN)]
        return Bound(Join(kind, left.source, right.source, every("and", conditions)), frame)


def _is_comma(join: Node) -> bool:
    """Whether a Join node is a comma of FROM."""
    return not any(join.args.get(key) for key in ("kind", "side", "method", "on", "using"))


def _is_query(node: Node) -> bool:
    """Whether what stands in parentheses is a query, not a source with its joins."""
    while isinstance(node, exp.Subquery):
        if node.args.get("joins") or node.args.get("alias"):
            return False
        node = node.this
    return isinstance(node, exp.Select | exp.SetOperation | exp.Values)


def _kind(node: Node) -> JoinKind:
    """Which join a node is."""
    if node.args.get("kind") == "CROSS":
        return JoinKind.CROSS
    side = node.args.get("side")
    if not side and node.args.get("kind") not in (None, "", "INNER"):
        raise Unsupported(f"{node.args['kind']} JOIN is not supported", node)
    return JoinKind(side.upper()) if side else JoinKind.INNER


def _refuse_extras(node: Node) -> None:
    """Unsupported for what other languages hang on a table."""
    for key, value in node.args.items():
        if value and key not in ("this", "db", "catalog", "alias", "joins"):
            raise Unsupported(f"{key.upper()} on a table is not supported", node)


def _renamed(fields: Fields, names: Sequence[str], node: Node) -> Fields:
    """The fields with the first of them renamed."""
    if not names:
        return fields
    if len(names) > len(fields.ordered):
        raise TypeMismatch(f"{len(names)} column names for {len(fields.ordered)} columns", node)
    head = [
        Field(name, item.stored, item.type, item.metadata)
        for name, item in zip(names, fields.ordered, strict=False)
    ]
    return Fields((*head, *fields.ordered[len(names) :]))


def _unique(frame: Frame, name: str, node: Node) -> tuple[Named, Relation | Merged]:
    """The one column of that name on one side of a join."""
    found = frame.candidates(name)
    if not found:
        raise UnknownColumn(name, node, known=frame.names())
    if len(found) > 1:
        places = [item.alias for _, item in found if isinstance(item, Relation)]
        raise AmbiguousColumn(name, node, relations=dict.fromkeys(places))
    return found[0]


def _hides(named: Named, item: Relation | Merged) -> frozenset[tuple[RelationId, str]]:
    """The columns of relations that a side's column stands for."""
    if isinstance(item, Merged):
        return item.hides
    assert isinstance(named.expression, Column)
    return frozenset({(named.expression.relation, named.expression.name)})


def _merged(kind: JoinKind, one: Named, other: Named, node: Node) -> Named:
    """The column that stands for both: the preserved side's, or the first that is not NULL."""
    if kind is JoinKind.RIGHT:
        return Named(one.name, other.expression, other.metadata)
    if kind is not JoinKind.FULL:
        return one
    both: tuple[Expression, ...] = unify((one.expression, other.expression), node)
    return Named(one.name, Call("coalesce", both, both[0].type), one.metadata)
