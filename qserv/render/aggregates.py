"""Aggregates and window functions."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Mapping

from typing_extensions import override

from qserv.bound import (
    Aggregate,
    Call,
    Expression,
    FrameBound,
    Literal,
    SortKey,
    Window,
    WindowFrame,
)
from qserv.render.dialect import Dialect
from qserv.render.expressions import Expressions

_WITHIN_GROUP = {"percentile_cont", "percentile_disc", "mode"}
_HISTOGRAMS = {
    "histogram": "list_transform([histogram({0}){1}], lambda m: list_transform(range(0, {2}), "
    "lambda k: CAST(coalesce(m[CAST(k AS INTEGER)], 0) AS BIGINT)))[1]",
    "histogram_sum": "list_transform([list({0}){1}], lambda h: list_transform(range(1, {2} + 1), "
    "lambda k: CAST(coalesce(list_sum(list_transform(h, lambda one: one[k])), 0) AS BIGINT)))[1]",
}
"""By DuckDB: of a list of one map from bins to counts, or of one list of lists."""
_COUNTED = {"row_number", "rank", "dense_rank", "ntile"}
"""Window functions whose integers the engines give different widths."""


class Aggregates(Expressions, ABC):
    """Writes what is computed over several rows."""

    @override
    def aggregate(self, node: Aggregate) -> str:
        """An aggregate, of the type that the bound tree says."""
        if node.name in _HISTOGRAMS:
            return self._histogram(node)
        if node.name == "sum_of_halves":
            return self._sum_of_halves(node)
        call = f"{self._aggregated(node)}{self._filter(node.filter)}"
        if node.name == "sum" and node.type.is_integer:
            return f"CAST({call} AS {self.type(node.type)})"  # numeric and HUGEINT otherwise
        return self._known(node.name, call)

    def _known(self, name: str, call: str) -> str:
        """NULL for the correlation of what does not vary, where DuckDB gives NaN."""
        is_nan = name == "corr" and self.dialect is Dialect.DUCKDB
        return f"NULLIF({call}, CAST('NaN' AS DOUBLE))" if is_nan else call

    def _aggregated(self, node: Aggregate) -> str:
        """The call without its FILTER."""
        if node.argument is None:
            return "count(*)"
        if node.name in _WITHIN_GROUP:
            return self._ordered_set(node)
        distinct = "DISTINCT " if node.distinct else ""
        arguments = ", ".join(self.expression(item) for item in (node.argument, *node.more))
        return f"{node.name}({distinct}{arguments}{self._ordered(node.order)})"

    def _histogram(self, node: Aggregate) -> str:
        """Counts by bin (`histogram`, of the bins' numbers), or the sums of such counts."""
        bins = node.more[0]
        assert node.argument is not None
        assert isinstance(bins, Literal)
        assert isinstance(bins.value, int)
        argument, rows = self.expression(node.argument), self._filter(node.filter)
        if node.name == "histogram" and self.dialect is Dialect.POSTGRES:
            counted = f"sky.histogram_v1({argument}, {bins.value}){rows}"
            return f"COALESCE({counted}, array_fill(CAST(0 AS bigint), ARRAY[{bins.value + 2}]))"
        assert self.dialect is Dialect.DUCKDB, "histograms are summed in the merge"
        return _HISTOGRAMS[node.name].format(argument, rows, bins.value + 2)

    def _sum_of_halves(self, node: Aggregate) -> str:
        """The whole number of which chunks sent the sums of the higher and the lower 32 bits."""
        assert self.dialect is Dialect.DUCKDB, "halves are put together in the merge"
        assert node.argument is not None
        high, low = (self.expression(item) for item in (node.argument, *node.more))
        return f"CAST(sum({high}) * 4294967296 + sum({low}) AS BIGINT)"

    def _ordered_set(self, node: Aggregate) -> str:
        """An aggregate over sorted values; DuckDB's mode takes the first of those that tie."""
        order = self._ordered(node.order).strip()
        if node.name == "mode" and self.dialect is Dialect.DUCKDB:
            assert node.argument is not None
            return f"mode({self.expression(node.argument)} {order})"
        fractions = ", ".join(self.expression(item) for item in node.more)
        return f"{node.name}({fractions}) WITHIN GROUP ({order})"

    def _filter(self, condition: Expression | None) -> str:
        return "" if condition is None else f" FILTER (WHERE {self.expression(condition)})"

    # -------------------------------------------------------------- windows

    @override
    def window(self, node: Window) -> str:
        """A window function, of the type that the bound tree says."""
        arguments = ", ".join(self.expression(item) for item in node.arguments)
        if node.name == "count" and not node.arguments:
            arguments = "*"
        call = f"{node.name}({arguments}){self._filter(node.filter)} OVER ({self._over(node)})"
        if node.name in _COUNTED or (node.name == "sum" and node.type.is_integer):
            return f"CAST({call} AS {self.type(node.type)})"
        return f"({self._known(node.name, call)})"

    def _over(self, node: Window) -> str:
        """What stands in the parentheses of OVER."""
        parts = []
        if node.partition:
            parts.append(f"PARTITION BY {', '.join(self.key(item) for item in node.partition)}")
        parts.append(self._ordered(node.order).strip())
        if node.frame is not None:
            parts.append(self._frame(node.frame))
        return " ".join(filter(None, parts))

    def _frame(self, frame: WindowFrame) -> str:
        exclusion = "" if frame.exclusion is None else f" EXCLUDE {frame.exclusion}"
        between = f"BETWEEN {self._bound(frame.start)} AND {self._bound(frame.stop)}"
        return f"{frame.mode} {between}{exclusion}"

    def _bound(self, bound: FrameBound) -> str:
        if bound.offset is None:
            return str(bound.end)
        match bound.offset:
            case Call(
                name="span",
                arguments=(Literal(value=int(months)), Literal(value=int(microseconds))),
            ):
                span = f"INTERVAL '{months} months {microseconds} microseconds'"
                return f"{span} {bound.end}"
            case offset:
                return f"{self.expression(offset)} {bound.end}"

    # -------------------------------------------------------------- sort keys

    def _ordered(self, order: tuple[SortKey, ...]) -> str:
        """ORDER BY with a blank before it; nothing where there is no order."""
        return f" ORDER BY {', '.join(self.sort_keys(order, {}))}" if order else ""

    def sort_keys(self, order: Iterable[SortKey], by_output: Mapping[Expression, str]) -> list[str]:
        """ORDER BY items; where NULLs come is said, because the engines differ."""
        return [
            (by_output.get(key.expression) or self.key(key.expression))
            + (" DESC" if key.descending else " ASC")
            + (" NULLS FIRST" if key.has_nulls_first else " NULLS LAST")
            for key in order
        ]

    @override
    def key(self, expression: Expression) -> str:
        """An expression of GROUP BY or ORDER BY, where a bare integer would be a position."""
        if isinstance(expression, Literal):
            return f"CAST({self.expression(expression)} AS {self.type(expression.type)})"
        return self.expression(expression)
