"""Analyse: what can be known of a bound query before any manifest is read. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from qserv.bound import (
    BaseTable,
    Call,
    Cast,
    Column,
    Expression,
    InList,
    Join,
    JoinKind,
    Literal,
    Query,
    RelationId,
    Select,
    Source,
)
from qserv.flatten import flatten
from qserv.own_pixels import use_own_pixels
from qserv.traverse import blocks, conjuncts, leaves
from schema.catalog import Catalog, Table, family_key

MAX_KEYS = 10_000
"""Longer lists of keys are read by scan."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Keys to look up in the director index of one table."""

    catalog: str
    table: str
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Analysed:
    """The query with sub-queries merged and own pixels used; the keys whose places to look up."""

    query: Query
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """`column IN (keys)`, where `family` is the table whose key the column holds."""

    relation: RelationId
    family: str
    keys: tuple[int, ...]


def analyse(query: Query) -> Analysed:
    """Flatten the query and collect the keys that it names."""
    flat = use_own_pixels(flatten(query))
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for block in blocks(flat):
        tables = {
            leaf.relation: leaf for leaf in leaves(block.source) if isinstance(leaf, BaseTable)
        }
        for condition in _certain(block):
            key = key_condition(condition, tables)
            if key is not None:
                catalog = tables[key.relation].catalog.name
                found[catalog, key.family].update(key.keys)
    wanted = tuple(
        Wanted(catalog, table, tuple(sorted(keys)))
        for (catalog, table), keys in sorted(found.items())
        if len(keys) <= MAX_KEYS
    )
    return Analysed(flat, wanted)


def certain_of(source: Source | None) -> tuple[Expression, ...]:
    """Conditions of ON that hold for every row of the source."""
    match source:
        case Join(kind=JoinKind.INNER | JoinKind.CROSS):
            return (*certain_of(source.left), *certain_of(source.right), *conjuncts(source.on))
        case Join(kind=JoinKind.LEFT):
            return certain_of(source.left)
        case Join(kind=JoinKind.RIGHT):
            return certain_of(source.right)
        case _:
            return ()


def key_condition(
    condition: Expression, tables: dict[RelationId, BaseTable]
) -> KeyCondition | None:
    """The condition as one on a director's (or parent's) key; None where it is none.

    A sentinel among the keys spoils it: its rows lie anywhere.
    """
    column, items = _equalities(condition)
    if column is None or column.relation not in tables:
        return None
    base = tables[column.relation]
    family = family_key(base.catalog, base.table, column.name)
    keys = [_integer(item) for item in items]
    if family is None or None in keys or not _is_indexed(base.catalog, family):
        return None
    if set(keys) & set(base.table.sentinels):
        return None
    return KeyCondition(column.relation, family, tuple(k for k in keys if k is not None))


def _certain(block: Select) -> tuple[Expression, ...]:
    return (*conjuncts(block.where), *certain_of(block.source))


def _equalities(condition: Expression) -> tuple[Column | None, tuple[Expression, ...]]:
    """`column = x` and `column IN (...)` as the column and its values."""
    match condition:
        case Call(name="=", arguments=(one, other)):
            for column, value in ((one, other), (other, one)):
                plain = column.argument if isinstance(column, Cast) else column
                if isinstance(plain, Column):
                    return plain, (value,)
        case InList(negated=False, argument=argument):
            plain = argument.argument if isinstance(argument, Cast) else argument
            if isinstance(plain, Column):
                return plain, condition.items
        case _:
            pass
    return None, ()


def _integer(expression: Expression) -> int | None:
    """The integer that a constant is; None for others."""
    if isinstance(expression, Cast):
        expression = expression.argument
    if isinstance(expression, Literal) and isinstance(expression.value, int):
        return int(expression.value)
    return None


def _is_indexed(catalog: Catalog, family: str) -> bool:
    """Whether the catalog keeps a director index for that table."""
    table: Table | None = catalog.table(family)
    return table is not None and table.is_partitioned
