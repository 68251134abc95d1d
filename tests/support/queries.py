"""Random ADQL over a sky: a hypothesis strategy, for laws that hold of every query.

    @given(queries(sky))
    def test_...(query: Query) -> None: ...

Every query is right: its names exist and its types agree. Cuts and regions are drawn from values
that rows have, so most queries return rows. What a query uses is told with it, for counting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from hypothesis import strategies as st

from schema.catalog import Role
from tests.support.query_parts import Parts, Relation, Select
from tests.support.sky import Link, Sky, SkyTable

_AGGREGATES = ("SUM({})", "AVG({})", "MIN({})", "MAX({})", "COUNT({})", "STDDEV({})")
_NEIGHBOURS_ARCSEC = (0.5, 2.0, 10.0)


@dataclass(frozen=True, slots=True)
class Query:
    """One ADQL text.

    `uses` names what it has of: region, child, overlap (neighbours), replicated, group, aggregate,
    distinct, top, offset, sub-query, derived, with, set, outer. `is_ordered`: ORDER BY stands at
    the end. `is_total`: nothing (a TOP or OFFSET without a total order) leaves a choice of rows.
    """

    text: str
    uses: frozenset[str]
    is_ordered: bool
    is_total: bool


def queries(sky: Sky) -> st.SearchStrategy[Query]:
    """Right queries over the sky's tables, of every shape that its tables allow."""
    return _query(sky)


@st.composite
def _query(draw: st.DrawFn, sky: Sky) -> Query:
    writer = _Writer(Parts(draw), sky)
    shape = writer.parts.one(writer.shapes())
    text, is_ordered, is_total = shape()
    return Query(text, frozenset(writer.parts.uses), is_ordered, is_total)


class _Written(NamedTuple):
    text: str
    is_ordered: bool
    is_total: bool


