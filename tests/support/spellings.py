"""How each language writes the parts of a random query: blocks, regions, distances, functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from typing_extensions import override

from tests.support.sky import SkyTable


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
    def row(self) -> str:
        """What identifies one row."""
        return self.column(self.table.ids[0])

    @property
    def position(self) -> str:
        return f"{self.alias}.{self.table.ra}, {self.alias}.{self.table.dec}"

    @property
    def point(self) -> str:
        return f"POINT({self.position})"

    def column(self, name: str) -> str:
        return f"{self.alias}.{name}"


class Shape(NamedTuple):
    """`circle` (ra, dec, radius), `box` (ra, dec, width, height) or `polygon` (corners), degrees."""

    kind: str
    numbers: tuple[float, ...]

    @property
    def arguments(self) -> str:
        return ", ".join(f"{number:.6f}" for number in self.numbers)

    @property
    def adql(self) -> str:
        return f"{self.kind.upper()}({self.arguments})"


@dataclass(slots=True)
class Select:
    """A block while it is written. `top` and `offset` are what its language says they are."""

    items: list[str] = field(default_factory=list)
    from_: str = ""
    where: list[str] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    having: str = ""
    order: list[str] = field(default_factory=list)
    distinct: str = ""
    top: int | None = None
    offset: int | None = None


class Spelling:
    """ADQL, and what the other languages say otherwise."""

    language = "ADQL"
    has_full_joins = True
    aggregates: tuple[str, ...] = ("STDDEV({})", "VARIANCE({})", "MEDIAN({})", "PERCENTILE({}, 90)")
    """Over one numeric expression, beside those of all languages."""
    functions: tuple[str, ...] = (
        "EXP({} / 1000.0)",
        "TRUNCATE({}, 1)",
        "LOG({})",
        "COALESCE({}, 0)",
    )
    """Of one floating column, beside those of all languages."""
    integers: tuple[str, ...] = ("MOD({}, 7)", "{} / 3", "{} & 5", "{} * 2 - 1")
    """Of one integer column."""
    texts: tuple[str, ...] = ("LOWER({})", "UPPER({})", "{} || '-x'", "COALESCE({}, 'none')")
    """Of one text column."""
    same: tuple[str, ...] = ("{} = {}",)
    """Whether two values are equal."""

    def block(self, select: Select) -> str:
        """The block's text."""
        top = "" if select.top is None else f"TOP {select.top}"
        offset = "" if select.offset is None else f"OFFSET {select.offset}"
        return _joined(["SELECT", select.distinct, top, *_clauses(select), offset])

    def finished(self, text: str) -> str:
        """The whole query, its names quoted as the language does."""
        return text

    def inside(self, relation: Relation, shape: Shape) -> list[str]:
        """Ways to say that the relation's position lies in the shape."""
        contained = f"CONTAINS({relation.point}, {shape.adql})"
        ways = [f"1 = {contained}", f"{contained} = 1"]
        point = f"POINT('ICRS', {relation.position})"
        ways.append(f"1 = CONTAINS({point}, {shape.kind.upper()}('ICRS', {shape.arguments}))")
        if shape.kind == "circle":
            ra, dec, radius = (f"{number:.6f}" for number in shape.numbers)
            centre = f"POINT({ra}, {dec})"
            ways.append(f"1 = CONTAINS({relation.point}, CIRCLE({centre}, {radius}))")
            ways.append(f"DISTANCE({relation.point}, {centre}) < {radius}")
        return ways

    def outside(self, relation: Relation, shape: Shape) -> list[str]:
        """Ways to say that it does not."""
        return [f"0 = CONTAINS({relation.point}, {shape.adql})"]

    def areas(self, shape: Shape) -> list[str]:
        """Ways to restrict every partitioned table of FROM to the shape; none in most languages."""
        assert shape
        return []

    def near(self, a: Relation, b: Relation, radius: str) -> list[str]:
        """Ways to say that two positions lie within a radius in degrees."""
        return [
            f"DISTANCE({a.point}, {b.point}) < {radius}",
            f"DISTANCE({a.position}, {b.position}) <= {radius}",
            f"1 = CONTAINS({b.point}, CIRCLE({a.point}, {radius}))",
        ]


