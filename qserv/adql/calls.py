"""Functions, aggregates, CAST, COALESCE and CASE."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sqlglot import exp

from qserv.adql.cursor import place
from qserv.adql.functions import fault_of_call
from qserv.adql.types import TypeNames
from qserv.adql.words import ARGUMENT_COUNTS, STATISTICS

AGGREGATES = {
    "AVG": exp.Avg,
    "COUNT": exp.Count,
    "MAX": exp.Max,
    "MIN": exp.Min,
    "SUM": exp.Sum,
}


class Calls(TypeNames, ABC):
    """Reads what has a name and arguments in parentheses, and CASE."""

    @abstractmethod
    def value(self) -> exp.Expression:
        """A value: what stands in a select list, an argument, an operand."""

    @abstractmethod
    def search_condition(self) -> exp.Expression:
        """What WHERE, HAVING, ON and WHEN ask for."""

    def call(self) -> exp.Expression:
        """A function: ADQL's own by their upper-case names, users' as written."""
        token = self.advance()
        upper = token.text.upper()
        has_fixed_name = token.kind != "name" or upper in STATISTICS or upper in ARGUMENT_COUNTS
        name = upper if has_fixed_name else token.text
        opening = self.advance()
        self.enter(opening)
        if upper in STATISTICS and self.kind in ("DISTINCT", "ALL"):
            arguments = [self._quantified()]
        else:
            arguments = self._arguments()
        self.expect(")", f") after the arguments of {name}")
        self.leave()
        if upper in ARGUMENT_COUNTS or upper == "POLYGON":
            fault = fault_of_call(upper, arguments)
            if fault:
                raise self.fault_at(token, fault)
        return place(exp.Anonymous(this=name, expressions=arguments), token)

    def _arguments(self) -> list[exp.Expression]:
        if self.kind == ")":
            return []
        arguments = [self.value()]
        while self.take(","):
            arguments.append(self.value())
        return arguments

    def aggregate(self) -> exp.Expression:
        """COUNT, SUM, AVG, MIN, MAX."""
        token = self.advance()
        opening = self.advance()
        self.enter(opening)
        argument: exp.Expression
        if token.kind == "COUNT" and self.kind == "*":
            argument = place(exp.Star(), self.advance())
        else:
            argument = self._quantified()
        self.expect(")", f") after the argument of {token.kind}")
        self.leave()
        facts = {"big_int": True} if token.kind == "COUNT" else {}
        return place(AGGREGATES[token.kind](this=argument, **facts), token)

    def _quantified(self) -> exp.Expression:
        """An aggregate's argument, perhaps after DISTINCT or ALL."""
        token = self.token
        if self.take("DISTINCT"):
            return place(exp.Distinct(expressions=[self.value()]), token)
        self.take("ALL")
        return self.value()

    def coalesce(self) -> exp.Expression:
        token = self.advance()
        self.enter(self.advance())
        first = self.value()
        others = []
        while self.take(","):
            others.append(self.value())
        self.expect(")", ") after the arguments of COALESCE")
        self.leave()
        return place(exp.Coalesce(this=first, expressions=others), token)

    def cast(self) -> exp.Expression:
        token = self.advance()
        self.enter(self.advance())
        argument = self.value()
        self.expect("AS", "AS and a type in CAST")
        to = self.type_name()
        self.expect(")", ") after the type of CAST")
        self.leave()
        return place(exp.Cast(this=argument, to=to), token)

    def case(self) -> exp.Expression:
        """CASE, searched or simple: a declared extension."""
        token = self.advance()
        self.enter(token)
        subject = {} if self.kind == "WHEN" else {"this": self.value()}
        branches = []
        while self.kind == "WHEN":
            when = self.advance()
            condition = self.value() if subject else self.search_condition()
            self.expect("THEN", "THEN")
            branches.append(place(exp.If(this=condition, true=self.value()), when))
        if not branches:
            raise self.unexpected("WHEN")
        default = {"default": self.value()} if self.take("ELSE") else {}
        self.expect("END", "WHEN, ELSE or END")
        self.leave()
        return place(exp.Case(**subject, ifs=branches, **default), token)
