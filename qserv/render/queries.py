"""Queries: blocks, set operations, FROM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from typing_extensions import override

from qserv.bound import (
    BaseTable,
    Column,
    Derived,
    Expression,
    Fetched,
    Join,
    JoinKind,
    Query,
    RelationId,
    Select,
    SetOperation,
    Source,
    Values,
)
from qserv.render.aggregates import Aggregates
from qserv.render.dialect import Dialect
from qserv.traverse import nodes


class Renderer(Aggregates):
    """One rendering: the dialect and what stands for each relation."""

    def __init__(
        self, dialect: Dialect, sources: Mapping[RelationId, str], *, is_careful: bool = False
    ) -> None:
        super().__init__(dialect, is_careful=is_careful)
        self.sources = sources

    @override
    def query(self, query: Query) -> str:
        """A whole query, not parenthesised."""
        return self.select(query) if isinstance(query, Select) else self.set_operation(query)

    def select(self, block: Select) -> str:
        """One SELECT block."""
        clauses = [self._quantified(block)]
        clauses.append(
            ", ".join(
                f"{self.expression(output.expression)} AS c{i}"
                for i, output in enumerate(block.outputs)
            )
        )
        if block.source is not None:
            clauses.append(f"FROM {self.source(block.source)}")
        if block.where is not None:
            clauses.append(f"WHERE {self.expression(block.where)}")
        clauses += self._group(block)
        if block.having is not None:
            clauses.append(f"HAVING {self.expression(block.having)}")
        by_output = {o.expression: f"c{i}" for i, o in enumerate(block.outputs)}
        clauses += self.tail(block, by_output if block.distinct else {})
        return " ".join(clauses)

    def _quantified(self, block: Select) -> str:
        """SELECT with what it says of equal rows."""
        if block.distinct_on:
            keys = ", ".join(self.key(key) for key in block.distinct_on)
            return f"SELECT DISTINCT ON ({keys})"
        return "SELECT DISTINCT" if block.distinct else "SELECT"

    def _group(self, block: Select) -> list[str]:
        """GROUP BY."""
        keys = [self.key(key) for key in block.group]
        if block.grouping_sets:
            sets = (f"({', '.join(keys[place] for place in one)})" for one in block.grouping_sets)
            return [f"GROUP BY GROUPING SETS ({', '.join(sets)})"]
        return [f"GROUP BY {', '.join(keys)}"] if keys else []

    def set_operation(self, query: SetOperation) -> str:
        """UNION, EXCEPT or INTERSECT, with what is asked of the combined rows around it."""
        word = f"{query.kind} ALL" if query.all else str(query.kind)
        combined = f"(({self.query(query.left)}) {word} ({self.query(query.right)}))"
        outputs = ", ".join(
            f"{self.expression(output.expression)} AS c{i}"
            for i, output in enumerate(query.outputs)
        )
        clauses = [f"SELECT {outputs} FROM {combined} AS {query.relation}", *self.tail(query, {})]
        return " ".join(clauses)

    def tail(self, query: Query, by_output: Mapping[Expression, str]) -> list[str]:
        """ORDER BY, LIMIT and OFFSET."""
        clauses = []
        if query.order:
            clauses.append(f"ORDER BY {', '.join(self.sort_keys(query.order, by_output))}")
        if query.limit is not None:
            clauses.append(f"LIMIT {query.limit}")
        if query.offset:
            clauses.append(f"OFFSET {query.offset}")
        return clauses

    # -------------------------------------------------------------- sources

    def source(self, source: Source) -> str:
        """One item of FROM."""
        match source:
            case BaseTable() | Fetched():
                return f"{self.sources[source.relation]} AS {source.relation}"
            case Derived():
                lateral = "LATERAL " if source.is_lateral else ""
                return f"{lateral}({self.query(source.query)}) AS {source.relation}"
            case Values():
                return self.values(source)
            case Join():
                return self.join(source)
            case _:
                assert_never(source)

    def values(self, source: Values) -> str:
        """Rows spelled out, of the types that the bound tree says."""
        rows = ", ".join(
            f"({', '.join(self.expression(cell) for cell in row)})" for row in source.rows
        )
        columns = ", ".join(f"c{i}" for i in range(len(source.types)))
        lateral = "LATERAL " if _names_columns(source) else ""
        return f"{lateral}(VALUES {rows}) AS {source.relation}({columns})"

    def join(self, join: Join) -> str:
        """A join; its right side is parenthesised where it is one itself."""
        left, right = self.source(join.left), self.source(join.right)
        if isinstance(join.right, Join):
            right = f"({right})"
        if join.on is None:
            return f"{left} CROSS JOIN {right}"
        assert join.kind is not JoinKind.CROSS
        return f"{left} {join.kind} JOIN {right} ON {self.expression(join.on)}"


def _names_columns(source: Values) -> bool:
    """Whether the rows hold columns of the relations to their left."""
    cells: list[Expression] = [cell for row in source.rows for cell in row]
    return any(isinstance(node, Column) for cell in cells for node in nodes(cell))
