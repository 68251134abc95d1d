"""UNION, EXCEPT and INTERSECT."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from qserv.bind.coercion import common_type, is_null
from qserv.bind.errors import Node, TypeMismatch, Unsupported
from qserv.bind.order import distinct_keys, output_keys, row_count, sorted_outside
from qserv.bind.outputs import cast_outputs, columns_of
from qserv.bind.scope import Scope, Statement
from qserv.bound import Column, Literal, Output, Query, SetKind, SetOperation, SortKey
from schema.types import Type

_KINDS = {exp.Union: SetKind.UNION, exp.Except: SetKind.EXCEPT, exp.Intersect: SetKind.INTERSECT}


def bind_set(node: Node, around: Scope, statement: Statement) -> Query:
    """A set operation; its branches' columns are cast to common types."""
    chain = [node]
    while isinstance(chain[-1].this, exp.SetOperation):
        chain.append(chain[-1].this)
    left = statement.bind_query(chain[-1].this, around, statement)
    for operation in reversed(chain):
        right = statement.bind_query(operation.expression, around, statement)
        left = _combined(operation, left, right, statement)
    return left


def _combined(node: Node, left: Query, right: Query, statement: Statement) -> Query:
    """One operation over two bound branches."""
    if type(node) not in _KINDS or node.args.get("by_name"):
        raise Unsupported(f"{type(node).__name__.upper()} is not supported", node)
    counts = len(left.outputs), len(right.outputs)
    if counts[0] != counts[1]:
        raise TypeMismatch(f"{_KINDS[type(node)]} of {counts[0]} and {counts[1]} columns", node)
    pairs = zip(left.outputs, right.outputs, strict=True)
    types = tuple(_common(i + 1, *pair, node) for i, pair in enumerate(pairs))
    left, right = (
        cast_outputs(branch, types, statement.new_relation, node) for branch in (left, right)
    )
    relation = statement.new_relation()
    outputs = columns_of(left, relation)
    combined = SetOperation(
        kind=_KINDS[type(node)],
        all=not node.args.get("distinct"),
        left=left,
        right=right,
        relation=relation,
        outputs=outputs,
    )
    limit = row_count(node.args.get("limit"), None)
    offset = row_count(node.args.get("offset"), 0) or 0
    order = output_keys(node.args.get("order"), outputs, statement)
    if not all(isinstance(key.expression, Column | Literal) for key in order):
        return sorted_outside(combined, node.args.get("order"), (limit, offset), statement)
    combined = replace(combined, order=order, limit=limit, offset=offset)
    if combined.limit is None and not combined.offset:
        return combined
    implicit = (SortKey(output.expression) for output in outputs)
    return replace(combined, order=distinct_keys((*combined.order, *implicit)))


def _common(position: int, left: Output, right: Output, node: Node) -> Type:
    """The type of a column of the combined rows."""
    if is_null(left.expression):
        return right.type
    if is_null(right.expression):
        return left.type
    if left.type is right.type:
        return left.type
    if not (left.type.is_numeric and right.type.is_numeric):
        raise TypeMismatch(f"Column {position} is {left.type} here and {right.type} there", node)
    return common_type([left.type, right.type], node)
