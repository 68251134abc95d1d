"""The generator of queries writes right texts in each language, of every shape, and few twice."""

import pytest
from hypothesis import Phase, find, given, settings

from qserv.adql import parse_adql
from qserv.languages import LANGUAGES as PARSERS
from qserv.limits import Limits
from tests.support.queries import LANGUAGES, Query, queries, query_of
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
    "tree",
    "coordinates",
    "covariance",
    "case",
    "exchange",
    "geometry",
]
OF_ONE_LANGUAGE = [
    *(("PostgreSQL", use) for use in (*("window", "filter", "sets", "values"), "lateral", "row")),
    ("PostgreSQL", "quantified"),
    *(("MySQL", use) for use in ("row", "quantified")),
    *(("MySQL", use) for use in ("window", "sets", "area")),
]


@settings(max_examples=200, deadline=None)
@given(queries(SMALL_SKY))
def test_every_query_is_adql(query: Query) -> None:
    assert parse_adql(query.text)


@pytest.mark.parametrize("use", USES)
def test_queries_of_every_use_come_up(use: str) -> None:
    unshrunk = settings(database=None, max_examples=5000, phases=[Phase.generate])
    assert use in find(queries(SMALL_SKY), lambda query: use in query.uses, settings=unshrunk).uses


@pytest.mark.parametrize(("language", "use"), OF_ONE_LANGUAGE)
def test_queries_of_a_language_have_what_is_its_own(language: str, use: str) -> None:
    found = [query_of(SMALL_SKY, language, seed) for seed in range(400)]
    assert any(use in query.uses for query in found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_seeds_give_right_and_different_queries(language: str) -> None:
    texts = [query_of(SMALL_SKY, language, seed).text for seed in range(200)]
    assert all(PARSERS[language](text, Limits()) for text in texts)
    assert len(set(texts)) >= 180


@pytest.mark.parametrize(
    ("name", "written"), [("ra", "ra"), ("size", '"size"'), ("_x", '"_x"'), ('a"b', '"a""b"')]
)
def test_names_are_quoted_where_adql_asks(name: str, written: str) -> None:
    assert quoted(name) == written
