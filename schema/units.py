"""Units of work: atomic changes of a live catalog, and which of them a reader sees. Pure.

The rows of a live catalog's tables carry the unit that brought them and, once they are replaced or
deleted, the unit that did that. A reader pins a set of committed units and sees the rows whose first is in
it and whose second is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

UnitId = NewType("UnitId", int)

FROM_UNIT = "_from_unit"
"""The unit that brought the row; every row of a live table."""
TO_UNIT = "_to_unit"
"""The unit that replaced or deleted it; NULL: none yet."""
LIVE_SCHEMA = "live"
"""Where a shard's PostgreSQL keeps the tables of live parts."""
LAST_29 = 2**62
"""No order-29 pixel is as large: the upper bound of parts whose rows are not bounded."""


class UnitState(StrEnum):
    """How far a unit came."""

    OPEN = "open"
    COMMITTED = "committed"
    ABORTING = "aborting"
    """It will never be seen; some of its rows may be left on the shards."""
    ABORTED = "aborted"
    """Its rows are gone."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A set of units: those up to `high` but `without` some, and `own`, where a writer looks at its own."""

    high: int
    without: tuple[int, ...] = ()
    own: int | None = None

    def holds(self, unit: int) -> bool:
        """Whether a unit is in the set."""
        return unit == self.own or (unit <= self.high and unit not in self.without)

    def holds_sql(self, column: str) -> str:
        """The condition that a column (an SQL expression that is not NULL) is a unit of the set."""
        found = f"{column} <= {self.high}"
        if self.without:
            found += f" AND {column} <> ALL('{{{','.join(map(str, self.without))}}}'::bigint[])"
        return f"({found})" if self.own is None else f"({column} = {self.own} OR {found})"

    def visible_sql(self, alias: str = "") -> str:
        """The condition that a row of a live table is seen."""
        first, last = (f'{alias}"{name}"' for name in (FROM_UNIT, TO_UNIT))
        return f"{self.holds_sql(first)} AND ({last} IS NULL OR NOT {self.holds_sql(last)})"
