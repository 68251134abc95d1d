"""The parts of random queries: values, conditions and their trees, regions, select lists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from tests.support.sky import Measure
from tests.support.spellings import Relation, Select, Shape, Spelling

T = TypeVar("T")

_RADII_DEG = (0.003, 0.1, 1.0, 5.0, 5.0, 20.0, 20.0, 40.0)
_FUNCTIONS = ("ABS({})", "SQRT({})", "LOG10({})", "SIN({})", "FLOOR({})", "-{}", "ROUND({}, 1)")
_COMPARISONS = ("<", "<=", ">", ">=", "<>")


class Parts:
    """Draws parts in one language; `uses` gathers what they are."""

    def __init__(self, random: Random, spelling: Spelling) -> None:
        self.random = random
        self.spelling = spelling
        self.uses: set[str] = set()
        self._names = 0

    # -------------------------------------------------------------- draws

    def one(self, items: Sequence[T]) -> T:
        return self.random.choice(items)

    def some(self, items: Sequence[T], least: int, most: int) -> list[T]:
        """Different items, as many as there are at most."""
        most = min(most, len(items))
        return self.random.sample(items, self.integer(min(least, most), most))

    def integer(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def chance(self, percent: int) -> bool:
        return self.integer(0, 99) < percent

    def alias(self) -> str:
        """A name that nothing else in the query has."""
        self._names += 1
        return f"t{self._names}"

    def block(self, select: Select) -> str:
        return self.spelling.block(select)

    # -------------------------------------------------------------- values

    def measure(self, relation: Relation) -> str:
        return relation.column(self.one(relation.table.measures).name)

    def label(self, relation: Relation) -> tuple[str, tuple[str, ...], bool]:
        """A column of few values, those values, and whether they are texts."""
        label = self.one(relation.table.labels)
        return relation.column(label.name), label.values, label.is_text

    def number(self, relation: Relation) -> str:
        """A numeric expression of a measure or two."""
        measure = self.one(relation.table.measures)
        column = relation.column(measure.name)
        match self.integer(0, 8):
            case 0 | 1:
                return self._function(measure).format(column)
            case 2:
                return f"{column} {self.one('+-*')} {self.measure(relation)}"
            case 3:
                return f"{column} / {self.one(['2.0', '3.0', '1e3', self.measure(relation)])}"
            case 4:
                return f"NULLIF({column}, {written(self.one(measure.values))})"
            case 5:
                return f"CASE WHEN {self.cut(relation)} THEN {column} ELSE 0.0 END"
            case 6 if self.spelling.language != "MySQL":
                return f"CAST({column} AS DOUBLE PRECISION)"
            case _:
                return column

    def _function(self, measure: Measure) -> str:
        more = self.spelling.integers if measure.is_integer else self.spelling.functions
        return self.one((*_FUNCTIONS, *more))

    def group_keys(self, relation: Relation) -> list[str]:
        """One or two columns of few values, a histogram of a measure, or a choice."""
        if not relation.table.labels or self.chance(30):
            measure = self.one(relation.table.measures)
            width = max(abs(measure.values[-1] - measure.values[0]) / 5, 1e-3)
            histogram = f"FLOOR({relation.column(measure.name)} / {width:.3g})"
            return [self.one([histogram, histogram, self.choice(relation)])]
        labels = self.some(relation.table.labels, 1, 2)
        keys = [relation.column(label.name) for label in labels]
        if relation.table.flags and self.chance(30):
            keys.append(relation.column(self.one(relation.table.flags)))
        return keys

    def choice(self, relation: Relation) -> str:
        """A CASE of conditions."""
        self.uses.add("case")
        otherwise = self.one([" ELSE 'z'", ""])
        first, second = self.cut(relation), self.cut(relation)
        return f"CASE WHEN {first} THEN 'x' WHEN {second} THEN 'y'{otherwise} END"

    def items(self, relation: Relation) -> list[str]:
        """A select list: columns, and perhaps expressions with names."""
        columns = self.some(relation.table.columns, 1, 4)
        items = [relation.column(column) for column in columns]
        if relation.table.measures and self.chance(40):
            items.append(f"{self.number(relation)} AS e{relation.alias[1:]}")
        texts = [label for label in relation.table.labels if label.is_text]
        if texts and self.chance(15):
            column = relation.column(self.one(texts).name)
            text = self.one(self.spelling.texts).format(column)
            items.append(f"{text} AS x{relation.alias[1:]}")
        return items

    def aggregate(self, relation: Relation) -> str:
        """An aggregate of numbers, any of them."""
        number = self.number(relation)
        match self.integer(0, 9):
            case 0 | 1:
                return self.one(self.spelling.aggregates).format(number)
            case 2:
                self.uses.add("distinct aggregate")
                whole = f"FLOOR({self.measure(relation)})"
                if self.spelling.language == "PostgreSQL" and self.chance(50):
                    return f"COUNT(DISTINCT ({whole}, {self.measure(relation)}))"
                return self.one(["COUNT(DISTINCT {})", "SUM(DISTINCT {})"]).format(whole)
            case 3 if self.spelling.language != "MySQL":
                self.uses.add("covariance")
                pair = self._centred(relation), self._centred(relation)
                functions = ["COVAR_SAMP({}, {})", "COVAR_POP({}, {})"]
                if self.spelling.language == "PostgreSQL":
                    functions += ["REGR_COUNT({}, {})", "REGR_AVGX({}, {})", "REGR_SXY({}, {})"]
                # PostgreSQL's sums find no correlation NULL but where what does not vary is whole
                return self.one([*functions, "CORR(FLOOR({}), FLOOR({}))"]).format(*pair)
            case _:
                plain = ["SUM({})", "AVG({})", "MIN({})", "MAX({})", "COUNT({})"]
                return self.one(plain).format(number)

    def _centred(self, relation: Relation) -> str:
        """A measure; one that varies little, less its median.

        PostgreSQL's and DuckDB's covariances agree to 1e-8 only where values vary by 1e-7 of
        themselves, as the times of one visit do.
        """
        measure = self.one(relation.table.measures)
        column, median = relation.column(measure.name), measure.values[len(measure.values) // 2]
        spread = measure.values[-1] - measure.values[0]
        return f"({column} - {written(median)})" if abs(median) > 100 * spread else column

    def aggregates(self, relation: Relation) -> list[str]:
        """None, one or two."""
        return [self.aggregate(relation) for _ in range(self.integer(0, 2))]

    # -------------------------------------------------------------- conditions

    def conditions(self, relation: Relation) -> list[str]:
        """A region, cuts, a tree of both, or nothing."""
        if relation.table.measures and self.chance(15):
            return [self.tree(relation)]
        if relation.table.positions and self.chance(55):
            return [self.region(relation), *self.cuts(relation)[:1]]
        return self.cuts(relation)

    def cuts(self, relation: Relation) -> list[str]:
        """None to two conditions on columns; one most often."""
        if not relation.table.measures:
            return []
        count = self.one([0, 0, 1, 1, 1, 2])
        return [self.cut(relation) for _ in range(count)]

    def tree(self, *relations: Relation, depth: int = 2) -> str:
        """AND, OR and NOT over regions, coordinates and cuts."""
        self.uses.add("tree")
        if depth == 0 or self.chance(20):
            return self._leaf(self.one(relations))
        parts = [self.tree(*relations, depth=depth - 1) for _ in range(self.integer(2, 3))]
        word = self.one([" OR ", " OR ", " AND "])
        return self.one(["({})", "({})", "NOT ({})"]).format(word.join(parts))

    def _leaf(self, relation: Relation) -> str:
        if relation.table.positions and self.chance(60):
            return self.one([self.region, self.region, self.outside, self.coordinates])(relation)
        return self.cut(relation) if relation.table.measures else f"{relation.row} IS NOT NULL"

    def cut(self, relation: Relation) -> str:
        """A condition on a relation's columns that some rows fulfil."""
        table = relation.table
        match self.integer(0, 11):
            case 0 if table.labels:
                return self._label_cut(relation)
            case 1 if table.flags:
                flag = relation.column(self.one(table.flags))
                return self.one([flag, f"NOT {flag}", f"({flag})", f"{flag} IS NOT NULL"])
            case 2:
                return f"{self.measure(relation)} IS {self.one(['', 'NOT '])}NULL"
            case 3:
                return f"({self._comparison(relation)} OR {self._comparison(relation)})"
            case 4:
                operator, value = self.one(_COMPARISONS[:4]), self._value(relation)
                return f"NOT {value[0]} {operator} {value[1]}"
            case 5 if table.keys and table.key:
                return self.keys(relation, 4)
            case 6:
                return self._between(relation)
            case 7 if table.positions:
                return self.coordinates(relation)
            case 9 if self.spelling.language != "ADQL":
                return self._row_cut(relation)
            case 8 if self.chance(30):
                pair = self.measure(relation), self.measure(relation)
                return self.one(self.spelling.same).format(*pair)
            case _:
                return self._comparison(relation)

    def _row_cut(self, relation: Relation) -> str:
        """Two measures compared at once, or one with an array's items."""
        self.uses.add("row")
        (one, first), (other, second) = self._value(relation), self._value(relation)
        again = self._value(relation)[1] if self.chance(20) else first
        rows = f"({first}, {second}), ({again}, {second})"
        cuts = [f"({one}, {other}) {self.one(_COMPARISONS)} ({first}, {second})"]
        cuts += [f"({one}, {other}) {self.one(['IN', 'NOT IN'])} ({rows})"]
        if self.spelling.language == "PostgreSQL":
            quantified = self.one(["= ANY", "<> ALL", "> ALL", "<= ANY"])
            cuts.append(f"{one} {quantified} (ARRAY[{first}, {again}])")
        return self.one(cuts)

    def keys(self, relation: Relation, most: int) -> str:
        """That the relation's key is one of a few."""
        keys = self.some(relation.table.keys, 1, most)
        if len(keys) == 1:
            return f"{relation.key} = {keys[0]}"
        return f"{relation.key} IN ({', '.join(map(str, keys))})"

    def _comparison(self, relation: Relation) -> str:
        operator = self.one(_COMPARISONS)
        if self.chance(15):
            return f"{self.measure(relation)} {operator} {self.measure(relation)}"
        column, value = self._value(relation)
        return self.one([f"{column} {operator} {value}", f"{value} {operator} {column}"])

    def _value(self, relation: Relation) -> tuple[str, str]:
        """A measure and a value that some row has."""
        measure = self.one(relation.table.measures)
        return relation.column(measure.name), written(self.one(measure.values))

    def _between(self, relation: Relation) -> str:
        measure = self.one(relation.table.measures)
        bounds = sorted(self.one(measure.values) for _ in range(2))
        low, high = (written(bound) for bound in bounds)
        negation = self.one(["", "", "NOT "])
        return f"{relation.column(measure.name)} {negation}BETWEEN {low} AND {high}"

    def _label_cut(self, relation: Relation) -> str:
        column, values, is_text = self.label(relation)
        if is_text and self.chance(30):
            return f"{column} LIKE '{self.one(values)[1:-1][:2]}%'"
        if self.chance(50):
            return f"{column} {self.one(['=', '<>'])} {self.one(values)}"
        listed = self.some(values, 1, 3)
        return f"{column} {self.one(['IN', 'NOT IN'])} ({', '.join(listed)})"

    # -------------------------------------------------------------- regions

    def region(self, relation: Relation, *, largest_deg: float = 40.0) -> str:
        """A cone, a box or a polygon about one of the rows; a radius is `largest_deg` at most."""
        self.uses.add("region")
        return self.one(self.spelling.inside(relation, self.shape(relation, largest_deg)))

    def outside(self, relation: Relation) -> str:
        """That a row lies outside one."""
        self.uses.add("region")
        return self.one(self.spelling.outside(relation, self.shape(relation, 40.0)))

    def shape(self, relation: Relation, largest_deg: float = 40.0) -> Shape:
        """A circle, a box or a triangle about one of the rows."""
        ra, dec = self.one(relation.table.positions)
        radius = min(self.one(_RADII_DEG), largest_deg)
        match self.integer(0, 3):
            case 0:
                return Shape("polygon", _triangle(ra, dec, radius))
            case 1:
                return Shape("box", (ra, dec, 2 * radius, radius))
            case _:
                return Shape("circle", (ra, dec, radius))

    def coordinates(self, relation: Relation) -> str:
        """A comparison of a coordinate, or a box of them."""
        self.uses.add("coordinates")
        ra, dec = self.one(relation.table.positions)
        size = self.one(_RADII_DEG)
        ra_column, dec_column = relation.position.split(", ")
        across = f"{ra_column} BETWEEN {ra - size:.4f} AND {ra + size:.4f}"
        upward = f"{dec_column} {self.one(['<', '<=', '>', '>='])} {dec:.4f}"
        along = f"{dec_column} BETWEEN {dec - size:.4f} AND {dec + size:.4f}"
        return self.one([across, upward, along, f"({across} AND {upward})"])


def written(value: float) -> str:
    """A number that both engines read alike: integers bare, others with 9 digits."""
    return str(value) if isinstance(value, int) else f"{value:.9g}"


def _triangle(ra: float, dec: float, radius: float) -> tuple[float, ...]:
    """Three corners about a point, degrees; within the sphere's coordinates."""
    corners: list[float] = []
    for turn in (0.0, 120.0, 240.0):
        corner_dec = max(-89.9, min(89.9, dec + radius * math.cos(math.radians(turn))))
        width = radius / math.cos(math.radians(corner_dec))
        corner_ra = (ra + min(width, 30.0) * math.sin(math.radians(turn))) % 360.0
        corners += [round(corner_ra, 6), round(corner_dec, 6)]
    return tuple(corners)
