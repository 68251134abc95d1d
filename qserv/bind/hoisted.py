"""A grouped block whose sub-queries hold aggregates of its rows: grouped inside, asked outside.

    SELECT kind, (SELECT COUNT(*) FROM Visit WHERE visit < MAX(o.n)) FROM Object AS o GROUP BY kind

becomes a block over (SELECT MAX(o.n), kind FROM Object AS o GROUP BY kind).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from qserv.bind.errors import Node, Unsupported
from qserv.bind.scope import Hoisted
from qserv.bound import (
    Aggregate,
    Column,
    Derived,
    Exists,
    Expression,
    InQuery,
    Output,
    Scalar,
    Select,
)
from qserv.rebuild import rewrite, rewrite_keys, rewrite_outputs, rewrite_query
from qserv.traverse import own_nodes, relations


def split(block: Select, hoisted: Hoisted, node: Node) -> Select:
    """The block over its groups, whose first columns are the hoisted aggregates."""
    if block.grouping_sets:
        raise Unsupported("An aggregate of an outer query with GROUPING SETS", node)
    relation = hoisted.relation
    assert relation is not None
    values = [*hoisted.found, *dict.fromkeys([*block.group, *_aggregates(block)])]
    columns = {
        value: Column(relation, f"c{place}", value.type) for place, value in enumerate(values)
    }
    groups = Select(
        tuple(Output(value, f"c{place}") for place, value in enumerate(values)),
        source=block.source,
        where=block.where,
        group=block.group,
        is_grouped=True,
    )

    keys = {key: columns[key] for key in block.group if relations(key)}

    def grouped(expression: Expression) -> Expression | None:
        match expression:
            case Exists() | Scalar():
                return replace(expression, query=rewrite_query(expression.query, keys.get))
            case InQuery(argument=argument, query=query):
                argument = rewrite(argument, grouped)
                return replace(expression, argument=argument, query=rewrite_query(query, keys.get))
            case _:
                return columns.get(expression)

    return Select(
        rewrite_outputs(block.outputs, grouped),
        source=Derived(relation, groups),
        where=None if block.having is None else rewrite(block.having, grouped),
        distinct=block.distinct,
        order=rewrite_keys(block.order, grouped),
        limit=block.limit,
        offset=block.offset,
        distinct_on=tuple(rewrite(item, grouped) for item in block.distinct_on),
    )


def _aggregates(block: Select) -> Iterator[Aggregate]:
    """The block's own aggregates."""
    expressions = [output.expression for output in block.outputs]
    expressions += [key.expression for key in block.order]
    expressions += [*block.distinct_on, *([] if block.having is None else [block.having])]
    for expression in expressions:
        for found in own_nodes(expression):
            if isinstance(found, Aggregate):
                yield found
