"""The bound tree: a query in which every name is resolved and every expression has one type.

What `bind` makes and `analyse`, `plan` and `render` read. Frozen; planning builds new trees. It is
independent of the language that the query came in and of the engine that will run it: the meaning of
every node is PostgreSQL's, with floats that yield NULL where PostgreSQL would raise a domain error.

    Query      = Select | SetOperation                    (either may carry ORDER BY, LIMIT, OFFSET)
    Source     = BaseTable | Derived | Join | Fetched     (FROM)
    Expression = Column | Literal | Call | Aggregate | Case | Cast | InList | InQuery | Exists
               | Scalar | InShape | Within

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
    `= <> < <= > >=`, `and` and `or` (n-ary), `not`, `is null`, `is not null`, `||`, `like`,
    `not like`, `ilike`. `between` is bound as two comparisons.
    """

    name: str
    arguments: tuple[Expression, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`count`, `sum`, `avg`, `min`, `max`, `var_samp`, `var_pop`, `stddev_samp`, `stddev_pop`.

    `argument` None is COUNT(*). Floating arguments arrive cast to DOUBLE (but for min and max).
    """

    name: str
    argument: Expression | None
    distinct: bool
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
    """A sub-query or a use of a common table expression; its columns are c0, c1..."""

    relation: RelationId
    query: Query


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


Source = BaseTable | Derived | Join | Fetched

# ------------------------------------------------------------------ queries


@dataclass(frozen=True, slots=True)
class SortKey:
    """One ORDER BY key. NULLs come last ascending and first descending, as in PostgreSQL."""

    expression: Expression
    descending: bool = False


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
