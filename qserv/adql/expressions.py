"""Values and conditions.

    condition = AND and OR of factors        `negation` and below: [NOT] predicate
    predicate = value [comparison | BETWEEN | IN | LIKE | IS NULL], or EXISTS
    value     = operators over factors, by precedence climbing
    factor    = [sign] primary

A condition in parentheses is met where a value may begin, so `predicate` returns either; whoever
needs the one or the other asks for `value` or `search_condition`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from sqlglot import exp
from typing_extensions import override

from qserv.adql.calls import AGGREGATES, Calls
from qserv.adql.cursor import place
from qserv.adql.tokens import Token
from qserv.adql.words import PREDICATE_GEOMETRIES, RESERVED_FUNCTIONS, SQL_FUNCTIONS

SET_OPERATORS = {"UNION": exp.Union, "EXCEPT": exp.Except, "INTERSECT": exp.Intersect}
AFTER_QUERY = frozenset({*SET_OPERATORS, "ORDER", "OFFSET"})
"""What may follow a query in parentheses, and so tells it from a scalar."""

_COMPARISONS = {
    "=": exp.EQ,
    "<>": exp.NEQ,
    "!=": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
}
_CALLABLE = RESERVED_FUNCTIONS | SQL_FUNCTIONS
_OTHER, _SUM, _PRODUCT = 1, 2, 3
"""The levels of PostgreSQL's operators: whatever is not arithmetic is of one, the lowest."""
_OPERATORS = {
    "||": (_OTHER, exp.DPipe, {"safe": True}),
    "&": (_OTHER, exp.BitwiseAnd, {}),
    "|": (_OTHER, exp.BitwiseOr, {}),
    "^": (_OTHER, exp.BitwiseXor, {}),
    "<<": (_OTHER, exp.BitwiseLeftShift, {}),
    ">>": (_OTHER, exp.BitwiseRightShift, {}),
    "+": (_SUM, exp.Add, {}),
    "-": (_SUM, exp.Sub, {}),
    "*": (_PRODUCT, exp.Mul, {}),
    "/": (_PRODUCT, exp.Div, {"typed": True, "safe": False}),
    "%": (_PRODUCT, exp.Mod, {}),
}
_CONDITIONS = (
    exp.And,
    exp.Or,
    exp.Not,
    *_COMPARISONS.values(),
    exp.Between,
    exp.In,
    exp.Like,
    exp.ILike,
    exp.Is,
    exp.Exists,
)
_NEVER_CONDITIONS = (
    exp.Literal,
    exp.Null,
    exp.Neg,
    exp.BitwiseNot,
    *(operator[1] for operator in _OPERATORS.values()),
    *AGGREGATES.values(),
)