class PostgresSpelling(Spelling):
    """PostgreSQL's SELECT with ADQL's functions of the sky."""

    language = "PostgreSQL"
    aggregates = (
        *("stddev_samp({})", "stddev_pop({})", "var_samp({})"),
        "percentile_cont(0.9) WITHIN GROUP (ORDER BY {})",
        "percentile_disc(0.25) WITHIN GROUP (ORDER BY {})",
    )
    functions = (
        *("greatest({}, 10)", "trunc({}, 1)", "ln({})", "coalesce({}, 0)", "cbrt({})"),
        "{}::double precision / 3",
    )
    integers = ("mod({}, 7)", "{} / 3", "{} & 5", "{} % 4", "{} << 1", "{} # 3")
    texts = ("lower({})", "initcap({})", "{} || '-x'", "coalesce({}, 'none')", "left({}, 2)")
    same = ("{} = {}", "{} IS NOT DISTINCT FROM {}")

    @override
    def block(self, select: Select) -> str:
        limit = "" if select.top is None else f"LIMIT {select.top}"
        offset = "" if select.offset is None else f"OFFSET {select.offset}"
        return _joined(["SELECT", select.distinct, *_clauses(select), limit, offset])


class MySqlSpelling(Spelling):
    """MySQL's SELECT as at Qserv, with sciSQL's functions of the sky."""

    language = "MySQL"
    has_full_joins = False
    aggregates = (
        *("STDDEV({})", "STD({})", "VARIANCE({})", "VAR_SAMP({})", "median({})"),
        *("scisql_percentile({}, 90)", "SUM({} > 10)"),
    )
    functions = (
        *("TRUNCATE({}, 1)", "LOG({})", "IFNULL({}, 0)", "IF({} > 0, 1, 0)", "LEAST({}, 10)"),
        *("{} DIV 3", "nanojanskyToAbMag({})"),
    )
    integers = ("MOD({}, 7)", "{} / 3", "{} DIV 3", "{} & 5", "{} ^ 3", "{} % 4", "-{} MOD 5")
    texts = ("LCASE({})", "UPPER({})", "CONCAT({}, '-x')", "IFNULL({}, 'none')", "LEFT({}, 2)")
    same = ("{} = {}", "{} <=> {}")

    @override
    def block(self, select: Select) -> str:
        top, offset = select.top, select.offset
        limit = "" if top is None else f"LIMIT {top}"
        if offset is not None:
            limit = f"LIMIT {offset}, {10**9 if top is None else top}"
        return _joined(["SELECT", select.distinct, *_clauses(select), limit])

    @override
    def finished(self, text: str) -> str:
        return text.replace('"', "`")

    @override
    def inside(self, relation: Relation, shape: Shape) -> list[str]:
        function, arguments = _sci_sql(shape)
        call = f"PtIn{function}({relation.position}, {arguments})"
        return [f"s2{call}", f"scisql_s2{call} = 1", f"1 = S2{call}"]

    @override
    def outside(self, relation: Relation, shape: Shape) -> list[str]:
        (call, *_) = self.inside(relation, shape)
        return [f"{call} = 0", f"!{call}"]

    @override
    def areas(self, shape: Shape) -> list[str]:
        function, arguments = _sci_sql(shape)
        area = f"qserv_areaspec_{_AREAS[function]}({arguments})"
        return [area, f"{area} = 1"]

    @override
    def near(self, a: Relation, b: Relation, radius: str) -> list[str]:
        return [
            f"scisql_angSep({a.position}, {b.position}) < {radius}",
            f"angSep({a.position}, {b.position}) <= {radius}",
            f"scisql_s2PtInCircle({b.position}, {a.position}, {radius}) = 1",
        ]


_AREAS = {"Circle": "circle", "Box": "box", "CPoly": "poly"}


def _sci_sql(shape: Shape) -> tuple[str, str]:
    """sciSQL's name of a shape and its numbers: a box by its corners."""
    if shape.kind == "box":
        ra, dec, width, height = shape.numbers
        south, north = max(dec - height / 2, -90.0), min(dec + height / 2, 90.0)
        corners = (ra - width / 2, south, ra + width / 2, north)
        return "Box", Shape("box", corners).arguments
    return {"circle": "Circle", "polygon": "CPoly"}[shape.kind], shape.arguments


SPELLINGS: Mapping[str, Spelling] = MappingProxyType(
    {spelling.language: spelling for spelling in (Spelling(), PostgresSpelling(), MySqlSpelling())}
)
"""By language."""


def _clauses(select: Select) -> list[str]:
    """What all languages write alike."""
    return [
        ", ".join(select.items),
        f"FROM {select.from_}",
        f"WHERE {' AND '.join(select.where)}" if select.where else "",
        f"GROUP BY {', '.join(select.group)}" if select.group else "",
        f"HAVING {select.having}" if select.having else "",
        f"ORDER BY {', '.join(select.order)}" if select.order else "",
    ]


def _joined(clauses: list[str]) -> str:
    return " ".join(clause for clause in clauses if clause)
