"""Every node says where it stands, and every error points there."""

import pytest
from sqlglot import exp

from qserv.adql import AdqlSyntaxError, parse_adql, point_at
from tests.qserv.adql.texts import ACCEPTED

TEXT = """SELECT o.ra, abs(b) AS c
FROM s.t AS o
WHERE a IN (SELECT x FROM u)
  AND b + 1 > 'x'"""


def places(kind: type[exp.Expression]) -> list[tuple[int, int]]:
    found = [(node.meta["line"], node.meta["col"]) for node in parse_adql(TEXT).find_all(kind)]
    return sorted(found)


def test_columns_stand_at_their_qualifier() -> None:
    assert places(exp.Column) == [(1, 8), (1, 18), (3, 7), (3, 20), (4, 7)]


def test_tables_stand_at_their_schema() -> None:
    assert places(exp.Table) == [(2, 6), (3, 27)]


def test_functions_literals_and_sub_queries_stand_at_their_first_character() -> None:
    assert places(exp.Anonymous) == [(1, 14)]
    assert places(exp.Literal) == [(4, 11), (4, 15)]
    assert places(exp.Subquery) == [(3, 12)]


def test_operators_stand_at_themselves() -> None:
    assert places(exp.Add) == [(4, 9)]
    assert places(exp.GT) == [(4, 13)]


@pytest.mark.parametrize("text", ACCEPTED)
def test_every_node_has_a_place(text: str) -> None:
    unplaced = [node for node in parse_adql(text).walk() if "line" not in node.meta]
    assert unplaced == []


def test_the_root_has_the_text() -> None:
    assert parse_adql(TEXT).meta["text"] == TEXT


def test_an_error_knows_its_place() -> None:
    with pytest.raises(AdqlSyntaxError) as caught:
        parse_adql("SELECT a\nFROM t\r\nWHERE\ta ! b")
    assert (caught.value.line, caught.value.column) == (3, 9)
    assert str(caught.value).endswith("\nWHERE\ta ! b\n     \t  ^")
    assert caught.value.fields()["code"] == "ADQL_SYNTAX"


def test_a_long_line_is_shown_in_part() -> None:
    shown, caret = point_at("x" * 500 + "!" + "y" * 500, 1, 501).split("\n")
    assert len(shown) == 100
    assert shown[len(caret) - 1] == "!"


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_what_no_database_stores_is_refused_wherever_it_stands(character: str) -> None:
    with pytest.raises(AdqlSyntaxError, match=f"character U\\+{ord(character):04X}") as caught:
        parse_adql(f"SELECT a\nFROM t WHERE s = 'x{character}'")
    assert (caught.value.line, caught.value.column) == (2, 20)


def test_a_message_has_no_control_characters() -> None:
    with pytest.raises(AdqlSyntaxError) as caught:
        parse_adql('SELECT a FROM t AS "\x1b[2J" "\x1b[31m" \x1b')
    assert "\x1b" not in str(caught.value)
