"""Functions: ADQL's names, those of `procedures.functions`, aggregates, and what is bound once."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence

from procedures.functions import FUNCTIONS, Function
from qserv.bind.coercion import cast, comparable, describe, unify
from qserv.bind.declared import SKY_FUNCTIONS, STATISTICS
from qserv.bind.errors import Node, TypeMismatch, UnknownFunction
from qserv.bind.operators import arithmetic, compare, negative
from qserv.bind.scope import Env
from qserv.bind.units import factor, unit_of
from qserv.bound import Call, Case, Expression, Literal
from schema.types import Type

_SYNONYMS = {
    "log": "ln",
    "ceil": "ceiling",
    "pow": "power",
    "trunc": "truncate",
}
"""ADQL's and others' names, folded, for a procedure's folded name."""


def folded(name: str) -> str:
    """A function's name without case, underscores and sciSQL's prefix."""
    return name.casefold().replace("_", "").removeprefix("scisql")


_CONE = "write CONTAINS(POINT(ra, dec), CIRCLE(ra0, dec0, radius)) = 1"
_ADVICE = {
    **dict.fromkeys(
        ("to_char", "date_format", "strftime"), "write EXTRACT(YEAR FROM t) and its like"
    ),
    **dict.fromkeys(
        ("to_timestamp", "to_date", "str_to_date", "from_unixtime"),
        ("write CAST('2026-01-02T03:04:05' AS TIMESTAMP)"),
    ),
    **dict.fromkeys(("nvl", "ifnull", "isnull"), "write COALESCE(x, y), or x IS NULL"),
    **dict.fromkeys(("iif", "if", "decode"), "write CASE WHEN ... THEN ... ELSE ... END"),
    **dict.fromkeys(
        ("len", "datalength"), "write CHAR_LENGTH(x) in PostgreSQL's and MySQL's languages"
    ),
    **dict.fromkeys(
        ("q3c_radial_query", "q3c_join", "q3c_poly_query", "conesearch", "cone"), _CONE
    ),
    **dict.fromkeys(("q3c_dist", "angdist", "gcdist"), "write DISTANCE(ra1, dec1, ra2, dec2)"),
    **dict.fromkeys(("unnest", "json_extract", "jsonb_extract_path"), "select the whole value"),
    **dict.fromkeys(("stdev", "stddevp"), "write STDDEV_SAMP or STDDEV_POP"),
    "generate_series": "it stands in FROM, with whole constant numbers",
    "age": "times are subtracted: t1 - t2 is seconds",
    "datediff": "times are subtracted: t1 - t2 is seconds",
    "array_length": "select the whole array",
    "row_to_json": "select the columns",
    "nextval": "number the rows by ROW_NUMBER() OVER (ORDER BY ...)",
    "rownum": "number the rows by ROW_NUMBER() OVER (ORDER BY ...)",
}
"""What to write instead of functions that others have."""
_BY_NAME: Mapping[str, Function] = {
    folded(name): function for name, function in FUNCTIONS.items() if function.is_public
}


def call(name: str, arguments: Sequence[Expression], node: Node, env: Env) -> Expression:
    """The call of a scalar function by the name that users give it."""
    special = _SPECIAL.get(name.upper())
    if special is not None:
        return special(arguments, node, env)
    return procedure(name, arguments, node)


def takes_points(name: str) -> bool:
    """Whether a function takes a POINT as such; others take its two numbers."""
    plain = folded(name)
    function = _BY_NAME.get(_SYNONYMS.get(plain, plain))
    return function is not None and Type.POINT in function.parameters


def procedure(name: str, arguments: Sequence[Expression], node: Node) -> Expression:
    """The call of one of `procedures.functions`, its arguments cast to the parameters' types."""
    plain = folded(name)
    function = _BY_NAME.get(_SYNONYMS.get(plain, plain))
    if function is None:
        known = [*_SPECIAL, *GEOMETRIES]
        known += [public.upper() for public in (*_SYNONYMS, *(f.name for f in _BY_NAME.values()))]
        known += [declared.name for declared in (*SKY_FUNCTIONS, *STATISTICS)]
        raise UnknownFunction(name, node, known=known, advice=_ADVICE.get(name.casefold(), ""))
    most, optional = len(function.parameters), len(function.defaults)
    expect(name, arguments, range(most - optional, most + 1), node)
    left_out = function.defaults[optional - (most - len(arguments)) :]
    arguments = [*arguments, *(Literal(value, Type.INT) for value in left_out)]
    typed = [
        _as_parameter(name, argument, kind, node)
        for argument, kind in zip(arguments, function.parameters, strict=True)
    ]
    return Call(function.name, tuple(typed), function.result)


