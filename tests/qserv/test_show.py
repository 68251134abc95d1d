"""MySQL's SHOW and DESCRIBE over the hand-written catalogs."""

from __future__ import annotations

import time

import pytest

from qserv.bind import Catalogs
from qserv.bind.errors import UnknownTable
from qserv.running import QueryCancelled, Running
from qserv.show import NoDatabase, Shown, show
from qserv.sql import SqlSyntaxError
from tests.support.skies import DP1_FIRST, SKIES


def shown(text: str, catalogs: Catalogs = DP1_FIRST) -> Shown:
    found = show(text, catalogs, ())
    assert found is not None
    return found


@pytest.mark.parametrize("text", ["SHOW DATABASES", "show schemas;", "  SHOW\n DATABASES ; "])
def test_databases_are_the_catalogs(text: str) -> None:
    assert shown(text) == Shown(("Database",), (("deep",), ("dp1",)))


def test_tables_are_those_of_a_database() -> None:
    found = shown("SHOW TABLES FROM dp1")
    assert found.columns == ("Tables_in_dp1",)
    assert ("ForcedSource",) in found.rows
    assert list(found.rows) == sorted(found.rows)


@pytest.mark.parametrize(
    "text", ["SHOW TABLES LIKE 'f%source'", "SHOW TABLES IN `DP1` LIKE 'Forced\\_ource'"]
)
def test_like_lets_names_through_in_any_case(text: str) -> None:
    wanted = () if "\\" in text else (("ForcedSource",),)
    assert shown(text).rows == wanted


def test_full_tables_have_their_kind() -> None:
    assert ("Visit", "BASE TABLE") in shown("SHOW FULL TABLES").rows


def test_tables_need_a_database_where_there_is_no_default() -> None:
    with pytest.raises(NoDatabase, match="one of dp1, deep"):
        show("SHOW TABLES", SKIES, ())


@pytest.mark.parametrize(
    "text",
    ["DESCRIBE Visit visit", "desc `dp1`.`Visit` `visit`", "SHOW COLUMNS FROM Visit LIKE 'visit'"],
)
def test_a_column_has_mysql_s_type_and_its_key(text: str) -> None:
    heads = ("Field", "Type", "Null", "Key", "Default", "Extra")
    assert shown(text) == Shown(heads, (("visit", "bigint", "NO", "PRI", None, ""),))


@pytest.mark.parametrize(
    "text", ["DESCRIBE Visit", "EXPLAIN Visit", "SHOW FIELDS FROM Visit FROM dp1"]
)
def test_all_columns_stand_in_their_order(text: str) -> None:
    assert [row[0] for row in shown(text).rows][:1] == ["visit"]
    assert ("band", "varchar(1)", "YES", "", None, "") in shown(text).rows


def test_full_columns_have_comments() -> None:
    found = shown("SHOW FULL COLUMNS FROM Visit")
    assert (found.columns[2], found.columns[-1]) == ("Collation", "Comment")


def test_the_running_queries_are_the_processes() -> None:
    old = Running("q-1", text="SELECT  1\n FROM t", began=time.monotonic() - 9)
    new = Running("q-2", text="x" * 300)
    new.stop(QueryCancelled("q-2"))
    found = show("SHOW PROCESSLIST", DP1_FIRST, (new, old))
    assert found is not None
    one, other = found.rows
    assert one == ("q-1", "operator", "", None, "Query", "9", "executing", "SELECT 1 FROM t")
    assert (other[0], other[6], other[7]) == ("q-2", "stopping", "x" * 100)


def test_full_processes_have_their_whole_texts() -> None:
    found = show("SHOW FULL PROCESSLIST", DP1_FIRST, (Running("q-2", text="x" * 300),))
    assert found is not None
    assert found.rows[0][7] == "x" * 300


@pytest.mark.parametrize(
    "text", ["SELECT 1", "EXPLAIN SELECT 1", "EXPLAIN WITH a AS (SELECT 1) SELECT * FROM a", ""]
)
def test_a_query_is_none_of_them(text: str) -> None:
    assert show(text, DP1_FIRST, ()) is None


def test_what_is_not_known_is_refused_at_its_place() -> None:
    with pytest.raises(SqlSyntaxError, match="MySQL syntax error at line 2, column 2") as caught:
        show("\n SHOW GRANTS", DP1_FIRST, ())
    assert (caught.value.line, caught.value.column) == (2, 2)


def test_an_unknown_table_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownTable, match="Visit"):
        show("DESCRIBE Visits", DP1_FIRST, ())


@pytest.mark.parametrize("text", ["SHOW DATABASES LIKE 'x%'", "SHOW PROCESSLIST"])
def test_no_rows_are_an_answer_with_columns(text: str) -> None:
    made = shown(text).to_answer()
    assert sum(batch.num_rows for batch in made.batches) == 0
    assert made.columns
