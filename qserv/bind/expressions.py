"""Expressions: a node of the tree to a bound expression, by the node's class."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from qserv.bind import calls, coercion, conditions, operators
from qserv.bind.arrays import bind_array
from qserv.bind.conditions import spine, text
from qserv.bind.errors import Node, TypeMismatch, UnknownColumn, Unsupported
from qserv.bind.intervals import is_interval, read_interval
from qserv.bind.scope import Env
from qserv.bind.times import shifted, time_arithmetic
from qserv.bound import Call, Expression, Literal, Scalar
from schema.types import Type


def bind_expression(node: Node, env: Env) -> Expression:
    """The bound expression of a node, of one type."""
    handler = _HANDLERS.get(type(node))
    if handler is None:
        raise Unsupported(f"{type(node).__name__.upper()} is not supported", node)
    return handler(node, env)


# ------------------------------------------------------------------ names and constants


def _column(node: Node, env: Env) -> Expression:
    """A column by its name, or an output's alias where the clause may name one."""
    if isinstance(node.this, exp.Star):
        raise Unsupported("* stands only in a select list or in COUNT(*)", node)
    is_bare = node.args.get("table") is None
    aliased = env.aliases.get(node.name.casefold()) if is_bare else None
    if aliased is None:
        return env.scope.named(node).expression
    try:
        return env.scope.named(node).expression
    except UnknownColumn:
        return aliased


def _literal(node: Node, _: Env) -> Expression:
    text = node.this
    if node.is_string:
        if "\0" in text:  # written as an escape sequence; no database stores it
            raise TypeMismatch("The character U+0000 stands in no text", node)
        return Literal(text, Type.TEXT)
    if text.isdigit():
        return coercion.integer(int(text))
    if text[:2].casefold() == "0x":
        return coercion.integer(int(text, 16))
    return _decimal(text, node)


def _decimal(text: str, node: Node) -> Literal:
    """A decimal literal: DOUBLE."""
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise TypeMismatch(f"{text} is out of range for double", node)
    return Literal(value, Type.DOUBLE)


def _boolean(node: Node, _: Env) -> Expression:
    return Literal(bool(node.this), Type.BOOLEAN)


def _null(_node: Node, _: Env) -> Expression:
    return Literal(None, Type.TEXT)


def _paren(node: Node, env: Env) -> Expression:
    return bind_expression(node.this, env)


# ------------------------------------------------------------------ operators and sub-queries


_ARITHMETIC = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_BITWISE = {
    exp.BitwiseAnd: "&",
    exp.BitwiseOr: "|",
    exp.BitwiseXor: "^",
    exp.BitwiseLeftShift: "<<",
    exp.BitwiseRightShift: ">>",
}


def _arithmetic(node: Node, env: Env) -> Expression:
    first, *rest = spine(node, _ARITHMETIC)
    if is_interval(first) and isinstance(rest[0], exp.Add):  # interval + time
        time = bind_expression(rest.pop(0).expression, env)
        left = shifted(time, "+", read_interval(first), node, env)
    else:
        left = bind_expression(first, env)
    for operation in rest:
        operator = _ARITHMETIC[type(operation)]
        left = time_arithmetic(operator, left, operation.expression, operation, env)
    return left


def _bitwise(node: Node, env: Env) -> Expression:
    operands = [bind_expression(item, env) for item in (node.this, node.expression)]
    return operators.bitwise(_BITWISE[type(node)], operands, node)


def _bitwise_not(node: Node, env: Env) -> Expression:
    return operators.bitwise("~", [bind_expression(node.this, env)], node)


def _negative(node: Node, env: Env) -> Expression:
    return operators.negative(bind_expression(node.this, env), node)


def _concatenation(node: Node, env: Env) -> Expression:
    first, *rest = spine(node, (exp.DPipe,))
    left = text(first, env, "||")
    for operation in rest:
        left = Call("||", (left, text(operation.expression, env, "||")), Type.TEXT)
    return left


def _scalar(node: Node, env: Env) -> Expression:
    query = env.bind_query(node)
    if len(query.outputs) != 1:
        raise TypeMismatch(
            f"A sub-query in an expression has 1 column, found {len(query.outputs)}", node
        )
    return Scalar(query, query.outputs[0].type)


def _row(node: Node, _: Env) -> Expression:
    raise Unsupported(
        "A row of values stands alone", node, hint="rows are compared with rows; select its columns"
    )


_HANDLERS: Mapping[type, Callable[[Node, Env], Expression]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: _boolean,
    exp.Null: _null,
    exp.Paren: _paren,
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
    **dict.fromkeys(_BITWISE, _bitwise),
    exp.BitwiseNot: _bitwise_not,
    exp.Neg: _negative,
    exp.DPipe: _concatenation,
    exp.Subquery: _scalar,
    exp.Array: bind_array,
    exp.Tuple: _row,
    **conditions.HANDLERS,
    **calls.HANDLERS,
}
