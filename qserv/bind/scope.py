"""What names of columns mean: the relations of a block, the blocks around it, and CTEs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from qserv.bind.errors import (
    AmbiguousColumn,
    AmbiguousTable,
    DuplicateName,
    Node,
    UnknownColumn,
    UnknownTable,
)
from qserv.bind.moment import Moment
from qserv.bind.names import Catalogs, Field, Fields
from qserv.bound import Aggregate, Column, Expression, Query, RelationId, Source
from schema.catalog import Column as CatalogColumn
from schema.errors import LimitExceeded

MAX_RELATIONS = 1000
"""Tables and sub-queries of one statement; CTEs that name each other could ask for any number."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a column's name was found to mean."""

    name: str
    expression: Expression
    metadata: CatalogColumn | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of a FROM clause as names see it.

    `catalog` may qualify the alias; None for what is renamed or derived.
    """

    id: RelationId
    alias: str
    fields: Fields
    catalog: str | None = None

    def named(self, item: Field) -> Named:
        """A field as what its name means."""
        return Named(item.name, Column(self.id, item.stored, item.type), item.metadata)


@dataclass(frozen=True, slots=True)
class Merged:
    """A column that NATURAL or USING made of two; unqualified, its name stands for both."""

    named: Named
    hides: frozenset[tuple[RelationId, str]]


@dataclass(frozen=True, slots=True)
class Frame:
    """The names that a FROM clause brings, in the order in which `*` lists them."""

    layout: tuple[Relation | Merged, ...] = ()

    def relations(self) -> list[Relation]:
        """The relations, left to right."""
        return [item for item in self.layout if isinstance(item, Relation)]

    def candidates(self, name: str) -> list[tuple[Named, Relation | Merged]]:
        """Everything that an unqualified name may mean, and where it stands."""
        folded, hidden = name.casefold(), self.hidden()
        found: list[tuple[Named, Relation | Merged]] = []
        for item in self.layout:
            if isinstance(item, Merged):
                if item.named.name.casefold() == folded:
                    found.append((item.named, item))
                continue
            found += [
                (item.named(one), item)
                for one in item.fields.find(name)
                if (item.id, one.stored) not in hidden
            ]
        return found

    def star(self) -> Iterator[Named]:
        """The columns that `*` stands for."""
        hidden = self.hidden()
        for item in self.layout:
            if isinstance(item, Merged):
                yield item.named
                continue
            for one in item.fields.ordered:
                if (item.id, one.stored) not in hidden:
                    yield item.named(one)

    def relation(self, alias: str, catalog: str | None, node: Node) -> Relation | None:
        """The relation that `alias` or `catalog.alias` names; None where there is none."""
        folded, wanted = alias.casefold(), None if catalog is None else catalog.casefold()
        found = [
            item
            for item in self.layout
            if isinstance(item, Relation)
            and item.alias.casefold() == folded
            and (wanted is None or (item.catalog or "").casefold() == wanted)
        ]
        if len(found) > 1:
            raise AmbiguousTable(alias, node, catalogs=[item.catalog or "" for item in found])
        return found[0] if found else None

    def beside(self, other: Frame, node: Node) -> Frame:
        """Both frames' names; `node` is where two of one name are said to be."""
        for one in self.relations():
            for two in other.relations():
                if one.alias.casefold() != two.alias.casefold():
                    continue
                if one.catalog is not None and two.catalog not in (None, one.catalog):
                    continue
                raise DuplicateName(
                    f"Two tables are named {two.alias}", node, hint="give them different aliases"
                )
        return Frame(self.layout + other.layout)

    def hidden(self) -> set[tuple[RelationId, str]]:
        """The columns that merged ones stand for."""
        return {key for item in self.layout if isinstance(item, Merged) for key in item.hides}

    def names(self) -> list[str]:
        """Every column's name, for finding the nearest."""
        return [one.name for item in self.relations() for one in item.fields.ordered]


