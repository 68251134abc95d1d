"""Aggregates: by their names, DISTINCT, FILTER, ORDER BY inside and WITHIN GROUP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from qserv.bind import statistics
from qserv.bind.coercion import cast, describe, is_null
from qserv.bind.conditions import condition
from qserv.bind.errors import MisplacedAggregate, Node, TypeMismatch, Unsupported
from qserv.bind.operators import every
from qserv.bind.order import key_of
from qserv.bind.row_values import pair_as_text, row_of
from qserv.bind.scope import Env, Scope
from qserv.bound import Aggregate, Call, Case, Expression, Literal, SortKey
from qserv.traverse import has_aggregate, relations, windows
from schema.types import Type

NAMES: Mapping[str, str] = {
    "STDDEV": "stddev_samp",
    "STDDEV_SAMP": "stddev_samp",
    "STDDEV_POP": "stddev_pop",
    "VARIANCE": "var_samp",
    "VAR_SAMP": "var_samp",
    "VAR_POP": "var_pop",
    "COVAR_SAMP": "covar_samp",
    "COVAR_POP": "covar_pop",
    "CORR": "corr",
    "BOOL_AND": "bool_and",
    "BOOL_OR": "bool_or",
    "BIT_AND": "bit_and",
    "BIT_OR": "bit_or",
    "BIT_XOR": "bit_xor",
    "STRING_AGG": "string_agg",
    "ARRAY_AGG": "array_agg",
    "PERCENTILE_CONT": "percentile_cont",
    "PERCENTILE_DISC": "percentile_disc",
    "MODE": "mode",
    "IVO_STRING_AGG": "string_agg",
    "IVO_HISTOGRAM": "histogram",
    "MEDIAN": "median",
    "SCISQL_MEDIAN": "median",
    "PERCENTILE": "percentile",
    "SCISQL_PERCENTILE": "percentile",
}
"""Aggregates that the fronts leave as calls, by users' names."""
PLAIN: Mapping[type, str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
}
ORDERED_SETS = frozenset({"percentile_cont", "percentile_disc", "mode"})
_COUNTS = {
    **dict.fromkeys(("covar_samp", "covar_pop", "corr", "string_agg", "percentile"), 2),
    "histogram": 4,
}
"""How many arguments they take, where not one."""
_ARRAYS = {Type.LONG: Type.LONGS, Type.DOUBLE: Type.DOUBLES, Type.TEXT: Type.TEXTS}


def is_aggregate(node: Node) -> bool:
    """Whether a node is the call of an aggregate."""
    return name_of(node) is not None


def name_of(node: Node) -> str | None:
    """An aggregate's bound name; None for anything else."""
    if isinstance(node, exp.Anonymous):
        return NAMES.get(str(node.name).upper())
    return PLAIN.get(type(node))


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in the parentheses of an aggregate. `sorted` are its Ordered nodes."""

    arguments: tuple[Node, ...]
    distinct: bool = False
    sorted: tuple[Node, ...] = ()
    bound: tuple[Expression, ...] = ()


def given(node: Node) -> Given:
    """The arguments of an aggregate's node, with DISTINCT and ORDER BY taken off."""
    arguments = list(node.expressions if isinstance(node, exp.Anonymous) else [node.this])
    keys: tuple[Node, ...] = ()
    if arguments and isinstance(arguments[-1], exp.Order):
        order = arguments.pop()
        keys = tuple(order.expressions)
        arguments.append(order.this)
    if arguments and isinstance(arguments[0], exp.Distinct):
        return Given(tuple(arguments[0].expressions), distinct=True, sorted=keys)
    return Given(tuple(arguments), sorted=keys)


def aggregate(node: Node, env: Env, *, within: Node | None = None) -> Expression:
    """An aggregate of this block, or of one around it; `within` is the ORDER BY of WITHIN GROUP."""
    name, found = name_of(node), given(node)
    assert name is not None
    inside = replace(env, clause="an aggregate", aliases={})
    if name == "count" and found.distinct:
        found = _one_value(found, inside)
    wanted = _COUNTS.get(name, 1)
    if name in ORDERED_SETS:
        _check_clause(name, node, env)
        return _ordered_set(name, found, within, node, inside)
    if within is not None:
        raise Unsupported(f"{name.upper()} takes no WITHIN GROUP", node)
    if len(found.arguments) != wanted:
        raise TypeMismatch(
            f"{name.upper()} takes {wanted} argument{'' if wanted == 1 else 's'},"
            f" found {len(found.arguments)}",
            node,
        )
    if isinstance(found.arguments[0], exp.Star):
        _check_clause(name, node, env)
        return Aggregate("count", None, found.distinct, Type.LONG)
    arguments = found.bound or [inside.bind(item) for item in found.arguments]
    owner = _outer_block(arguments, env)
    if owner is None:
        _check_clause(name, node, env)
        return _over(name, arguments, found, node, inside)
    if owner.hoisted is None:
        raise MisplacedAggregate(f"{name.upper()} over the columns of a neighbour in FROM", node)
    if name in statistics.NAMES or found.sorted:
        raise Unsupported(f"{name.upper()} over the columns of an outer query", node)
    hoisted = _over(name, arguments, found, node, replace(inside, scope=owner))
    return owner.hoisted.column(hoisted, env.statement)


