"""ORDER BY, TOP and OFFSET, and the implicit last keys that make a cut the same each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlglot import exp

from qserv.bind.conditions import unwrapped
from qserv.bind.errors import (
    AmbiguousColumn,
    BadPosition,
    Node,
    TypeMismatch,
    UnknownColumn,
    Unsupported,
)
from qserv.bind.outputs import columns_of
from qserv.bind.scope import Env, Scope, Statement
from qserv.bound import (
    BaseTable,
    Call,
    Column,
    Derived,
    Expression,
    Literal,
    Output,
    Query,
    Select,
    SortKey,
    Source,
)
from qserv.rebuild import rewrite_keys
from qserv.traverse import leaves, relations
from schema.catalog import Role, Table
from schema.types import Type

Cut = tuple[int | None, int]
"""TOP and OFFSET."""


def row_count(node: Node | None, default: int | None) -> int | None:
    """The number after TOP, LIMIT or OFFSET; `default` where there is none."""
    if node is None:
        return default
    count = node.args.get("expression")
    if not isinstance(count, exp.Literal) or not count.this.isdigit():
        raise Unsupported("TOP and OFFSET take a whole number", node)
    return int(count.this)


def by_position(node: Node, outputs: Sequence[Output]) -> Expression | None:
    """The output that a bare whole number means; None for anything else."""
    if not isinstance(node, exp.Literal) or node.is_string:
        return None
    if not node.this.isdigit():
        return None
    position = int(node.this)
    if not 1 <= position <= len(outputs):
        raise BadPosition(
            f"There is no output column {position}", node, hint=f"there are {len(outputs)}"
        )
    return outputs[position - 1].expression


def by_name(node: Node, outputs: Sequence[Output]) -> Expression | None:
    """The output that a bare name means; None where none has it."""
    if not isinstance(node, exp.Column) or node.args.get("table") is not None:
        return None
    folded = node.name.casefold()
    found = dict.fromkeys(o.expression for o in outputs if o.name.casefold() == folded)
    if len(found) > 1:
        raise AmbiguousColumn(node.name, node, relations=[])
    return next(iter(found), None)


def sort_keys(node: Node | None, outputs: Sequence[Output], env: Env) -> tuple[SortKey, ...]:
    """A block's ORDER BY: positions, output names, or expressions over its tables."""
    if node is None:
        return ()
    keys = []
    for item in node.expressions:
        inner = unwrapped(item.this)
        found = by_position(inner, outputs) or by_name(inner, outputs)
        keys.append(key_of(item, found or env.bind(inner)))
    return distinct_keys(keys)


def output_keys(
    node: Node | None, outputs: Sequence[Output], statement: Statement
) -> tuple[SortKey, ...]:
    """ORDER BY of a query's rows: positions, output names, and expressions over these."""
    if node is None:
        return ()
    names = [output.name.casefold() for output in outputs]
    known = {n: o.expression for n, o in zip(names, outputs, strict=True) if names.count(n) == 1}
    env = Env(statement, Scope(), clause="ORDER BY after a set operation", aliases=known)
    keys = []
    for item in node.expressions:
        inner = unwrapped(item.this)
        found = by_position(inner, outputs) or by_name(inner, outputs)
        if found is None and isinstance(inner, exp.Column):
            raise UnknownColumn(inner.name, inner, known=[output.name for output in outputs])
        keys.append(key_of(item, found or env.bind(inner)))
    return distinct_keys(keys)


def sorted_outside(query: Query, order: Node | None, cut: Cut, statement: Statement) -> Select:
    """A block around a query that sorts and cuts its rows."""
    relation = statement.new_relation()
    outputs = columns_of(query, relation)
    keys = output_keys(order, outputs, statement)
    block = Select(outputs, Derived(relation, query), order=keys, limit=cut[0], offset=cut[1])
    return replace(block, order=total_order(block))


def distinct_sorted(block: Select, order: Node | None, statement: Statement) -> Select:
    """A DISTINCT block, sorted by its outputs; where the keys are expressions of them, from outside."""
    outputs = {output.expression for output in block.outputs}
    if all(key.expression in outputs for key in block.order):
        return replace(block, order=total_order(block))
    inner = replace(block, order=(), limit=None, offset=0)
    relation = statement.new_relation()
    passed = columns_of(inner, relation)
    by_output = {
        old.expression: new.expression for old, new in zip(block.outputs, passed, strict=True)
    }
    keys = rewrite_keys(block.order, by_output.get)
    own = {leaf.relation for leaf in leaves(block.source)}
    if any(relations(key.expression) & own for key in keys):
        raise Unsupported("ORDER BY of SELECT DISTINCT needs output columns", order)
    outer = Select(
        passed, Derived(relation, inner), order=keys, limit=block.limit, offset=block.offset
    )
    return replace(outer, order=total_order(outer))


def key_of(item: Node, expression: Expression) -> SortKey:
    """The sort key of an Ordered node; where NULLs come is said where it is not PostgreSQL's way."""
    if expression.type.is_geometry:
        raise TypeMismatch(f"ORDER BY of a {expression.type}", item, hint="sort by its coordinates")
    descending = bool(item.args.get("desc"))
    nulls_first = item.args.get("nulls_first")
    if nulls_first is None or bool(nulls_first) == descending:
        return SortKey(expression, descending)
    return SortKey(expression, descending, bool(nulls_first))


def distinct_keys(keys: Iterable[SortKey]) -> tuple[SortKey, ...]:
    """The keys without those that repeat an earlier one."""
    seen: dict[Expression, SortKey] = {}
    for key in keys:
        seen.setdefault(key.expression, key)
    return tuple(seen.values())


def total_order(block: Select) -> tuple[SortKey, ...]:
    """A cut block's keys with implicit ones at the end, so that rows come in one order.

    The keys of the tables read; the group's expressions of a grouped block; the outputs of a
    DISTINCT one, and where a table has no key (rows that tie then are equal).
    """
    if block.limit is None and not block.offset and not block.distinct_on:
        return block.order
    implicit = (SortKey(e) for e in _implicit(block) if not isinstance(e, Literal))
    return distinct_keys((*block.order, *implicit))


def _implicit(block: Select) -> list[Expression]:
    """The expressions that tell a block's rows apart."""
    outputs = [output.expression for output in block.outputs]
    if block.distinct:
        return outputs
    if block.is_grouped and block.grouping_sets:
        return [*block.group, *_grouping(block)]
    if block.is_grouped:
        return list(block.group)
    keys = _keys(block.source)
    return outputs if keys is None else keys


def _grouping(block: Select) -> list[Expression]:
    """Which set a group belongs to."""
    return [Call("grouping", block.group, Type.INT)] if block.group else []


def _keys(source: Source | None) -> list[Expression] | None:
    """The key columns of all tables of FROM; None where one has none."""
    found: list[Expression] = []
    for leaf in leaves(source):
        names = _key(leaf.table) if isinstance(leaf, BaseTable) else ()
        if not names:
            return None
        assert isinstance(leaf, BaseTable)
        for name in names:
            column = leaf.table.column(name)
            assert column is not None, f"key {name} of {leaf.table.name} is no column"
            found.append(Column(leaf.relation, column.name, column.type))
    return found


def _key(table: Table) -> tuple[str, ...]:
    """The columns whose values name one row of a table; empty where it has no such columns."""
    if table.primary_key:
        return table.primary_key
    return (table.key,) if table.role is Role.DIRECTOR and table.key else ()
