"""The bound tree: a query in which every name is resolved and every expression has one type.

What `bind` makes and `analyse`, `plan` and `render` read. Frozen; planning builds new trees. It is
independent of the language that the query came in and of the engine that will run it: the meaning of
every node is PostgreSQL's, with floats that yield NULL where PostgreSQL would raise a domain error.

    Query      = Select | SetOperation                    (either may carry ORDER BY, LIMIT, OFFSET)
    Source     = BaseTable | Derived | Values | Join | Fetched     (FROM)
    Expression = Column | Literal | Call | Aggregate | Window | Case | Cast | InList | InQuery
               | Exists | Scalar | InShape | Within

A common table expression is bound as a Derived at each of its uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from schema.catalog import Catalog, Table
from schema.catalog import Column as CatalogColumn
from schema.region import Shape
from schema.types import Type

RelationId = NewType("RelationId", str)
"""Names one relation of the whole statement: unique over all its sub-queries (`r0`, `r1`...)."""

# ------------------------------------------------------------------ expressions


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a relation. `name` is the model's spelling, or a derived table's output `c<i>`."""

    relation: RelationId
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; None is NULL of the given type."""

    value: bool | int | float | str | bytes | datetime | None
    type: Type


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function of `procedures.functions`, by its logical name.

    Operators: `+ - * / %` (both arguments cast to `type` already; integer `/` truncates), `neg`,
    `= <> < <= > >=`, `and` and `or` (n-ary), `not`, `is null`, `is not null`, `is distinct from`,
    `is not distinct from`, `||`, `like`, `not like`, `ilike`. `between` is bound as two comparisons.
    `grouping` (GROUPING(...)) takes expressions of the block's `group`. `span` (months, microseconds)
    is only the offset of a RANGE frame over times.
    """

    name: str
    arguments: tuple[Expression, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate over the block's rows, or over each of its groups.

    `count`, `sum`, `avg`, `min`, `max`, `var_samp`, `var_pop`, `stddev_samp`, `stddev_pop`,
    `covar_samp`, `covar_pop`, `corr`, `bool_and`, `bool_or`, `bit_and`, `bit_or`, `bit_xor`,
    `string_agg`, `array_agg`, `histogram` (of the numbers of bins, 0 .. bins + 1, `more` their count),
    and the ordered-set ones `percentile_cont`, `percentile_disc`, `mode`. `plan` adds what it merges
    by: `histogram_sum` of partial ones, `sum_of_halves` of the sums of the higher and lower 32 bits.

    `argument` None is COUNT(*). Floating arguments arrive cast to DOUBLE (but for min and max).
    `order` is that of the rows within the aggregate: what `string_agg` and `array_agg` follow, and
    for an ordered-set one WITHIN GROUP (ORDER BY): one key, whose expression `argument` is too.
    """

    name: str
    argument: Expression | None
    distinct: bool
    type: Type
    filter: Expression | None = None
    """FILTER (WHERE ...): only these rows count."""
    order: tuple[SortKey, ...] = ()
    more: tuple[Expression, ...] = ()
    """Further arguments: a separator, a fraction, the second argument of `covar_*` and `corr`."""


class FrameMode(StrEnum):
    """What a window frame counts in."""

    ROWS = "ROWS"
    RANGE = "RANGE"
    GROUPS = "GROUPS"


class FrameEnd(StrEnum):
    """Where a window frame begins or ends."""

    UNBOUNDED_PRECEDING = "UNBOUNDED PRECEDING"
    PRECEDING = "PRECEDING"
    CURRENT_ROW = "CURRENT ROW"
    FOLLOWING = "FOLLOWING"
    UNBOUNDED_FOLLOWING = "UNBOUNDED FOLLOWING"


class FrameExclusion(StrEnum):
    """What a window frame leaves out."""

    CURRENT_ROW = "CURRENT ROW"
    GROUP = "GROUP"
    TIES = "TIES"


@dataclass(frozen=True, slots=True)
class FrameBound:
    """One end of a window frame; `offset` is what PRECEDING and FOLLOWING count."""

    end: FrameEnd
    offset: Expression | None = None


@dataclass(frozen=True, slots=True)
class WindowFrame:
    """The rows around each row that a window function sees."""

    mode: FrameMode
    start: FrameBound
    stop: FrameBound
    exclusion: FrameExclusion | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """`name(arguments) [FILTER] OVER (PARTITION BY ... ORDER BY ... frame)`.

    `row_number`, `rank`, `dense_rank`, `percent_rank`, `cume_dist`, `ntile`, `lag`, `lead`,
    `first_value`, `last_value`, `nth_value`, or an aggregate's name; `count` without arguments is
    COUNT(*). `frame` None is the default one. In a grouped block it works on the groups, and its
    expressions may hold aggregates.
    """

    name: str
    arguments: tuple[Expression, ...]
    partition: tuple[Expression, ...]
    order: tuple[SortKey, ...]
    frame: WindowFrame | None
    filter: Expression | None
    type: Type


@dataclass(frozen=True, slots=True)
class Case:
    """CASE WHEN ... ; `otherwise` None is NULL."""

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None
    type: Type


@dataclass(frozen=True, slots=True)
class Cast:
    """An explicit conversion; rounding and errors as PostgreSQL's."""

    argument: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class InList:
    """`argument [NOT] IN (items)`; items have the argument's type."""

    argument: Expression
    items: tuple[Expression, ...]
    negated: bool = False
    type: Type = Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class InQuery:
    """`argument [NOT] IN (SELECT one column)`."""

    argument: Expression
    query: Query
    negated: bool = False
    type: Type = Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class Exists:
    """`[NOT] EXISTS (query)`; the query may name outer relations."""

    query: Query
    negated: bool = False
    type: Type = Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class Scalar:
    """A sub-query of one column and at most one row."""

    query: Query
    type: Type


@dataclass(frozen=True, slots=True)
class InShape:
    """Whether the point (ra, dec) lies in a constant region (`CONTAINS` or `INTERSECTS` = 1).

    NULL where a coordinate is NULL. Kept apart from Call so that `analyse` sees it.
    """

    ra: Expression
    dec: Expression
    shape: Shape
    type: Type = Type.BOOLEAN


@dataclass(frozen=True, slots=True)
class Within:
    """Whether two points are at most (`strict`: less than) `radius` degrees apart.

    From `DISTANCE(p, q) < r`, and from CONTAINS(p, CIRCLE(q, r)) where q is not constant.
    NULL where a coordinate is NULL.
    """

    ra1: Expression
    dec1: Expression
    ra2: Expression
    dec2: Expression
    radius: Expression
    strict: bool
    type: Type = Type.BOOLEAN


Expression = (
    Column
    | Literal
    | Call
    | Aggregate
    | Window
    | Case
    | Cast
    | InList
    | InQuery
    | Exists
    | Scalar
    | InShape
    | Within
)

# ------------------------------------------------------------------ sources


@dataclass(frozen=True, slots=True)
class BaseTable:
    """A table of a catalog, at the catalog's pinned snapshot."""

    relation: RelationId
    catalog: Catalog
    table: Table


@dataclass(frozen=True, slots=True)
class Derived:
    """A sub-query or a use of a common table expression; its columns are c0, c1...

    `is_lateral`: its query may name the relations to its left in the same FROM.
    """

    relation: RelationId
    query: Query
    is_lateral: bool = False


@dataclass(frozen=True, slots=True)
class Values:
    """Rows spelled out; its columns are c0, c1... of `types`, to which the cells are cast."""

    relation: RelationId
    rows: tuple[tuple[Expression, ...], ...]
    types: tuple[Type, ...]


class JoinKind(StrEnum):
    """Kinds of joins; NATURAL and USING are bound to conditions."""

    INNER = "INNER"
    LEFT = "LEFT"
    RIGHT = "RIGHT"
    FULL = "FULL"
    CROSS = "CROSS"


@dataclass(frozen=True, slots=True)
class Join:
    """`on` is None for CROSS. NATURAL and USING are bound to conditions."""

    kind: JoinKind
    left: Source
    right: Source
    on: Expression | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """The rows of a fragment, its columns c0, c1...; made by `plan`, never by `bind`."""

    relation: RelationId
    fragment: str


Source = BaseTable | Derived | Values | Join | Fetched

# ------------------------------------------------------------------ queries


@dataclass(frozen=True, slots=True)
class SortKey:
    """One ORDER BY key.

    `nulls_first` None: NULLs come last ascending and first descending, as in PostgreSQL.
    """

    expression: Expression
    descending: bool = False
    nulls_first: bool | None = None

    @property
    def has_nulls_first(self) -> bool:
        """Where NULLs come."""
        return self.descending if self.nulls_first is None else self.nulls_first


@dataclass(frozen=True, slots=True)
class Output:
    """One result column: its expression, and its name and metadata as users see them."""

    expression: Expression
    name: str
    metadata: CatalogColumn | None = None
    """The model's column where the output is (a plain use of) one: unit, UCD, description."""

    @property
    def type(self) -> Type:
        return self.expression.type


@dataclass(frozen=True, slots=True)
class Select:
    """One SELECT block. Its output columns are c0, c1... to whoever reads it.

    `order` holds the implicit last keys too (the keys of the tables read) where there is a limit.
    In a DISTINCT block `order` names only output expressions. `source` is None for SELECT 1.
    `distinct_on` keeps the first row, by `order`, of each set of its values; `order` begins with them.
    """

    outputs: tuple[Output, ...]
    source: Source | None = None
    where: Expression | None = None
    group: tuple[Expression, ...] = ()
    having: Expression | None = None
    distinct: bool = False
    order: tuple[SortKey, ...] = ()
    limit: int | None = None
    offset: int = 0
    is_grouped: bool = False
    """GROUP BY or an aggregate is there."""
    grouping_sets: tuple[tuple[int, ...], ...] = ()
    """GROUPING SETS, ROLLUP and CUBE: sets of places in `group`; none for a plain GROUP BY."""
    distinct_on: tuple[Expression, ...] = ()


class SetKind(StrEnum):
    """Set operations."""

    UNION = "UNION"
    EXCEPT = "EXCEPT"
    INTERSECT = "INTERSECT"


@dataclass(frozen=True, slots=True)
class SetOperation:
    """`left KIND [ALL] right`, branches cast to common types; `outputs` refer to relation `relation`."""

    kind: SetKind
    all: bool
    left: Query
    right: Query
    relation: RelationId
    """Names the combined rows in `outputs` and `order`: Column(relation, "c<i>", type)."""
    outputs: tuple[Output, ...]
    order: tuple[SortKey, ...] = ()
    limit: int | None = None
    offset: int = 0


Query = Select | SetOperation