class _Writer:
    """Writes one query."""

    def __init__(self, parts: Parts, sky: Sky) -> None:
        self.parts = parts
        self.sky = sky

    def shapes(self) -> list[Callable[[], _Written]]:
        """The shapes that the sky allows; the commoner ones several times."""
        shapes = [self.search] * 4 + [self.grouped] * 2 + [self.aggregated, self.derived]
        shapes += [self.common, self.combined, self.compared]
        if self._links(is_child=True):
            shapes += [self.child_join] * 3 + [self.child_group, self.semi_join, self.semi_join]
        if self._links(is_child=False):
            shapes += [self.replicated_join] * 3
        if self.sky.with_role(Role.DIRECTOR):
            shapes += [self.neighbours] * 4
        return shapes

    # -------------------------------------------------------------- one table

    def search(self) -> _Written:
        return self._finished(*self._searched(self._any()))

    def _searched(self, relation: Relation) -> tuple[Select, Relation]:
        select = Select(from_=relation.source, items=self.parts.items(relation))
        select.where = self.parts.conditions(relation)
        if self.parts.chance(15):
            self.parts.uses.add("distinct")
            select.is_distinct = True
        return select, relation

    def _finished(self, select: Select, relation: Relation) -> _Written:
        """The block with ORDER BY, TOP and OFFSET, or without them."""
        is_unique = relation.table.role is Role.DIRECTOR and not select.is_distinct
        is_complete = False
        if self.parts.chance(60):
            select.order = self._order(select)
            if is_unique and self.parts.chance(70):
                select.order.append(f"{relation.key}{self.parts.one(['', ' ASC', ' DESC'])}")
                is_complete = True
            is_complete = is_complete or (
                select.is_distinct and len(select.order) == len(select.items)
            )
        is_cut = self._cut(select)
        return _Written(select.text(), bool(select.order), is_complete or not is_cut)

    def _order(self, select: Select) -> list[str]:
        """Some outputs, by name or position; all of a DISTINCT block."""
        count = len(select.items) if select.is_distinct else self.parts.integer(0, 2)
        keys = []
        for number, item in enumerate(select.items[:count], start=1):
            name = item.rpartition(" AS ")[2]
            key = self.parts.one([name, str(number)])
            keys.append(key + self.parts.one(["", " DESC", " ASC"]))
        return keys

    def _cut(self, select: Select) -> bool:
        """Add TOP, and OFFSET where there is an order; whether one was added."""
        if self.parts.chance(35):
            self.parts.uses.add("top")
            select.top = self.parts.one([1, 5, 20, 100])
        if select.order and self.parts.chance(15):
            self.parts.uses.add("offset")
            select.offset = self.parts.one([1, 3, 10])
        return select.top is not None or select.offset is not None

    def grouped(self) -> _Written:
        select = self._grouped(self._any())
        if self.parts.chance(60):
            keys = [str(number) for number in range(1, len(select.group) + 1)]
            select.order = self.parts.one([keys, list(select.group)])
        return _Written(select.text(), bool(select.order), is_total=True)

    def _grouped(self, relation: Relation) -> Select:
        self.parts.uses.add("group")
        keys = self.parts.group_keys(relation)
        select = Select(from_=relation.source, where=self.parts.conditions(relation), group=keys)
        items = [*keys, "COUNT(*)", *self._aggregates(relation)]
        select.items = [f"{item} AS g{number}" for number, item in enumerate(items)]
        if self.parts.chance(30):
            select.having = f"COUNT(*) > {self.parts.integer(0, 3)}"
        return select

    def aggregated(self) -> _Written:
        relation = self._any()
        self.parts.uses.add("aggregate")
        items = ["COUNT(*)", *self._aggregates(relation)]
        if relation.table.labels and self.parts.chance(40):
            items.append(f"COUNT(DISTINCT {self.parts.label(relation)[0]})")
        select = Select(from_=relation.source, items=items)
        select.where = self.parts.conditions(relation)
        return _Written(select.text(), is_ordered=False, is_total=True)

    def _aggregates(self, relation: Relation) -> list[str]:
        return [
            self.parts.one(_AGGREGATES).format(self.parts.number(relation))
            for _ in range(self.parts.integer(0, 2))
        ]

    # -------------------------------------------------------------- joins

    def child_join(self) -> _Written:
        child, parent, link = self._joined(is_child=True)
        return self._join(parent, child, f"{child.alias}.{link.column}", link)

    def replicated_join(self) -> _Written:
        """A partitioned table with a replicated one, either way round."""
        table, replicated, link = self._joined(is_child=False)
        on = f"{table.alias}.{link.column} = {replicated.column(link.target_column)}"
        left, right = self.parts.one([(table, replicated), (replicated, table)])
        return self._join_on(left, right, on)

    def _join(self, parent: Relation, child: Relation, column: str, link: Link) -> _Written:
        on = f"{parent.column(link.target_column)} = {column}"
        left, right = self.parts.one([(parent, child), (child, parent)])
        return self._join_on(left, right, on)

    def _join_on(self, left: Relation, right: Relation, on: str) -> _Written:
        join = self._join_kind()
        items = [*self.parts.items(left), *self.parts.items(right)]
        select = Select(from_=f"{left.source} {join} {right.source} ON {on}", items=items)
        select.where = self.parts.conditions(left)
        if "LEFT" not in join or self.parts.chance(20):
            select.where += self.parts.cuts(right)
        is_cut = self._cut(select)
        return _Written(select.text(), is_ordered=False, is_total=not is_cut)

    def _join_kind(self) -> str:
        join = self.parts.one(["JOIN", "INNER JOIN", "LEFT JOIN", "LEFT OUTER JOIN"])
        if "LEFT" in join:
            self.parts.uses.add("outer")
        return join

    def child_group(self) -> _Written:
        """The children's statistics of each parent."""
        self.parts.uses.add("group")
        child, parent, link = self._joined(is_child=True)
        key = parent.column(link.target_column)
        on = f"{key} = {child.alias}.{link.column}"
        select = Select(
            from_=f"{parent.source} {self._join_kind()} {child.source} ON {on}",
            items=[f"{key} AS k", f"COUNT({child.alias}.{link.column}) AS n"],
            group=[key],
        )
        select.items += self._aggregates(child)
        select.where = self.parts.conditions(parent)
        select.order = self.parts.one([[], ["k"], ["n DESC", "k"]])
        return _Written(select.text(), bool(select.order), is_total=True)

    def neighbours(self) -> _Written:
        """Pairs of directors' rows nearer than a few arcseconds, within a region.

        Without one, a server that joins them by brute force takes seconds.
        """
        self.parts.uses.add("overlap")
        directors = self.sky.with_role(Role.DIRECTOR)
        a, b = self._named(self.parts.one(directors)), self._named(self.parts.one(directors))
        radius_arcsec = min(self.parts.one(_NEIGHBOURS_ARCSEC), self.sky.margin_arcsec)
        radius = f"{radius_arcsec / 3600:.9f}"
        near = self.parts.one(
            [
                f"DISTANCE({a.point}, {b.point}) < {radius}",
                f"DISTANCE({a.position}, {b.position}) <= {radius}",
                f"1 = CONTAINS({b.point}, CIRCLE({a.point}, {radius}))",
            ]
        )
        pairs = [f"{a.key} < {b.key}"] if a.table is b.table else []
        if self.parts.chance(50):
            on = " AND ".join([near, *pairs])
            select = Select(from_=f"{a.source} JOIN {b.source} ON {on}")
        else:
            select = Select(from_=f"{a.source}, {b.source}", where=[near, *pairs])
        select.items = [a.key, b.key] if self.parts.chance(70) else ["COUNT(*)"]
        region = [self.parts.region(a, largest_deg=5.0)] if a.table.positions else []
        select.where += [*region, *self.parts.cuts(a), *self.parts.cuts(b)]
        return _Written(select.text(), is_ordered=False, is_total=True)

    # -------------------------------------------------------------- sub-queries

    def semi_join(self) -> _Written:
        """Parents with or without certain children."""
        self.parts.uses.add("sub-query")
        child, parent, link = self._joined(is_child=True)
        outer, inner = parent.column(link.target_column), f"{child.alias}.{link.column}"
        cuts = self.parts.cuts(child)
        listed = Select([inner], child.source, [*cuts, f"{inner} IS NOT NULL"]).text()
        matched = Select([inner], child.source, [f"{inner} = {outer}", *cuts]).text()
        condition = self.parts.one(
            [
                f"{outer} IN ({listed})",
                f"{outer} NOT IN ({listed})",
                f"EXISTS ({matched})",
                f"NOT EXISTS ({matched})",
            ]
        )
        select, _ = self._searched(parent)
        select.where.append(condition)
        return self._finished(select, parent)

    def compared(self) -> _Written:
        """Rows above a statistic of all."""
        self.parts.uses.add("sub-query")
        relation, other = self._any(), self._any()
        statistic = self.parts.one(["AVG({})", "MIN({})", "MAX({})"])
        scalar = Select([statistic.format(self.parts.measure(other))], other.source).text()
        select, _ = self._searched(relation)
        select.where.append(f"{self.parts.measure(relation)} > ({scalar})")
        return self._finished(select, relation)

    def derived(self) -> _Written:
        """A block in FROM, filtered again."""
        self.parts.uses.add("derived")
        inner = self._grouped(self._any()).text()
        name = self.parts.alias()
        counts = f"{name}.g1"
        items = self.parts.one([[f"{name}.*"], ["COUNT(*)"], [counts]])
        select = Select(items, f"({inner}) AS {name}", [f"{counts} IS NOT NULL"])
        return _Written(select.text(), is_ordered=False, is_total=True)

    def common(self) -> _Written:
        """WITH a search by key, joined back or counted."""
        self.parts.uses.add("with")
        relation = self._one_of(self._keyed())
        block = Select([f"{relation.key} AS k"], relation.source, self.parts.conditions(relation))
        again = self._named(relation.table)
        join = f"w JOIN {again.source} ON w.k = {again.key}"
        select = self.parts.one(
            [
                Select(["COUNT(*)", "MIN(w.k)"], "w"),
                Select([*self.parts.items(again)], join, self.parts.cuts(again)),
            ]
        )
        text = f"WITH w AS ({block.text()}) {select.text()}"
        return _Written(text, is_ordered=False, is_total=True)

    def combined(self) -> _Written:
        """Two or three searches of a table as sets."""
        self.parts.uses.add("set")
        table = self.parts.one(self._keyed())
        blocks = []
        for _ in range(self.parts.integer(2, 3)):
            relation = self._named(table)
            where = self.parts.conditions(relation)
            blocks.append(Select([f"{relation.key} AS k"], relation.source, where).text())
        text = blocks[0]
        for block in blocks[1:]:
            operator = self.parts.one(["UNION", "UNION ALL", "EXCEPT", "INTERSECT"])
            text += f" {operator} " + self.parts.one([block, f"({block})"])
        is_ordered = self.parts.chance(40)
        text += " ORDER BY k" if is_ordered else ""
        return _Written(text, is_ordered, is_total=True)

    # -------------------------------------------------------------- tables

    def _named(self, table: SkyTable) -> Relation:
        if table.role is Role.CHILD:
            self.parts.uses.add("child")
        if table.role is Role.REPLICATED:
            self.parts.uses.add("replicated")
        return Relation(self.parts.alias(), table)

    def _one_of(self, tables: list[SkyTable]) -> Relation:
        return self._named(self.parts.one(tables))

    def _any(self) -> Relation:
        """A table with a measure; partitioned ones the more often."""
        tables = [table for table in self.sky.tables.values() if table.measures]
        partitioned = [table for table in tables if table.role is not Role.REPLICATED]
        return self._one_of([*tables, *partitioned, *partitioned])

    def _keyed(self) -> list[SkyTable]:
        return [table for table in self.sky.tables.values() if table.key and table.measures]

    def _links(self, *, is_child: bool) -> list[tuple[SkyTable, Link]]:
        tables = self.sky.tables
        return [
            (table, link)
            for table in tables.values()
            for link in table.links
            if link.is_child is is_child and link.target in tables
        ]

    def _joined(self, *, is_child: bool) -> tuple[Relation, Relation, Link]:
        table, link = self.parts.one(self._links(is_child=is_child))
        return self._named(table), self._named(self.sky.tables[link.target]), link