def _over(
    name: str, arguments: Sequence[Expression], found: Given, node: Node, env: Env
) -> Aggregate:
    """An aggregate over bound arguments."""
    check_own(name, arguments, node, env)
    if name in statistics.NAMES:
        if found.distinct or found.sorted:
            raise Unsupported(f"{name.upper()} takes no DISTINCT or ORDER BY", node)
        return statistics.statistic(name, arguments, node)
    typed, more, kind = typed_arguments(name, arguments, node)
    keys = tuple(key_of(item, env.bind(item.this)) for item in found.sorted)
    order = _order(name, typed, keys, found, node)
    return Aggregate(name, typed, found.distinct, kind, None, order, more)


def _check_clause(name: str, node: Node, env: Env) -> None:
    if env.clause is not None:
        raise MisplacedAggregate(f"{name.upper()} is not allowed in {env.clause}", node)


def _outer_block(arguments: Sequence[Expression], env: Env) -> Scope | None:
    """The block around this one whose rows are aggregated: the nearest that is read; None for this."""
    read = {relation for argument in arguments for relation in relations(argument)}
    for scope in env.scope.chain():
        if read & {relation.id for relation in scope.frame.relations()}:
            return None if scope is env.scope else scope
    return None


def _one_value(found: Given, env: Env) -> Given:
    """COUNT(DISTINCT (a, b)) counts rows; MySQL's COUNT(DISTINCT a, b) those without a NULL."""
    row = row_of(found.arguments[0]) if len(found.arguments) == 1 else found.arguments
    if row is None or (len(row) == 1 and len(found.arguments) > 1):
        return found
    if row is not found.arguments:
        values = [env.bind(item) for item in row]
        return replace(found, bound=(pair_as_text(values, found.arguments[0]),))
    values = [env.bind(item) for item in row]
    known = [Call("is not null", (value,), Type.BOOLEAN) for value in values]
    text = pair_as_text(values, found.arguments[0])
    whole = Case(((every("and", known), text),), None, Type.TEXT)
    return replace(found, arguments=found.arguments[:1], bound=(whole,))


def filtered(node: Node, env: Env) -> Expression:
    """`aggregate FILTER (WHERE ...)`."""
    inner, within = within_group(node.this)
    if not is_aggregate(inner):
        raise Unsupported("FILTER stands after an aggregate", node)
    found = aggregate(inner, env, within=within)
    if not isinstance(found, Aggregate):
        raise Unsupported("FILTER after an aggregate of an outer query", node)
    return replace(found, filter=filter_condition(node, env))


def filter_condition(node: Node, env: Env) -> Expression:
    """The condition of a FILTER."""
    inside = replace(env, clause="FILTER", aliases={})
    return condition(node.expression.this, inside, "FILTER")


def within_group(node: Node) -> tuple[Node, Node | None]:
    """The aggregate of `aggregate WITHIN GROUP (ORDER BY ...)` and its order; None for plain ones."""
    if isinstance(node, exp.WithinGroup):
        return node.this, node.expression
    return node, None


def check_own(name: str, arguments: Sequence[Expression], node: Node, env: Env) -> None:
    """An aggregate belongs to the block whose columns it names, which must be this one."""
    own = {relation.id for relation in env.scope.frame.relations()}
    read = {relation for argument in arguments for relation in relations(argument)}
    if read and not read & own:
        raise Unsupported(f"{name.upper()} over the columns of an outer query", node)
    if any(has_aggregate(argument) or windows(argument) for argument in arguments):
        raise MisplacedAggregate(f"{name.upper()} of a window function or an aggregate", node)


# ------------------------------------------------------------------ types

_CASTED = {"avg", "var_samp", "var_pop", "stddev_samp", "stddev_pop"}


