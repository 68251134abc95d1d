"""Correlated sub-queries that filter rows, in the form that engines answer by joins. Pure.

- `x IN (SELECT v ... )` that names the block around it is `EXISTS (SELECT ... AND v = x)`: PostgreSQL
  makes a join of the one, and asks the other again for every row.
- One that names a block farther out becomes part of the sub-query around it, by a join: whether there
  is a row of both is all that is asked. Else it would be asked for every pair of their rows.

Only conditions of WHERE that must hold count, where a comparison with NULL drops the row either way.
"""

from __future__ import annotations

from dataclasses import replace

from qserv.bound import (
    Call,
    Column,
    Exists,
    Expression,
    InQuery,
    Join,
    JoinKind,
    Literal,
    Output,
    Query,
    RelationId,
    Select,
)
from qserv.rebuild import rewrite_block, rewrite_blocks
from qserv.traverse import blocks, conjunction, conjuncts, leaves, query_nodes, windows
from schema.types import Type

_ONE = Output(Literal(1, Type.INT), "c0")


def use_semijoins(query: Query) -> Query:
    """The query with such sub-queries in that form, at every depth; the same rows."""
    return rewrite_blocks(query, _with_semijoins)


def _with_semijoins(block: Select) -> Select:
    """One block, the blocks in it done."""
    block = rewrite_block(block, _with_joined)
    where = conjuncts(block.where)
    changed = tuple(_as_exists(condition) for condition in where)
    return block if changed == where else replace(block, where=conjunction(changed))


def _as_exists(condition: Expression) -> Expression:
    """A correlated IN as EXISTS; other conditions as they are."""
    if not isinstance(condition, InQuery) or condition.negated:
        return condition
    inner = condition.query
    if not isinstance(inner, Select) or not _only_filters(inner) or not _outer_relations(inner):
        return condition
    equality = Call("=", (inner.outputs[0].expression, condition.argument), Type.BOOLEAN)
    where = conjunction((*conjuncts(inner.where), equality))
    return Exists(replace(inner, outputs=(_ONE,), where=where, distinct=False, order=()))


def _with_joined(node: Expression) -> Expression | None:
    """A sub-query of which only the set of rows matters, with those joined that look past it."""
    match node:
        case Exists(query=Select() as inner) | InQuery(query=Select() as inner):
            joined = _joined(inner)
            return None if joined is inner else replace(node, query=joined)
        case _:
            return None


def _joined(block: Select) -> Select:
    """The block with its EXISTS that name a block farther out as joins."""
    if block.source is None or not _only_filters(block):
        return block
    own = {leaf.relation for leaf in leaves(block.source)}
    source, kept = block.source, list[Expression]()
    for condition in conjuncts(block.where):
        match condition:
            case Exists(negated=False, query=Select(source=inner) as query) if (
                inner is not None and _only_filters(query) and _outer_relations(query) - own
            ):
                source = Join(JoinKind.CROSS, source, inner, None)
                kept += conjuncts(query.where)
            case _:
                kept.append(condition)
    if source is block.source:
        return block
    return replace(block, source=source, where=conjunction(tuple(kept)))


def _only_filters(block: Select) -> bool:
    """Whether the block has a row for each that its FROM and WHERE have, but for repeated ones."""
    has_shape = block.is_grouped or block.having is not None or bool(block.distinct_on)
    is_cut = block.limit is not None or bool(block.offset)
    return not (has_shape or is_cut or any(windows(o.expression) for o in block.outputs))


def _outer_relations(query: Query) -> set[RelationId]:
    """The relations that a query names and that stand in none of its FROMs."""
    named = {node.relation for node in query_nodes(query) if isinstance(node, Column)}
    return named - {leaf.relation for block in blocks(query) for leaf in leaves(block.source)}
