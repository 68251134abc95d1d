"""Texts that several tests of the parser read."""

from qserv.adql.words import CLAUSE_WORDS
from schema.reserved import ADQL_WORDS
from tests.support.cases import cases_in

ACCEPTED = [case.text for case in cases_in("adql") if "tree" in case.sections]
REFUSED = [case.text for case in cases_in("adql") if "error" in case.sections]

MARKS = ["(", ")", ",", ".", ";", "*", "+", "-", "/", "%", "||", "|", "&", "^", "~", "<<", ">>"]
COMPARISONS = ["=", "<>", "!=", "<", "<=", ">", ">=", "=="]
VALUES = ["a", "t.b", "f(a)", "1", "1.5e3", ".5", "'s'", '"q"', "NULL", "TRUE", "limit", "x y"]
BROKEN = [
    "'",
    '"',
    "/*",
    "--",
    "\n",
    "0x1",
    "1.2.3",
    "_a",
    "é",
    "“",
    "\u00a0",
    "\0",
    "\ud800",
    "[",
    "?",
]
FUNCTIONS = ["COUNT", "SUM", "CAST", "COALESCE", "DATE", "SUBSTRING"]
WORDS = [*sorted(CLAUSE_WORDS | ADQL_WORDS), *FUNCTIONS]
VOCABULARY = [*MARKS, *COMPARISONS, *VALUES, *BROKEN, *WORDS]