@dataclass(frozen=True, slots=True)
class CommonTable:
    """A common table expression, bound anew at each use; `scope` is what its text sees."""

    node: Node
    scope: Scope
    columns: tuple[str, ...]
    used: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class Hoisted:
    """Aggregates of a block that stand inside its sub-queries, as columns of its grouped rows."""

    found: list[Aggregate] = field(default_factory=list)
    relation: RelationId | None = None

    def column(self, aggregate: Aggregate, statement: Statement) -> Column:
        """What stands for the aggregate in the sub-query."""
        if self.relation is None:
            self.relation = statement.new_relation()
        if aggregate not in self.found:
            self.found.append(aggregate)
        return Column(self.relation, f"c{self.found.index(aggregate)}", aggregate.type)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a block's names may mean: its own frame, its CTEs, and the scope around it.

    `hoisted` gathers what its sub-queries aggregate of its rows; None where nothing may.
    """

    frame: Frame = Frame()
    outer: Scope | None = None
    tables: Mapping[str, CommonTable] = field(default_factory=dict)
    hoisted: Hoisted | None = None

    def named(self, node: Node) -> Named:
        """What a Column node of the tree means."""
        if node.args.get("catalog") is not None:
            raise UnknownColumn(".".join(part.name for part in node.parts), node)
        table, database = node.args.get("table"), node.args.get("db")
        if table is None:
            return self.column(node.name, node)
        qualifier = (None if database is None else database.name, table.name)
        return self.qualified(qualifier, node.name, node)

    def column(self, name: str, node: Node) -> Named:
        """What an unqualified column name means; inner blocks win."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.frame.candidates(name)
            if len(found) == 1:
                return found[0][0]
            if found:
                places = [item.alias for _, item in found if isinstance(item, Relation)]
                raise AmbiguousColumn(name, node, relations=dict.fromkeys(places))
            scope = scope.outer
        raise UnknownColumn(name, node, known=self._names(), advice=_quoted(node))

    def qualified(self, qualifier: tuple[str | None, str], name: str, node: Node) -> Named:
        """What `alias.name` or `catalog.alias.name` means."""
        relation = self.relation(qualifier, node)
        found = relation.fields.find(name)
        if not found:
            known = [item.name for item in relation.fields.ordered]
            raise UnknownColumn(f"{relation.alias}.{name}", node, known=known)
        if len(found) > 1:
            raise AmbiguousColumn(name, node, relations=[relation.alias])
        return relation.named(found[0])

    def relation(self, qualifier: tuple[str | None, str], node: Node) -> Relation:
        """The relation that `alias` or `catalog.alias` names, here or further out."""
        catalog, alias = qualifier
        scope: Scope | None = self
        while scope is not None:
            found = scope.frame.relation(alias, catalog, node)
            if found is not None:
                return found
            scope = scope.outer
        spelling = alias if catalog is None else f"{catalog}.{alias}"
        known = [item.alias for scope in self.chain() for item in scope.frame.relations()]
        raise UnknownTable(spelling, node, known=known)

    def common_table(self, name: str) -> CommonTable | None:
        """The common table expression of that name in sight."""
        for scope in self.chain():
            found = scope.tables.get(name.casefold())
            if found is not None:
                return found
        return None

    def metadata(self, expression: Expression) -> CatalogColumn | None:
        """The model's column that a bound column is; None for anything else."""
        if not isinstance(expression, Column):
            return None
        for scope in self.chain():
            for relation in scope.frame.relations():
                if relation.id == expression.relation:
                    found = relation.fields.ordered
                    return next((f.metadata for f in found if f.stored == expression.name), None)
        return None

    def chain(self) -> Iterator[Scope]:
        """This scope and those around it, inside out."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def _names(self) -> list[str]:
        return [name for scope in self.chain() for name in scope.frame.names()]


def _quoted(node: Node) -> str:
    """What is said of a name in double quotes that nothing has."""
    name = node.this if isinstance(node, exp.Column) else node
    is_quoted = isinstance(name, exp.Identifier) and name.args.get("quoted")
    return f"double quotes hold names; a text is written '{name.name}'" if is_quoted else ""


@dataclass(frozen=True, slots=True)
class Statement:
    """What the binding of one statement shares: facts, and the two recursive steps.

    `bind_expression` and `bind_query` are passed as values, so that modules stay one reading order.
    """

    catalogs: Catalogs
    moment: Moment
    relation_numbers: Iterator[int]
    bind_expression: Callable[[Node, Env], Expression]
    bind_query: Callable[[Node, Scope, Statement], Query]

    def new_relation(self) -> RelationId:
        """A relation id that the statement has not used."""
        number = next(self.relation_numbers)
        if number >= MAX_RELATIONS:
            raise LimitExceeded(f"The statement reads more than {MAX_RELATIONS} tables")
        return RelationId(f"r{number}")


@dataclass(frozen=True, slots=True)
class Env:
    """Where an expression stands.

    `clause` names the clause where aggregates are not allowed (None: they are). `aliases` are the
    block's output names, tried after its columns where the clause allows that. `windows` are those
    of the block's WINDOW clause, by folded name; `source` is its FROM, where WHERE is bound.
    """

    statement: Statement
    scope: Scope
    clause: str | None = None
    aliases: Mapping[str, Expression] = field(default_factory=dict)
    windows: Mapping[str, Node] = field(default_factory=dict)
    source: Source | None = None

    def bind(self, node: Node) -> Expression:
        """The bound expression of a node."""
        return self.statement.bind_expression(node, self)

    def bind_query(self, node: Node) -> Query:
        """The bound query of a node, which sees this scope from inside."""
        return self.statement.bind_query(node, self.scope, self.statement)
