"""FROM: tables, sub-queries and joins."""

from __future__ import annotations

from sqlglot import exp

from qserv.adql.cursor import place
from qserv.adql.expressions import AFTER_QUERY, Expressions
from qserv.adql.tokens import Token

_JOIN_WORDS = frozenset({"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"})


class Sources(Expressions):
    """Reads what stands after FROM."""

    def from_clause(self) -> tuple[exp.From, list[exp.Join]]:
        """FROM a, b JOIN c ON ...: the first source, and all others as joins, as sqlglot has it."""
        token = self.advance()
        first = self._source()
        joins = self._joins()
        while self.kind == ",":
            comma = self.advance()
            joins.append(place(exp.Join(this=self._source()), comma))
            joins.extend(self._joins())
        return place(exp.From(this=first), token), joins

    def _joins(self) -> list[exp.Join]:
        joins = []
        while self.kind in _JOIN_WORDS:
            joins.append(self._join())
        return joins

    def _join(self) -> exp.Join:
        token = self.token
        if self.kind == "CROSS":
            self.advance()
            self.expect("JOIN", "JOIN")
            return place(exp.Join(this=self._source(), kind="CROSS"), token)
        facts = self._join_facts()
        self.expect("JOIN", "JOIN")
        right = self._source()
        if "method" not in facts:
            self.enter(token)
            self._nested_joins(right)
            facts |= self._join_condition(token)
            self.leave()
        elif self.kind in ("ON", "USING"):
            raise self.fault_at(self.token, "a NATURAL JOIN has no condition of its own")
        return place(exp.Join(this=right, **facts), token)

    def _join_facts(self) -> dict[str, object]:
        """NATURAL, and the kind of join, as sqlglot notes them."""
        facts: dict[str, object] = {"method": "NATURAL"} if self.take("NATURAL") else {}
        if self.kind in ("LEFT", "RIGHT", "FULL"):
            facts["side"] = self.advance().kind
            if self.take("OUTER"):
                facts["kind"] = "OUTER"
        elif self.take("INNER"):
            facts["kind"] = "INNER"
        return facts

    def _nested_joins(self, right: exp.Expression) -> None:
        """`a JOIN b JOIN c ON ... ON ...`: b and c are joined first."""
        joins = []
        while self.kind in _JOIN_WORDS:
            joins.append(self._join())
        if joins:
            right.set("joins", [*(right.args.get("joins") or []), *joins])

    def _join_condition(self, join: Token) -> dict[str, object]:
        if self.take("ON"):
            return {"on": self.search_condition()}
        if not self.take("USING"):
            if self.kind == "fault":
                raise self.unexpected("ON or USING")
            raise self.fault_at(join, "this JOIN has no condition; add ON ... or USING (...)")
        self.expect("(", "( and the columns' names after USING")
        names = [self.identifier("a column's name")]
        while self.take(","):
            names.append(self.identifier("a column's name"))
        self.expect(")", ") after the columns of USING")
        return {"using": names}

    # -------------------------------------------------------------- one source

    def _source(self) -> exp.Expression:
        """A table, a sub-query, or a join in parentheses."""
        if self.kind != "(":
            return self._table()
        source, is_query = self._parenthesised()
        return self._named(source) if is_query else source

    def _named(self, subquery: exp.Subquery) -> exp.Subquery:
        """The sub-query with its name, if it has one."""
        alias = self._alias()
        if alias is not None:
            subquery.set("alias", alias)
        return subquery

    def _table(self) -> exp.Table:
        token = self.token
        parts = [self.identifier("a table's name")]
        while self.kind == ".":
            point = self.advance()
            if len(parts) == 3:
                raise self.fault_at(point, "too many parts in a table's name")
            parts.append(self.identifier("a name after the point"))
        if self.kind == "(":
            raise self.fault_at(token, "a function does not stand in FROM")
        names = dict(zip(("this", "db", "catalog"), reversed(parts), strict=False))
        table = exp.Table(**names)
        alias = self._alias()
        if alias is not None:
            table.set("alias", alias)
        return place(table, token)

    def _alias(self) -> exp.TableAlias | None:
        """[AS] name."""
        if not self.take("AS") and (
            self.kind not in ("name", "quoted") or self.token.text.upper() == "LIMIT"
        ):
            return None
        token = self.token
        return place(exp.TableAlias(this=self.identifier("a name after AS")), token)

    def _parenthesised(self) -> tuple[exp.Subquery, bool]:
        """What begins with a parenthesis; True with it if it is a query."""
        opening = self.advance()
        self.enter(opening)
        if self.kind in ("SELECT", "WITH"):
            inner, is_query = self.query(), True
        elif self.kind == "(":
            inner, is_query = self._doubly_parenthesised()
        else:
            inner, is_query = self._table(), False
        if not is_query:
            self._join_inside(inner)
        self.expect(")", ")")
        self.leave()
        return place(exp.Subquery(this=inner), opening), is_query

    def _doubly_parenthesised(self) -> tuple[exp.Expression, bool]:
        """`((SELECT ...) UNION ...`, `((SELECT ...))`, or the first source of a join."""
        first, is_query = self._parenthesised()
        if is_query and self.kind in AFTER_QUERY:
            return self.query_after(first), True
        if is_query and self.kind != ")":
            return self._named(first), False
        return first, is_query

    def _join_inside(self, first: exp.Expression) -> None:
        """The joins after the first source of a parenthesis; there must be one."""
        joins = self._joins()
        if joins:
            first.set("joins", joins)
        elif not (isinstance(first, exp.Subquery) and "alias" not in first.args):
            raise self.unexpected("JOIN (parentheses in FROM hold a join or a sub-query)")
