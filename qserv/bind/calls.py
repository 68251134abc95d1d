"""Calls: functions and aggregates by their names, CAST, COALESCE and CASE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlglot import exp

from qserv.bind import (
    aggregates,
    coercion,
    functions,
    geometry,
    operators,
    regression,
    restrictors,
    windows,
)
from qserv.bind.arrays import array_items, array_value
from qserv.bind.conditions import compare_nodes, condition
from qserv.bind.errors import Node, Unsupported
from qserv.bind.regions import cast_geometry, region_of
from qserv.bind.scope import Env
from qserv.bind.sky_functions import sky_function
from qserv.bind.sql_functions import sql_function
from qserv.bind.text_functions import PREFIX
from qserv.bound import Call, Case, Expression, Literal
from schema.types import Type

# ------------------------------------------------------------------ functions


def _function(node: Node, env: Env) -> Expression:
    """A function by its name: geometry, an aggregate, or a scalar function."""
    name = node.name.upper()
    if node.name.startswith(PREFIX):
        return sql_function(node, env)
    if name.startswith(restrictors.PREFIX):
        return restrictors.restrictor(node, env)
    if name in geometry.PREDICATES:
        return operators.truth_as_number(geometry.predicate(node, env))
    found = geometry.function(name, node, env)
    if found is not None:
        return found
    if regression.is_regression(node):
        return regression.regression(node, env)
    if name in aggregates.NAMES:
        return aggregates.aggregate(node, env)
    if name in windows.NAMES:
        raise Unsupported(f"{name} needs OVER (...)", node)
    arguments: list[Expression] = []
    for item in node.expressions:
        bound = env.bind(item)
        is_point = bound.type is Type.POINT and not functions.takes_points(node.name)
        arguments += region_of(bound, item).numbers if is_point else [bound]
    found = sky_function(node.name, arguments, node, env)
    return functions.call(node.name, arguments, node, env) if found is None else found


def _plain_aggregate(node: Node, env: Env) -> Expression:
    return aggregates.aggregate(node, env)


def _filtered(node: Node, env: Env) -> Expression:
    if regression.is_regression(node.this):
        found = regression.regression(node.this, env)
        return regression.kept(found, aggregates.filter_condition(node, env))
    return aggregates.filtered(node, env)


def _within_group(node: Node, env: Env) -> Expression:
    called, order = aggregates.within_group(node)
    if not aggregates.is_aggregate(called):
        raise Unsupported("WITHIN GROUP stands after an aggregate", node)
    return aggregates.aggregate(called, env, within=order)


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
_GEOMETRIES = {"POINT": Type.POINT, "CIRCLE": Type.CIRCLE, "POLYGON": Type.POLYGON}


def _cast(node: Node, env: Env) -> Expression:
    target = node.args["to"]
    if target.this is exp.DataType.Type.ARRAY:
        return array_value(array_items(node, node, env), node)
    kind = _CASTS.get(target.this) or _GEOMETRIES.get(target.sql("postgres").upper())
    if kind is None:
        hint = "there are whole and floating numbers, BOOLEAN, texts, DATE and TIMESTAMP"
        raise Unsupported(f"CAST to {target.sql('postgres')} is not supported", node, hint=hint)
    value = env.bind(node.this)
    if kind.is_geometry:
        return cast_geometry(value, kind, node)
    found = coercion.explicit_cast(value, kind, node)
    if kind is not Type.TEXT or not target.expressions:
        return found
    length = int(target.expressions[0].name)
    if isinstance(found, Literal):
        text = found.value
        return replace(found, value=text[:length]) if isinstance(text, str) else found
    return Call("cut", (found, Literal(length, Type.INT)), Type.TEXT)


HANDLERS: Mapping[type, Callable[[Node, Env], Expression]] = {
    exp.Anonymous: _function,
    **dict.fromkeys(aggregates.PLAIN, _plain_aggregate),
    exp.Filter: _filtered,
    exp.WithinGroup: _within_group,
    exp.Window: windows.window,
    exp.Coalesce: _coalesce,
    exp.Cast: _cast,
    exp.Case: _case,
}
