"""Calls: functions and aggregates by their names, CAST, COALESCE and CASE."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from qserv.bind import coercion, functions, geometry, operators
from qserv.bind.conditions import compare_nodes, condition
from qserv.bind.errors import MisplacedAggregate, Node, TypeMismatch, Unsupported
from qserv.bind.scope import Env
from qserv.bound import Case, Expression, Literal
from schema.types import Type

# ------------------------------------------------------------------ functions


def _function(node: Node, env: Env) -> Expression:
    """A function by its name: geometry, an aggregate, or a scalar function."""
    name = node.name.upper()
    if name in geometry.PREDICATES:
        return operators.truth_as_number(geometry.predicate(node, env))
    if name == "DISTANCE":
        return geometry.distance(node, env)
    if name in ("COORD1", "COORD2"):
        return geometry.coordinate(node, env)
    if name in geometry.REFUSED:
        raise Unsupported(f"{name} is not supported", node)
    if name in geometry.REGIONS:
        raise Unsupported(f"{name} stands only inside CONTAINS, INTERSECTS or DISTANCE", node)
    if name in _STATISTICS:
        return _aggregate(_STATISTICS[name], node, node.expressions, env)
    arguments: list[Expression] = []
    for item in node.expressions:
        if geometry.function_name(item) == "POINT":
            arguments.extend(geometry.point(item, env).numbers)
        else:
            arguments.append(env.bind(item))
    return functions.call(node.name, arguments, node, env)


_STATISTICS = {
    "STDDEV": "stddev_samp",
    "STDDEV_SAMP": "stddev_samp",
    "STDDEV_POP": "stddev_pop",
    "VARIANCE": "var_samp",
    "VAR_SAMP": "var_samp",
    "VAR_POP": "var_pop",
}
_AGGREGATES = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
}


def _plain_aggregate(node: Node, env: Env) -> Expression:
    return _aggregate(_AGGREGATES[type(node)], node, [node.this], env)


def _aggregate(name: str, node: Node, arguments: Sequence[Node], env: Env) -> Expression:
    """An aggregate, perhaps DISTINCT."""
    if env.clause is not None:
        raise MisplacedAggregate(f"{name.upper()} is not allowed in {env.clause}", node)
    distinct = bool(arguments) and isinstance(arguments[0], exp.Distinct)
    if distinct:
        arguments = arguments[0].expressions
    if len(arguments) != 1:
        raise TypeMismatch(f"{name.upper()} takes 1 argument, found {len(arguments)}", node)
    (argument,) = arguments
    if isinstance(argument, exp.Star):
        return functions.aggregate(name, None, node, env)
    inside = replace(env, clause="an aggregate", aliases={})
    found = functions.aggregate(name, inside.bind(argument), node, env)
    return replace(found, distinct=True) if distinct else found


def _coalesce(node: Node, env: Env) -> Expression:
    arguments = [env.bind(item) for item in (node.this, *node.expressions)]
    return functions.call("COALESCE", arguments, node, env)


# ------------------------------------------------------------------ CASE, CAST


def _case(node: Node, env: Env) -> Expression:
    branches = node.args["ifs"]
    subject = node.args.get("this")
    if subject is None:
        whens = [condition(branch.this, env, "WHEN") for branch in branches]
    else:
        whens = [compare_nodes("=", (subject, branch.this), branch, env) for branch in branches]
    values = [env.bind(branch.args["true"]) for branch in branches]
    default = node.args.get("default")
    if default is not None:
        values.append(env.bind(default))
    values = list(coercion.unify(values, node))
    otherwise = None if default is None else values.pop()
    return Case(tuple(zip(whens, values, strict=True)), otherwise, values[0].type)


_CASTS = {
    exp.DataType.Type.BOOLEAN: Type.BOOLEAN,
    exp.DataType.Type.SMALLINT: Type.SHORT,
    exp.DataType.Type.INT: Type.INT,
    exp.DataType.Type.BIGINT: Type.LONG,
    exp.DataType.Type.FLOAT: Type.FLOAT,
    exp.DataType.Type.DOUBLE: Type.DOUBLE,
    exp.DataType.Type.CHAR: Type.TEXT,
    exp.DataType.Type.VARCHAR: Type.TEXT,
    exp.DataType.Type.TEXT: Type.TEXT,
    exp.DataType.Type.TIMESTAMP: Type.TIMESTAMP,
}


def _cast(node: Node, env: Env) -> Expression:
    target = node.args["to"]
    kind = _CASTS.get(target.this)
    if kind is None:
        raise Unsupported(f"CAST to {target.sql('postgres')} is not supported", node)
    found = coercion.explicit_cast(env.bind(node.this), kind, node)
    if target.expressions and not isinstance(found, Literal):
        raise Unsupported(
            "CAST to a text of a given length is supported for constants only",
            node,
            hint="leave the length out",
        )
    if target.expressions and isinstance(found, Literal) and isinstance(found.value, str):
        return replace(found, value=found.value[: int(target.expressions[0].name)])
    return found


HANDLERS: Mapping[type, Callable[[Node, Env], Expression]] = {
    exp.Anonymous: _function,
    **dict.fromkeys(_AGGREGATES, _plain_aggregate),
    exp.Coalesce: _coalesce,
    exp.Cast: _cast,
    exp.Case: _case,
}
