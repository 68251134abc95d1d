"""Random queries in queries: semi-joins, correlated ones, derived and common tables, sets."""

from __future__ import annotations

from schema.catalog import Role
from tests.support.query_tables import Shape, TableShapes
from tests.support.spellings import Relation, Select


class NestedShapes(TableShapes):
    """Shapes with sub-queries."""

    def nested_shapes(self) -> list[Shape]:
        """The commoner ones several times."""
        shapes: list[Shape] = [self.derived, self.common, self.combined, self.combined]
        shapes.append(self.compared)
        if self.links(is_child=True):
            shapes += [self.semi_join] * 3 + [self.correlated] * 2 + [self.joined_groups]
            shapes += [self.deep]
        if self.links(is_child=False):
            shapes += [self.replicated_semi_join]
        if any(table.pairs for table in self.sky.with_role(Role.MATCH)):
            shapes += [self.match_semi_join] * 2
        return shapes

    # -------------------------------------------------------------- conditions

    def semi_join(self) -> str:
        """Parents with or without certain children."""
        child, parent, on = self.linked(is_child=True)
        (link,) = (link for link in child.table.links if link.is_child)
        column = parent.column(link.target_column), child.column(link.column)
        return self._with_or_without(parent, child, column, on)

    def replicated_semi_join(self) -> str:
        """Rows that a replicated table has something for, or replicated rows that have rows."""
        table, replicated, on = self.linked(is_child=False)
        first, second = on.split(" = ")
        outer, inner = self.parts.one([(table, replicated), (replicated, table)])
        columns = (first, second) if first.startswith(f"{outer.alias}.") else (second, first)
        return self._with_or_without(outer, inner, columns, on)

    def match_semi_join(self) -> str:
        """Directors with or without pairs, or pairs with or without one of their directors."""
        tables = [table for table in self.sky.with_role(Role.MATCH) if table.pairs]
        pairs = self.named(self.parts.one(tables))
        link = self.parts.one(pairs.table.pairs)
        _, director, on = self.joined(pairs, link)
        columns = director.column(link.target_column), pairs.column(link.column)
        if self.parts.chance(60):
            return self._with_or_without(director, pairs, columns, on)
        return self._with_or_without(pairs, director, columns[::-1], on)

    def _with_or_without(
        self, outer: Relation, inner: Relation, columns: tuple[str, str], on: str
    ) -> str:
        """Rows of `outer` that have rows of `inner`, or have none; `columns` are of each."""
        self.parts.uses.add("sub-query")
        own, other = columns
        cuts = self.parts.cuts(inner)
        if self.parts.chance(70):
            cuts = [*cuts, f"{other} IS NOT NULL"]
        listed = self.parts.block(Select([other], inner.source, cuts))
        grouped = Select(
            [other], inner.source, cuts, [other], f"COUNT(*) > {self.parts.integer(1, 4)}"
        )
        matched = self.parts.block(Select(["1"], inner.source, [on, *cuts]))
        conditions = [
            *(f"{own} IN ({listed})", f"{own} NOT IN ({listed})", f"NOT ({own} IN ({listed}))"),
            *(f"EXISTS ({matched})", f"NOT EXISTS ({matched})"),
            f"{own} IN ({self.parts.block(grouped)})",
        ]
        if self.language == "PostgreSQL":
            conditions += [f"{own} = ANY ({listed})", f"{own} <> ALL ({listed})"]
        condition = self.parts.one(conditions)
        select, _ = self.searched(outer)
        if outer.table.measures and self.parts.chance(20):
            condition = f"({self.parts.cut(outer)} OR {condition})"
        select.where.append(condition)
        return self.finished(select, outer)

    def deep(self) -> str:
        """EXISTS within EXISTS, or two of them side by side."""
        self.parts.uses.add("sub-query")
        child, parent, on = self.linked(is_child=True)
        inner = Select(["1"], child.source, [on, *self.parts.cuts(child)])
        deeper = [
            (table, link)
            for table, link in self.links(is_child=True)
            if link.target == child.table.name
        ]
        if deeper:
            table, link = self.parts.one(deeper)
            leaf = self.named(table)
            matched = f"{leaf.column(link.column)} = {child.column(link.target_column)}"
            block = self.parts.block(Select(["1"], leaf.source, [matched, *self.parts.cuts(leaf)]))
        else:
            other = self.named(child.table)
            (link,) = (link for link in child.table.links if link.is_child)
            matched = f"{other.column(link.column)} = {child.column(link.column)}"
            where = [matched, f"{other.row} > {child.row}", *self.parts.cuts(other)]
            block = self.parts.block(Select(["1"], other.source, where))
        inner.where.append(f"{self.parts.one(['EXISTS', 'NOT EXISTS'])} ({block})")
        select, _ = self.searched(parent)
        exists = self.parts.one(["EXISTS", "NOT EXISTS"])
        select.where.append(f"{exists} ({self.parts.block(inner)})")
        return self.finished(select, parent)

    # -------------------------------------------------------------- values

    def correlated(self) -> str:
        """Parents with an aggregate of their children as a value or in a condition."""
        self.parts.uses.add("sub-query")
        child, parent, on = self.linked(is_child=True)
        value = self.parts.aggregate(child) if child.table.measures else "COUNT(*)"
        inner = self.parts.block(Select([value], child.source, [on, *self.parts.cuts(child)]))
        select, _ = self.searched(parent)
        if self.parts.chance(60):
            select.items.append(f"({inner}) AS n")
        else:
            select.where.append(f"({inner}) {self.parts.one(['>', '<', '='])} 3")
        return self.finished(select, parent)

    def compared(self) -> str:
        """Rows above a statistic of all."""
        self.parts.uses.add("sub-query")
        relation, other = self.any(), self.any()
        if self.language != "ADQL" and self.parts.chance(50):
            return self._quantified(relation, other)
        statistic = self.parts.one(["AVG({})", "MIN({})", "MAX({})"])
        block = Select([statistic.format(self.parts.measure(other))], other.source)
        select, _ = self.searched(relation)
        select.where.append(f"{self.parts.measure(relation)} > ({self.parts.block(block)})")
        return self.finished(select, relation)

    def _quantified(self, relation: Relation, other: Relation) -> str:
        """Rows compared with any or all of others, or a pair of columns with rows of its table."""
        self.parts.uses |= {"quantified", "sub-query"}
        measure, cuts = self.parts.measure(other), self.parts.cuts(other)
        if self.parts.chance(60):
            cuts = [*cuts, f"{measure} IS NOT NULL"]
        block = self.parts.block(Select([measure], other.source, cuts))
        operator = self.parts.one(["<", "<=", ">", ">=", "<>"])
        quantifier = self.parts.one(["ANY", "ALL", "SOME"])
        condition = f"{self.parts.measure(relation)} {operator} {quantifier} ({block})"
        if self.parts.chance(30):
            twin = self.named(relation.table)
            pair = [twin.row, twin.column(relation.table.measures[0].name)]
            rows = self.parts.block(Select(pair, twin.source, self.parts.cuts(twin)))
            own = f"{relation.row}, {relation.column(relation.table.measures[0].name)}"
            condition = f"({own}) {self.parts.one(['IN', 'NOT IN'])} ({rows})"
        select, _ = self.searched(relation)
        select.where.append(condition)
        return self.finished(select, relation)

    # -------------------------------------------------------------- tables

    def derived(self) -> str:
        """A block in FROM, filtered again."""
        self.parts.uses.add("derived")
        grouped = self.grouping(self.any())
        counts = f"g{len(grouped.group)}"
        name = self.parts.alias()
        items = self.parts.one([[f"{name}.*"], ["COUNT(*)"], [f"{name}.{counts}"]])
        where = [f"{name}.{counts} > {self.parts.integer(0, 2)}"]
        return self.parts.block(Select(items, f"({self.parts.block(grouped)}) AS {name}", where))

    def joined_groups(self) -> str:
        """Parents joined with groups of their children."""
        self.parts.uses |= {"derived", "group"}
        child, parent, _ = self.linked(is_child=True)
        (link,) = (link for link in child.table.links if link.is_child)
        key = child.column(link.column)
        grouped = Select(
            [f"{key} AS k", "COUNT(*) AS n"], child.source, self.parts.cuts(child), [key]
        )
        if child.table.measures:
            grouped.items.append(f"{self.parts.aggregate(child)} AS a")
            if self.parts.chance(40):
                grouped.having = f"{self.parts.aggregate(child)} > 1"
        name = self.parts.alias()
        on = f"{name}.k = {parent.column(link.target_column)}"
        kind = self.parts.one(["JOIN", "LEFT JOIN"])
        source = f"{parent.source} {kind} ({self.parts.block(grouped)}) AS {name} ON {on}"
        items = [*self.parts.items(parent), f"{name}.n"]
        return self.cut(Select(items, source, self.parts.conditions(parent)))

    def common(self) -> str:
        """WITH a search by key, joined back or counted or used twice."""
        self.parts.uses.add("with")
        relation = self.keyed()
        columns = [f"{relation.row} AS k", f"{self.parts.number(relation)} AS v"]
        block = Select(columns, relation.source, self.parts.conditions(relation))
        again = self.named(relation.table)
        select = self.parts.one(
            [
                Select(["COUNT(*)", "MIN(w.k)", "AVG(w.v)"], "w"),
                Select(
                    self.parts.items(again),
                    f"w JOIN {again.source} ON w.k = {again.row}",
                    self.parts.cuts(again),
                ),
                Select(["a.k", "b.v"], "w AS a JOIN w AS b ON a.k = b.k", ["a.v IS NOT NULL"]),
                Select([again.row], again.source, [f"{again.row} IN (SELECT w.k FROM w)"]),
            ]
        )
        return f"WITH w AS ({self.parts.block(block)}) {self.parts.block(select)}"

    def combined(self) -> str:
        """Two or three searches as sets, of a table's keys or of columns with few values."""
        self.parts.uses.add("set")
        table = self.keyed().table
        text = ""
        is_few = bool(table.labels) and self.parts.chance(50)
        operators = ["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]
        if self.language != "MySQL":
            operators += ["EXCEPT ALL", "INTERSECT ALL"]
        for number in range(self.parts.integer(2, 3)):
            relation = self.named(table)
            column = relation.column(table.labels[0].name) if is_few else relation.row
            measure = relation.column(table.measures[0].name)
            columns = [f"{column} AS k", f"{measure} IS NULL AS f"][: 1 + is_few]
            if self.language != "PostgreSQL":
                columns = columns[:1]
            where = self.parts.conditions(relation)
            block = self.parts.block(Select(columns, relation.source, where))
            text += f" {self.parts.one(operators)} " if number else ""
            text += self.parts.one([block, f"({block})"]) if number else block
        return text + self.parts.one(["", "", " ORDER BY k", " ORDER BY k DESC", " ORDER BY 1"])
