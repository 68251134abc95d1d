"""The generator of queries writes right ADQL, of every shape."""

import pytest
from hypothesis import Phase, find, given, settings

from qserv.adql import parse_adql
from tests.support.queries import Query, queries
from tests.support.sky import quoted
from tests.support.small_sky import SMALL_SKY

USES = [
    "region",
    "child",
    "overlap",
    "replicated",
    "group",
    "aggregate",
    "distinct",
    "top",
    "offset",
    "sub-query",
    "derived",
    "with",
    "set",
    "outer",
]


@settings(max_examples=200, deadline=None)
@given(queries(SMALL_SKY))
def test_every_query_is_adql(query: Query) -> None:
    assert parse_adql(query.text)


@pytest.mark.parametrize("use", USES)
def test_queries_of_every_use_come_up(use: str) -> None:
    unshrunk = settings(database=None, max_examples=5000, phases=[Phase.generate])
    assert use in find(queries(SMALL_SKY), lambda query: use in query.uses, settings=unshrunk).uses


@pytest.mark.parametrize(
    ("name", "written"), [("ra", "ra"), ("size", '"size"'), ("_x", '"_x"'), ('a"b', '"a""b"')]
)
def test_names_are_quoted_where_adql_asks(name: str, written: str) -> None:
    assert quoted(name) == written
