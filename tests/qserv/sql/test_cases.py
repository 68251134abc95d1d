"""Texts of PostgreSQL and MySQL, in tests/cases/postgres_sql and tests/cases/mysql.

`trees.case` holds what the fronts give, the other files what it is bound to; errors are either's.
"""

from __future__ import annotations

import pytest

from qserv.bind import bind
from qserv.languages import LANGUAGES
from qserv.limits import Limits
from schema.errors import QueryError
from tests.qserv.bind.binding import NOW, RANDOM
from tests.support.bound_text import bound_text
from tests.support.cases import Case, cases_in
from tests.support.outline import outline
from tests.support.skies import DP1_FIRST


@pytest.mark.parametrize("case", cases_in("postgres_sql"), ids=str)
def test_a_postgresql_text_gives_its_tree_or_error(case: Case, pytestconfig: pytest.Config) -> None:
    _check(case, "PostgreSQL", pytestconfig)


@pytest.mark.parametrize("case", cases_in("mysql"), ids=str)
def test_a_mysql_text_gives_its_tree_or_error(case: Case, pytestconfig: pytest.Config) -> None:
    _check(case, "MySQL", pytestconfig)


def _check(case: Case, language: str, config: pytest.Config) -> None:
    stage = _tree if case.path.stem == "trees" else _bound
    try:
        outcome = stage(case.text, language)
    except QueryError as error:
        outcome = {"error": f"{error.code} {error}"}
    case.check(outcome, owned=("tree", "bound", "error"), update=config.getoption("--update-cases"))


def _tree(text: str, language: str) -> dict[str, str]:
    return {"tree": outline(LANGUAGES[language](text, Limits()))}


def _bound(text: str, language: str) -> dict[str, str]:
    tree = LANGUAGES[language](text, Limits())
    return {"bound": bound_text(bind(tree, DP1_FIRST, now=NOW, random=RANDOM))}