def _as_parameter(name: str, argument: Expression, kind: Type, node: Node) -> Expression:
    """An argument as a parameter's type; a whole number is not made of a floating one."""
    if argument.type.is_floating and kind.is_integer:
        raise TypeMismatch(f"{name} needs {kind}, found {describe(argument)}", node)
    return cast(argument, kind, node)


def expect(name: str, arguments: Sequence[Expression], counts: Sequence[int], node: Node) -> None:
    """TypeMismatch where a function has a wrong number of arguments."""
    if len(arguments) not in counts:
        wanted = " or ".join(str(count) for count in counts)
        raise TypeMismatch(
            f"{name} takes {wanted} argument{'' if wanted == '1' else 's'}, found {len(arguments)}",
            node,
        )


# ------------------------------------------------------------------ what needs more than a look-up

GEOMETRIES = (
    *("POINT", "CIRCLE", "BOX", "POLYGON", "CONTAINS", "INTERSECTS", "DISTANCE"),
    *("COORD1", "COORD2", "COORDSYS", "AREA", "CENTROID", "REGION"),
)
"""Bound in `geometry`; here for the nearest names only."""


def _abs(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    """ABS keeps an integer's type."""
    expect("ABS", arguments, (1,), node)
    (value,) = arguments
    if not value.type.is_integer:
        return procedure("abs", arguments, node)
    below = compare("<", value, Literal(0, Type.INT), node)
    return Case(((below, negative(value, node)),), value, value.type)


def _mod(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    expect("MOD", arguments, (2,), node)
    left, right = arguments
    return arithmetic("%", left, right, node)


def _pi(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    expect("PI", arguments, (0,), node)
    return Literal(math.pi, Type.DOUBLE)


def _rand(arguments: Sequence[Expression], node: Node, env: Env) -> Expression:
    """RAND is bound once: one number in [0, 1) per statement; of a seed, the same each time."""
    expect("RAND", arguments, (0, 1), node)
    if arguments:
        seed = arguments[0].value if isinstance(arguments[0], Literal) else None
        if type(seed) is not int:
            raise TypeMismatch("RAND takes a whole number as its seed", node)
        return Literal(random.Random(seed).random(), Type.DOUBLE)  # noqa: S311
    return Literal(env.statement.moment.random, Type.DOUBLE)


def _now(arguments: Sequence[Expression], node: Node, env: Env) -> Expression:
    """NOW is bound once."""
    expect("NOW", arguments, (0,), node)
    return Literal(env.statement.moment.now, Type.TIMESTAMP)


def _coalesce(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    if not arguments:
        raise TypeMismatch("COALESCE takes at least 1 argument, found 0", node)
    typed = unify(arguments, node)
    return Call("coalesce", typed, typed[0].type)


def _nullif(arguments: Sequence[Expression], node: Node, _: Env) -> Expression:
    """NULLIF has its first argument's type where the second fits it."""
    expect("NULLIF", arguments, (2,), node)
    left, right = comparable(arguments[0], arguments[1], node)
    return Call("nullif", (left, right), left.type)


def _in_unit(arguments: Sequence[Expression], node: Node, env: Env) -> Expression:
    """IN_UNIT(column, 'unit'): the column times the constant between its unit and that one."""
    expect("IN_UNIT", arguments, (2,), node)
    value, target = arguments
    if not (isinstance(target, Literal) and isinstance(target.value, str)):
        raise TypeMismatch("IN_UNIT's second argument is a unit in quotes", node)
    unit = unit_of(value, env)
    if unit is None:
        raise TypeMismatch("IN_UNIT needs a value whose unit is known", node)
    number = Literal(factor(unit, target.value, node), Type.DOUBLE)
    return arithmetic("*", value, number, node)


_SPECIAL: Mapping[str, Callable[[Sequence[Expression], Node, Env], Expression]] = {
    "ABS": _abs,
    "MOD": _mod,
    "PI": _pi,
    "RAND": _rand,
    "NOW": _now,
    "CURRENT_TIMESTAMP": _now,
    "COALESCE": _coalesce,
    "NULLIF": _nullif,
    "IN_UNIT": _in_unit,
}
