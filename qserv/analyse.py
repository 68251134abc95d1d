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
    InShape,
    Query,
    RelationId,
    Select,
)
from qserv.carry import carry, certain_of
from qserv.constants import constant_of
from qserv.flatten import flatten
from qserv.in_lists import use_lists
from qserv.own_pixels import use_own_pixels
from qserv.semijoins import use_semijoins
from qserv.traverse import blocks, conjuncts, leaves
from schema.catalog import Catalog, Table, family_key

__all__ = ["Analysed", "KeyCondition", "Wanted", "analyse", "certain_of", "key_condition"]
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
    """Flatten the query, gather lists, carry conditions over equalities, collect the keys named."""
    flat = carry(use_own_pixels(use_semijoins(use_lists(flatten(query)))))
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for block in blocks(flat):
        tables = {
            leaf.relation: leaf for leaf in leaves(block.source) if isinstance(leaf, BaseTable)
        }
        for condition in _certain(block):
            for key in _keys_in(condition, tables):
                catalog = tables[key.relation].catalog.name
                found[catalog, key.family].update(key.keys)
    wanted = tuple(
        Wanted(catalog, table, tuple(sorted(keys)))
        for (catalog, table), keys in sorted(found.items())
        if len(keys) <= MAX_KEYS
    )
    return Analysed(flat, wanted)


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
    keys = [] if family is None else [_integer(item) for item in items]
    if family is None or None in keys or not _is_indexed(base.catalog, family):
        return None
    if set(keys) & set(base.table.sentinels):
        return None
    return KeyCondition(column.relation, family, tuple(k for k in keys if k is not None))


def _keys_in(
    condition: Expression, tables: dict[RelationId, BaseTable]
) -> tuple[KeyCondition, ...]:
    """The conditions on keys in a tree of AND and OR, where every branch of an OR may bound rows."""
    match condition:
        case Call(name="and", arguments=parts):
            return tuple(key for part in parts for key in _keys_in(part, tables))
        case Call(name="or", arguments=parts) if all(_may_bound(part) for part in parts):
            return tuple(key for part in parts for key in _keys_in(part, tables))
        case _:
            key = key_condition(condition, tables)
            return () if key is None else (key,)


def _may_bound(condition: Expression) -> bool:
    """Whether a branch of an OR has the form of what may choose chunks: a look-up is not for nothing."""
    match condition:
        case Call(name="and", arguments=parts):
            return any(_may_bound(part) for part in parts)
        case Call(name="or", arguments=parts):
            return all(_may_bound(part) for part in parts)
        case Call(name="=" | "<" | "<=" | ">" | ">=", arguments=(one, other)):
            return constant_of(one) is not None or constant_of(other) is not None
        case InList(negated=False) | InShape():
            return True
        case _:
            return False


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
    found = constant_of(expression)
    return found.value if found is not None and type(found.value) is int else None


def _is_indexed(catalog: Catalog, family: str) -> bool:
    """Whether the catalog keeps a director index for that table."""
    table: Table | None = catalog.table(family)
    return table is not None and table.is_partitioned
