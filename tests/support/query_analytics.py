"""Random queries of what PostgreSQL and MySQL have beyond ADQL: windows, FILTER, sets of groups."""

from __future__ import annotations

from tests.support.query_parts import written
from tests.support.query_tables import Shape, TableShapes
from tests.support.spellings import Relation, Select

_RANKS = ("row_number()", "rank()", "dense_rank()", "ntile(3)", "cume_dist()", "percent_rank()")
_FRAMES = (
    *("", "", "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", "ROWS UNBOUNDED PRECEDING"),
    "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    "ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING",
)
_POSTGRES_FRAMES = (
    "GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW",
    "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
)


class AnalyticShapes(TableShapes):
    """Shapes of PostgreSQL's and MySQL's own."""

    def analytic_shapes(self) -> list[Shape]:
        """None for ADQL."""
        match self.language:
            case "PostgreSQL":
                shapes: list[Shape] = [self.filtered] * 2 + [self.grouping_sets] * 2
                shapes += [self.distinct_on] * 2 + [self.values] * 2
                shapes += [self.lateral] if self.links(is_child=False) else []
            case "MySQL":
                shapes = [self.rolled_up, self.rolled_up, self.restricted, self.restricted]
                shapes += [self.choices, self.choices]
            case _:
                return []
        return [*shapes, *[self.windows] * 4]

    # -------------------------------------------------------------- windows

    def windows(self) -> str:
        """Rows with window functions, of one table or of children by their parents."""
        self.parts.uses.add("window")
        relation = self.any()
        source, by = relation.source, self._partition(relation)
        where = self.parts.conditions(relation)
        if self.links(is_child=True) and self.parts.chance(40):
            child, parent, on = self.linked(is_child=True)
            if child.table.measures:
                relation, by = child, parent.row
                source = f"{parent.source} JOIN {child.source} ON {on}"
                where = self.parts.conditions(parent)
        measure = self.parts.measure(relation)
        order = f"{measure}{self.parts.one(['', ' DESC'])}, {relation.row}"
        partition = f"PARTITION BY {by} " if by else ""
        over = f"OVER ({partition}ORDER BY {order}"
        values = [f"{self.parts.one(_RANKS)} {over})", self._framed(relation, over)]
        values.append(f"COUNT(*) OVER ({partition.strip()})")
        values.append(f"{self.parts.one(['lag', 'lead'])}({measure}) {over})")
        chosen = self.parts.some(values, 1, 3)
        items = [relation.row, *(f"{item} AS w{number}" for number, item in enumerate(chosen))]
        select = Select(items, source, where)
        if self.parts.chance(30):
            name = self.parts.alias()
            first = f"({self.parts.block(select)}) AS {name}"
            return self.parts.block(Select([f"{name}.*"], first, [f"{name}.w0 <= 3"]))
        return self.cut(select)

    def _partition(self, relation: Relation) -> str:
        labels = [relation.column(label.name) for label in relation.table.labels]
        return self.parts.one([*labels, *labels, ""])

    def _framed(self, relation: Relation, over: str) -> str:
        """An aggregate or a value of a frame."""
        frames = _FRAMES + (_POSTGRES_FRAMES if self.language == "PostgreSQL" else ())
        values = ["SUM({})", "AVG({})", "MIN({})", "COUNT({})", "first_value({})", "last_value({})"]
        value = self.parts.one(values).format(self.parts.measure(relation))
        return f"{value} {over} {self.parts.one(frames)})"

    # -------------------------------------------------------------- PostgreSQL

    def filtered(self) -> str:
        """Aggregates of rows that fulfil conditions."""
        self.parts.uses |= {"filter", "group"}
        relation = self.any()
        keys = self.parts.group_keys(relation) if self.parts.chance(60) else []
        items = [*keys, "COUNT(*)"]
        for _ in range(self.parts.integer(1, 3)):
            condition = self.parts.cut(relation)
            items.append(f"{self.parts.aggregate(relation)} FILTER (WHERE {condition})")
        where = self.parts.conditions(relation)
        return self.parts.block(Select(items, relation.source, where, keys))

    def grouping_sets(self) -> str:
        """ROLLUP, CUBE or GROUPING SETS of two keys."""
        self.parts.uses |= {"sets", "group"}
        relation = self.any()
        one, other = self.parts.group_keys(relation)[0], self._histogram(relation)
        ways = [f"ROLLUP ({one}, {other})", f"CUBE ({one}, {other})", f"{one}, ROLLUP ({other})"]
        ways.append(f"GROUPING SETS (({one}, {other}), ({other}), ())")
        items = [one, other, "COUNT(*)", f"GROUPING({one}, {other})"]
        items += self.parts.aggregates(relation)
        where = self.parts.conditions(relation)
        return self.parts.block(Select(items, relation.source, where, [self.parts.one(ways)]))

    def _histogram(self, relation: Relation) -> str:
        measure = self.parts.one(relation.table.measures)
        width = max(abs(measure.values[-1] - measure.values[0]) / 3, 1e-3)
        return f"FLOOR({relation.column(measure.name)} / {width:.3g})"

    def distinct_on(self) -> str:
        """The first row of each group."""
        self.parts.uses.add("distinct")
        relation = self.any()
        keys = self.parts.group_keys(relation)
        order = f"{self.parts.measure(relation)}{self.parts.one(['', ' DESC', ' NULLS FIRST'])}"
        select = Select([*keys, *self.parts.items(relation)], relation.source)
        select.distinct = f"DISTINCT ON ({', '.join(keys)})"
        select.where = self.parts.conditions(relation)
        select.order = [*keys, order, relation.row]
        return self.cut(select)

    def values(self) -> str:
        """A list of values joined with a table, or looked up in."""
        self.parts.uses.add("values")
        relation = self.any()
        if relation.table.labels and self.parts.chance(50):
            column, values, _ = self.parts.label(relation)
        else:
            measure = self.parts.one(relation.table.measures)
            column = relation.column(measure.name)
            values = tuple(written(value) for value in measure.values)
        chosen = self.parts.some(values, 1, 4)
        if self.parts.chance(40):
            listed = ", ".join(f"({value})" for value in chosen)
            condition = f"{column} IN (VALUES {listed})"
            select = Select(self.parts.items(relation), relation.source, [condition])
            return self.cut(select)
        rows = ", ".join(f"({value}, {number}.5)" for number, value in enumerate(chosen))
        name = self.parts.alias()
        kind = self.parts.one(["JOIN", "LEFT JOIN", "RIGHT JOIN"])
        source = f"{relation.source} {kind} (VALUES {rows}) AS {name} (a, b) ON {name}.a = {column}"
        items = [*self.parts.items(relation), f"{name}.b"]
        return self.cut(Select(items, source, self.parts.conditions(relation)))

    def lateral(self) -> str:
        """A few rows of a table for each replicated one, or what is computed of each row."""
        self.parts.uses.add("lateral")
        table, replicated, on = self.linked(is_child=False)
        name = self.parts.alias()
        if self.parts.chance(40):
            select = Select([table.row, f"{name}.v"], table.source)
            inner = f"SELECT {self.parts.number(table)} AS v"
            select.from_ += f", LATERAL ({inner}) AS {name}"
            select.where = self.parts.conditions(table)
            return self.cut(select)
        inner_select = Select([f"{table.row} AS r"], table.source, [on, *self.parts.cuts(table)])
        inner_select.order, inner_select.top = [table.row], self.parts.integer(1, 3)
        if self.parts.chance(40):
            inner_select = Select([f"{self.parts.aggregate(table)} AS r"], table.source, [on])
        kind = self.parts.one(["CROSS JOIN LATERAL ({})", "LEFT JOIN LATERAL ({})"])
        end = " ON TRUE" if kind.startswith("LEFT") else ""
        source = f"{replicated.source} {kind.format(self.parts.block(inner_select))} AS {name}{end}"
        return self.parts.block(Select([replicated.row, f"{name}.r"], source))

    # -------------------------------------------------------------- MySQL

    def rolled_up(self) -> str:
        """WITH ROLLUP, and HAVING by an alias."""
        self.parts.uses |= {"sets", "group"}
        relation = self.any()
        keys = self.parts.group_keys(relation)
        items = [*(f"{key} AS k{number}" for number, key in enumerate(keys)), "COUNT(*) AS n"]
        select = Select([*items, *self.parts.aggregates(relation)], relation.source)
        select.where = self.parts.conditions(relation)
        select.group = [", ".join(keys) + " WITH ROLLUP"]
        select.having = self.parts.one(["", "n > 2"])
        return self.parts.block(select)

    def restricted(self) -> str:
        """Everything in an area: a table, or a parent and its children."""
        self.parts.uses |= {"area", "region"}
        relation = self.director()
        area = self.parts.one(self.parts.spelling.areas(self.parts.shape(relation)))
        select = Select(self.parts.items(relation), relation.source, [area])
        select.where += self.parts.cuts(relation)
        if self.links(is_child=True) and self.parts.chance(60):
            child, parent, on = self.linked(is_child=True)
            kind = self.parts.one(["JOIN", "LEFT JOIN"])
            select.from_ = self.parts.one(
                [child.source, f"{parent.source} {kind} {child.source} ON {on}"]
            )
            select.items, select.where = [child.row, "1 AS one"], [area, *self.parts.cuts(child)]
        return self.cut(select)

    def choices(self) -> str:
        """IF and conditions as numbers, XOR, grouped by an alias."""
        self.parts.uses |= {"group", "case"}
        relation = self.any()
        value = f"IF({self.parts.cut(relation)}, 'a', 'b')"
        items = [f"{value} AS choice", "COUNT(*) AS n", f"SUM({self.parts.cut(relation)}) AS m"]
        where = [f"({self.parts.cut(relation)} XOR {self.parts.cut(relation)})"]
        select = Select([*items, *self.parts.aggregates(relation)], relation.source)
        select.where = self.parts.one([where, self.parts.conditions(relation)])
        select.group = ["choice"]
        select.order = self.parts.one([[], ["choice"], ["n", "choice"]])
        return self.parts.block(select)
