"""SELECT, set operations, ORDER BY, OFFSET, WITH: a whole text."""

from __future__ import annotations

from typing import NoReturn

from sqlglot import exp
from typing_extensions import override

from qserv.adql.cursor import place
from qserv.adql.expressions import SET_OPERATORS
from qserv.adql.sources import Sources
from qserv.adql.tokens import Token
from qserv.adql.words import STATEMENT_WORDS

MOST_ROWS = 2**63 - 1
"""What TOP and OFFSET may ask for: the largest number that the databases count with."""


class Queries(Sources):
    """Reads queries."""

    def statement(self) -> exp.Expression:
        """The whole text: one query, perhaps after WITH, perhaps with a semicolon at its end."""
        if self.kind not in ("SELECT", "WITH", "(", "fault"):
            self._refuse_statement()
        with_ = self._with_clause() if self.kind == "WITH" else None
        query = self.query()
        if with_ is not None:
            if isinstance(query, exp.Subquery) and set(query.args) == {"this"}:
                query = query.this
                query.pop()
            query.set("with_", with_)
        if self.take(";") and self.kind != "end":
            raise self.fault_at(self.token, "one statement at a time, please: text after ;")
        if self.kind != "end":
            raise self.unexpected("the end of the query")
        return query

    def _refuse_statement(self) -> NoReturn:
        word = self.token.text.upper()
        if word in STATEMENT_WORDS:
            raise self.fault_at(self.token, f"{word} is not a query; only SELECT is answered")
        raise self.unexpected("SELECT")

    def _with_clause(self) -> exp.With:
        token = self.advance()
        if self.token.text.upper() == "RECURSIVE" and self.kind == "name" and self.peek() == "name":
            raise self.fault_at(self.token, "WITH RECURSIVE is not ADQL")
        named = [self._common_table()]
        while self.take(","):
            named.append(self._common_table())
        return place(exp.With(expressions=named), token)

    def _common_table(self) -> exp.CTE:
        token = self.token
        alias = place(exp.TableAlias(this=self.identifier("a query's name")), token)
        if self.take("("):
            columns = [self.identifier("a column's name")]
            while self.take(","):
                columns.append(self.identifier("a column's name"))
            self.expect(")", ") after the columns' names")
            alias.set("columns", columns)
        self.expect("AS", "AS (SELECT ...)")
        opening = self.expect("(", "( and a query")
        self.enter(opening)
        query = self.query()
        self.expect(")", ") after the query")
        self.leave()
        return place(exp.CTE(this=query, alias=alias), token)

    # -------------------------------------------------------------- set operations

    @override
    def query(self) -> exp.Expression:
        self.enter(self.token)  # beside its parenthesis: a query takes twice a value's recursion
        query = self.query_after(self._query_primary())
        self.leave()
        return query

    @override
    def query_after(self, first: exp.Expression) -> exp.Expression:
        """UNION and EXCEPT from left to right, INTERSECT before them, then ORDER BY and OFFSET."""
        left = self._intersections(first)
        length = 0
        while self.kind in ("UNION", "EXCEPT"):
            token = self.advance()
            is_all = self.take("ALL")
            right = self._intersections(self._query_primary())
            if isinstance(right, exp.Intersect):
                right = place(exp.Subquery(this=right), token)
            left = _set_operation(token, left, right, is_all=is_all)
            length += 1
            self.bound_chain(length, token)
        if self.kind == "ORDER":
            left.set("order", self._order_by())
        if self.kind == "OFFSET":
            left.set("offset", self._offset())
        return left

    def _intersections(self, first: exp.Expression) -> exp.Expression:
        left = first
        length = 0
        while self.kind == "INTERSECT":
            token = self.advance()
            is_all = self.take("ALL")
            left = _set_operation(token, left, self._query_primary(), is_all=is_all)
            length += 1
            self.bound_chain(length, token)
        return left

    def _query_primary(self) -> exp.Expression:
        """A SELECT, or a query in parentheses."""
        if self.kind == "SELECT":
            return self._select()
        if self.kind == "WITH":
            raise self.fault_at(self.token, "WITH stands only at the beginning of the text")
        opening = self.expect("(", "SELECT or a query in parentheses")
        self.enter(opening)
        inner = self.query()
        self.expect(")", ") after the query")
        self.leave()
        return place(exp.Subquery(this=inner), opening)

    def _order_by(self) -> exp.Order:
        token = self.advance()
        self.expect("BY", "BY after ORDER")
        keys = [self._sort_key()]
        while self.take(","):
            keys.append(self._sort_key())
        return place(exp.Order(expressions=keys), token)

    def _sort_key(self) -> exp.Ordered:
        token = self.token
        key = self.value()
        direction = {}
        if self.kind in ("ASC", "DESC"):
            direction["desc"] = self.advance().kind == "DESC"
        nulls_first = direction.get("desc", False)
        return place(exp.Ordered(this=key, nulls_first=nulls_first, **direction), token)

    def _offset(self) -> exp.Offset:
        token = self.advance()
        return place(exp.Offset(expression=self._row_count("OFFSET")), token)

    def _row_count(self, word: str) -> exp.Literal:
        """An unsigned integer after TOP or OFFSET."""
        token = self.token
        if token.kind == "fault":
            raise self.unexpected("an unsigned integer")
        if token.kind != "number" or not token.text.isdigit():
            raise self.fault_at(token, f"{word} takes an unsigned integer")
        if int(token.text) > MOST_ROWS:
            raise self.fault_at(token, f"{word} takes {MOST_ROWS} at most")
        return place(exp.Literal(this=token.text, is_string=False), self.advance())

    # -------------------------------------------------------------- SELECT

    def _select(self) -> exp.Select:
        token = self.advance()
        parts: dict[str, object] = {}
        quantifier = self.token
        if self.take("DISTINCT"):
            parts["distinct"] = place(exp.Distinct(), quantifier)
        else:
            self.take("ALL")
        if self.kind == "TOP":
            top = self.advance()
            parts["limit"] = place(exp.Limit(expression=self._row_count("TOP")), top)
            if self.kind in ("DISTINCT", "ALL"):
                raise self.fault_at(self.token, f"{self.kind} stands before TOP")
        parts["expressions"] = self._select_list()
        if self.kind == "FROM":
            parts["from_"], joins = self.from_clause()
            if joins:
                parts["joins"] = joins
        self._restrictions(parts)
        return place(exp.Select(**parts), token)

    def _restrictions(self, parts: dict[str, object]) -> None:
        """WHERE, GROUP BY and HAVING, in this order."""
        token = self.token
        if self.take("WHERE"):
            parts["where"] = place(exp.Where(this=self.search_condition()), token)
        token = self.token
        if self.take("GROUP"):
            self.expect("BY", "BY after GROUP")
            keys = [self.value()]
            while self.take(","):
                keys.append(self.value())
            parts["group"] = place(exp.Group(expressions=keys), token)
        token = self.token
        if self.take("HAVING"):
            parts["having"] = place(exp.Having(this=self.search_condition()), token)

    def _select_list(self) -> list[exp.Expression]:
        items = [self._select_item()]
        while self.take(","):
            items.append(self._select_item())
        return items

    def _select_item(self) -> exp.Expression:
        """`*`, `t.*`, or a value with or without a name."""
        if self.kind == "*":
            return place(exp.Star(), self.advance())
        if self.kind in ("name", "quoted") and self.peek() == "." and self._is_qualified_star():
            return self._qualified_star()
        token = self.token
        value = self.value()
        if self.take("AS"):
            name = self.identifier("a name after AS")
        elif self.kind in ("name", "quoted") and self.token.text.upper() != "LIMIT":
            name = self.identifier("a name")
        else:
            return value
        return place(exp.Alias(this=value, alias=name), token)

    def _is_qualified_star(self) -> bool:
        index = self.index
        while self.tokens[index].kind in ("name", "quoted") and self.tokens[index + 1].kind == ".":
            index += 2
        return self.tokens[index].kind == "*"

    def _qualified_star(self) -> exp.Column:
        token = self.token
        parts = []
        while self.kind != "*":
            parts.append(self.identifier("a table's name"))
            point = self.expect(".", ".")
            if len(parts) > 3:
                raise self.fault_at(point, "too many parts in a table's name")
        star = place(exp.Star(), self.advance())
        names = dict(zip(("table", "db", "catalog"), reversed(parts), strict=False))
        return place(exp.Column(this=star, **names), token)


def _set_operation(
    token: Token, left: exp.Expression, right: exp.Expression, *, is_all: bool
) -> exp.Expression:
    build = SET_OPERATORS[token.kind]
    return place(build(this=_branch(left), expression=_branch(right), distinct=not is_all), token)


def _branch(query: exp.Expression) -> exp.Expression:
    """A branch of a set operation; one with TOP is a sub-query, as PostgreSQL's LIMIT asks."""
    if isinstance(query, exp.Select) and "limit" in query.args:
        wrapped = exp.Subquery(this=query)
        wrapped.meta.update(query.meta)
        return wrapped
    return query
