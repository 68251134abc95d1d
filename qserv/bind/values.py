"""VALUES: rows spelled out, in FROM or as a query of their own."""

from __future__ import annotations

from dataclasses import replace

from qserv.bind.coercion import unify
from qserv.bind.errors import Node, TypeMismatch, Unsupported
from qserv.bind.names import Field, Fields
from qserv.bind.order import output_keys, row_count, total_order
from qserv.bind.scope import Env, Scope, Statement
from qserv.bound import Column, Output, Select, Values
from schema.errors import LimitExceeded

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
