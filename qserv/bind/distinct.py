"""DISTINCT ON: the first row, by ORDER BY, of each set of values."""

from __future__ import annotations

from collections.abc import Sequence

from qserv.bind.conditions import unwrapped
from qserv.bind.errors import Node, Unsupported
from qserv.bind.order import by_name, by_position, distinct_keys
from qserv.bind.scope import Env
from qserv.bound import Expression, Output, SortKey


def distinct_on(node: Node | None, outputs: Sequence[Output], env: Env) -> tuple[Expression, ...]:
    """The expressions of DISTINCT ON (...); none for a plain DISTINCT."""
    clause = None if node is None else node.args.get("on")
    if clause is None:
        return ()
    items = [unwrapped(item) for item in clause.expressions or [clause.this]]
    return tuple(
        dict.fromkeys(
            by_position(item, outputs) or by_name(item, outputs) or env.bind(item) for item in items
        )
    )


def order_of_distinct_on(
    kept: tuple[Expression, ...], order: tuple[SortKey, ...], node: Node
) -> tuple[SortKey, ...]:
    """ORDER BY begins with what DISTINCT ON names, in any sequence; what is left out is added."""
    if not kept:
        return order
    first = order[: len(kept)]
    if any(key.expression not in kept for key in first):
        raise Unsupported("ORDER BY begins with the expressions of DISTINCT ON", node)
    missing = (SortKey(expression) for expression in kept)
    return distinct_keys((*first, *missing, *order[len(kept) :]))
