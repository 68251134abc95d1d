"""parse(render(tree)) == tree."""

from hypothesis import given, settings
from sqlglot import exp

from qserv.adql import parse_adql
from tests.support.queries import Query, queries
from tests.support.small_sky import SMALL_SKY


def rendered(tree: exp.Expression) -> str:
    """ADQL again: PostgreSQL's rendering, but for the one type whose name differs."""
    sql = tree.sql("postgres", normalize_functions=False)
    return sql.replace(" AS INT)", " AS INTEGER)")


def without_top(tree: exp.Expression) -> exp.Expression:
    """The tree without TOP, which PostgreSQL writes LIMIT."""
    for limit in list(tree.find_all(exp.Limit)):
        limit.pop()
    return tree


@settings(max_examples=200, deadline=None)
@given(queries(SMALL_SKY))
def test_a_rendered_tree_is_read_as_itself(query: Query) -> None:
    tree = without_top(parse_adql(query.text))
    assert parse_adql(rendered(tree)) == tree
