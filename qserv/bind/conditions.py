"""Conditions: comparisons, AND, OR, NOT, IS, LIKE, IN, EXISTS; the geometry that is one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from sqlglot import exp

from qserv.bind import coercion, geometry, operators
from qserv.bind.errors import Node, TypeMismatch, Unsupported
from qserv.bind.outputs import cast_outputs
from qserv.bind.scope import Env
from qserv.bound import Call, Cast, Exists, Expression, InList, InQuery, Literal
from schema.types import Type


def condition(node: Node, env: Env, clause: str) -> Expression:
    """The bound condition of a node; `clause` names it in errors."""
    inner = unwrapped(node)
    if geometry.function_name(inner) in geometry.PREDICATES:
        return geometry.predicate(inner, env)
    return operators.condition(env.bind(inner), clause, inner)


def unwrapped(node: Node) -> Node:
    """The node inside parentheses."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def spine(node: Node, kinds: Collection[type]) -> list[Node]:
    """The operands of a left-deep chain of operators, without recursion: deepest first.

    The first is an operand, each other the operator's node, whose right operand is meant.
    """
    chain = []
    while type(node) in kinds:
        chain.append(node)
        node = node.this
    return [node, *reversed(chain)]


_COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}


def _comparison(node: Node, env: Env) -> Expression:
    return compare_nodes(_COMPARISONS[type(node)], (node.this, node.expression), node, env)


def compare_nodes(operator: str, sides: tuple[Node, Node], node: Node, env: Env) -> Expression:
    """`left operator right`; tests of regions and distances become conditions of their own."""
    left, right = (unwrapped(side) for side in sides)
    for spelled, one, other in (
        (operator, left, right),
        (operators.FLIPPED[operator], right, left),
    ):
        name = geometry.function_name(one)
        if name in geometry.PREDICATES and spelled in ("=", "<>"):
            truth = env.bind(other)
            if isinstance(truth, Literal) and truth.value in (0, 1):
                found = geometry.predicate(one, env)
                return found if bool(truth.value) == (spelled == "=") else operators.negate(found)
        if name == "DISTANCE":
            near = geometry.compare_distance(spelled, one, env.bind(other), env)
            if near is not None:
                return near
    bound = (env.bind(left), env.bind(right))
    return operators.compare(operator, *bound, node)


def _between(node: Node, env: Env) -> Expression:
    low = compare_nodes(">=", (node.this, node.args["low"]), node, env)
    high = compare_nodes("<=", (node.this, node.args["high"]), node, env)
    return operators.every("and", (low, high))


def _connector(node: Node, env: Env) -> Expression:
    kind, word = (exp.And, "and") if isinstance(node, exp.And) else (exp.Or, "or")
    first, *rest = spine(node, (kind,))
    parts = [condition(first, env, word.upper())]
    parts += [condition(operation.expression, env, word.upper()) for operation in rest]
    return operators.every(word, parts)


def _not(node: Node, env: Env) -> Expression:
    return operators.negate(condition(node.this, env, "NOT"))


def _is(node: Node, env: Env) -> Expression:
    """IS [NOT] NULL, and IS [NOT] TRUE or FALSE."""
    wanted = unwrapped(node.expression)
    if isinstance(wanted, exp.Boolean):
        truth = condition(node.this, env, "IS")
        known = truth if wanted.this else operators.negate(truth)
        found: Expression = Call("coalesce", (known, Literal(False, Type.BOOLEAN)), Type.BOOLEAN)
    elif isinstance(wanted, exp.Null):
        found = Call("is null", (env.bind(node.this),), Type.BOOLEAN)
    else:
        raise Unsupported("IS takes NULL, TRUE or FALSE", node)
    return operators.negate(found) if node.args.get("negate") else found


def _like(node: Node, env: Env) -> Expression:
    name = "like" if isinstance(node, exp.Like) else "ilike"
    value, pattern = (text(item, env, name.upper()) for item in (node.this, node.expression))
    if node.args.get("negate"):
        name = f"not {name}"
    return Call(name, (value, pattern), Type.BOOLEAN)


def text(node: Node, env: Env, operator: str) -> Expression:
    """The bound text that an operator needs; `||` writes whole numbers as text."""
    bound = env.bind(node)
    if operator == "||" and bound.type.is_integer:
        return Cast(bound, Type.TEXT)
    if bound.type is not Type.TEXT:
        raise TypeMismatch(f"{operator} needs text, found {coercion.describe(bound)}", node)
    return bound


# ------------------------------------------------------------------ lists and sub-queries


def _in(node: Node, env: Env) -> Expression:
    argument = env.bind(node.this)
    query = node.args.get("query")
    if query is not None:
        return _in_query(argument, query, env)
    items = [env.bind(item) for item in node.expressions]
    try:
        argument, *unified = coercion.unify([argument, *items], node)
    except TypeMismatch:
        for item, source in zip(items, node.expressions, strict=True):
            coercion.comparable(argument, item, source)  # says which one
        raise
    return InList(argument, tuple(unified))


def _in_query(argument: Expression, node: Node, env: Env) -> Expression:
    """`argument IN (SELECT one column)`, both sides of one type."""
    query = env.bind_query(node)
    if len(query.outputs) != 1:
        raise TypeMismatch(f"IN needs a sub-query of 1 column, found {len(query.outputs)}", node)
    found = query.outputs[0].expression
    if argument.type is found.type:
        return InQuery(argument, query)
    kind = coercion.comparable(argument, found, node)[0].type
    relation = env.statement.new_relation
    return InQuery(
        coercion.cast(argument, kind, node), cast_outputs(query, (kind,), relation, node)
    )


def _exists(node: Node, env: Env) -> Expression:
    return Exists(env.bind_query(node.this))


HANDLERS: Mapping[type, Callable[[Node, Env], Expression]] = {
    **dict.fromkeys(_COMPARISONS, _comparison),
    exp.Between: _between,
    exp.And: _connector,
    exp.Or: _connector,
    exp.Not: _not,
    exp.Is: _is,
    exp.Like: _like,
    exp.ILike: _like,
    exp.In: _in,
    exp.Exists: _exists,
}
