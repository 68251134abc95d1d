"""Random queries of one table: searches, groups, aggregates, trees of conditions, geometries."""

from __future__ import annotations

from collections.abc import Callable

from schema.catalog import Role
from tests.support.query_parts import Parts
from tests.support.sky import Link, Sky, SkyTable
from tests.support.spellings import Relation, Select

Shape = Callable[[], str]
"""Writes one query of a certain shape."""


class Tables:
    """The sky's tables as relations, for the shapes."""

    def __init__(self, parts: Parts, sky: Sky) -> None:
        self.parts = parts
        self.sky = sky

    @property
    def language(self) -> str:
        return self.parts.spelling.language

    def named(self, table: SkyTable) -> Relation:
        """A table under a new alias."""
        use = {Role.CHILD: "child", Role.REPLICATED: "replicated", Role.MATCH: "match"}
        if table.role in use:
            self.parts.uses.add(use[table.role])
        return Relation(self.parts.alias(), table)

    def any(self) -> Relation:
        """A table with a measure; partitioned ones the more often."""
        tables = [table for table in self.sky.tables.values() if table.measures]
        partitioned = [table for table in tables if table.role is not Role.REPLICATED]
        return self.named(self.parts.one([*tables, *partitioned, *partitioned]))

    def director(self) -> Relation:
        return self.named(self.parts.one(self.sky.with_role(Role.DIRECTOR)))

    def keyed(self) -> Relation:
        """A partitioned table with a key and a measure."""
        tables = self.sky.tables.values()
        return self.named(self.parts.one([t for t in tables if t.key and t.measures]))

    def links(self, *, is_child: bool) -> list[tuple[SkyTable, Link]]:
        """Children and their parents, or tables and replicated ones that they refer to."""
        tables = self.sky.tables
        return [
            (table, link)
            for table in tables.values()
            for link in table.links
            if link.is_child is is_child and link.target in tables
        ]

    def linked(self, *, is_child: bool) -> tuple[Relation, Relation, str]:
        """A table, what it refers to, and the condition of their join."""
        table, link = self.parts.one(self.links(is_child=is_child))
        return self.joined(self.named(table), link)

    def joined(self, relation: Relation, link: Link) -> tuple[Relation, Relation, str]:
        """A relation, what it refers to by a link, and the condition of their join."""
        target = self.named(self.sky.tables[link.target])
        columns = [relation.column(link.column), target.column(link.target_column)]
        on = self.parts.one(["{0} = {1}", "{1} = {0}"]).format(*columns)
        return relation, target, on

    def cut(self, select: Select) -> str:
        """The block's text, perhaps with TOP, and with OFFSET where there is an order."""
        if self.parts.chance(35):
            self.parts.uses.add("top")
            select.top = self.parts.one([1, 5, 20, 100])
        if select.order and self.parts.chance(15):
            self.parts.uses.add("offset")
            select.offset = self.parts.one([1, 3, 10])
        return self.parts.block(select)


