"""The bounds of a text: reached, each is refused with a sentence."""

import pytest

from qserv.adql import AdqlSyntaxError, parse_adql
from qserv.limits import Limits


def condition(nested: str, depth: int) -> str:
    opening, closing = nested.split("...")
    return f"SELECT a FROM t WHERE a = {opening * depth}1{closing * depth}"


NESTINGS = [
    "(...)",
    "f(...)",
    "- ...",
    "ABS(1 + (...))",
    "(SELECT b FROM t WHERE a = ...)",
    "CASE WHEN a = ... THEN 1 END",
    "COALESCE(...)",
    "CAST(... AS REAL)",
    "(a | b + c * ...)",
    "SUM(...)",
]


@pytest.mark.parametrize("nested", NESTINGS)
def test_nesting_is_bounded(nested: str) -> None:
    with pytest.raises(AdqlSyntaxError, match="nested deeper than 64 levels"):
        parse_adql(condition(nested, 1000))


def test_the_deepest_nesting_of_every_operator_is_read() -> None:
    assert parse_adql(condition("(1 | 2 + 3 * CASE WHEN b OR c AND NOT d > ... THEN 1 END)", 20))


@pytest.mark.parametrize("nested", NESTINGS)
def test_sixty_levels_or_their_like_are_read(nested: str) -> None:
    levels = 60 // sum(nested.count(word) for word in ("(", "-", "CASE", "SELECT"))
    assert parse_adql(condition(nested, levels))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1000 + "SELECT 1" + ")" * 1000,
        "SELECT * FROM " + "(" * 1000 + "SELECT 1" + ")" * 1000 + " x",
        "SELECT * FROM a " + "JOIN b " * 1000 + "ON 1 = 1 " * 1000,
        "SELECT a FROM t WHERE " + "NOT " * 1000 + "a = 1",
        "SELECT a FROM t WHERE EXISTS " + "(" * 1000 + "SELECT 1" + ")" * 1000,
        "SELECT a FROM t WHERE a IN " + "(" * 1000 + "SELECT 1" + ")" * 1000,
        "SELECT " + "(" * 100_000,
        "SELECT " + "- " * 90_000 + "1",
    ],
)
def test_nesting_of_every_kind_is_bounded(text: str) -> None:
    with pytest.raises(AdqlSyntaxError, match="nested deeper than 64 levels"):
        parse_adql(text)


def test_a_smaller_nesting_may_be_asked_for() -> None:
    with pytest.raises(AdqlSyntaxError, match="nested deeper than 2 levels"):
        parse_adql("SELECT (((1)))", Limits(max_nesting=2))


def test_a_long_text_is_refused() -> None:
    with pytest.raises(AdqlSyntaxError, match="longer than 20 bytes"):
        parse_adql("SELECT 'éééé' FROM t", Limits(max_text_bytes=20))


def test_many_words_are_refused() -> None:
    with pytest.raises(AdqlSyntaxError, match="line 1, column 12: the text has more than 4 words"):
        parse_adql("SELECT a, b, c", Limits(max_tokens=4))


@pytest.mark.parametrize("operator", ["+", "||", "*", "&"])
def test_a_chain_of_operators_is_bounded(operator: str) -> None:
    with pytest.raises(AdqlSyntaxError, match="more than 200 operators in one chain"):
        parse_adql("SELECT " + f" {operator} ".join("a" * 1000))


@pytest.mark.parametrize("operator", ["UNION", "EXCEPT ALL", "INTERSECT"])
def test_a_chain_of_set_operations_is_bounded(operator: str) -> None:
    with pytest.raises(AdqlSyntaxError, match="more than 200 operators in one chain"):
        parse_adql(f" {operator} ".join(["SELECT 1"] * 300))


@pytest.mark.parametrize("connector", ["AND", "OR"])
def test_many_conditions_in_a_row_are_read(connector: str) -> None:
    tree = parse_adql("SELECT a FROM t WHERE " + f" {connector} ".join(["a = 1"] * 5000))
    assert len(list(tree.args["where"].this.flatten())) == 5000


def test_a_long_list_is_read() -> None:
    listed = ", ".join(str(number) for number in range(20_000))
    tree = parse_adql(f"SELECT a FROM t WHERE a IN ({listed})")
    assert len(tree.args["where"].this.expressions) == 20_000
