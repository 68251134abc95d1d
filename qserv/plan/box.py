"""Comparisons of coordinates with constants, put together to boxes of right ascension and declination."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from typing_extensions import override

from qserv.bound import Call, Cast, Column, Expression, RelationId
from qserv.constants import constant_of
from qserv.plan.local import Local
from schema.region import Shape, ShapeKind
from schema.types import Type

NEGATED = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
MIRRORED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
RA_HIGH, DEC_HIGH = 360.0, 90.0
"""Stored positions are within these: 0..360 (ends included) and -90..90 degrees."""


@dataclass(frozen=True, slots=True)
class SkyBox:
    """Bounds of a position, degrees, ends included; `ra_low <= ra_high` unless it is empty."""

    ra_low: float = 0.0
    ra_high: float = RA_HIGH
    dec_low: float = -DEC_HIGH
    dec_high: float = DEC_HIGH

    def with_ra(self, low: float, high: float) -> SkyBox:
        """The part of it within these right ascensions."""
        return replace(self, ra_low=max(self.ra_low, low), ra_high=min(self.ra_high, high))

    def with_dec(self, low: float, high: float) -> SkyBox:
        """The part of it within these declinations."""
        return replace(self, dec_low=max(self.dec_low, low), dec_high=min(self.dec_high, high))

    @property
    def is_empty(self) -> bool:
        return self.ra_low > self.ra_high or self.dec_low > self.dec_high

    @property
    def shape(self) -> Shape | None:
        """The region; None for the whole sky."""
        if self == SkyBox():
            return None
        ra, width = (self.ra_low + self.ra_high) / 2, self.ra_high - self.ra_low
        dec, height = (self.dec_low + self.dec_high) / 2, self.dec_high - self.dec_low
        return Shape(ShapeKind.BOX, (ra, dec, width, height))

    @override
    def __str__(self) -> str:
        said = []
        if (self.ra_low, self.ra_high) != (0.0, RA_HIGH):
            said.append(f"ra {self.ra_low:.6g}..{self.ra_high:.6g}")
        if (self.dec_low, self.dec_high) != (-DEC_HIGH, DEC_HIGH):
            said.append(f"dec {self.dec_low:.6g}..{self.dec_high:.6g}")
        return ", ".join(said)


def boxes_in(
    conditions: Iterable[Expression], local: Local, *, truth: bool
) -> tuple[dict[RelationId, SkyBox], list[Expression]]:
    """The box of each relation that conditions which are all true (or all false) say; and the rest."""
    boxes: dict[RelationId, SkyBox] = {}
    others = []
    for condition in conditions:
        found = _bound(condition, local, truth=truth)
        if found is None:
            others.append(condition)
            continue
        column, low, high = found
        box = boxes.get(column.relation, SkyBox())
        member = local.member(column.relation)
        assert member is not None
        is_ra = column.name == member.table.ra
        boxes[column.relation] = box.with_ra(low, high) if is_ra else box.with_dec(low, high)
    return boxes, others


def _bound(
    condition: Expression, local: Local, *, truth: bool
) -> tuple[Column, float, float] | None:
    """`coordinate operator constant` as the coordinate and its bounds; strict ones as wide."""
    if not isinstance(condition, Call) or condition.name not in MIRRORED:
        return None
    name = condition.name if truth else NEGATED[condition.name]
    if name == "<>":
        return None
    one, other = condition.arguments
    for term, value, operator in ((one, other, name), (other, one, MIRRORED[name])):
        column = coordinate_of(term, local)
        constant = constant_of(value) if column is not None else None
        if column is None or constant is None or type(constant.value) not in (int, float):
            continue
        number = float(constant.value)  # type: ignore[arg-type] # a number
        low = number if operator in ("=", ">", ">=") else -RA_HIGH
        high = number if operator in ("=", "<", "<=") else RA_HIGH
        return column, low, high
    return None


def coordinate_of(term: Expression, local: Local) -> Column | None:
    """The column of a partitioned member's own position that a term is."""
    if isinstance(term, Cast) and term.type is Type.DOUBLE:
        term = term.argument
    if not isinstance(term, Column):
        return None
    member = local.member(term.relation)
    if member is None or term.name not in (member.table.ra, member.table.dec):
        return None
    return term if member.table.is_partitioned else None