class TableShapes(Tables):
    """Shapes of one table."""

    def table_shapes(self) -> list[Shape]:
        """The commoner ones several times."""
        shapes = [self.search] * 4 + [self.grouped] * 2 + [self.aggregated, self.counted_tree]
        if any(table.positions for table in self.sky.tables.values()) and self.language != "MySQL":
            shapes += [self.geometries]
        return shapes

    def search(self) -> str:
        return self.finished(*self.searched(self.any()))

    def searched(self, relation: Relation) -> tuple[Select, Relation]:
        """A block over one relation, not yet sorted."""
        select = Select(from_=relation.source, items=self.parts.items(relation))
        select.where = self.parts.conditions(relation)
        if self.parts.chance(15):
            self.parts.uses.add("distinct")
            select.distinct = "DISTINCT"
        return select, relation

    def finished(self, select: Select, relation: Relation) -> str:
        """The block with ORDER BY, TOP and OFFSET, or without them."""
        if self.parts.chance(60):
            select.order = self._order(select)
            if not select.distinct and self.parts.chance(40):
                select.order.append(f"{relation.row}{self.parts.one(['', ' ASC', ' DESC'])}")
        return self.cut(select)

    def _order(self, select: Select) -> list[str]:
        """Some outputs, by name or position; all of a DISTINCT block."""
        count = len(select.items) if select.distinct else self.parts.integer(0, 2)
        nulls = [" NULLS FIRST", " NULLS LAST"] if self.language == "PostgreSQL" else [""]
        keys = []
        for number, item in enumerate(select.items[:count], start=1):
            name = item.rpartition(" AS ")[2]
            key = self.parts.one([name, str(number)]) + self.parts.one(["", " DESC", " ASC"])
            keys.append(key + self.parts.one(["", "", *nulls]))
        return keys

    def grouped(self) -> str:
        select = self.grouping(self.any())
        if self.parts.chance(60):
            keys = [str(number) for number in range(1, len(select.group) + 1)]
            select.order = self.parts.one([keys, list(select.group)])
        return self.cut(select) if self.parts.chance(20) else self.parts.block(select)

    def grouping(self, relation: Relation) -> Select:
        """Groups: keys as g0..., then COUNT(*), then aggregates."""
        self.parts.uses.add("group")
        keys = self.parts.group_keys(relation)
        select = Select(from_=relation.source, where=self.parts.conditions(relation), group=keys)
        items = [*keys, "COUNT(*)", *self.parts.aggregates(relation)]
        select.items = [f"{item} AS g{number}" for number, item in enumerate(items)]
        if self.parts.chance(30):
            counted = f"g{len(keys)}" if self.language == "MySQL" else "COUNT(*)"
            select.having = f"{counted} > {self.parts.integer(0, 3)}"
        return select

    def aggregated(self) -> str:
        relation = self.any()
        self.parts.uses.add("aggregate")
        items = ["COUNT(*)", *self.parts.aggregates(relation)]
        if relation.table.labels and self.parts.chance(40):
            items.append(f"COUNT(DISTINCT {self.parts.label(relation)[0]})")
        where = self.parts.conditions(relation)
        return self.parts.block(Select(items, relation.source, where))

    def counted_tree(self) -> str:
        """How many rows fulfil a tree of conditions, and which are first and last."""
        self.parts.uses.add("aggregate")
        relation = self.any()
        tree = self.parts.tree(relation, depth=3)
        if self.parts.chance(50):
            return self.parts.block(Select([relation.row], relation.source, [tree]))
        items = [f"{f}({relation.row}) AS {f.lower()}_" for f in ("COUNT", "MIN", "MAX")]
        return self.parts.block(Select(items, relation.source, [tree]))

    # -------------------------------------------------------------- geometries

    def geometries(self) -> str:
        """Geometries and their functions as values, and regions of rows as conditions."""
        self.parts.uses.add("geometry")
        tables = [table for table in self.sky.tables.values() if table.positions and table.ids]
        relation = self.named(self.parts.one(tables))
        chosen = [self._geometry(relation) for _ in range(self.parts.integer(1, 3))]
        items = [f"{item} AS v{number}" for number, item in enumerate(chosen)]
        select = Select([relation.row, *items], relation.source, self.parts.conditions(relation))
        if self.parts.chance(50):
            select.where.append(self._region_of_row(relation))
        return self.cut(select)

    def _geometry(self, relation: Relation) -> str:
        """A geometry of a row, or a number that it gives."""
        shape = self.parts.shape(relation)
        point = relation.point
        centre = f"POINT({shape.arguments.split(', ')[0]}, {shape.arguments.split(', ')[1]})"
        values = [
            *(point, f"CIRCLE({point}, 0.5)", f"DISTANCE({point}, {centre})", f"COORD1({point})"),
            *(f"COORD2(CENTROID({shape.adql}))", f"AREA(CIRCLE({point}, 0.25))"),
            *(f"CONTAINS({point}, {shape.adql})", f"INTERSECTS({shape.adql}, CIRCLE({point}, 1))"),
        ]
        for name, kind in relation.table.geometries:
            column = relation.column(name)
            values += [column, f"COORD1({self._centre(column, kind)})"]
            if kind != "point":
                values += [f"AREA({column})", f"CONTAINS({point}, {column})"]
        return self.parts.one(values)

    def _centre(self, column: str, kind: str) -> str:
        return column if kind == "point" else f"CENTROID({column})"

    def _region_of_row(self, relation: Relation) -> str:
        """A region about a row in, or across, a constant one."""
        shape, radius = self.parts.shape(relation), self.parts.one(["0.01", "0.3", "5"])
        own = f"CIRCLE({relation.point}, {radius})"
        areas = [
            relation.column(name) for name, kind in relation.table.geometries if kind != "point"
        ]
        function = self.parts.one(["CONTAINS", "INTERSECTS"])
        truth = self.parts.one(["1", "1", "0"])
        return f"{truth} = {function}({self.parts.one([own, *areas])}, {shape.adql})"
