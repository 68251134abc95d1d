"""For texts that both read, the tree is the one of sqlglot's own PostgreSQL parser."""

import pytest
import sqlglot
from hypothesis import given, settings
from sqlglot import exp

from qserv.adql import parse_adql
from tests.qserv.adql.texts import ACCEPTED
from tests.support.outline import outline
from tests.support.queries import Query, queries
from tests.support.small_sky import SMALL_SKY

_STATISTICS = (exp.Stddev, exp.Variance, exp.CovarSamp, exp.CovarPop, exp.Corr, exp.Median)
_KEPT = (exp.AggFunc, exp.Cast, exp.Coalesce, exp.Case, exp.If, exp.Exists, exp.Connector)


def without_functions(tree: exp.Expression) -> exp.Expression:
    """The tree with every function as a bare name: there the two differ on purpose."""

    def bare(node: exp.Expression) -> exp.Expression:
        is_function = isinstance(node, exp.Func) and not isinstance(node, _KEPT)
        is_statistic = isinstance(node, _STATISTICS)
        return exp.column("f") if is_function or is_statistic else node

    return tree.transform(bare)


def normalised(tree: exp.Expression) -> str:
    """The tree as text, numbers in sqlglot's spelling."""
    bare = without_functions(tree)
    for literal in bare.find_all(exp.Literal):
        if not literal.is_string and literal.this.startswith("."):
            literal.set("this", f"0{literal.this}")
    return outline(bare)


# sqlglot reads ^ as a power and MOD(a, b) as a % b, and knows no TOP.
_OTHERWISE = ("^", "TOP ", "mod(")


@pytest.mark.parametrize(
    "text", [text for text in ACCEPTED if not any(x in text for x in _OTHERWISE)]
)
def test_the_cases_have_the_same_tree(text: str) -> None:
    expected = sqlglot.parse_one(text.removesuffix(";"), read="postgres")
    assert normalised(parse_adql(text)) == normalised(expected)


@settings(max_examples=150, deadline=None)
@given(queries(SMALL_SKY))
def test_random_queries_have_the_same_tree(query: Query) -> None:
    tree = parse_adql(query.text)
    rendered = tree.sql("postgres", normalize_functions=False)
    assert normalised(tree) == normalised(sqlglot.parse_one(rendered, read="postgres"))
