"""Linear regression: REGR_SLOPE(y, x) and its like, as means, variances and covariances.

Only rows where neither is NULL count. A group of which x does not vary has no slope: NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlglot import exp

from qserv.bind import aggregates
from qserv.bind.coercion import cast, describe, is_null
from qserv.bind.errors import MisplacedAggregate, Node, TypeMismatch, Unsupported
from qserv.bind.operators import arithmetic, every
from qserv.bind.scope import Env
from qserv.bound import Aggregate, Call, Case, Expression, Literal
from qserv.rebuild import rewrite
from schema.types import Type


def is_regression(node: Node) -> bool:
    """Whether a node is the call of a function of regression."""
    return isinstance(node, exp.Anonymous) and str(node.name).upper() in _BY_NAME


def regression(node: Node, env: Env) -> Expression:
    """The call, over aggregates of this block."""
    name, found = str(node.name).upper(), aggregates.given(node)
    if env.clause is not None:
        raise MisplacedAggregate(f"{name} is not allowed in {env.clause}", node)
    if found.distinct or found.sorted:
        raise Unsupported(f"{name} takes no DISTINCT or ORDER BY", node)
    if len(found.arguments) != 2:
        raise TypeMismatch(f"{name} takes 2 arguments, found {len(found.arguments)}", node)
    inside = replace(env, clause="an aggregate", aliases={})
    values = [inside.bind(item) for item in found.arguments]
    aggregates.check_own(name, values, node, inside)
    for value in values:
        if not (value.type.is_numeric or is_null(value)):
            raise TypeMismatch(f"{name} needs numbers, found {describe(value)}", node)
    y, x = (cast(value, Type.DOUBLE, node) for value in values)
    return _BY_NAME[name](_Moments(y, x, node))


def kept(found: Expression, condition: Expression) -> Expression:
    """The same over the rows that FILTER keeps."""

    def filtered(node: Expression) -> Expression | None:
        return replace(node, filter=condition) if isinstance(node, Aggregate) else None

    return rewrite(found, filtered)


class _Moments:
    """Sums over the rows where both are known."""

    def __init__(self, y: Expression, x: Expression, node: Node) -> None:
        self.node = node
        self.pair = (y, x)
        known = [Call("is not null", (one,), Type.BOOLEAN) for one in (y, x)]
        self.both = every("and", known)
        self.y = Case(((known[1], y),), None, Type.DOUBLE)
        self.x = Case(((known[0], x),), None, Type.DOUBLE)

    def count(self) -> Expression:
        one = Case(((self.both, Literal(1, Type.INT)),), None, Type.INT)
        return Aggregate("count", one, False, Type.LONG)

    def mean(self, value: Expression) -> Expression:
        return Aggregate("avg", value, False, Type.DOUBLE)

    def variance(self, value: Expression) -> Expression:
        return Aggregate("var_pop", value, False, Type.DOUBLE)

    def covariance(self) -> Expression:
        return Aggregate("covar_pop", self.pair[0], False, Type.DOUBLE, more=self.pair[1:])

    def of(self, operator: str, one: Expression, other: Expression) -> Expression:
        return arithmetic(operator, one, other, self.node)

    def total(self, mean: Expression) -> Expression:
        """The sum of which this is the mean."""
        return self.of("*", self.count(), mean)

    def slope(self) -> Expression:
        return self.of("/", self.covariance(), self.variance(self.x))

    def intercept(self) -> Expression:
        return self.of("-", self.mean(self.y), self.of("*", self.slope(), self.mean(self.x)))

    def determination(self) -> Expression:
        """The square of the correlation; 1 where y does not vary."""
        zero, one = Literal(0.0, Type.DOUBLE), Literal(1.0, Type.DOUBLE)
        no_x, no_y = (
            Call("=", (self.variance(value), zero), Type.BOOLEAN) for value in (self.x, self.y)
        )
        back = self.of("/", self.covariance(), self.variance(self.y))
        branches = ((no_x, Literal(None, Type.DOUBLE)), (no_y, one))
        return Case(branches, self.of("*", self.slope(), back), Type.DOUBLE)


_BY_NAME: Mapping[str, Callable[[_Moments], Expression]] = {
    "REGR_COUNT": _Moments.count,
    "REGR_AVGX": lambda m: m.mean(m.x),
    "REGR_AVGY": lambda m: m.mean(m.y),
    "REGR_SXX": lambda m: m.total(m.variance(m.x)),
    "REGR_SYY": lambda m: m.total(m.variance(m.y)),
    "REGR_SXY": lambda m: m.total(m.covariance()),
    "REGR_SLOPE": _Moments.slope,
    "REGR_INTERCEPT": _Moments.intercept,
    "REGR_R2": _Moments.determination,
}
NAMES = frozenset(_BY_NAME)
