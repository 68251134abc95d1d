"""Arrays spelled out: ARRAY[...] and '{...}', as lists for ANY and ALL and as values."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from qserv.bind import coercion
from qserv.bind.errors import Node, TypeMismatch, Unsupported
from qserv.bind.scope import Env
from qserv.bound import Call, Expression, Literal
from schema.errors import LimitExceeded
from schema.types import Type

MAX_ITEMS = 100_000
_ITEM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}\\\s](?:[^",{}\\]*[^",{}\\\s])?))\s*(,|$)')
_HINT = "write = ANY (ARRAY[1, 2]), = ANY ('{1,2}') or = ANY (SELECT ...)"


def array_items(node: Node, place: Node, env: Env) -> list[Expression]:
    """The items of the array that ANY or ALL is asked over."""
    if isinstance(node, exp.Array):
        return [env.bind(item) for item in node.expressions]
    if isinstance(node, exp.Cast) and node.args["to"].this is exp.DataType.Type.ARRAY:
        kind = node.args["to"].expressions[0]
        if isinstance(node.this, exp.Literal) and node.this.is_string:
            texts: Sequence[Node] = [_text(item) for item in _split(node.this.this, node)]
        elif isinstance(node.this, exp.Array):
            texts = node.this.expressions
        else:
            raise Unsupported("ANY and ALL over this array", place, hint=_HINT)
        return [env.bind(exp.Cast(this=text.copy(), to=kind.copy())) for text in texts]
    if isinstance(node, exp.Literal) and node.is_string:
        return [env.bind(_text(item)) for item in _split(node.this, node)]
    raise Unsupported("ANY and ALL take a sub-query or an array spelled out", place, hint=_HINT)


def _text(item: str | None) -> Node:
    return exp.Null() if item is None else exp.Literal.string(item)


def _split(text: str, node: Node) -> list[str | None]:
    """The items of an array's text, `{1,2,"a b",NULL}`."""
    inner = text.strip()
    if not (inner.startswith("{") and inner.endswith("}")):
        raise TypeMismatch(f"{text!r} is no array", node, hint="write '{1,2}'")
    inner, place, found = inner[1:-1], 0, list[str | None]()
    while place < len(inner) or (found and inner.rstrip().endswith(",")):
        item = _ITEM.match(inner, place)
        if item is None:
            raise TypeMismatch(f"{text!r} is no array of values", node, hint="write '{1,2}'")
        quoted, plain, _ = item.groups()
        is_null = quoted is None and plain.upper() == "NULL"
        found.append(
            None if is_null else plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        )
        place = item.end()
        if place >= len(inner) and item[3] != ",":
            break
    if len(found) > MAX_ITEMS:
        raise LimitExceeded(f"An array has more than {MAX_ITEMS} items")
    return found


def bind_array(node: Node, env: Env) -> Expression:
    """ARRAY[...] as a value: of whole numbers, numbers or texts."""
    return array_value([env.bind(item) for item in node.expressions], node)


def array_value(items: Sequence[Expression], node: Node) -> Expression:
    """An array of bound items."""
    if not items:
        raise TypeMismatch("An array has at least one item here", node)
    items = coercion.unify(items, node)
    kind = items[0].type
    if kind.is_integer:
        element, whole = Type.LONG, Type.LONGS
    elif kind.is_floating:
        element, whole = Type.DOUBLE, Type.DOUBLES
    elif kind is Type.TEXT:
        element, whole = Type.TEXT, Type.TEXTS
    else:
        raise Unsupported(
            f"An array of {kind} values", node, hint="there are arrays of numbers and of texts"
        )
    if any(isinstance(item, Literal) and item.value is None for item in items):
        raise Unsupported("NULL in an array", node)
    return Call("array", tuple(coercion.cast(item, element, node) for item in items), whole)
