"""Qserv's area restrictors: `qserv_areaspec_box|circle|ellipse|poly(numbers)` in WHERE.

As at Qserv they name no table: the area holds for every partitioned table of the FROM, each by its own
position, so that they all prune. A child without a position of its own is taken where its parent lies:
its parent in the same FROM is restricted anyway, else it is looked for. A table that an outer join
may fill with NULLs is not restricted, so that the join stays one. Sub-queries have restrictors of
their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from qserv.bind.areas import area_shape
from qserv.bind.errors import MisplacedAggregate, Node, TypeMismatch, Unsupported
from qserv.bind.operators import every
from qserv.bind.scope import Env
from qserv.bound import (
    BaseTable,
    Column,
    Expression,
    InQuery,
    InShape,
    Join,
    JoinKind,
    Literal,
    Output,
    Select,
    Source,
)
from schema.region import Shape

PREFIX = "QSERV_AREASPEC_"
KINDS = ("BOX", "CIRCLE", "ELLIPSE", "POLY", "POLYGON")


def restrictor(node: Node, env: Env) -> Expression:
    """The condition that a restrictor is."""
    kind = node.name.upper().removeprefix(PREFIX)
    if kind not in KINDS:
        raise Unsupported(f"There is no area {node.name}", node)
    if env.clause != "WHERE" or env.source is None:
        raise MisplacedAggregate(f"{node.name} stands only in WHERE", node)
    shape = area_shape("poly" if kind == "POLYGON" else kind.lower(), _numbers(node, env), node)
    bases = [base for base in _preserved(env.source) if base.table.is_partitioned]
    names = {(base.catalog.name, base.table.name) for base in bases}
    conditions = [
        condition
        for base in bases
        if (condition := _restricted(base, shape, names, env)) is not None
    ]
    if not conditions:
        raise Unsupported(f"{node.name} needs a partitioned table in FROM", node)
    return every("and", conditions)


def _numbers(node: Node, env: Env) -> list[float]:
    """The constant numbers of an area."""
    found = []
    for item in node.expressions:
        bound = env.bind(item)
        value = bound.value if isinstance(bound, Literal) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeMismatch(f"{node.name} takes constant numbers", item)
        found.append(float(value))
    return found


def _preserved(source: Source) -> Iterator[BaseTable]:
    """The tables of a FROM that no outer join fills with NULLs."""
    match source:
        case BaseTable():
            yield source
        case Join():
            if source.kind not in (JoinKind.RIGHT, JoinKind.FULL):
                yield from _preserved(source.left)
            if source.kind not in (JoinKind.LEFT, JoinKind.FULL):
                yield from _preserved(source.right)
        case _:
            return


def _restricted(
    base: BaseTable, shape: Shape, names: set[tuple[str, str]], env: Env
) -> Expression | None:
    """The condition on one table; None where its parent's in the same FROM is enough."""
    table = base.table
    if table.has_position:
        return InShape(_column(base, table.ra), _column(base, table.dec), shape)
    parent = None if table.parent is None else base.catalog.table(table.parent)
    if parent is None:
        return None
    if (base.catalog.name, parent.name) in names:
        return None
    above = BaseTable(env.statement.new_relation(), base.catalog, parent)
    inner = _restricted(above, shape, set(), env)
    key = _column(above, table.parent_key or parent.key)
    block = Select((Output(key, key.name),), source=above, where=inner)
    return InQuery(_column(base, table.key), block)


def _column(base: BaseTable, name: str | None) -> Column:
    """A column of a table that its layout names."""
    column = None if name is None else base.table.column(name)
    assert column is not None, f"{base.table.name} has no column {name}"
    return Column(base.relation, column.name, column.type)
