"""Aggregates of a whole table that the manifest knows: COUNT, MIN, MAX without asking a shard. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from qserv.bound import Aggregate, BaseTable, Column, Expression, Literal, Select
from qserv.rebuild import rewrite
from qserv.traverse import has_subquery, relations
from schema.manifest import Manifest
from schema.statistics import ColumnStatistics, statistics_columns
from schema.types import Type

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (timestamps have no zone)
_EXACT = frozenset({Type.SHORT, Type.INT, Type.LONG, Type.DOUBLE, Type.TIMESTAMP})
"""Types whose bounds are written as they are in a statement."""


def from_manifest(block: Select, base: BaseTable, manifest: Manifest) -> Select | None:
    """The one row of a block without WHERE and GROUP BY over a table; None where a shard must tell.

    The block's outputs hold constants then, in place of its aggregates.
    """
    if block.group or block.having is not None or block.grouping_sets or block.distinct_on:
        return None
    is_known = True

    def know(node: Expression) -> Expression | None:
        nonlocal is_known
        if not isinstance(node, Aggregate):
            return None
        value = _value(node, base, manifest)
        is_known = is_known and value is not None
        return value or node

    outputs = tuple(replace(o, expression=rewrite(o.expression, know)) for o in block.outputs)
    rest = [output.expression for output in outputs]
    if not is_known or any(relations(one) or has_subquery(one) for one in rest):
        return None
    return replace(block, outputs=outputs, source=None, where=None, order=(), is_grouped=False)


def _value(asked: Aggregate, base: BaseTable, manifest: Manifest) -> Literal | None:
    """What the manifest says of an aggregate; None where it does not know."""
    if asked.filter is not None or asked.order or asked.more:
        return None
    match asked.name, asked.argument:
        case "count", None:
            return Literal(manifest.rows_of(base.table.name), asked.type)
        case "count", Column() as column if not asked.distinct:
            return _count(column, asked.type, base, manifest)
        case "min" | "max", Column() as column:
            return _extreme(column, base, manifest, is_least=asked.name == "min")
        case _:
            return None


def _count(column: Column, kind: Type, base: BaseTable, manifest: Manifest) -> Literal | None:
    """COUNT(column): all rows where it is never NULL, else those that are not."""
    rows = manifest.rows_of(base.table.name)
    known = base.table.column(column.name)
    if known is not None and not known.nullable:
        return Literal(rows, kind)
    found = _statistics(column, base, manifest)
    return None if found is None else Literal(rows - int(found.nulls.sum()), kind)


def _extreme(
    column: Column, base: BaseTable, manifest: Manifest, *, is_least: bool
) -> Literal | None:
    """MIN or MAX(column), where each part's bound is finite and exact."""
    found = _statistics(column, base, manifest)
    if found is None or column.type not in _EXACT:
        return None
    has_value = found.low <= found.high
    bounds = (found.low if is_least else found.high)[has_value]
    if not len(bounds):
        return Literal(None, column.type)
    if not np.isfinite(bounds).all():
        return None
    value = (bounds.min() if is_least else bounds.max()).item()
    if column.type is Type.TIMESTAMP:
        return Literal(_EPOCH + timedelta(microseconds=value), column.type)
    return Literal(value, column.type)


def _statistics(column: Column, base: BaseTable, manifest: Manifest) -> ColumnStatistics | None:
    """What is known of every part of a partitioned table; None where that is not all."""
    if not base.table.is_partitioned or column.name not in statistics_columns(base.table):
        return None
    found = manifest.statistics(base.table.name, column.name, column.type)
    return found if found.is_complete else None
