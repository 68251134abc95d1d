"""Equalities with constants under OR become one IN list, inequalities under AND one NOT IN. Pure.

Generated texts spell lists of keys so. The director index is asked for a list at once, and both engines
look a value up among a list's; thousands of conditions they plan, and test, one against the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from qserv.bound import Call, Expression, InList, Literal, Query
from qserv.constants import constant_of
from qserv.rebuild import rewrite, rewrite_query
from schema.types import Type

LEAST_ITEMS = 4
"""Fewer stay conditions of their own."""
Test = tuple[Expression, tuple[Literal, ...]]
"""A term, and the constants that it is compared with; none is NULL, all have its type."""


def use_lists(query: Query) -> Query:
    """The query with such conditions gathered, at every depth; the same rows."""

    def gather(node: Expression) -> Expression | None:
        if not isinstance(node, Call) or node.name not in ("and", "or"):
            return None
        parts = tuple(rewrite(part, gather) for part in _parts(node, node.name))
        return _gathered(replace(node, arguments=parts), negated=node.name == "and")

    return rewrite_query(query, gather)


def _parts(node: Expression, name: str) -> Iterator[Expression]:
    """The operands of a tree of one connective, left to right."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Call) and one.name == name:
            waiting.extend(reversed(one.arguments))
        else:
            yield one


def _gathered(node: Call, *, negated: bool) -> Expression:
    """One AND or OR, each term's tests in the place of its first one."""
    tests = [_test(part, negated=negated) for part in node.arguments]
    items: dict[Expression, dict[Literal, None]] = {}
    for test in tests:
        if test is not None:
            items.setdefault(test[0], {}).update(dict.fromkeys(test[1]))
    kept: list[Expression] = []
    for part, test in zip(node.arguments, tests, strict=True):
        if test is None or (test[0] in items and len(items[test[0]]) < LEAST_ITEMS):
            kept.append(part)
        elif test[0] in items:
            kept.append(InList(test[0], tuple(items.pop(test[0])), negated))
    return replace(node, arguments=tuple(kept)) if len(kept) > 1 else kept[0]


def _test(condition: Expression, *, negated: bool) -> Test | None:
    """`term = constant` or `term IN (constants)`; with `negated` `<>` and NOT IN."""
    match condition:
        case Call(name=name, arguments=(one, other)) if name == ("<>" if negated else "="):
            return _of(one, (other,)) or _of(other, (one,))
        case InList() if condition.negated is negated:
            return _of(condition.argument, condition.items)
        case _:
            return None


def _of(term: Expression, values: tuple[Expression, ...]) -> Test | None:
    if term.type is Type.BOOLEAN or constant_of(term) is not None:
        return None
    found = [constant_of(value) for value in values]
    known = tuple(one for one in found if one is not None and one.value is not None)
    is_list = len(known) == len(values) and all(one.type is term.type for one in known)
    return (term, known) if is_list else None
