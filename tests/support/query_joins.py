"""Random queries of several tables: children, replicated and match tables, neighbours, any key."""

from __future__ import annotations

from schema.catalog import Role
from tests.support.query_tables import Shape, Tables
from tests.support.sky import SkyTable
from tests.support.spellings import Relation, Select

_NEIGHBOURS_ARCSEC = (0.5, 2.0, 10.0, 40.0)
_BEYOND_DEG = ("0.03", "0.1", "1.0")


class JoinShapes(Tables):
    """Shapes that join."""

    def join_shapes(self) -> list[Shape]:
        """The commoner ones several times."""
        shapes: list[Shape] = []
        if self.links(is_child=True):
            shapes += [self.child_join] * 3 + [self.child_group] * 2 + [self.joined_tree]
        if self.links(is_child=False):
            shapes += [self.replicated_join] * 2 + [self.chain] * 2
        if self._matches():
            shapes += [self.match_join] * 3 + [self.match_group]
        if self.sky.with_role(Role.DIRECTOR):
            shapes += [self.neighbours] * 3 + [self.no_neighbours, self.beyond_the_margin]
        return [*shapes, self.any_key, self.any_key]

    def _matches(self) -> list[SkyTable]:
        return [table for table in self.sky.with_role(Role.MATCH) if table.pairs]

    def kind(self, *, is_inner: bool = False) -> str:
        """A kind of join; the inner one most often."""
        inner = ["JOIN", "INNER JOIN"]
        outer = ["LEFT JOIN", "LEFT OUTER JOIN", "RIGHT JOIN"]
        if self.parts.spelling.has_full_joins:
            outer.append("FULL OUTER JOIN")
        kind = self.parts.one(inner if is_inner or self.parts.chance(60) else outer)
        if "JOIN" not in kind[:5]:
            self.parts.uses.add("outer" if kind not in inner else "inner")
        return kind

    # -------------------------------------------------------------- keys

    def child_join(self) -> str:
        """A child and its parent."""
        child, parent, on = self.linked(is_child=True)
        return self._join(*self.parts.one([(parent, child), (child, parent)]), on)

    def replicated_join(self) -> str:
        """A partitioned table with a replicated one, either way round."""
        table, replicated, on = self.linked(is_child=False)
        return self._join(*self.parts.one([(table, replicated), (replicated, table)]), on)

    def _join(self, left: Relation, right: Relation, on: str) -> str:
        kind = self.kind()
        if kind[0] in "LRF" and self.parts.chance(40):
            on = " AND ".join([on, *self.parts.cuts(right)])
        items = [*self.parts.items(left), *self.parts.items(right)]
        select = Select(items, f"{left.source} {kind} {right.source} ON {on}")
        select.where = self._area(left) or self.parts.conditions(left)
        if kind[0] not in "LRF" or self.parts.chance(30):
            select.where += self.parts.cuts(right)
        return self.cut(select)

    def _area(self, relation: Relation) -> list[str]:
        """Qserv's restriction of all tables, where the language has it, now and then."""
        is_preserved = relation.table.role is Role.DIRECTOR and relation.table.positions
        if not is_preserved or not self.parts.chance(30):
            return []
        areas = self.parts.spelling.areas(self.parts.shape(relation))
        if not areas:
            return []
        self.parts.uses.add("area")
        return [self.parts.one(areas), *self.parts.cuts(relation)]

    def chain(self) -> str:
        """Three tables: what a table refers to, itself, and what else it or that refers to."""
        table = self.parts.one([t for t in self.sky.tables.values() if t.links])
        middle = self.named(table)
        one, other = self.parts.one(table.links), self.parts.one(table.links)
        target = self.sky.tables[other.target]
        _, first, on = self.joined(middle, one)
        source = f"{first.source} {self.kind(is_inner=True)} {middle.source} ON {on}"
        if target.links and self.parts.chance(40):
            _, second, more = self.joined(first if first.table is target else middle, other)
            if first.table is target:
                _, second, more = self.joined(first, self.parts.one(target.links))
        else:
            _, second, more = self.joined(middle, other)
        source += f" {self.kind()} {second.source} ON {more}"
        select = Select([middle.row, *self.parts.items(first), *self.parts.items(second)], source)
        select.where = [*self.parts.conditions(first), *self.parts.cuts(middle)]
        if self.parts.chance(40) and table.measures:
            self.parts.uses.add("group")
            select.group = [f"FLOOR({self.parts.measure(middle)} / 50.0)"]
            select.items = [*select.group, "COUNT(*)", *self.parts.aggregates(middle)]
            return self.parts.block(select)
        return self.cut(select)

    def joined_tree(self) -> str:
        """Conditions of both sides of a join under OR and NOT."""
        child, parent, on = self.linked(is_child=True)
        source = f"{parent.source} {self.kind()} {child.source} ON {on}"
        tree = self.parts.tree(parent, child, depth=2)
        items = ["COUNT(*)", f"COUNT({child.row})", f"MIN({parent.row})", f"MAX({child.row})"]
        return self.parts.block(Select(items, source, [tree]))

    def child_group(self) -> str:
        """The children's statistics of each parent, or over all."""
        self.parts.uses.add("group")
        child, parent, on = self.linked(is_child=True)
        key = parent.row
        source = f"{parent.source} {self.kind()} {child.source} ON {on}"
        if self.parts.chance(30) and parent.table.measures:
            (key,) = self.parts.group_keys(parent)[:1]
        select = Select([f"{key} AS k", f"COUNT({child.row}) AS n"], source, group=[key])
        select.items += self.parts.aggregates(child) if child.table.measures else []
        select.where = self.parts.conditions(parent)
        select.order = self.parts.one([[], ["k"], ["n DESC", "k"]])
        return self.cut(select) if select.order else self.parts.block(select)

    # -------------------------------------------------------------- match tables

    def match_join(self) -> str:
        """Pairs with one director or both, inner or not; perhaps with what refers to the first."""
        pairs, (first, second), (on_first, on_second) = self._matched()
        shape = self.parts.integer(0, 4)
        kind = self.kind()
        if shape == 0:
            source = f"{pairs.source} {kind} {first.source} ON {on_first}"
            sides = [pairs, first]
        elif shape == 1:
            source = f"{second.source} {kind} {pairs.source} ON {on_second}"
            sides = [second, pairs]
        else:
            source = f"{first.source} {kind} {pairs.source} ON {on_first}"
            source += f" {self.kind(is_inner=kind[0] in 'JI')} {second.source} ON {on_second}"
            sides = [first, pairs, second]
        items = [pairs.row, *(item for side in sides for item in self.parts.items(side)[:2])]
        select = Select(items, source)
        select.where = self.parts.conditions(self.parts.one(sides)) + self.parts.cuts(pairs)
        return self.cut(select)

    def match_group(self) -> str:
        """Statistics of pairs by what the first director is like."""
        self.parts.uses.add("group")
        pairs, (first, second), (on_first, on_second) = self._matched()
        source = f"{first.source} JOIN {pairs.source} ON {on_first}"
        source += f" {self.kind()} {second.source} ON {on_second}"
        keys = self.parts.group_keys(first)
        items = [*keys, "COUNT(*)", f"COUNT(DISTINCT {second.row})"]
        items += [self.parts.aggregate(self.parts.one([pairs, second]))]
        select = Select(items, source, self.parts.conditions(first), keys)
        return self.parts.block(select)

    def _matched(self) -> tuple[Relation, list[Relation], list[str]]:
        """A match table, its directors, and the conditions of the joins to them."""
        pairs = self.named(self.parts.one(self._matches()))
        found = [self.joined(pairs, link)[1:] for link in pairs.table.pairs]
        return pairs, [target for target, _ in found], [on for _, on in found]

    # -------------------------------------------------------------- neighbours

    def neighbours(self) -> str:
        """Pairs of directors' rows nearer than a few arcseconds, within a region.

        Without one, a server that joins them by brute force takes seconds.
        """
        self.parts.uses.add("overlap")
        a, b = self.director(), self.director()
        near = self._near(a, b)
        pairs = [f"{a.key} {self.parts.one(['<', '<>'])} {b.key}"] if a.table is b.table else []
        where = [*self._few(a), *self.parts.cuts(a), *self.parts.cuts(b)]
        items = [a.key, b.key] if self.parts.chance(70) else ["COUNT(*)", f"MAX({b.key})"]
        on = " AND ".join([near, *pairs])
        source = self.parts.one(["{} JOIN {} ON {on}", "{} LEFT JOIN {} ON {on}", "{}, {}"])
        if source == "{}, {}":
            where = [near, *pairs, *where]
        return self.parts.block(Select(items, source.format(a.source, b.source, on=on), where))

    def no_neighbours(self) -> str:
        """Rows with or without a neighbour, or how many each has."""
        self.parts.uses |= {"overlap", "sub-query"}
        a, b = self.director(), self.director()
        other = [f"{a.key} <> {b.key}"] if a.table is b.table else []
        inner = Select(["1"], b.source, [self._near(a, b), *other, *self.parts.cuts(b)])
        select = Select([a.key], a.source, [*self._few(a), *self.parts.cuts(a)])
        if self.parts.chance(60):
            exists = self.parts.one(["EXISTS", "NOT EXISTS"])
            select.where.append(f"{exists} ({self.parts.block(inner)})")
        else:
            inner.items = ["COUNT(*)"]
            select.items.append(f"({self.parts.block(inner)}) AS n")
        return self.parts.block(select)

    def _near(self, a: Relation, b: Relation) -> str:
        radius_arcsec = min(self.parts.one(_NEIGHBOURS_ARCSEC), self.sky.margin_arcsec)
        return self.parts.one(self.parts.spelling.near(a, b, f"{radius_arcsec / 3600:.9f}"))

    def _few(self, relation: Relation) -> list[str]:
        """That the relation's row lies in a region, or is one of a few."""
        if self.parts.chance(25):
            return [f"{relation.key} % {self.parts.integer(7, 40)} = 1"]
        return [self.parts.region(relation, largest_deg=5.0)] if relation.table.positions else []

    def beyond_the_margin(self) -> str:
        """Pairs of a few rows with others farther away than the overlap reaches."""
        self.parts.uses.add("exchange")
        a, b = self.director(), self.director()
        near = self.parts.one(self.parts.spelling.near(a, b, self.parts.one(_BEYOND_DEG)))
        where = [self.parts.keys(a, 12), *self.parts.cuts(b)]
        kind = self.parts.one(["JOIN", "LEFT JOIN"])
        source = f"{a.source} {kind} {b.source} ON {near}"
        items = self.parts.one([[a.key, b.key], ["COUNT(*)", f"MIN({b.key})"]])
        return self.parts.block(Select(items, source, where))

    # -------------------------------------------------------------- any key

    def any_key(self) -> str:
        """Two tables joined by numbers or texts that are no keys; counted, or a few rows of one."""
        self.parts.uses.add("exchange")
        tables = [table for table in self.sky.tables.values() if table.measures]
        alike = [(one, other) for one in tables for other in tables if _alike(one, other)]
        a, b = (self.named(table) for table in self.parts.one(alike))
        one, other = self.parts.one(_alike(a.table, b.table))
        left, right = a.column(one), b.column(other)
        kind = self.kind()
        same = ["{} = {}"] if kind.startswith("FULL") else self.parts.spelling.same
        on = self.parts.one(same).format(left, right)  # PostgreSQL joins FULL by equality only
        select = Select([], f"{a.source} {kind} {b.source} ON {on}")
        if a.table.keys and self.parts.chance(50):
            select.items = [a.row, b.row]
            select.where = [self.parts.keys(a, 3), *self.parts.cuts(b)]
            return self.cut(select)
        select.items = ["COUNT(*)", f"COUNT({left})", f"MAX({right})"]
        select.where = [*self.parts.conditions(a), *self.parts.cuts(b)]
        return self.parts.block(select)


def _alike(a: SkyTable, b: SkyTable) -> list[tuple[str, str]]:
    """Columns of both that may be equal: whole numbers, or texts."""
    numbers = [[m.name for m in table.measures if m.is_integer] for table in (a, b)]
    texts = [[label.name for label in table.labels if label.is_text] for table in (a, b)]
    keys = [[table.key] if table.key else [] for table in (a, b)]
    found = [(x, y) for x in numbers[0] + keys[0] for y in numbers[1] + keys[1]]
    return found + [(x, y) for x in texts[0] for y in texts[1]]
