"""VALUES: rows spelled out, in FROM or as a query of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qserv.bind.coercion import unify
from qserv.bind.errors import Node, TypeMismatch, Unsupported
from qserv.bind.names import Field, Fields
from qserv.bind.order import output_keys, row_count, total_order
from qserv.bind.scope import Env, Scope, Statement
from qserv.bound import (
    Column,
    Derived,
    Expression,
    Literal,
    Output,
    RelationId,
    Select,
    Source,
    Values,
)
from schema.errors import LimitExceeded
from schema.types import Type

MAX_ROWS = 10_000
"""Rows of one VALUES; more belong into a table."""


def bind_values(node: Node, env: Env) -> Values:
    """The rows of a VALUES node, each column of one type."""
    rows = [item.expressions or [item.this] for item in node.expressions]
    if len(rows) > MAX_ROWS:
        raise LimitExceeded(f"VALUES has more than {MAX_ROWS} rows")
    widths = {len(row) for row in rows}
    if len(widths) != 1:
        raise TypeMismatch("The rows of VALUES are of different lengths", node)
    columns = [unify([env.bind(row[place]) for row in rows], node) for place in range(widths.pop())]
    relation = env.statement.new_relation()
    types = tuple(column[0].type for column in columns)
    return Values(relation, tuple(zip(*columns, strict=True)), types)


def fields_of_values(values: Values) -> Fields:
    """Its columns as names see them: column1, column2..."""
    return Fields(
        tuple(Field(f"column{i + 1}", f"c{i}", kind) for i, kind in enumerate(values.types))
    )


def values_query(node: Node, around: Scope, statement: Statement) -> Select:
    """VALUES as a query."""
    if node.args.get("alias") is not None:
        raise Unsupported("VALUES has a name only in FROM", node)
    values = bind_values(node, Env(statement, around, clause="VALUES"))
    outputs = tuple(
        Output(Column(values.relation, f"c{i}", kind), f"column{i + 1}")
        for i, kind in enumerate(values.types)
    )
    block = Select(
        outputs,
        source=values,
        order=output_keys(node.args.get("order"), outputs, statement),
        limit=row_count(node.args.get("limit"), None),
        offset=row_count(node.args.get("offset"), 0) or 0,
    )
    return replace(block, order=total_order(block))


@dataclass(frozen=True, slots=True)
class Series:
    """Whole numbers, one after another."""

    numbers: range
    type: Type

    def source(self, relation: RelationId) -> Source:
        """As rows of one column, c0; a sub-query without rows where there are none."""
        rows = tuple((Literal(number, self.type),) for number in self.numbers)
        if rows:
            return Values(relation, rows, (self.type,))
        nothing = Output(Literal(None, self.type), "c0")
        return Derived(relation, Select((nothing,), where=Literal(False, Type.BOOLEAN)))


def series(bounds: Sequence[Expression], node: Node) -> Series:
    """The numbers of generate_series(first, last, step)."""
    numbers = [bound.value if isinstance(bound, Literal) else None for bound in bounds]
    whole = [number for number in numbers if isinstance(number, int)]
    if len(whole) != len(bounds) or len(whole) not in (2, 3) or 0 in whole[2:]:
        hint = "write generate_series(1, 10) or generate_series(0, 100, 5)"
        raise TypeMismatch("generate_series takes constant whole numbers", node, hint=hint)
    first, last, step = (*whole, 1)[:3]
    found = range(first, last + (1 if step > 0 else -1), step)
    if len(found) > MAX_ROWS:
        raise LimitExceeded(f"generate_series has more than {MAX_ROWS} numbers")
    is_long = any(bound.type is Type.LONG for bound in bounds)
    return Series(found, Type.LONG if is_long else Type.INT)