def typed_arguments(
    name: str, arguments: Sequence[Expression], node: Node
) -> tuple[Expression, tuple[Expression, ...], Type]:
    """The argument and the further ones, cast, and the result's type."""
    argument, more = arguments[0], tuple(arguments[1:])
    kind = argument.type
    match name:
        case "count":
            return argument, more, Type.LONG
        case "min" | "max":
            if kind in (Type.BOOLEAN, Type.BINARY) or kind.is_geometry or kind.element:
                raise TypeMismatch(f"{name.upper()} of {kind} values", node)
            return argument, more, kind
        case "bool_and" | "bool_or":
            return cast(argument, Type.BOOLEAN, node), more, Type.BOOLEAN
        case "bit_and" | "bit_or" | "bit_xor":
            if not kind.is_integer:
                raise TypeMismatch(
                    f"{name.upper()} needs integers, found {describe(argument)}", node
                )
            return argument, more, kind
        case "string_agg":
            if kind is not Type.TEXT or more[0].type is not Type.TEXT:
                raise TypeMismatch("STRING_AGG needs texts", node)
            return argument, more, Type.TEXT
        case "array_agg":
            return _of_array(argument, node)
        case _:
            return _number(name, argument, more, node)


def _of_array(argument: Expression, node: Node) -> tuple[Expression, tuple[Expression, ...], Type]:
    """ARRAY_AGG: whole numbers as LONG, floating ones as DOUBLE."""
    wide = Type.LONG if argument.type.is_integer else Type.DOUBLE
    element = wide if argument.type.is_numeric else argument.type
    if element not in _ARRAYS:
        raise TypeMismatch(f"ARRAY_AGG of {argument.type} values", node)
    return cast(argument, element, node), (), _ARRAYS[element]


def _number(
    name: str, argument: Expression, more: tuple[Expression, ...], node: Node
) -> tuple[Expression, tuple[Expression, ...], Type]:
    """Sums, means, deviations."""
    for item in (argument, *more):
        if not (item.type.is_numeric or is_null(item)):
            raise TypeMismatch(f"{name.upper()} needs numbers, found {describe(item)}", node)
    if name == "sum" and argument.type.is_integer:
        return argument, more, Type.LONG
    doubled = tuple(cast(item, Type.DOUBLE, node) for item in (argument, *more))
    return doubled[0], doubled[1:], Type.DOUBLE


def _order(
    name: str, argument: Expression, order: tuple[SortKey, ...], found: Given, node: Node
) -> tuple[SortKey, ...]:
    """The order that matters: none to most aggregates, that of the values where none is given."""
    if name not in ("string_agg", "array_agg"):
        return ()
    if found.distinct and any(key.expression != argument for key in order):
        raise Unsupported("ORDER BY in a DISTINCT aggregate names its argument", node)
    ties = () if any(key.expression == argument for key in order) else (SortKey(argument),)
    return (*order, *ties)


def _ordered_set(name: str, found: Given, within: Node | None, node: Node, env: Env) -> Aggregate:
    """PERCENTILE_CONT, PERCENTILE_DISC and MODE."""
    if within is None or len(within.expressions) != 1 or found.distinct or found.sorted:
        raise Unsupported(
            f"{name.upper()} is written {name.upper()}(...) WITHIN GROUP (ORDER BY value)", node
        )
    (item,) = within.expressions
    value = env.bind(item.this)
    check_own(name, [value], node, env)
    if name == "percentile_cont":
        value = _number(name, value, (), node)[0]
    elif value.type in (Type.BOOLEAN, Type.BINARY) or value.type.element:
        raise TypeMismatch(f"{name.upper()} of {value.type} values", node)
    key = key_of(item, value)
    fractions = _fractions(name, found.arguments, node, env)
    return Aggregate(name, value, False, value.type, None, (key,), fractions)


def _fractions(
    name: str, arguments: Sequence[Node], node: Node, env: Env
) -> tuple[Expression, ...]:
    """The constant fraction of a percentile."""
    if name == "mode":
        if arguments:
            raise TypeMismatch("MODE takes no arguments", node)
        return ()
    if len(arguments) != 1:
        raise TypeMismatch(f"{name.upper()} takes 1 argument, found {len(arguments)}", node)
    fraction = cast(env.bind(arguments[0]), Type.DOUBLE, node)
    value = fraction.value if isinstance(fraction, Literal) else None
    if not isinstance(value, float) or not 0 <= value <= 1:
        raise TypeMismatch(f"{name.upper()} takes a constant from 0 to 1", node)
    return (fraction,)
