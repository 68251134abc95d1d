"""Conditions: comparisons, AND, OR, NOT, IS, LIKE, IN, EXISTS; the geometry that is one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from sqlglot import exp

from qserv.bind import coercion, geometry, operators, row_values
from qserv.bind.arrays import array_items
from qserv.bind.errors import Node, TypeMismatch, Unsupported
from qserv.bind.intervals import is_interval, read_interval
from qserv.bind.outputs import cast_outputs
from qserv.bind.quantified import OPPOSITE, any_of_query, is_query, row_in_query
from qserv.bind.scope import Env
from qserv.bind.units import is_duration
from qserv.bound import Call, Cast, Exists, Expression, InList, InQuery, Literal
from schema.types import Type


def condition(node: Node, env: Env, clause: str) -> Expression:
    """The bound condition of a node; `clause` names it in errors."""
    inner = unwrapped(node)
    if geometry.function_name(inner) in geometry.PREDICATES:
        return geometry.predicate(inner, env)
    found = operators.condition(env.bind(inner), clause, inner)
    return operators.selecting(found) if clause in _FILTERS else found


_FILTERS = frozenset({"WHERE", "ON", "HAVING"})
"""Clauses that keep rows where a condition holds, so that not known is as good as not so."""


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
    if isinstance(node.expression, exp.Any | exp.All):
        return _quantified(node, env)
    return compare_nodes(_COMPARISONS[type(node)], (node.this, node.expression), node, env)


def compare_nodes(operator: str, sides: tuple[Node, Node], node: Node, env: Env) -> Expression:
    """`left operator right`; tests of regions and distances become conditions of their own."""
    left, right = (unwrapped(side) for side in sides)
    if row_values.row_of(left) or row_values.row_of(right):
        return row_values.compare_rows(
            operator, (left, right), node, lambda *one: compare_nodes(one[0], one[1:], node, env)
        )
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
    if is_interval(left) or is_interval(right):
        return _compare_spans(operator, (left, right), node, env)
    one, other = env.bind(left), env.bind(right)
    near = geometry.compare_distance(operator, one, other, left)
    near = near or geometry.compare_distance(operators.FLIPPED[operator], other, one, right)
    return near or operators.compare(operator, one, other, node)


def _compare_spans(operator: str, sides: tuple[Node, Node], node: Node, env: Env) -> Expression:
    """A difference of times and an INTERVAL."""

    def seconds(side: Node) -> Expression:
        if is_interval(side):
            return read_interval(side).literal()
        bound = env.bind(side)
        if not is_duration(bound, env):
            hint = "an INTERVAL is compared with a difference of times, or with another one"
            raise TypeMismatch(f"{coercion.describe(bound)} and an INTERVAL", node, hint=hint)
        return bound

    return operators.compare(operator, seconds(sides[0]), seconds(sides[1]), node)


def _quantified(node: Node, env: Env) -> Expression:
    """`= ANY` is IN, `<> ALL` is NOT IN; ALL is that no row fulfils the opposite."""
    operator, is_all = _COMPARISONS[type(node)], isinstance(node.expression, exp.All)
    operator = OPPOSITE[operator] if is_all else operator
    inner = unwrapped(node.expression.this)
    if not is_query(inner):
        found = _any_of_items(operator, node, array_items(inner, node.expression, env), env)
    elif operator == "=":
        found = _in_any(node.this, inner, env)
    elif row_values.row_of(node.this):
        raise Unsupported(
            "Rows are compared with sub-queries by = ANY, <> ALL and IN only",
            node,
            hint="use EXISTS with the comparison in its WHERE",
        )
    else:
        found = any_of_query(operator, node.this, inner, env)
    return operators.negate(found) if is_all else found


def _any_of_items(operator: str, node: Node, items: Sequence[Expression], env: Env) -> Expression:
    """Whether a comparison holds with one of the items."""
    argument = env.bind(node.this)
    if not items:
        return Literal(False, Type.BOOLEAN)
    if operator == "=":
        return _in_items(argument, items, [node] * len(items), node)
    tests = [operators.compare(operator, argument, item, node) for item in items]
    return operators.every("or", tests)


def _null_safe(node: Node, env: Env) -> Expression:
    """IS [NOT] DISTINCT FROM: a comparison that takes NULL for a value."""
    name = "is not distinct from" if isinstance(node, exp.NullSafeEQ) else "is distinct from"

    def compared(operator: str, one: Node, other: Node) -> Expression:
        left, right = coercion.comparable(env.bind(one), env.bind(other), node)
        return Call(operator, (left, right), Type.BOOLEAN)

    sides = node.this, node.expression
    if row_values.row_of(sides[0]) or row_values.row_of(sides[1]):
        return row_values.compare_rows(name, sides, node, compared)
    return compared(name, *sides)


def _between(node: Node, env: Env) -> Expression:
    bounds = (node.args["low"], node.args["high"])
    found = _inside(node, bounds, env)
    if node.args.get("symmetric"):
        return operators.every("or", (found, _inside(node, bounds[::-1], env)))
    return found


def _inside(node: Node, bounds: tuple[Node, Node], env: Env) -> Expression:
    """Whether a value is between two others, the bounds included."""
    low = compare_nodes(">=", (node.this, bounds[0]), node, env)
    high = compare_nodes("<=", (node.this, bounds[1]), node, env)
    return operators.every("and", (low, high))


def _exclusive_or(node: Node, env: Env) -> Expression:
    """XOR: two conditions that differ."""
    sides = tuple(condition(side, env, "XOR") for side in (node.this, node.expression))
    return Call("<>", sides, Type.BOOLEAN)


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
        values = row_values.row_of(node.this)
        if values is not None:
            return _is_null_row(node, values, env)
        found = Call("is null", (env.bind(node.this),), Type.BOOLEAN)
    else:
        raise Unsupported("IS takes NULL, TRUE or FALSE", node)
    return operators.negate(found) if node.args.get("negate") else found


def _is_null_row(node: Node, values: Sequence[Node], env: Env) -> Expression:
    """A row is NULL where all its values are, and is not where none is."""
    name = "is not null" if node.args.get("negate") else "is null"
    tests = [Call(name, (env.bind(value),), Type.BOOLEAN) for value in values]
    return operators.every("and", tests)


def _like(node: Node, env: Env) -> Expression:
    name = "like" if isinstance(node, exp.Like) else "ilike"
    if isinstance(node.expression, exp.Any | exp.All):
        hint = "write LIKE ANY (ARRAY['a%', 'b%']), or conditions with OR"
        raise Unsupported(f"{name.upper()} ANY or ALL takes an array", node.expression, hint=hint)
    value, pattern = (text(item, env, name.upper()) for item in (node.this, node.expression))
    if node.args.get("negate"):
        name = f"not {name}"
    return Call(name, (value, pattern), Type.BOOLEAN)


def _escaped(node: Node, env: Env) -> Expression:
    """LIKE ... ESCAPE 'c'; said only where the pattern may have that character."""
    escape = env.bind(node.expression)
    mark = escape.value if isinstance(escape, Literal) else None
    if not isinstance(mark, str) or len(mark) > 1:
        raise TypeMismatch("ESCAPE takes one character", node.expression)
    inner = unwrapped(node.this)
    if not isinstance(inner, exp.Like | exp.ILike):
        raise Unsupported("ESCAPE stands after LIKE", node)
    found = _like(inner, env)
    assert isinstance(found, Call)
    if isinstance(inner, exp.ILike) and mark.isalpha():
        raise Unsupported("ESCAPE of ILIKE takes no letter", node.expression)
    pattern = found.arguments[1]
    if isinstance(pattern, Literal) and isinstance(pattern.value, str):
        _check_escapes(pattern.value, mark, node)
        if mark not in pattern.value:
            return found
    if not mark:
        return found
    return Call(found.name, (*found.arguments, Literal(mark, Type.TEXT)), Type.BOOLEAN)


def _check_escapes(pattern: str, mark: str, node: Node) -> None:
    """TypeMismatch where a pattern ends with its escape character."""
    if mark and (len(pattern) - len(pattern.rstrip(mark))) % 2:
        raise TypeMismatch("The pattern ends with its escape character", node)


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
    query, row = node.args.get("query"), row_values.row_of(node.this)
    if query is not None:
        return _in_any(node.this, query, env)
    if row is not None:
        return row_values.row_in_list(row, node.expressions, node, env)
    argument = env.bind(node.this)
    items = [env.bind(item) for item in node.expressions]
    return _in_items(argument, items, node.expressions, node)


def _in_items(
    argument: Expression, items: Sequence[Expression], sources: Sequence[Node], node: Node
) -> Expression:
    """`argument IN (items)`; `sources` are the nodes that the items came from."""
    try:
        argument, *unified = coercion.unify([argument, *items], node)
    except TypeMismatch:
        for item, source in zip(items, sources, strict=True):
            coercion.comparable(argument, item, source)  # says which one
        raise
    return InList(argument, tuple(unified))


def _in_any(argument: Node, query: Node, env: Env) -> Expression:
    """A value or a row IN (SELECT ...)."""
    row = row_values.row_of(argument)
    if row is not None:
        return row_in_query(row, query, env)
    return _in_query(env.bind(argument), query, env)


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
    exp.Escape: _escaped,
    exp.NullSafeEQ: _null_safe,
    exp.NullSafeNEQ: _null_safe,
    exp.Xor: _exclusive_or,
    exp.In: _in,
    exp.Exists: _exists,
}
