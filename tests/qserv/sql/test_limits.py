"""What the fronts refuse before sqlglot sees it, and names that look like their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qserv.limits import Limits
from qserv.sql import SqlSyntaxError, parse_mysql, parse_postgres

Parse = Callable[[str, Limits], Any]
SMALL = Limits(max_text_bytes=500, max_tokens=60, max_nesting=5)
both = pytest.mark.parametrize("parse", [parse_postgres, parse_mysql])


@both
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("SELECT '" + "a" * 500 + "'", "longer than 500 bytes"),
        ("SELECT " + ", ".join(["a"] * 40), "more than 60 words"),
        ("SELECT ((((((1))))))", "deeper than 5 levels"),
        ("SELECT NOT NOT NOT NOT NOT NOT a", "deeper than 5 levels"),
        ("SELECT - - - - - - a", "deeper than 5 levels"),
        ("SELECT '\0'", "stands in no text"),
        ("", "expected SELECT"),
        (";", "expected SELECT"),
    ],
)
def test_a_text_beyond_a_limit_is_refused(parse: Parse, text: str, fault: str) -> None:
    with pytest.raises(SqlSyntaxError, match=fault):
        parse(text, SMALL)


@both
@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 20_000 + "1" + ")" * 20_000,
        "SELECT " + "NOT " * 50_000 + "a",
        "SELECT a" + " + 1" * 20_000,
        "SELECT 1 FROM t" + " JOIN t" * 20_000,
        "SELECT " + "CASE WHEN a THEN " * 20_000 + "1" + " END" * 20_000,
        "SELECT 1" + " UNION SELECT 1" * 5_000,
        "SELECT " + "INTERVAL " * 20_000 + "'1 day'",
        "SELECT " + "EXISTS " * 20_000 + "(SELECT 1)",
    ],
    ids=lambda text: text[:24],
)
def test_no_text_breaks_the_parser(parse: Parse, text: str) -> None:
    with pytest.raises(SqlSyntaxError):
        parse(text, Limits())


@both
@pytest.mark.parametrize("name", ["_f_x", "sql_x", "f"])
def test_a_name_stays_what_it_is(parse: Parse, name: str) -> None:
    tree = parse(f"SELECT {name}(1), {name} FROM t AS {name}", Limits())
    call, column = tree.expressions
    assert (call.this, column.name, tree.args["from_"].this.alias) == (name, name, name)
