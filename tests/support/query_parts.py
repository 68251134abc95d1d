"""The parts of random queries: values, conditions, regions, select lists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import strategies as st

from tests.support.sky import SkyTable

T = TypeVar("T")

_RADII_DEG = (0.003, 0.1, 1.0, 5.0, 5.0, 20.0, 20.0, 40.0)
_FUNCTIONS = ("ABS({})", "SQRT({})", "LOG10({})", "EXP({} / 1000.0)", "SIN({})", "FLOOR({})", "-{}")
_COMPARISONS = ("<", "<=", ">", ">=", "<>")


@dataclass(frozen=True, slots=True)
class Relation:
    """A table under its alias."""

    alias: str
    table: SkyTable

    @property
    def source(self) -> str:
        return f"{self.table.name} AS {self.alias}"

    @property
    def key(self) -> str:
        assert self.table.key is not None
        return self.column(self.table.key)

    @property
    def position(self) -> str:
        return f"{self.alias}.{self.table.ra}, {self.alias}.{self.table.dec}"

    @property
    def point(self) -> str:
        return f"POINT({self.position})"

    def column(self, name: str) -> str:
        return f"{self.alias}.{name}"


@dataclass(slots=True)
class Select:
    """A block while it is written."""

    items: list[str] = field(default_factory=list)
    from_: str = ""
    where: list[str] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    having: str = ""
    order: list[str] = field(default_factory=list)
    is_distinct: bool = False
    top: int | None = None
    offset: int | None = None

    def text(self) -> str:
        clauses = [
            "SELECT",
            "DISTINCT" if self.is_distinct else "",
            "" if self.top is None else f"TOP {self.top}",
            ", ".join(self.items),
            f"FROM {self.from_}",
            f"WHERE {' AND '.join(self.where)}" if self.where else "",
            f"GROUP BY {', '.join(self.group)}" if self.group else "",
            f"HAVING {self.having}" if self.having else "",
            f"ORDER BY {', '.join(self.order)}" if self.order else "",
            "" if self.offset is None else f"OFFSET {self.offset}",
        ]
        return " ".join(clause for clause in clauses if clause)


class Parts:
    """Draws parts; `uses` gathers what they are."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.uses: set[str] = set()
        self._names = 0

    def one(self, items: Sequence[T]) -> T:
        return self.draw(st.sampled_from(items))

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def chance(self, percent: int) -> bool:
        return self.integer(0, 99) < percent

    def alias(self) -> str:
        """A name that nothing else in the query has."""
        self._names += 1
        return f"t{self._names}"

    # -------------------------------------------------------------- values

    def measure(self, relation: Relation) -> str:
        return relation.column(self.one(relation.table.measures).name)

    def label(self, relation: Relation) -> tuple[str, tuple[str, ...], bool]:
        """A column of few values, those values, and whether they are texts."""
        label = self.one(relation.table.labels)
        return relation.column(label.name), label.values, label.is_text

    def number(self, relation: Relation) -> str:
        """A numeric expression of floating columns and constants."""
        column = self.measure(relation)
        match self.integer(0, 7):
            case 0:
                return self.one(_FUNCTIONS).format(column)
            case 1:
                return f"{column} {self.one('+-*')} {self.measure(relation)}"
            case 2:
                return f"{column} / {self.one(['2.0', '3.0', '1e3'])}"
            case 3:
                return f"COALESCE({column}, 0)"
            case 4:
                return f"CASE WHEN {self.cut(relation)} THEN {column} ELSE 0.0 END"
            case 5:
                return f"CAST({column} AS DOUBLE PRECISION)"
            case _:
                return column

    def group_keys(self, relation: Relation) -> list[str]:
        """One or two columns of few values, or a histogram of a measure."""
        if not relation.table.labels or self.chance(30):
            measure = self.one(relation.table.measures)
            width = max(abs(measure.values[-1] - measure.values[0]) / 5, 1e-3)
            return [f"FLOOR({relation.column(measure.name)} / {width:.3g})"]
        labels = self.draw(
            st.lists(st.sampled_from(relation.table.labels), min_size=1, max_size=2, unique=True)
        )
        return [relation.column(label.name) for label in labels]

    def items(self, relation: Relation) -> list[str]:
        """A select list: columns, and perhaps an expression with a name."""
        columns = self.draw(
            st.lists(st.sampled_from(relation.table.columns), min_size=1, max_size=4, unique=True)
        )
        items = [relation.column(column) for column in columns]
        if self.chance(40):
            items.append(f"{self.number(relation)} AS e{relation.alias[1:]}")
        return items

    # -------------------------------------------------------------- conditions

    def conditions(self, relation: Relation) -> list[str]:
        """A region, cuts, both or neither."""
        region = [self.region(relation)] if relation.table.positions and self.chance(55) else []
        return [*region, *self.cuts(relation)]

    def cuts(self, relation: Relation) -> list[str]:
        """None to two conditions on columns; one most often."""
        if not relation.table.measures:
            return []
        count = self.one([0, 0, 1, 1, 1, 2])
        return [self.cut(relation) for _ in range(count)]

    def cut(self, relation: Relation) -> str:
        """A condition on a relation's columns that some rows fulfil."""
        table = relation.table
        match self.integer(0, 9):
            case 0 if table.labels:
                return self._label_cut(relation)
            case 1 if table.flags:
                flag = relation.column(self.one(table.flags))
                return self.one([flag, f"NOT {flag}", f"({flag})"])
            case 2:
                return f"{self.measure(relation)} IS {self.one(['', 'NOT '])}NULL"
            case 3:
                return f"({self._comparison(relation)} OR {self._comparison(relation)})"
            case 4:
                return f"NOT {self._comparison(relation)}"
            case 5 if table.keys and table.key:
                keys = self.draw(st.lists(st.sampled_from(table.keys), min_size=1, max_size=4))
                if len(keys) == 1:
                    return f"{relation.key} = {keys[0]}"
                return f"{relation.key} IN ({', '.join(map(str, keys))})"
            case 6:
                return self._between(relation)
            case _:
                return self._comparison(relation)

    def _comparison(self, relation: Relation) -> str:
        measure = self.one(relation.table.measures)
        column = relation.column(measure.name)
        if self.chance(20):
            return f"{column} {self.one(_COMPARISONS)} {self.measure(relation)}"
        return f"{column} {self.one(_COMPARISONS)} {number(self.one(measure.values))}"

    def _between(self, relation: Relation) -> str:
        measure = self.one(relation.table.measures)
        bounds = sorted(self.one(measure.values) for _ in range(2))
        low, high = (number(bound) for bound in bounds)
        negation = self.one(["", "", "NOT "])
        return f"{relation.column(measure.name)} {negation}BETWEEN {low} AND {high}"

    def _label_cut(self, relation: Relation) -> str:
        column, values, is_text = self.label(relation)
        if is_text and self.chance(30):
            return f"{column} LIKE '{self.one(values)[1:-1][:2]}%'"
        if self.chance(50):
            return f"{column} {self.one(['=', '<>'])} {self.one(values)}"
        listed = self.draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))
        return f"{column} {self.one(['IN', 'NOT IN'])} ({', '.join(listed)})"

    # -------------------------------------------------------------- regions

    def region(self, relation: Relation, *, largest_deg: float = 40.0) -> str:
        """A cone, a box or a polygon about one of the rows; a radius is `largest_deg` at most."""
        self.uses.add("region")
        ra, dec = self.one(relation.table.positions)
        radius = min(self.one(_RADII_DEG), largest_deg)
        center = f"{ra:.6f}, {dec:.6f}"
        if self.chance(25):
            return f"DISTANCE({relation.point}, POINT({center})) < {radius}"
        shape = self.one(
            [
                f"CIRCLE({center}, {radius})",
                f"CIRCLE(POINT({center}), {radius})",
                f"CIRCLE('ICRS', {center}, {radius})",
                f"POLYGON({_triangle(ra, dec, radius)})",
                f"BOX({center}, {2 * radius}, {radius})",
            ]
        )
        point = self.one([relation.point, f"POINT('ICRS', {relation.position})"])
        return self.one(["1 = {}", "{} = 1"]).format(f"CONTAINS({point}, {shape})")


def number(value: float) -> str:
    """A number that both engines read alike: integers bare, others with 9 digits."""
    return str(value) if isinstance(value, int) else f"{value:.9g}"


def _triangle(ra: float, dec: float, radius: float) -> str:
    """Three corners about a point, degrees; within the sphere's coordinates."""
    corners = []
    for turn in (0.0, 120.0, 240.0):
        corner_dec = max(-89.9, min(89.9, dec + radius * math.cos(math.radians(turn))))
        width = radius / math.cos(math.radians(corner_dec))
        corner_ra = (ra + min(width, 30.0) * math.sin(math.radians(turn))) % 360.0
        corners.append(f"{corner_ra:.6f}, {corner_dec:.6f}")
    return ", ".join(corners)