class Expressions(Calls, ABC):
    """Reads values and conditions."""

    @abstractmethod
    def query(self) -> exp.Expression:
        """A whole SELECT or set operation, without WITH."""

    @abstractmethod
    def query_after(self, first: exp.Expression) -> exp.Expression:
        """The rest of a query whose first part has been read."""

    # -------------------------------------------------------------- conditions

    @override
    def search_condition(self) -> exp.Expression:
        """What WHERE, HAVING, ON and WHEN ask for."""
        return self._as_condition(self._condition())

    def _condition(self) -> exp.Expression:
        left = self._conjunction()
        while self.kind == "OR":
            token = self.advance()
            right = self._as_condition(self._conjunction())
            left = place(exp.Or(this=self._as_condition(left), expression=right), token)
        return left

    def _conjunction(self) -> exp.Expression:
        left = self._negation()
        while self.kind == "AND":
            token = self.advance()
            right = self._as_condition(self._negation())
            left = place(exp.And(this=self._as_condition(left), expression=right), token)
        return left

    def _negation(self) -> exp.Expression:
        if self.kind != "NOT":
            return self._predicate()
        token = self.advance()
        self.enter(token)
        negated = exp.Not(this=self._as_condition(self._negation()))
        self.leave()
        return place(negated, token)

    def _predicate(self) -> exp.Expression:
        if self.kind == "EXISTS":
            return self._exists()
        left = self._operation(_OTHER)
        kind = self.kind
        if kind in _COMPARISONS:
            return self._comparison(self._as_value(left))
        if kind == "IS":
            return self._is_null(self._as_value(left))
        token = self.token
        is_negated = self.take("NOT")
        match self.kind:
            case "BETWEEN":
                found = self._between(self._as_value(left))
            case "IN":
                found = self._in(self._as_value(left))
            case "LIKE" | "ILIKE":
                return self._like(self._as_value(left), is_negated=is_negated)
            case _ if is_negated:
                raise self.unexpected("BETWEEN, IN, LIKE or ILIKE after NOT")
            case _:
                return left
        return place(exp.Not(this=found), token) if is_negated else found

    def _comparison(self, left: exp.Expression) -> exp.Expression:
        token = self.advance()
        if self.kind in ("ALL", "ANY", "SOME"):
            raise self.fault_at(self.token, f"comparison with {self.kind} is not ADQL")
        right = self.value()
        self._check_truth(left, right)
        self._check_truth(right, left)
        return place(_COMPARISONS[token.kind](this=left, expression=right), token)

    def _check_truth(self, geometry: exp.Expression, other: exp.Expression) -> None:
        """CONTAINS and INTERSECTS are 1 or 0, nothing else."""
        is_predicate = isinstance(geometry, exp.Anonymous) and geometry.this in PREDICATE_GEOMETRIES
        if is_predicate and isinstance(other, exp.Literal) and not _is_zero_or_one(other):
            raise self.fault_of(other, f"{geometry.this} is 1 or 0; compare it to one of them")

    def _is_null(self, left: exp.Expression) -> exp.Expression:
        token = self.advance()
        negation = {"negate": True} if self.take("NOT") else {}
        null = place(exp.Null(), self.expect("NULL", "NULL or NOT NULL after IS"))
        return place(exp.Is(this=left, expression=null, **negation), token)

    def _between(self, left: exp.Expression) -> exp.Expression:
        token = self.advance()
        low = self.value()
        self.expect("AND", "AND between the bounds of BETWEEN")
        return place(exp.Between(this=left, low=low, high=self.value()), token)

    def _like(self, left: exp.Expression, *, is_negated: bool) -> exp.Expression:
        token = self.advance()
        build = exp.Like if token.kind == "LIKE" else exp.ILike
        negation = {"negate": True} if is_negated else {}
        return place(build(this=left, expression=self.value(), **negation), token)

    def _in(self, left: exp.Expression) -> exp.Expression:
        token = self.advance()
        opening = self.expect("(", "( after IN")
        self.enter(opening)
        found = place(exp.In(this=left, **self._in_set(opening)), token)
        self.expect(")", ") after the list of IN")
        self.leave()
        return found

    def _in_set(self, opening: Token) -> dict[str, object]:
        """What stands in the parentheses of IN: a sub-query or a list."""
        if self.kind in ("SELECT", "WITH"):
            return {"query": place(exp.Subquery(this=self.query()), opening)}
        first = self.value()
        if isinstance(first, exp.Subquery) and self.kind != ",":
            inner = self.query_after(first) if self.kind in AFTER_QUERY else first
            return {"query": place(exp.Subquery(this=inner), opening)}
        items = [first]
        while self.take(","):
            items.append(self.value())
        return {"expressions": items}

    def _exists(self) -> exp.Expression:
        token = self.advance()
        opening = self.expect("(", "a sub-query in parentheses after EXISTS")
        self.enter(opening)
        found = place(exp.Exists(this=self.query()), token)
        self.expect(")", ") after the sub-query")
        self.leave()
        return found

    def _as_condition(self, node: exp.Expression) -> exp.Expression:
        """The node, if it may be a condition: a predicate, or what may be of type boolean."""
        inner = node.unnest() if isinstance(node, exp.Paren) else node
        if isinstance(inner, exp.Anonymous) and inner.this in PREDICATE_GEOMETRIES:
            name = inner.this
            raise self.fault_of(inner, f"{name}(...) is a number; write 1 = {name}(...)")
        if isinstance(inner, _NEVER_CONDITIONS):
            raise self.fault_of(inner, "this is a value, not a condition")
        return node

    # -------------------------------------------------------------- values

    @override
    def value(self) -> exp.Expression:
        """A value: what stands in a select list, an argument, an operand."""
        return self._as_value(self._operation(_OTHER))

    def _as_value(self, node: exp.Expression) -> exp.Expression:
        inner = node.unnest() if isinstance(node, exp.Paren) else node
        if isinstance(inner, _CONDITIONS):
            raise self.fault_of(node, "a condition is not a value; use CASE WHEN ... END")
        return node

    def _operation(self, lowest: int) -> exp.Expression:
        """Operators of the level `lowest` and above. One factor alone may be a condition."""
        left = self._factor()
        length = 0
        while (operator := _OPERATORS.get(self.kind)) and operator[0] >= lowest:
            level, build, facts = operator
            token = self.advance()
            right = self._as_value(self._operation(level + 1))
            left = place(build(this=self._as_value(left), expression=right, **facts), token)
            length += 1
            self.bound_chain(length, token)
        return left

    def _factor(self) -> exp.Expression:
        if self.kind not in ("-", "+", "~"):
            return self._primary()
        token = self.advance()
        self.enter(token)
        operand = self._as_value(self._factor())
        self.leave()
        if token.kind == "+":
            return operand
        return place((exp.Neg if token.kind == "-" else exp.BitwiseNot)(this=operand), token)

    def _primary(self) -> exp.Expression:
        token = self.token
        match token.kind:
            case "name":
                return self.call() if self.peek() == "(" else self._column()
            case "quoted":
                return self._column()
            case "number":
                return place(exp.Literal(this=token.text, is_string=False), self.advance())
            case "string":
                return place(exp.Literal(this=token.text, is_string=True), self.advance())
            case "(":
                return self._parenthesis()
            case "NULL":
                return place(exp.Null(), self.advance())
            case "TRUE" | "FALSE":
                return place(exp.Boolean(this=token.kind == "TRUE"), self.advance())
            case "CASE":
                return self.case()
            case _:
                return self._reserved_call()

    def _reserved_call(self) -> exp.Expression:
        """A function whose name is a reserved word."""
        if self.peek() != "(":
            raise self._no_value()
        match self.kind:
            case "CAST":
                return self.cast()
            case "COALESCE":
                return self.coalesce()
            case kind if kind in AGGREGATES:
                return self.aggregate()
            case kind if kind in _CALLABLE:
                return self.call()
            case _:
                raise self._no_value()

    def _no_value(self) -> Exception:
        """The error that no value begins here."""
        match self.kind:
            case "TIMESTAMP" | "DATE" | "TIME" | "INTERVAL" if self.peek() == "string":
                return self.fault_at(self.token, "write CAST('...' AS TIMESTAMP) for a time")
            case "WITH":
                return self.fault_at(self.token, "WITH stands only at the beginning of the text")
            case "SELECT":
                return self.fault_at(self.token, "a sub-query stands in parentheses")
            case "NOT" | "EXISTS":
                return self.fault_at(
                    self.token, "a condition is not a value; use CASE WHEN ... END"
                )
            case _:
                return self.unexpected("a value: a number, a string, a column's name or a function")

    def _parenthesis(self) -> exp.Expression:
        """A sub-query, a value or a condition in parentheses."""
        opening = self.advance()
        self.enter(opening)
        found: exp.Expression
        if self.kind in ("SELECT", "WITH"):
            found = exp.Subquery(this=self.query())
        else:
            inner = self._condition()
            if not isinstance(inner, exp.Subquery):
                found = exp.Paren(this=inner)
            elif self.kind in AFTER_QUERY:
                found = exp.Subquery(this=self.query_after(inner))
            else:
                found = exp.Subquery(this=inner)
        self.expect(")", ")")
        self.leave()
        return place(found, opening)

    def _column(self) -> exp.Expression:
        """A column's name with up to three qualifiers: catalog, schema, table."""
        token = self.token
        parts = [self.identifier("a name")]
        while self.kind == ".":
            point = self.advance()
            if len(parts) == 4:
                raise self.fault_at(point, "too many parts in a column's name")
            parts.append(self.identifier("a name after the point"))
        names = dict(zip(("this", "table", "db", "catalog"), reversed(parts), strict=False))
        if self.kind == "(":
            raise self.fault_at(token, "a function's name has no point and no quotes")
        return place(exp.Column(**names), token)


def _is_zero_or_one(literal: exp.Literal) -> bool:
    return not literal.is_string and float(literal.this) in (0.0, 1.0)
