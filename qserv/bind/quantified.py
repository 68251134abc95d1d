"""ANY, SOME and ALL, and rows in sub-queries: as EXISTS and as comparisons with MIN and MAX.

`x < ANY (query)` holds where x is less than the query's MAX, `x >= ALL (query)` is NOT that; so the
query is asked once, in parts, whatever the number of rows it is compared with. What is not known
(a NULL among the query's rows) is told by a CASE, of which a clause that keeps rows needs the first
branch only (`selecting`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlglot import exp

from qserv.bind import operators
from qserv.bind.errors import Node, TypeMismatch, Unsupported
from qserv.bind.outputs import columns_of
from qserv.bind.scope import Env
from qserv.bound import (
    Aggregate,
    Call,
    Case,
    Derived,
    Exists,
    Expression,
    Literal,
    Output,
    Query,
    Scalar,
    Select,
)
from qserv.traverse import windows
from schema.types import Type

OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
"""The comparison that holds where one does not, of values that are not NULL."""
_EXTREMES = {"<": ("max",), "<=": ("max",), ">": ("min",), ">=": ("min",), "<>": ("min", "max")}
"""Of which rows of a query some comparison is true, if any is."""
_ONE = (Output(Literal(1, Type.INT), "found"),)


def any_of_query(operator: str, argument: Node, query: Node, env: Env) -> Expression:
    """`argument operator ANY (query)`, for all but `=`, which is IN."""
    ask = _Asked(query, env)
    kind = ask.column(query).type
    if kind in (Type.BOOLEAN, Type.BINARY) or kind.element is not None:
        hint = "use EXISTS with the comparison in its WHERE"
        raise Unsupported(f"{operator} ANY or ALL over {kind} values", query, hint=hint)
    tests = [
        operators.compare(operator, env.bind(argument), ask.extreme(name), query)
        for name in _EXTREMES[operator]
    ]
    found = operators.every("or", tests)
    missing = Call("is null", (env.bind(argument),), Type.BOOLEAN)
    unknown = operators.every("or", [missing, ask.exists(_is_null)])
    return _told(found, unknown, never=operators.negate(ask.exists(None)))


def row_in_query(row: Sequence[Node], query: Node, env: Env) -> Expression:
    """`(a, b) IN (SELECT c, d ...)`."""
    ask = _Asked(query, env)

    def matched(columns: Sequence[Expression]) -> Expression:
        if len(columns) != len(row):
            raise TypeMismatch(
                f"A row of {len(row)} values is compared with a sub-query of {len(columns)} columns",
                query,
            )
        pairs = zip(row, columns, strict=True)
        tests = [operators.compare("=", env.bind(one), other, query) for one, other in pairs]
        return operators.every("and", tests)

    def is_unknown(columns: Sequence[Expression]) -> Expression:
        return Call("is null", (matched(columns),), Type.BOOLEAN)

    return _told(ask.exists(matched), ask.exists(is_unknown))


def _is_null(columns: Sequence[Expression]) -> Expression:
    return Call("is null", (columns[0],), Type.BOOLEAN)


def _told(found: Expression, unknown: Expression, never: Expression | None = None) -> Case:
    """TRUE, FALSE or NULL; `never` holds where the query has no rows."""
    true, false = Literal(True, Type.BOOLEAN), Literal(False, Type.BOOLEAN)
    branches = [(found, true), *([] if never is None else [(never, false)])]
    branches.append((unknown, Literal(None, Type.BOOLEAN)))
    return Case(tuple(branches), false, Type.BOOLEAN)


class _Asked:
    """One query that is asked several things; it is bound anew for each."""

    def __init__(self, node: Node, env: Env) -> None:
        self.node, self.env = node, env

    def column(self, node: Node) -> Output:
        """Its only column."""
        outputs = self.env.bind_query(self.node).outputs
        if len(outputs) != 1:
            raise TypeMismatch(
                f"ANY and ALL need a sub-query of 1 column, found {len(outputs)}", node
            )
        return outputs[0]

    def extreme(self, name: str) -> Scalar:
        """The MIN or MAX of its only column."""
        block = self._block()
        value = block.outputs[0].expression
        found = Output(Aggregate(name, value, False, value.type), name)
        block = replace(block, outputs=(found,), is_grouped=True)
        return Scalar(block, value.type)

    def exists(self, test: Callable[[Sequence[Expression]], Expression] | None) -> Exists:
        """Whether it has rows whose columns pass a test."""
        block = self._block()
        if test is None:
            return Exists(replace(block, outputs=_ONE))
        condition = test([output.expression for output in block.outputs])
        if block.where is not None:
            condition = operators.every("and", [block.where, condition])
        return Exists(replace(block, outputs=_ONE, where=condition))

    def _block(self) -> Select:
        """The query as a block whose columns may stand in WHERE and in aggregates."""
        query = self.env.bind_query(self.node)
        if _is_plain(query):
            assert isinstance(query, Select)
            return replace(query, order=())
        relation = self.env.statement.new_relation()
        return Select(columns_of(query, relation), source=Derived(relation, query))


def _is_plain(query: Query) -> bool:
    """Whether the query's outputs may be replaced: each of its rows is one of its FROM."""
    return (
        isinstance(query, Select)
        and not (query.is_grouped or query.distinct or query.distinct_on)
        and query.limit is None
        and not query.offset
        and not any(windows(output.expression) for output in query.outputs)
    )


def is_query(node: Node) -> bool:
    """Whether a node is a query."""
    return isinstance(node, exp.Subquery | exp.Select | exp.SetOperation | exp.Values)
